"""Current grants to external principals, each with its use by CloudTrail. Pure.

Three answers: used, no event, or unknown. CloudTrail may name another account's caller only by account (User Guide,
"CloudTrail userIdentity element": AWSAccount), has no organizations, and AWS does not document the identity of pulls by
services such as Lambda. ECR's last recorded pull is compared with the events: a pull without an event means that events
are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from ecr_tui.access.audit_result import REACHES
from ecr_tui.access.usage import Kind, Span, Tally
from ecr_tui.aws.model import Repository
from ecr_tui.aws.trail import Caller
from ecr_tui.policy.compiled import Caller as Principal
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.known import EVERYONE
from ecr_tui.policy.principal import account_of, describe, without_session
from ecr_tui.policy.who import Capability, Row, Verdict

KINDS = {Capability.PULL: Kind.PULL, Capability.PUSH: Kind.PUSH}
PULL_TOLERANCE = timedelta(hours=1)


class Answer(StrEnum):
    USED = "used"
    NO_EVENT = "no event"
    UNKNOWN = "unknown"


class Match(StrEnum):
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


class Period(NamedTuple):
    """``wanted``: start of the requested period; ``covered``: since when all events are known, None if not at all."""

    wanted: datetime
    covered: datetime | None
    until: datetime

    @property
    def start(self) -> datetime | None:
        """Since when a missing event is meaningful, within the requested period."""
        return None if self.covered is None else max(self.wanted, self.covered)

    @property
    def whole(self) -> bool:
        return self.covered is not None and self.covered <= self.wanted


class GrantUse(NamedTuple):
    """Access of a principal by a policy, and whether it was used. ``last``: the latest possible use by this principal,
    in the period or before. ``reason``: why the answer is unknown. ``policy_set``: last write of the repository's
    policy by the events: the grant may be as recent."""

    repository: Repository
    principal: str
    capability: Capability
    answer: Answer
    period: Period
    last: datetime | None = None
    reason: str = ""
    policy_set: datetime | None = None

    @property
    def title(self) -> str:
        return describe(self.principal)


def grant_uses(
    repository: Repository,
    rows: Iterable[Row],
    tally: Tally,
    period: Period,
    last_pull: datetime | None = None,
) -> list[GrantUse]:
    """Facts of one repository. ``rows``: its access. ``last_pull``: ECR's record, None if unknown."""
    uses: dict[Kind, list[tuple[Caller, Span]]] = {}
    for use, span in tally.uses.items():
        if use.repository == repository.name:
            uses.setdefault(use.kind, []).append((use.caller, span))
    policy_set = max((span.last for _, span in uses.get(Kind.POLICY, [])), default=None)
    return [
        _grant_use(repository, row, capability, uses.get(kind, []), period, last_pull)._replace(policy_set=policy_set)
        for row in rows
        if row.external and row.kind != "deleted"
        for capability, kind in KINDS.items()
        if row.verdict(capability) in REACHES
    ]


def _grant_use(
    repository: Repository,
    row: Row,
    capability: Capability,
    uses: Sequence[tuple[Caller, Span]],
    period: Period,
    last_pull: datetime | None,
) -> GrantUse:
    conditional = row.verdict(capability) is Verdict.IF
    matched = [
        (match_of(row.principal, caller, repository.account, conditional), caller, span) for caller, span in uses
    ]
    sure = [span.last for match, _, span in matched if match is Match.YES]
    maybe = [(span.last, caller) for match, caller, span in matched if match is Match.MAYBE]
    last = max((*sure, *(at for at, _ in maybe)), default=None)

    def found(answer: Answer, reason: str = "") -> GrantUse:
        return GrantUse(repository, row.principal, capability, answer, period, last, reason)

    start = period.start
    if any(at >= period.wanted for at in sure):
        return found(Answer.USED)
    if start is None:
        return found(Answer.UNKNOWN, "no events read yet")
    recent = [(at, caller) for at, caller in maybe if at >= period.wanted]
    if recent:
        return found(Answer.UNKNOWN, _who_else(row, max(recent)[1]))
    if row.kind == "service":
        return found(Answer.UNKNOWN, "AWS does not document how a service's calls appear in CloudTrail")
    if capability is Capability.PULL and last_pull is not None and last_pull >= start:
        explained = any(span.last >= last_pull - PULL_TOLERANCE for _, span in uses)
        if not explained:
            return found(
                Answer.UNKNOWN, f"ECR recorded a pull at {last_pull:%Y-%m-%d %H:%M} UTC that no event explains"
            )
    return found(Answer.NO_EVENT)


def _who_else(row: Row, caller: Caller) -> str:
    if row.principal == EVERYONE:
        return f"used by {caller_title(caller)}; CloudTrail does not show whether the condition matched"
    if row.kind == "session":
        return "CloudTrail events are aggregated by role, not by session"
    return f"used by a principal of account {caller.account} that CloudTrail does not name"


def match_of(principal: str, caller: Caller, owner: str, conditional: bool) -> Match:
    """Whether the grant's principal is the event's caller. ``owner``: account A; ``conditional``: the grant depends on
    facts of the request."""
    if principal == EVERYONE:
        outside = bool(caller.account) and caller.account != owner
        return Match.NO if not outside else Match.MAYBE if conditional else Match.YES
    granted = caller_of(principal)
    if granted.kind == "service":
        return Match.YES if caller.service == principal else Match.NO
    if account_of(principal) != caller.account:
        return Match.NO
    if granted.kind == "root":
        return Match.YES
    if not caller.arn:
        other = {"user": "AROA", "assumed-role": "AIDA", "role": "AIDA"}.get(granted.kind, "")
        return Match.NO if other and caller.id.startswith(other) else Match.MAYBE
    if granted.kind == "assumed-role":
        return Match.MAYBE if _same(caller_of(without_session(principal)), caller) else Match.NO
    return Match.YES if _same(granted, caller) else Match.NO


def _same(granted: Principal, caller: Caller) -> bool:
    """By name: names of users and roles are unique in an account, regardless of path."""
    called = caller_of(caller.arn)
    return (granted.kind, granted.name) == (called.kind, called.name)


def caller_title(caller: Caller) -> str:
    """A short description: "user devusr2 in 222222222222"."""
    who = describe(caller.arn) if caller.arn else f"account {caller.account}" if caller.account else ""
    if not caller.arn and caller.id:
        who = f"{who} (principal {caller.id}, not named)".strip()
    if caller.service:
        return f"{caller.service} for {who}" if who else caller.service
    return who or "unknown"


def unexplained(found: Iterable[GrantUse]) -> Mapping[str, Repository]:
    """ARNs of repositories whose last recorded pull is needed: pull is granted and has no event."""
    return {
        one.repository.arn: one.repository
        for one in found
        if one.capability is Capability.PULL and one.answer is Answer.NO_EVENT
    }
