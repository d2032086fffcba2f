"""Drawing of a table: header, rows, and the message of an empty table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from ecr_tui.listing.filters import Result
from ecr_tui.ui.text import PENDING
from ecr_tui.ui.text.signs import CURSOR, MARK
from ecr_tui.ui.widgets.columns import GAP, GUTTER, Column, fit_pieces, highlight

Layout = Sequence[tuple[Column[Any], int]]
"""The columns that fit, and their widths."""

STYLES = ("dim", "ok", "no", "warn", "strong")
"""Names of a cell's styles."""

COMPONENTS = {
    f"vt--{name}"
    for name in ("header", "header-sorted", "cursor", "cursor-blurred", "hover", "marked", "match", "message", *STYLES)
}

CSS = """
    VirtualTable {
        height: 1fr;
        width: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .vt--header { color: $text-muted; text-style: none; }
        & > .vt--header-sorted { color: $text-primary; text-style: bold; }
        & > .vt--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
        & > .vt--cursor-blurred {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
        }
        & > .vt--hover { background: $boost; }
        & > .vt--marked { color: $text-accent; text-style: bold; }
        & > .vt--match { color: $text-accent; text-style: underline bold; }
        & > .vt--message { color: $text-muted; }
        & > .vt--dim { color: $text-muted; }
        & > .vt--ok { color: $text-success; }
        & > .vt--no { color: $text-muted; }
        & > .vt--warn { color: $text-warning; }
        & > .vt--strong { text-style: bold; }
    }
"""


class Pen:
    """Draws for one table, with cached styles of its component classes."""

    def __init__(self, table: Widget) -> None:
        self._table = table
        self._styles: dict[tuple[str, str], Style] = {}

    def forget(self) -> None:
        """Drop cached styles after a change."""
        self._styles.clear()

    def style(self, line: str, names: str = "") -> Style:
        """The style of a ``line`` ("", "cursor", "cursor-blurred", "hover") combined with ``names``, separated by
        blanks."""
        found = self._styles.get((line, names))
        if found is None:
            found = self._styles[line, names] = self._combine([*line.split(), *names.split()])
        return found

    def _combine(self, names: Sequence[str]) -> Style:
        """Each named style over the previous one: a cell's color keeps the cursor's background."""
        _, _, background, color = self._table.colors
        text_style = Style()
        for name in names:
            styles = self._table.get_component_styles(f"vt--{name}")
            if styles.has_rule("background"):
                background += styles.background
            if styles.has_rule("color") and (name.startswith("cursor") or "cursor" not in names):
                # On the cursor only its own color, so that the row is readable in any theme.
                color = background.get_contrast_text(styles.color.a) if styles.auto_color else styles.color
            text_style += styles.text_style
        return Style(color=(background + color).rich_color, bgcolor=background.rich_color) + text_style

    def blank(self, width: int) -> Strip:
        return Strip.blank(width, self.style(""))

    def header(self, layout: Layout, width: int, sorted_by: str, order: str) -> Strip:
        """``order`` is the sign after the sort column's label."""
        plain = self.style("", "header")
        segments = [Segment(" " * GUTTER, plain)]
        for column, room in layout:
            label, style = column.label, plain
            if column.id == sorted_by:
                # The sign is kept if the label does not fit.
                label = set_cell_size(label, min(cell_len(label), max(room - cell_len(order) - 1, 0)))
                label, style = f"{label} {order}", self.style("", "header-sorted")
            text = label.rjust(room) if column.right else label
            segments += [Segment(set_cell_size(text, room), style), Segment(" " * GAP, plain)]
        return Strip(segments).adjust_cell_length(width, plain)

    def message(self, text: str, width: int) -> Strip:
        """In the middle of an empty line."""
        text = text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + PENDING
        pad = " " * max((width - cell_len(text)) // 2, 0)
        return Strip([Segment(pad + text, self.style("", "message"))]).adjust_cell_length(width, self.style(""))

    def row(self, row: Any, layout: Layout, width: int, line: str, marked: bool, result: Result | None) -> Strip:
        """``result``: matches to highlight. Pieces of one style are merged into one segment, because each segment has a
        cost in Textual."""
        style = self.style
        plain = last = style(line)
        segments: list[Segment] = []
        text = CURSOR if line.startswith("cursor") else " "
        if marked:
            segments.append(Segment(text, plain))
            text, last = f"{MARK} ", style(line, "marked")
        else:
            text += "  "
        used = GUTTER
        for column, room in layout:
            pieces = column.cell(row)
            if column.search and result is not None:
                pieces = highlight(pieces, result)
            for piece, name in fit_pieces(pieces, room, column.right):
                if not piece:
                    continue
                own = style(line, name)
                if own is last:
                    text += piece
                else:
                    segments.append(Segment(text, last))
                    text, last = piece, own
            if plain is last:
                text += " " * GAP
            else:
                segments.append(Segment(text, last))
                text, last = " " * GAP, plain
            used += room + GAP
        if used < width:
            text += " " * (width - used)
            used = width
        segments.append(Segment(text, last))
        strip = Strip(segments, used)
        return strip if used == width else strip.crop(0, width)
