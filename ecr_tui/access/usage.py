"""Usage of repositories: CloudTrail events aggregated by caller, repository and kind. Pure.

Sources for the kind of an operation: Amazon ECR User Guide, "Logging Amazon ECR actions with AWS CloudTrail" (a pull
makes GetDownloadUrlForLayer and BatchGetImage, a push InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload and
PutImage) and "IAM permissions for pushing an image" (a push also calls BatchGetImage).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ecr_tui.aws.trail import Caller, TrailEvent
from ecr_tui.diagnosis.denial import parse_denial
from ecr_tui.policy.principal import without_session
from ecr_tui.secret import redact

Range = tuple[datetime, datetime]
"""A half-open time range in whole seconds, the resolution of events."""

MESSAGE = 1000
"""Maximum characters kept of AWS's message for a denial."""


class Kind(StrEnum):
    PULL = "pull"
    PUSH = "push"
    READ = "read"
    POLICY = "policy"
    CHANGE = "change"


_PULL = frozenset({"BatchGetImage", "GetDownloadUrlForLayer"})
_PUSH = frozenset({"PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"})
_POLICY = frozenset({"SetRepositoryPolicy", "DeleteRepositoryPolicy"})
_READS = ("Batch", "Describe", "Get", "List")
_WRITES = frozenset({"BatchDeleteImage", "BatchImportUpstreamImage"})

_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Client.UnauthorizedOperation"})
_AFTER_THE_DECISION = frozenset(
    {
        "EmptyUploadException",
        "ImageAlreadyExistsException",
        "ImageDigestDoesNotMatchException",
        "ImageNotFoundException",
        "ImageTagAlreadyExistsException",
        "InvalidLayerException",
        "InvalidLayerPartException",
        "LayerAlreadyExistsException",
        "LayerInaccessibleException",
        "LayerPartTooSmallException",
        "LayersNotFoundException",
        "ReferencedImagesNotFoundException",
        "RepositoryPolicyNotFoundException",
        "UploadNotFoundException",
    }
)
"""Errors about the content of a repository: access was allowed before."""


def kind_of(operation: str) -> Kind:
    if operation in _PULL:
        return Kind.PULL
    if operation in _PUSH:
        return Kind.PUSH
    if operation in _POLICY:
        return Kind.POLICY
    return Kind.READ if operation.startswith(_READS) and operation not in _WRITES else Kind.CHANGE


class Span(NamedTuple):
    first: datetime
    last: datetime
    number: int

    def joined(self, other: Span) -> Span:
        return Span(min(self.first, other.first), max(self.last, other.last), self.number + other.number)


class Use(NamedTuple):
    """Kind of use and caller. ``Caller.id`` is without a session's name."""

    caller: Caller
    repository: str
    kind: Kind


class Attempt(NamedTuple):
    """A denied operation. ``operation`` as in CloudTrail: "BatchGetImage". ``check``: made by ecr-tui, which expects
    denials in isolation checks."""

    caller: Caller
    repository: str
    operation: str
    check: bool = False


class Refused(NamedTuple):
    """``message``: AWS's message of the last one."""

    span: Span
    message: str

    def joined(self, other: Refused) -> Refused:
        later = max(self, other, key=lambda one: one.span.last)
        return Refused(self.span.joined(other.span), later.message)


@dataclass
class Tally:
    """Aggregated events, without events that have no repository (such as logins) and without ecr-tui's own reads."""

    uses: dict[Use, Span] = field(default_factory=dict)
    denials: dict[Attempt, Refused] = field(default_factory=dict)

    def add(self, events: Iterable[TrailEvent]) -> None:
        for event in events:
            span = Span(event.at, event.at, 1)
            for repository in event.repositories:
                if event.code in _DENIALS:
                    attempt = Attempt(_denied(event), repository, event.name, event.by_us)
                    self._refuse(attempt, Refused(span, redact(event.message)[:MESSAGE]))
                elif not event.code or event.code in _AFTER_THE_DECISION:
                    kind = kind_of(event.name)
                    if not event.by_us or kind in (Kind.POLICY, Kind.CHANGE):
                        self._use(Use(_person(event.caller), repository, kind), span)

    def joined(self, other: Tally) -> Tally:
        found = Tally(dict(self.uses), dict(self.denials))
        for use, span in other.uses.items():
            found._use(use, span)
        for attempt, refused in other.denials.items():
            found._refuse(attempt, refused)
        return found

    def _use(self, use: Use, span: Span) -> None:
        known = self.uses.get(use)
        self.uses[use] = span if known is None else known.joined(span)

    def _refuse(self, attempt: Attempt, refused: Refused) -> None:
        known = self.denials.get(attempt)
        self.denials[attempt] = refused if known is None else known.joined(refused)


def _person(caller: Caller) -> Caller:
    return caller._replace(id=caller.id.partition(":")[0])


def _denied(event: TrailEvent) -> Caller:
    """If the event does not name the caller, AWS's message does."""
    caller = _person(event.caller)
    told = parse_denial(event.message) if not caller.arn else None
    return caller if told is None or not told.user else caller._replace(arn=without_session(told.user), id="")


def covering(ranges: Iterable[Range], more: Range) -> tuple[Range, ...]:
    """Add a range and merge, oldest first and disjoint."""
    found: list[Range] = []
    for start, end in sorted((*ranges, more)):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def gaps(ranges: Sequence[Range], start: datetime, end: datetime) -> list[Range]:
    """The gaps of the ranges from ``start`` to ``end``, newest first."""
    found: list[Range] = []
    for begins, ends in sorted(ranges, reverse=True):
        if ends < end:
            found.append((max(ends, start), end))
        end = min(end, begins)
        if end <= start:
            break
    if start < end:
        found.append((start, end))
    return [(begins, ends) for begins, ends in found if begins < ends]


def complete_from(ranges: Sequence[Range], end: datetime) -> datetime | None:
    """Since when everything up to ``end`` is covered; None if its last second is not."""
    return next((begins for begins, ends in ranges if begins < end <= ends), None)
