"""The keys of a dialog at its bottom; a click presses one."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.timer import Timer

from ecr_tui.ui.key import normal
from ecr_tui.ui.text import pressing
from ecr_tui.ui.widgets.words import Words

FLASH = 6.0

Hint = tuple[str, str]
"""Keys in display form, separated by blanks, and their labels."""


def hints(*pairs: Hint, between: str = "   ") -> Content:
    """``("↑ ↓", "look"), ("esc", "close")`` as one line. Of several keys, a click on the label presses the last.

    A pair without keys is only a label.
    """
    return Content(between).join(_hint(keys.split(), words) for keys, words in pairs)


def _hint(keys: list[str], words: str) -> Content:
    shown = [pressing(normal(key), (key, "bold $text-accent")) for key in keys]
    if not keys:
        return Content(words)
    return Content(" ").join([*shown, pressing(normal(keys[-1]), words)] if words else shown)


class KeyHints(Words):
    """Shows :func:`hints`. Has the class ``keys``, which dialogs lay out."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyHints { pointer: pointer; }
    """

    def __init__(self, *pairs: Hint, between: str = "   ") -> None:
        self._between = between
        self._pairs = pairs
        self._flash = ""
        self._timer: Timer | None = None
        super().__init__(hints(*pairs, between=between), classes="keys")

    def tell(self, *pairs: Hint) -> None:
        self._pairs = pairs
        first = [Content.styled(self._flash, "bold")] if self._flash else []
        self.say(Content(self._between).join([*first, hints(*pairs, between=self._between)]))

    def flash(self, words: str) -> None:
        """Before the keys, for :data:`FLASH` seconds."""
        self._flash = words
        self.tell(*self._pairs)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FLASH, self._darken)

    def _darken(self) -> None:
        self._flash = ""
        self.tell(*self._pairs)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        key = event.style.meta.get("press")
        if key:
            self.app.simulate_key(key)
