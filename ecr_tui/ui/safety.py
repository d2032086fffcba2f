"""The rules of safety as the screens follow them: what is refused, what asks first, and how production looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content

from ecr_tui.aws.role import Role
from ecr_tui.ui.keys import PROVE, Key
from ecr_tui.ui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from ecr_tui.ui.screens.main import MainScreen


def refusal(settings: Any, key: Key, *, pulling: bool = False) -> str:
    """Why the action may not run now; "" when it may. Decided anew each time: profiles are switched in the app.

    ``pulling``: a verification would pull only, which changes nothing.
    """
    if not key.writes or (pulling and key.group == PROVE):
        return ""
    reason: str = settings.push_refusal if key.group == PROVE else settings.read_only_reason
    return reason


def mark(screen: MainScreen) -> None:
    """Frame and words of production profiles, as the accounts are now."""
    settings = screen.workspace.settings
    screen.set_class(bool(settings.production_reason), "-production")
    screen.cards[Role.OWNER].mark(production=settings.is_production("a"))
    screen.cards[Role.CONSUMER].mark(production=settings.is_production("b"))


def ask_first(
    screen: MainScreen, what: str, title: str, body: Sequence[Content], *, yes: str, then: Callable[[], None]
) -> None:
    """``then()`` at once, or after a Yes where the configuration or a production profile asks for that."""
    if not screen.workspace.settings.confirms(what):
        then()
        return

    def answered(said_yes: bool | None) -> None:
        if said_yes:
            then()

    screen.app.push_screen(ConfirmScreen(title, body, yes=yes), answered)
