"""Every action by name, in the command palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

if TYPE_CHECKING:
    from ecr_tui.ui.key import Key


NAMED, DESCRIBED = 200.0, 100.0
"""Score bonuses for commands whose title, or description, contains the words: they rank before fuzzy matches."""

SYNONYMS = {
    "change.grant": "allow permit share access apply write policy",
    "change.revoke": "remove deny delete access policy",
    "change.repair": "fix cleanup dead deleted principal",
    "change.undo": "revert restore rollback",
    "change.runs": "bulk batch many resume",
    "change.journal": "history log redo revert rollback",
    "change.tags": "label",
    "choose.accounts": "switch change swap profile region role assume login sso mfa credentials",
    "choose.next_consumer": "account b team switch",
    "choose.previous_consumer": "account b team switch",
    "choose.access": "permission pull push read write",
    "choose.condition": "tag team scope aws:resourcetag",
    "choose.principal": "user role account org organization service lambda whom",
    "find.filter": "search find",
    "find.refresh": "reload read again",
    "general.calls": "log aws cli docker requests commands debug",
    "general.copy": "clipboard yank",
    "general.copy_as": "terraform cloudformation hcl json cli export clipboard",
    "general.help": "keys shortcuts bindings",
    "general.quit": "exit leave close",
    "pane.zoom": "maximize fullscreen",
    "prove.audit": "review report security public findings compliance",
    "prove.history": "past verifications log",
    "prove.many": "batch bulk several test",
    "prove.verify": "test prove check docker login push pull live",
}
"""Additional search words by key id."""


class Commands(Provider):
    """Enabled actions of the catalogue, and tasks without a key.

    Labels are our own literals, but passed as Content, because the palette reads a str as markup.
    """

    def _commands(self) -> Iterator[tuple[str, str, str, Callable[[], Any]]]:
        """Title, description, additional words, action."""
        screen: Any = self.screen
        if not hasattr(screen, "palette_commands"):
            return  # a dialog is open: only its own keys apply
        for key in screen.app.keys_in_force.keys:
            if key.palette and screen.is_possible(key):
                yield _title(key), key.tooltip, SYNONYMS.get(key.id, ""), partial(screen.run_key, key)
        for title, tooltip, run in screen.palette_commands():
            yield title, tooltip, "", run

    async def discover(self) -> Hits:
        for title, tooltip, _, run in self._commands():
            yield DiscoveryHit(Content(title), run, text=title, help=tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        words = query.casefold().split()
        for title, tooltip, more, run in self._commands():
            score = matcher.match(title)
            if query.casefold() in title.casefold():
                score += NAMED
            elif all(word in f"{title} {tooltip} {more}".casefold() for word in words):
                score += DESCRIBED
            if score > 0:
                shown = matcher.highlight(title) if score < DESCRIBED or score >= NAMED else Content(title)
                yield Hit(score, shown, run, text=title, help=tooltip)


def _title(key: Key) -> str:
    return f"{key.group}: {key.label} ({key.shown})" if key.shown else f"{key.group}: {key.label}"
