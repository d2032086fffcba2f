"""Decide test cases offline: unit tests for policies, kept with infrastructure code.

``cases`` describes the format. A decision includes notes on keys that AWS always sets and the case lacks, and on parts
of its policies that never match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ecr_tui.policy.actions import is_known
from ecr_tui.policy.cases import RESPONSES, Case, read_cases, undecidable
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.conditions import parse_date, parse_network, parse_number
from ecr_tui.policy.document import PolicyDocument, values_of
from ecr_tui.policy.evaluate import UNKNOWN, Reason, Request, context_for, decide
from ecr_tui.policy.keys import ADDRESS, ALWAYS, BOOL, DATE, NUMBER, SPELLINGS, spelling_like, type_of
from ecr_tui.policy.lint_actions import did_you_mean
from ecr_tui.policy.patterns import variables
from ecr_tui.policy.refusals import refusals, voids

__all__ = ["RESPONSES", "Case", "CaseResult", "read_cases", "run", "simulate"]

_OF_PRINCIPALS = frozenset({"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid"})
"""Keys that a service's own request lacks."""


_TYPE_CHECKS: dict[str, tuple[Callable[[str], bool], str]] = {
    BOOL: (lambda text: text.lower() in ("true", "false"), "true or false"),
    DATE: (lambda text: parse_date(text) is not None, "a date"),
    NUMBER: (lambda text: parse_number(text) is not None, "a number"),
    ADDRESS: (lambda text: parse_network(text) is not None and "/" not in text, "one address"),
}


@dataclass(frozen=True)
class CaseResult:
    """``matches`` is None without an expectation. ``notes`` are sentences."""

    name: str
    response: str
    expected: str | None
    matches: bool | None
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """ "notes" is omitted if empty."""
        found: dict[str, Any] = {
            "name": self.name,
            "response": self.response,
            "expected": self.expected,
            "matches": self.matches,
            "reasons": [reason.to_json() for reason in self.reasons],
        }
        return found | ({"notes": list(self.notes)} if self.notes else {})


def simulate(text: str) -> tuple[CaseResult, ...]:
    """Decide every case of a file's text.

    Raises InputError (PolicyError for bad JSON), naming the case; also for a document that AWS would reject, because it
    never decides a request.
    """
    cases = read_cases(text)
    problems = [f"{case.name}: {problem}" for case in cases for problem in _refused(case)]
    if problems:
        raise undecidable(problems)
    return tuple(run(case) for case in cases)


def _refused(case: Case) -> Iterator[str]:
    for name, document in case.documents:
        for found in refusals(document, name.partition("[")[0]):
            place = f", {found.where}" if found.where else ""
            yield f"AWS rejects the {name}{place}: {found.title}. {found.fix}"


def run(case: Case) -> CaseResult:
    """The decision for the given context; unknown if a missing key would change it."""
    decision = decide(case.request, case.policies)
    response, notes = decision.response, list(_notes(case))
    missing = _missing(case)
    if missing:
        names = ", ".join(missing)
        completed = _completed(case.request, missing)
        if completed is not None and decide(completed, case.policies).response != response:
            response = UNKNOWN
            notes.append(f"The decision depends on {names}, which AWS always sets. Add it to the context.")
        else:
            notes.append(f"AWS always sets {names}; the case was decided without it. Add it to the context.")
    matches = None if case.expected is None else response == case.expected
    return CaseResult(case.name, response, case.expected, matches, decision.reasons, tuple(dict.fromkeys(notes)))


def _missing(case: Case) -> list[str]:
    """Keys that every such request has and the policies use, but the case's context lacks."""
    caller = caller_of(case.request.principal)
    always = ALWAYS - _OF_PRINCIPALS if caller.kind == "service" else ALWAYS
    always |= {"user": {"aws:username"}, "service": {"aws:principalservicename"}}.get(caller.kind, set())
    asked = {name for _, document in case.documents for name in _asked(document)}
    return sorted(SPELLINGS[name] for name in asked & always - case.request.keys.keys())


def _asked(document: PolicyDocument) -> Iterator[str]:
    """The condition keys and variables of a document, in lower case."""
    for statement in document.statements:
        texts = [*statement.resources, *statement.not_resources]
        for block in statement.condition.values():
            for key, values in block.items():
                yield key.lower()
                texts += values
        if document.expands_variables:
            yield from (name.lower() for text in texts for name in variables(text))


def _completed(request: Request, missing: list[str]) -> Request | None:
    """The request with missing keys derived from its principal and resource; None if none can be derived."""
    parts = request.resource.split(":", 5)
    filled = context_for(request.principal, request.resource_account)
    filled |= {"aws:ViaAWSService": "false"} | ({"aws:RequestedRegion": parts[3]} if len(parts) == 6 else {})
    found = {name: filled[name] for name in missing if name in filled}
    return replace(request, context={**request.context, **found}) if found else None


def _notes(case: Case) -> Iterator[str]:
    request = case.request
    if request.action.lower().startswith("ecr:") and not is_known(request.action):
        yield f"{request.action} is not an ECR action. {did_you_mean(request.action)}".rstrip()
    for key, value in request.context.items():
        like = spelling_like(key) if type_of(key) is None else None
        if like:
            yield f"{key} in the context is not a known condition key. Did you mean {like}?"
        good, words = _TYPE_CHECKS.get(type_of(key) or "", (lambda text: True, ""))
        for text in values_of(value):
            if not good(text):
                yield f'{key} "{text}" in the context is not {words}, which AWS would send.'
    for name, document in case.documents:
        for found in voids(document, name.partition("[")[0]):
            yield f"{name}, {found.where}: {found.title}."
