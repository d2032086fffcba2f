"""What worker threads report to the main screen: facts, with everything needed to judge whether they still count.

``generation`` is the number of the request that a fact answers; the flow that asked drops every other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from ecr_tui.aws.model import MfaPrompt, Repository
    from ecr_tui.errors import EcrTuiError


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
class Answered(Message):
    """An answer: ``take`` runs on the app's thread, and decides itself whether it still counts."""

    take: Callable[[], object]


@dataclass(eq=False)
class Failed(Message):
    """Something that was started a while ago has failed. ``title``: what, where the error does not name it."""

    error: EcrTuiError
    title: str = ""


@dataclass(eq=False)
class CopyWanted(Message):
    """``what`` names ``text`` for the toast, ``more`` is added there."""

    text: str
    what: str
    more: str = ""


@dataclass(eq=False)
class SignInWanted(Message):
    """``command`` renews a profile's sign-in from a shell."""

    command: str


class WorkChanged(Message):
    """Something that must not be cut short has begun or ended."""


class AccountsChosen(Message):
    """The workspace uses other accounts now."""


class RefreshWanted(Message):
    """Read accounts, repositories and policies again."""


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
