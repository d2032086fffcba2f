"""Text that is set often and changes seldom, and text whose wrapped lines stay below their beginning."""

from __future__ import annotations

import re
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.css.styles import RulesMap
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widgets import Static

_LEAD = re.compile(r" *(?:(?:[^\w\s\"'(\[{]|i) +|\S+(?: \S+)*  +)?")
"""What a wrapped line leaves free below it: blanks, then a sign or a label with its blanks."""
_MOST = 24
"""Columns that a label may cost each further line."""


class Wrapped(NamedTuple):
    """``places`` has for each line the one that it is of, the character that it begins with there, and its indent."""

    content: Content
    places: list[tuple[int, int, int]]


def hang(content: Content, width: int) -> Wrapped:
    """Each line wrapped to ``width`` cells; what goes on is indented to where the line's text begins."""
    lines: list[Content] = []
    places: list[tuple[int, int, int]] = []
    for y, line in enumerate(content.split("\n", allow_blank=True)):
        if line.cell_length <= width:
            lines.append(line)
            places.append((y, 0, 0))
            continue
        indent = _indent(line.plain, width)
        head, body = (line[:indent], line[indent:]) if indent else (Content.empty(), line)
        at = indent
        for part in body.wrap(max(width - indent, 1)):
            at = max(line.plain.find(part.plain.strip(), at), at)
            first = not places or places[-1][0] != y
            lines.append(head + part if first else Content(" " * indent) + part)
            places.append((y, 0 if first else at, 0 if first else indent))
            at += len(part.plain.strip())
    return Wrapped(Content("\n").join(lines), places)


class Hang(Visual):
    """Content that is wrapped with :func:`hang`."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._made: tuple[int, Wrapped] | None = None

    def wrapped(self, width: int) -> Wrapped:
        if self._made is None or self._made[0] != width:
            self._made = (width, hang(self._content, width))
        return self._made[1]

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return self.wrapped(width).content.render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return self._content.get_optimal_width(rules, container_width)

    def get_height(self, rules: RulesMap, width: int) -> int:
        return len(self.wrapped(width).places)


def _indent(line: str, width: int) -> int:
    found = _LEAD.match(line)
    lead = found.group() if found else ""
    if cell_len(lead) > min(_MOST, width // 2):
        lead = " " * (len(line) - len(line.lstrip()))
    return len(lead) if cell_len(lead) <= width // 2 else 0


class Words(Static):
    """A Static for Content that draws and lays out only actual changes, so its owner may set it at any time."""

    def __init__(self, content: Content | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        self._said = content or Content.empty()
        super().__init__(self._said, id=id, classes=classes, markup=False)

    def say(self, content: Content) -> None:
        before, self._said = self._said, content
        if content.is_same(before):
            return
        width, height = self.content_size
        if self.styles.is_auto_width:
            fits = content.cell_length == before.cell_length
        else:
            fits = width > 0 and self.height_of(content, width) == height
        self.update(content, layout=not fits)

    def height_of(self, content: Content, width: int) -> int:
        return content.get_height(self.styles, width)  # type: ignore[arg-type]


class Hanging(Words):
    """Wraps with :func:`hang`. What is marked with the mouse is copied as it was before it was wrapped."""

    _hang: Hang | None = None

    def say(self, content: Content) -> None:
        self._hang = None
        super().say(content)

    def height_of(self, content: Content, width: int) -> int:
        return len(hang(content, width).places)

    def render(self) -> Hang:
        self._hang = self._hang or Hang(self._said)
        return self._hang

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        places = self.render().wrapped(self.content_size.width).places

        def unwrapped(offset: Offset | None) -> Offset | None:
            if offset is None or not 0 <= offset.y < len(places):
                return offset
            y, start, indent = places[offset.y]
            return Offset(start + max(offset.x - indent, 0), y)

        return Selection(*map(unwrapped, selection)).extract(self._said.plain), "\n"
