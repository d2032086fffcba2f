"""The screen below a dialog, dimmed. Textual takes it apart into some two thousand pieces of text, mixes the colours of
each anew and puts them together again; here the lines stay lines, and each style is mixed once."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

_PLAIN = Style()


def dimmed(lines: Sequence[Strip], color: Color) -> list[Strip]:
    """``color`` has an alpha: how much of it is laid over the lines. What is linked or clickable in them is no more."""
    styles: dict[Style, Style] = {}

    def dim(style: Style | None) -> Style:
        style = style or _PLAIN
        found = styles.get(style)
        if found is None:
            found = styles[style] = _mix(style, color)
        return found

    return [Strip([Segment(text, dim(style)) for text, style, _ in line], line.cell_length) for line in lines]


def _mix(style: Style, over: Color) -> Style:
    plain = style.clear_meta_and_links()
    color, background = (
        None if one is None else (Color.from_rich_color(one) + over).rich_color for one in (plain.color, plain.bgcolor)
    )
    return plain + Style(color=color, bgcolor=background)
