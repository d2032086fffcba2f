"""Three-valued access decisions: yes, no, or depends (and on what).

The list, the audit, plans and tag edits all use these decisions. A hypothetical call is decided twice: in the worst
case (open conditions of an Allow fail, those of a Deny hold) and in the best case. If both agree, that is the answer;
otherwise it depends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ecr_tui.policy.compiled import ALLOW, Rule, rules_of
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.evaluate import Decision, Policies, grips_of, settle, standings
from ecr_tui.policy.explain import explain
from ecr_tui.policy.keys import is_resource_tag
from ecr_tui.policy.known import Known, Standing, before_call


class Verdict(StrEnum):
    YES = "yes"
    NO = "no"
    DEPENDS = "depends"

    @property
    def allowed(self) -> bool | None:
        """None: depends."""
        return None if self is Verdict.DEPENDS else self is Verdict.YES


class Source(NamedTuple):
    """A statement and its source: "resource" (the repository policy) or "registry"."""

    where: str
    statement: Statement


class Answer(NamedTuple):
    """Decision of account A's policies.

    ``depends_on``: condition keys in the policy's spelling, and constants of ``policy.known``; () unless the verdict is
    depends. ``sources``: the statements that allow (yes), deny (no; () if none allows), or are open.
    """

    verdict: Verdict
    depends_on: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


Registries = Sequence[PolicyDocument | None]
"""Candidates for account A's registry policy: one (None: no policy), or several if it is unknown which applies."""


def answer(
    document: PolicyDocument | None,
    principal: str,
    actions: Iterable[str],
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
    now: datetime,
    registries: Registries = (None,),
) -> Answer:
    """Whether account A's policies allow ``principal`` all of ``actions`` on a repository; see :func:`of_call`."""
    known = before_call(principal, repository_arn=repository_arn, tags=tags, now=now)
    return all_of(of_call(document, known, action, repository_arn, registries) for action in actions)


def all_of(answers: Iterable[Answer]) -> Answer:
    """Yes if all are yes; no if any is no."""
    found = list(answers)
    for verdict in (Verdict.NO, Verdict.DEPENDS):
        some = [one for one in found if one.verdict is verdict]
        if some:
            return _together(verdict, some)
    return _together(Verdict.YES, found)


def _together(verdict: Verdict, found: Sequence[Answer]) -> Answer:
    names = dict.fromkeys(name for one in found for name in one.depends_on)
    sources = {(item.where, item.statement.index): item for one in found for item in one.sources}
    return Answer(verdict, tuple(names), tuple(sources.values()))


def of_call(
    document: PolicyDocument | None, known: Known, action: str, resource: str, registries: Registries = (None,)
) -> Answer:
    """Whether account A's repository policy or registry policy allows the call.

    A caller within account A may have more access from its own policies.
    """
    found = [_alone(document, registry, known, action, resource) for registry in registries]
    if len({one.verdict for one in found}) == 1:
        return _together(found[0].verdict, found)
    depends = [*(one for one in found if one.verdict is Verdict.DEPENDS), Answer(Verdict.DEPENDS, (REGISTRY,))]
    return _together(Verdict.DEPENDS, depends)


REGISTRY = "registry policy"
"""Used in ``depends_on`` if it is unknown which registry policy applies."""


def _alone(
    document: PolicyDocument | None, registry: PolicyDocument | None, known: Known, action: str, resource: str
) -> Answer:
    rules = [
        (where, rule)
        for where, policy in (("resource", document), ("registry", registry))
        if policy is not None
        for rule in rules_of(policy)
    ]
    return of_rules(rules, known, action, resource)


def of_rules(rules: Iterable[tuple[str, Rule]], known: Known, action: str, resource: str) -> Answer:
    """As :func:`of_call`, from statements with their sources."""
    allows: list[Source] = []
    may_allow: list[tuple[Source, Standing]] = []
    denies: list[Source] = []
    may_deny: list[tuple[Source, Standing]] = []
    for where, rule in rules:
        standing = known.standing(rule, action, resource, attached=True)
        source = Source(where, rule.statement)
        if standing.must:
            (denies if rule.deny else allows).append(source)
        elif standing.may:
            (may_deny if rule.deny else may_allow).append((source, standing))
    if denies or not (allows or may_allow):
        return Answer(Verdict.NO, (), tuple(denies))
    if allows and not may_deny:
        return Answer(Verdict.YES, (), tuple(allows))
    opens = [*([] if allows else may_allow), *may_deny]
    names = dict.fromkeys(name for _, standing in opens for name in standing.opens)
    return Answer(Verdict.DEPENDS, tuple(names), tuple(source for source, _ in opens))


def may_differ(
    documents: Iterable[PolicyDocument | None], one: Known, other: Known, action: str, resource: str
) -> bool:
    """Whether two answers that depend can differ for the same request of one caller, given the repository tags of
    ``one`` and ``other``."""
    for document in documents:
        for rule in rules_of(document) if document is not None else ():
            if _residue(rule, one, action, resource) != _residue(rule, other, action, resource):
                return True
    return False


def _residue(rule: Rule, known: Known, action: str, resource: str) -> object:
    """The open part of a statement; equal values have the same outcome for the same request."""
    standing = known.standing(rule, action, resource, attached=True)
    if standing.must or not standing.may:
        return standing.must
    lower = action.lower()
    open_clauses = [clause for clause in rule.clauses or () if not known.clause(clause, rule.deny, lower)[0]]
    names = [*rule.resource_names, *(name for clause in open_clauses for name in clause.names)]
    tags = tuple((name.lower(), known.keys.get(name.lower())) for name in names if is_resource_tag(name))
    return standing.may, tuple(map(id, open_clauses)), tags


class Bounds(NamedTuple):
    """Decide a call against all applicable policies, in the worst and in the best case."""

    worst: Decision
    best: Decision

    @property
    def verdict(self) -> Verdict:
        if self.worst.allowed:
            return Verdict.YES
        return Verdict.DEPENDS if self.best.allowed else Verdict.NO


def bounds(policies: Policies, known: Known, action: str, resource: str, resource_account: str) -> Bounds:
    """``policies.identity`` None: unreadable, so they allow in the best case only. A federated user's session policy is
    also unknown if not given."""
    worst, best = grips_of(policies, known, action, resource)
    if policies.identity is None and known.caller.kind != "service":
        best = best._replace(identity=ALLOW)
    made = []
    for grips in (worst, best):
        response, missing, denied_by = settle(known.caller, resource_account, True, grips)
        made.append(
            Decision(
                response,
                missing,
                denied_by,
                lambda one: explain(one.response, one.missing, action, resource, known, policies),
            )
        )
    return Bounds(*made)


def open_keys(
    documents: Iterable[PolicyDocument], known: Known, action: str, resource: str, *, attached: bool
) -> tuple[str, ...]:
    """The keys on which statements depend that may or may not apply to the call."""
    found = standings(documents, known, action, resource, attached=attached)
    return tuple(dict.fromkeys(name for _, standing in found if not standing.must for name in standing.opens))
