"""Messages between panes, screens and the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from ecr_tui.errors import EcrTuiError


class Latest(Message):
    """Of several in a row only the last is handled."""

    def can_replace(self, message: Message) -> bool:
        return type(message) is type(self)


@dataclass(eq=False)
class Failed(Message):
    """A background task failed. ``title``: its name, if the error does not have it."""

    error: EcrTuiError
    title: str = ""


@dataclass(eq=False)
class CopyWanted(Message):
    """``what`` names ``text`` in the toast, followed by ``more``."""

    text: str
    what: str
    more: str = ""


@dataclass(eq=False)
class SignInWanted(Message):
    """``command`` renews a profile's sign-in from a shell."""

    command: str


class WorkChanged(Message):
    """Uninterruptible work started or ended."""


class AccountsChosen(Message):
    """The workspace uses other accounts now."""
