"""What worker threads report to the main screen: facts, with everything needed to judge whether they still count.

``generation`` is the number of the request that a fact answers; the flow that asked drops every other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from textual.message import Message

from ecr_tui.verification.report import StageProgress

if TYPE_CHECKING:
    from ecr_tui.access.audit_result import Audit
    from ecr_tui.access.creation_templates import Fit
    from ecr_tui.access.two_sided import TwoSided
    from ecr_tui.aws.model import Identity, MfaPrompt, Profile, Repository, Role
    from ecr_tui.changes.apply import Plan
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.policy.change import Grant
    from ecr_tui.verification.report import Event as VerifyEvent
    from ecr_tui.verification.report import Report


@dataclass(eq=False)
class AccountRead(Message):
    """One of the two accounts: an identity or the reason why there is none."""

    generation: int
    role: Role
    identity: Identity | None
    profile: Profile | None
    error: EcrTuiError | None = None


@dataclass(eq=False)
class PageListed(Message):
    generation: int
    repositories: Sequence[Repository]


@dataclass(eq=False)
class PageKept(Message):
    """Of the list that a former run left behind."""

    generation: int
    repositories: Sequence[Repository]


@dataclass(eq=False)
class Kept(Message):
    """Its end: when it was listed, and what could not be used of it."""

    generation: int
    at: datetime | None
    problems: Sequence[str] = ()


@dataclass(eq=False)
class RegionFailed(Message):
    """One region of a listing of several could not be read."""

    generation: int
    region: str
    error: EcrTuiError


@dataclass(eq=False)
class Listed(Message):
    """The whole listing, or why it ended. ``one_by_one``: tags had to be asked for each repository."""

    generation: int
    repositories: Sequence[Repository]
    error: EcrTuiError | None = None
    one_by_one: bool = False


class DetailsRead(Message):
    """Policies or image counts wait in ``flows.details`` to be taken."""


@dataclass(eq=False)
class Previewed(Message):
    """The plan for exactly this repository and grant, made from exactly this policy text."""

    generation: int
    repository: Repository
    grant: Grant
    text: str | None
    plan: Plan | None
    error: EcrTuiError | None = None


@dataclass(eq=False)
class Sided(Message):
    """What both sides say of the plan in view, and what a creation template makes of it for repositories to come."""

    generation: int
    verdicts: tuple[TwoSided, ...] | None
    template: Fit | None
    error: EcrTuiError | None = None


@dataclass(eq=False)
class AuditProgress(Message):
    words: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, AuditProgress)


@dataclass(eq=False)
class Audited(Message):
    """``pages``: the audit in words, by page."""

    audit: Audit | None
    error: EcrTuiError | None = None
    pages: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Verifying(Message):
    generation: int
    event: VerifyEvent

    def can_replace(self, message: Message) -> bool:
        """Progress of the same stage: only the newest counts, however fast an engine tells it."""
        return (
            isinstance(message, Verifying)
            and isinstance(message.event, StageProgress)
            and isinstance(self.event, StageProgress)
            and message.generation == self.generation
            and message.event.name == self.event.name
        )


@dataclass(eq=False)
class Verified(Message):
    generation: int
    report: Report | None
    error: EcrTuiError | None = None


@dataclass(eq=False)
class Answered(Message):
    """An answer for whoever asked: ``take`` runs on the app's thread, and judges by itself whether it still counts."""

    take: Callable[[], object]


@dataclass(eq=False)
class CopyWanted(Message):
    """``what`` names ``text`` for the toast, ``more`` is added there."""

    text: str
    what: str
    more: str = ""


@dataclass(eq=False)
class PagerWanted(Message):
    text: str


@dataclass(eq=False)
class SignInWanted(Message):
    """``command`` renews a profile's sign-in from a shell."""

    command: str


class WorkChanged(Message):
    """Something that must not be cut short has begun or ended."""


class MfaReply:
    """Where the thread that needs an MFA code waits for it."""

    def __init__(self) -> None:
        self.ready = Event()
        self.code: str | None = None

    def answer(self, code: str | None) -> None:
        self.code = code
        self.ready.set()

    def __repr__(self) -> str:
        return "MfaReply(...)"


@dataclass(eq=False)
class MfaAsked(Message):
    prompt: MfaPrompt
    reply: MfaReply
