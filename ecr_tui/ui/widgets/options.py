"""A list of options whose cursor can be seen without colour."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widgets import OptionList

from ecr_tui.ui.text.signs import CURSOR

_CURSOR = "option-list--option-highlighted"


class Options(OptionList):
    """Its cursor's line begins as that of a table does."""

    DEFAULT_CSS = """
    Options > .option-list--option { padding: 0 0 0 2; }
    """

    def render_line(self, y: int) -> Strip:
        """Which line is the cursor's its background tells."""
        strip = super().render_line(y)
        first = next(iter(strip), None)
        if first is None or first.style is None or self.highlighted is None:
            return strip
        cursor = self.get_visual_style("option-list--option", _CURSOR).rich_style
        if first.style.bgcolor != cursor.bgcolor:
            return strip
        # Only the cursor's own colour can be read in every theme.
        rest = [
            Segment(text, style + Style(color=cursor.color) if style else style) for text, style, _ in strip.crop(1)
        ]
        return Strip([Segment(CURSOR, first.style), *rest], strip.cell_length)
