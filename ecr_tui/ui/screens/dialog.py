"""What every dialog shares: it is in the middle, it can be left with esc, and no key of it reaches the panes below."""

from __future__ import annotations

from typing import TypeVar

from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.visual import RichVisual
from textual.widget import _RenderCache

from ecr_tui.ui.dimmed import dimmed

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

    def _render_content(self) -> None:
        """As every widget's, but for the way in which what is below is dimmed: see :func:`dimmed`."""
        below = self._render()
        if isinstance(below, RichVisual) and isinstance(below._renderable, BackgroundScreen):
            lines = below._renderable.screen._compositor.render_strips(self.size)
            self._render_cache = _RenderCache(self.size, dimmed(lines, below._renderable.color))
            self._dirty_regions.clear()
        else:
            super()._render_content()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Give the scrolling part what its neighbours leave: in a container of automatic height 1fr would not."""
        for scroll in self.query("#scroll"):
            box = self.query_one("#dialog")
            others = sum(w.outer_size.height + w.styles.margin.height for w in box.children if w is not scroll)
            room = int(self.size.height * SHARE) - box.gutter.height - others
            scroll.styles.max_height = max(room, 3)
