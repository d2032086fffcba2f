"""Columns of a table: content, width, and priority if space is limited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size

from ecr_tui.ui.text import PENDING

if TYPE_CHECKING:
    from ecr_tui.listing.filters import Result

T = TypeVar("T")

Piece = tuple[str, str]
"""Text and names of its styles: "", "dim", "ok", "no", "warn", "strong", "match"; blanks between several."""

GUTTER = 3
"""Width of cursor sign, mark sign and a blank: readable without color."""

GAP = 2


class Column(NamedTuple, Generic[T]):
    """``cell`` returns the pieces of a row's cell, safe to print; ``sort`` a key, None if unknown.

    ``width`` is the minimum; extra space goes to columns with ``flex``. If space is limited, the column with the lowest
    ``keep`` is hidden first. ``search``: filter matches are highlighted. ``most``: it grows up to this width before the
    flexible ones. ``descending``: the first sort direction. ``live``: its values change as answers arrive.
    """

    id: str
    label: str
    cell: Callable[[T], Sequence[Piece]]
    sort: Callable[[T], Any]
    width: int
    flex: int = 0
    keep: int = 0
    search: bool = False
    right: bool = False
    descending: bool = False
    live: bool = False
    most: int = 0


def fit_columns(columns: Sequence[Column[T]], width: int, sorted_by: str = "") -> list[tuple[Column[T], int]]:
    """The columns that fit into ``width`` cells, with their widths; the flexible ones share the rest.

    The sort column is hidden last, because it has the arrow.
    """
    chosen = list(columns)
    room = width - GUTTER - 1  # a blank before the scrollbar

    def need() -> int:
        return sum(c.width for c in chosen) + GAP * (len(chosen) - 1)

    while len(chosen) > 1 and need() > room:
        chosen.remove(min(chosen, key=lambda c: (c.id == sorted_by, c.keep)))
    spare = max(room - need(), 0)
    widths = {c.id: c.width for c in chosen}
    for c in (one for one in chosen if one.most > one.width):
        grown = min(spare, c.most - c.width)
        widths[c.id] += grown
        spare -= grown
    flexible = sum(c.flex for c in chosen)
    for c in chosen:
        widths[c.id] += spare * c.flex // flexible if flexible else 0
    return [(c, min(widths[c.id], max(room, 1))) for c in chosen]


def column_at(layout: Sequence[tuple[Column[T], int]], x: int) -> Column[T] | None:
    """The column at that cell of a line."""
    left = GUTTER
    for column, width in layout:
        if left <= x < left + width + GAP:
            return column
        left += width + GAP
    return None


def fit_pieces(pieces: Sequence[Piece], room: int, right: bool) -> list[Piece]:
    """Exactly ``room`` cells: truncated with an ellipsis, or padded."""
    total = sum(cell_len(text) for text, _ in pieces)
    if total <= room:
        pad = (" " * (room - total), "")
        return [pad, *pieces] if right else [*pieces, pad]
    fitted: list[Piece] = []
    left = room - 1
    for text, name in pieces:
        width = cell_len(text)
        if width > left:
            fitted.append((set_cell_size(text, left), name))
            break
        fitted.append((text, name))
        left -= width
    return [*fitted, (PENDING, "dim")]


def highlight(pieces: Sequence[Piece], result: Result) -> list[Piece]:
    """The same text, with the style "match" added at matches."""
    found: list[Piece] = []
    for text, name in pieces:
        at = 0
        for start, end in result.filter.spans(text, loose=result.loose):
            found += [(text[at:start], name), (text[start:end], f"{name} match")]
            at = end
        found.append((text[at:], name))
    return [piece for piece in found if piece[0]]


def plain_rows(columns: Sequence[Column[T]], rows: Iterable[T]) -> str:
    """Plain text of the rows under column titles, as wide as the longest cells."""
    cells = [[column.label for column in columns]]
    cells += [["".join(text for text, _ in column.cell(row)) for column in columns] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in lines) + "\n"
