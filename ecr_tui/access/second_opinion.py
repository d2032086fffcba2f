"""Compare ecr-tui's answer about external access to a repository with IAM Access Analyzer's.

Access Analyzer evaluates only the repository policy, so the registry policy is ignored here. It does not know the other
account's policies, considers only some condition keys, reports no AWS services, and prefers false positives to false
negatives (IAM User Guide, "How IAM Access Analyzer findings work"). A difference that one of these may explain is not
comparable; any other difference is a disagreement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ecr_tui.aws.access_analyzer import ORGANIZATION, Analyzer, Finding, Preview
from ecr_tui.aws.model import Repository
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import is_registry_policy_only, matching_actions, repository_actions
from ecr_tui.policy.answer import Answer, Verdict, of_rules
from ecr_tui.policy.compiled import Rule, caller_of, rules_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.known import EVERYONE, PRINCIPAL, Known, before_call
from ecr_tui.policy.principal import account_of, canonical, is_dead
from ecr_tui.policy.who import ACTIONS

CONSIDERED = frozenset(
    {
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:userid",
    }
)
"""Condition keys that Access Analyzer is known to evaluate for a repository (IAM User Guide, "IAM Access Analyzer
filter keys"), in lower case."""

_DECIDED = tuple(one for one in repository_actions() if not is_registry_policy_only(one))
_ASKED = tuple(dict.fromkeys(action for actions in ACTIONS.values() for action in actions))
"""Other actions may be newer than Access Analyzer's list, so their absence is ignored."""

_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_UNIT = re.compile(r"o-[a-z0-9]{10,32}/r-[a-z0-9]{4,32}(?:/ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})+(?:/\*)?")

SERVICES = "Access Analyzer does not report AWS services, according to its guide"
IN_ZONE = "the principal may be in the organization that is the analyzer's zone of trust"
DELETED = "the principal was deleted"
FAILED = "Access Analyzer could not analyze the policy"
ANYBODY = "Access Analyzer includes callers with their own ecr:GetAuthorizationToken permission"


@dataclass(frozen=True)
class Difference:
    """``ours`` and ``theirs``: whether ``actions`` are allowed to ``principal`` (a text of ``grantees``, an ARN, an
    account or "*"). ``public``: about public access. ``findings``: ids. ``statements``: names of those that decide our
    answer. ``why``: why it is not comparable; "" for a disagreement."""

    principal: str
    actions: tuple[str, ...]
    ours: Verdict
    theirs: bool
    public: bool = False
    findings: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "principal": self.principal,
            "actions": list(self.actions),
            "public": self.public,
            "ecr_tui": self.ours.value,
            "access_analyzer": "yes" if self.theirs else "no",
            "findings": list(self.findings),
            "statements": list(self.statements),
            "why": self.why or None,
        }


@dataclass(frozen=True)
class Comparison:
    """``agreed``: principals with equal answers."""

    agreed: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def disagreements(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.why)

    @property
    def incomparable(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.why)

    def to_json(self) -> dict[str, Any]:
        return {
            "agreed": list(self.agreed),
            "disagreements": [one.to_json() for one in self.disagreements],
            "not_comparable": [one.to_json() for one in self.incomparable],
        }


@dataclass(frozen=True)
class SecondOpinion:
    """``preview`` and ``after``: of the proposed policy; ``existing`` and ``now``: of the current one. None if Access
    Analyzer returned none; ``unavailable`` then has the reasons and fixes."""

    analyzer: Analyzer | None = None
    preview: Preview | None = None
    existing: tuple[Finding, ...] | None = None
    after: Comparison | None = None
    now: Comparison | None = None
    unavailable: tuple[str, ...] = ()

    @property
    def disagreements(self) -> tuple[tuple[str, Difference], ...]:
        """Each with "after" or "now"."""
        found = (("after", self.after), ("now", self.now))
        return tuple((when, one) for when, compared in found if compared for one in compared.disagreements)

    def to_json(self) -> dict[str, Any]:
        return {
            "analyzer": None if self.analyzer is None else self.analyzer.to_json(),
            "preview": None
            if self.preview is None
            else {"id": self.preview.id, "findings": [one.to_json() for one in self.preview.findings]},
            "existing": None if self.existing is None else [one.to_json() for one in self.existing],
            "after": None if self.after is None else self.after.to_json(),
            "now": None if self.now is None else self.now.to_json(),
            "unavailable": list(self.unavailable),
        }


def compare(
    document: PolicyDocument | None,
    found: Sequence[Finding],
    *,
    repository: Repository,
    analyzer: Analyzer,
    now: datetime,
) -> Comparison:
    """``found``: Access Analyzer's findings for ``document``; RESOLVED ones are ignored."""
    ours = _Ours(document, repository, now)
    theirs = _Theirs([one for one in found if one.open])
    differences = _of_public(ours, theirs)
    agreed = []
    public = bool(differences)
    for subject in dict.fromkeys((*ours.subjects, *theirs.subjects)):
        if account_of(subject) == repository.account:
            continue
        here = _of_subject(subject, ours, theirs, analyzer)
        differences += here
        told_already = public and subject == EVERYONE
        if not here and not told_already and (theirs.findings(subject) or ours.allowed(subject)):
            agreed.append(subject)
    return Comparison(tuple(agreed), tuple(differences))


def _of_subject(subject: str, ours: _Ours, theirs: _Theirs, analyzer: Analyzer) -> list[Difference]:
    ids, reported = theirs.ids(subject), theirs.actions(subject)
    if reported is None:  # it names none
        reported = frozenset(ours.allowed(subject) or _ASKED)
    groups: dict[tuple[Verdict, bool, str, tuple[str, ...]], list[str]] = {}
    covered = theirs.covered(subject)
    for action in _DECIDED:
        answer = ours.of(subject, action)
        if action in reported:
            why = _why_reported(subject, action, answer, ours, theirs)
        elif answer.verdict is Verdict.YES and action in _ASKED and action not in covered:
            why = _why_missing(subject, theirs, analyzer)
        else:
            continue
        if why is not None:
            key = (answer.verdict, action in reported, why, _names(answer))
            groups.setdefault(key, []).append(action)
    return [
        Difference(subject, tuple(actions), verdict, reported_, False, ids, statements, why)
        for (verdict, reported_, why, statements), actions in groups.items()
    ]


def _why_reported(subject: str, action: str, answer: Answer, ours: _Ours, theirs: _Theirs) -> str | None:
    """Compare reported access. None: both agree; "": a disagreement."""
    if answer.verdict is Verdict.YES:
        return None
    if why := _never_comparable(subject):
        return why
    if answer.verdict is Verdict.DEPENDS:
        told = theirs.condition_keys(subject)
        open_ = [one for one in answer.depends_on if one == PRINCIPAL or one.lower() == "aws:principalarn"]
        return f"ecr-tui's answer depends on the {PRINCIPAL}" if open_ and "aws:principalarn" not in told else None
    return ours.ignored(subject, action)


def _why_missing(subject: str, theirs: _Theirs, analyzer: Analyzer) -> str:
    if why := _never_comparable(subject):
        return why
    if theirs.failed:
        return f"{FAILED} ({theirs.failed})"
    return IN_ZONE if analyzer.kind == ORGANIZATION else ""


def _never_comparable(subject: str) -> str:
    if is_dead(subject):
        return DELETED
    return SERVICES if caller_of(subject).kind == "service" else ""


def _of_public(ours: _Ours, theirs: _Theirs) -> list[Difference]:
    """Compare public access, for which only Access Analyzer's report is comparable."""
    ids = tuple(_lasting_id(one) for one in theirs.found if one.public)
    anybody = [action for action in _DECIDED if ours.of(EVERYONE, action).verdict is Verdict.YES]
    if anybody and not ids and theirs.findings(EVERYONE):
        asked = tuple(one for one in anybody if one in _ASKED)
        return [Difference(EVERYONE, asked, Verdict.YES, False, True, theirs.ids(EVERYONE), (), ANYBODY)]
    reported = sorted({action for one in theirs.found if one.public for action in _expanded(one.actions)})
    depends = [one for one in reported if ours.of(EVERYONE, one).verdict is Verdict.DEPENDS]
    if not ids or anybody or not depends:
        return []  # a no is already reported for "*"
    answer = ours.of(EVERYONE, depends[0])
    why = ours.ignored(EVERYONE, depends[0], Verdict.YES)
    return [Difference(EVERYONE, tuple(depends), Verdict.DEPENDS, True, True, ids, _names(answer), why)]


def _names(answer: Answer) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.statement.name for one in answer.sources))


class _Ours:
    def __init__(self, document: PolicyDocument | None, repository: Repository, now: datetime) -> None:
        self._rules = () if document is None else rules_of(document)
        self._expands = document is not None and document.expands_variables
        self._repository = repository
        self._now = now
        self._known: dict[str, Known] = {}
        self._answers: dict[tuple[str, str], Answer] = {}

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        found: list[str] = []
        for rule in self._rules:
            raw = rule.statement.raw
            if rule.deny:
                continue
            if "Principal" not in raw:
                found += [EVERYONE] if "NotPrincipal" in raw else []
                continue
            named = grantees.read(raw.get("Principal"), raw.get("Condition") or {})
            found += named[0] if named else [canonical(value) for _, value in rule.statement.principals]
        return tuple(dict.fromkeys(found))

    def of(self, subject: str, action: str) -> Answer:
        found = self._answers.get((subject, action))
        if found is None:
            found = self._answers[subject, action] = self._decide(self._rules, subject, action)
        return found

    def allowed(self, subject: str) -> tuple[str, ...]:
        return tuple(one for one in _DECIDED if self.of(subject, one).verdict is not Verdict.NO)

    def ignored(self, subject: str, action: str, least: Verdict = Verdict.DEPENDS) -> str:
        """Why our answer is narrower than Access Analyzer's: conditions that it may ignore; "" for another reason.

        ``least``: the required answer without them.
        """
        without = self._decide(self._as_analyzed.values(), subject, action)
        if without.verdict is Verdict.NO or (least is Verdict.YES and without.verdict is not Verdict.YES):
            return ""
        known, arn = self._known[subject], self._repository.arn
        keys = [
            clause.key
            for rule in self._rules
            if known.standing(self._as_analyzed.get(rule, rule), action, arn, attached=True).may
            for clause in rule.clauses or ()
            if clause.key.lower() not in CONSIDERED
        ]
        return f"Access Analyzer may not evaluate {', '.join(dict.fromkeys(keys))}"

    @cached_property
    def _as_analyzed(self) -> Mapping[Rule, Rule]:
        """The statements without conditions that Access Analyzer may ignore, and without Denys that have one."""
        found = {}
        for rule in self._rules:
            kept = tuple(one for one in rule.clauses or () if one.key.lower() in CONSIDERED)
            if rule.clauses is None or len(kept) == len(rule.clauses):
                found[rule] = rule
            elif not rule.deny:
                found[rule] = Rule(rule.statement, self._expands)
                found[rule].clauses = kept
        return found

    def _decide(self, rules: Iterable[Rule], subject: str, action: str) -> Answer:
        if subject == EVERYONE and EVERYONE not in self._names_of_allows:
            return Answer(Verdict.NO)  # someone may have access, but not everyone
        if subject not in self._known:
            self._known[subject] = before_call(
                subject, repository_arn=self._repository.arn, tags=self._repository.tags, now=self._now
            )
        return of_rules((("resource", one) for one in rules), self._known[subject], action, self._repository.arn)

    @cached_property
    def _names_of_allows(self) -> frozenset[str]:
        allows = [rule.statement for rule in self._rules if not rule.deny]
        named = {value for one in allows for _, value in one.principals}
        return frozenset(named | ({EVERYONE} if any(one.not_principals for one in allows) else set()))


class _Theirs:
    def __init__(self, found: Sequence[Finding]) -> None:
        self.found = found
        self.failed = next((one.error for one in found if one.error), "")
        """Why the policy, or part of it, was not analyzed."""
        self._of: dict[str, list[Finding]] = {}
        for one in found:
            for subject in _subjects(one):
                self._of.setdefault(subject, []).append(one)
        self.subjects = tuple(self._of)

    def findings(self, subject: str) -> Sequence[Finding]:
        return self._of.get(subject, ())

    def ids(self, subject: str) -> tuple[str, ...]:
        return tuple(map(_lasting_id, self.findings(subject)))

    def actions(self, subject: str) -> frozenset[str] | None:
        """None where findings name no actions."""
        found = self.findings(subject)
        if any(not one.actions for one in found):
            return None
        return frozenset(action for one in found for action in _expanded(one.actions))

    def covered(self, subject: str) -> frozenset[str]:
        """Actions reported for a wider principal than ``subject``."""
        wider = {EVERYONE, account_of(subject) or ""} - {subject}
        if subject.startswith(grantees.UNIT):
            wider.add(grantees.ORGANIZATION + subject.split("/")[1])
        found = [one for name in wider for one in self.findings(name) if name != EVERYONE or not one.condition]
        return frozenset(action for one in found for action in (_expanded(one.actions) if one.actions else _DECIDED))

    def condition_keys(self, subject: str) -> frozenset[str]:
        return frozenset(key.lower() for one in self.findings(subject) for key in one.condition)


def _lasting_id(finding: Finding) -> str:
    """The error of a preview's own finding ends with the preview."""
    return finding.existing_id or finding.id


def _subjects(finding: Finding) -> list[str]:
    """In the form of our own subjects: all principals of an organization are that organization."""
    found: list[str] = []
    for kind, value in finding.principals:
        if kind == "AWS" and value == EVERYONE:
            found += _organizations(finding.condition) or [EVERYONE]
        else:
            found.append(canonical(value))
    return found


def _organizations(condition: Mapping[str, str]) -> list[str]:
    keys = {key.lower(): value for key, value in condition.items()}
    units = _UNIT.findall(keys.get("aws:principalorgpaths", ""))
    return [grantees.UNIT + one for one in units] or [
        grantees.ORGANIZATION + one for one in _ORGANIZATION.findall(keys.get("aws:principalorgid", ""))
    ]


def _expanded(patterns: Iterable[str]) -> set[str]:
    return {action for pattern in patterns for action in matching_actions(pattern)} & set(_DECIDED)
