"""Every action by name, in the command palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

if TYPE_CHECKING:
    from ecr_tui.ui.keys import Key


DESCRIBED = 0.1
"""The score of a command that is found by its description alone: below every one that is found by its title."""
SYNONYMS = {"Choose: Accounts (A)": "switch profile login sso", "Change: unfinished run": "resume"}
"""Further words, by title, that users look for."""


class Commands(Provider):
    """The catalogue's actions that are possible now, and what has no key of its own.

    Labels are our own literals; the palette reads a str as markup, so they go in as Content all the same.
    """

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        screen: Any = self.screen
        if not hasattr(screen, "palette_commands"):
            return  # a dialog is open: its own keys are all there is
        for key in screen.app.keys_in_force.keys:
            if key.palette and screen.is_possible(key):
                yield _title(key), key.tooltip, partial(screen.run_key, key)
        yield from screen.palette_commands()

    async def discover(self) -> Hits:
        for title, tooltip, run in self._commands():
            yield DiscoveryHit(Content(title), run, text=title, help=tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, tooltip, run in self._commands():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, text=title, help=tooltip)
            elif query.casefold() in f"{tooltip} {SYNONYMS.get(title, '')}".casefold():
                yield Hit(DESCRIBED, Content(title), run, text=title, help=tooltip)


def _title(key: Key) -> str:
    return f"{key.group}: {key.label} ({key.shown})" if key.shown else f"{key.group}: {key.label}"
