"""A text of very many lines that draws only the visible ones.

A Static wraps and measures its whole text on the event loop, in every layout, which takes seconds for the 100,000 lines
of an audit. Here the lines are wrapped beforehand, on any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

Line = tuple[str, str]
"""A text that is safe to print and fits the width, and the name of its style ("" for none)."""


class Lines(ScrollView, can_focus=False):
    STYLES: ClassVar[tuple[str, ...]] = ("title", "error", "warning")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{name}" for name in STYLES}
    DEFAULT_CSS = """
    Lines {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .lines--title { text-style: bold; }
        & > .lines--error { color: $text-error; }
        & > .lines--warning { color: $text-warning; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self.virtual_size = Size(0, len(lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, place = self.size.width, y + self.scroll_offset.y
        text, name = self._lines[place] if place < len(self._lines) else ("", "")
        style = self.get_component_rich_style(f"lines--{name}") if name else self.rich_style
        return Strip([Segment(text, style)]).adjust_cell_length(width, self.rich_style)
