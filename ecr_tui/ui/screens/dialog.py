"""What every dialog shares: it is in the middle, it can be left with esc, and no key of it reaches the panes below."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

T = TypeVar("T")

SHARE = 0.9
"""How much of the terminal's height a dialog may take."""


class Dialog(ModalScreen[T]):
    """A modal screen whose ``#dialog`` container holds the content."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
        & > #dialog {
            width: 90%;
            max-width: 100;
            height: auto;
            max-height: 90%;
            padding: 1 2;
            background: $surface;
            border: round $primary;
        }
        & > #dialog > VerticalScroll { height: auto; scrollbar-size-vertical: 1; }
        & .body { height: auto; width: 1fr; }
        & .keys { height: auto; width: 1fr; margin-top: 1; color: $text-muted; }
        & .title { height: auto; width: 1fr; text-style: bold; margin-bottom: 1; }
        & .problem { height: auto; width: 1fr; color: $text-error; }
    }
    """

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Give the scrolling part what its neighbours leave: in a container of automatic height 1fr would not."""
        for scroll in self.query("#scroll"):
            box = self.query_one("#dialog")
            others = sum(w.outer_size.height + w.styles.margin.height for w in box.children if w is not scroll)
            room = int(self.size.height * SHARE) - box.gutter.height - others
            scroll.styles.max_height = max(room, 3)
