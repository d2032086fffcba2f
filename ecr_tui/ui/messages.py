"""What crosses the borders of panes, screens and the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from ecr_tui.errors import EcrTuiError


class Latest(Message):
    """Of several in a row only the last is heard."""

    def can_replace(self, message: Message) -> bool:
        return type(message) is type(self)


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
