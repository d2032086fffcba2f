"""Base of all dialogs: the frame, the initial key delay, and scroll keys.

A dialog closes only by Esc or Enter, and its keys do not reach the panes below.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input

from ecr_tui.ui.keys import PAGER
from ecr_tui.ui.theme import Readable
from ecr_tui.ui.widgets.keyhints import KeyHints

T = TypeVar("T")

SHARE = 0.9
"""Maximum share of the terminal's height."""
DEAF = 0.4
"""Seconds after opening in which a dialog ignores keys, which were meant for the previous screen."""

SCROLLING: tuple[BindingType, ...] = (
    Binding("up,k", "scroll('up')", "Up", show=False),
    Binding("down,j", "scroll('down')", "Down", show=False),
    Binding("ctrl+u", "scroll('half_up')", "Half a page up", show=False),
    Binding("ctrl+d", "scroll('half_down')", "Half a page down", show=False),
    Binding("pageup,ctrl+b", "scroll('page_up')", "Page up", show=False),
    Binding("pagedown,ctrl+f,space", "scroll('page_down')", "Page down", show=False),
    Binding("home,g", "scroll('home')", "First line", show=False),
    Binding("end,G", "scroll('end')", "Last line", show=False),
)
"""Keys of vim and less that scroll a dialog's ``#scroll``. ``gg`` is ``g`` twice."""


class Dialog(ModalScreen[T]):
    """A modal screen whose ``#dialog`` container holds the content."""

    BINDINGS: ClassVar[list[BindingType]] = [PAGER.binding()]

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
        & OptionList { height: auto; background: $surface; padding: 0; }
        & OptionList, & OptionList:focus { border: none; }
        & .note { height: 2; width: 1fr; color: $text-muted; }
        &.-short .note { display: none; }
    }
    """

    def get_line_filters(self) -> list[LineFilter]:
        """What is behind the dialog is dimmed: it is not to be read."""
        return [one for one in super().get_line_filters() if not isinstance(one, Readable)]

    VERTICAL_BREAKPOINTS = [(0, "-short"), (22, "-high")]  # noqa: RUF012 (as Textual types it)
    _appeared: float | None = None

    @staticmethod
    def clock() -> float:
        """Seconds; only differences matter."""
        return time.monotonic()

    def on_mount(self) -> None:
        self._appeared = self.clock()
        self.screen_layout_refresh_signal.subscribe(self, self._laid_out)

    def ignores(self, event: events.Key) -> bool:
        """Whether the key comes too early. Letters for a text field are accepted immediately, because they are
        harmless."""
        if event.is_printable and isinstance(self.focused, Input):
            return False
        return self._appeared is None or self.clock() - self._appeared < DEAF

    def _laid_out(self, screen: Screen[Any]) -> None:
        """Heights may change with each layout."""
        if self.is_attached:
            self._fit()

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def document(self) -> str:
        """The full text for the pager, or ""."""
        return ""

    def tell(self, words: str) -> None:
        """Show briefly in the line of keys."""
        self.query_one(KeyHints).flash(words)

    @property
    def scrolled(self) -> Widget:
        """What :meth:`action_scroll` scrolls."""
        return self.query_one("#scroll")

    def action_scroll(self, how: str) -> None:
        scrolled = self.scrolled
        if how in ("up", "down", "half_up", "half_down"):
            lines = max(scrolled.size.height // 2, 1) if how.startswith("half") else 1
            scrolled.scroll_relative(y=-lines if how.endswith("up") else lines, animate=False)
        else:
            getattr(scrolled, f"scroll_{how}")(animate=False)

    def _fit(self) -> None:
        """Give the scrolling part the remaining height, because 1fr does not work in a container of automatic
        height."""
        for scroll in self.query("#scroll"):
            box = self.query_one("#dialog")
            margins = sum(w.styles.margin.height for w in box.children)
            others = sum(w.outer_size.height for w in box.children if w is not scroll)
            room = int(self.size.height * SHARE) - box.gutter.height - others - margins
            scroll.styles.max_height = max(room, 3)
