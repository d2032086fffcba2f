"""A table of many rows and equal columns, with a cursor and marks on single cells.

The first column names the row and is fixed; the others scroll horizontally. Only visible cells are computed. The cursor
is a pair of brackets and a mark is a dot, so both are visible without color.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType

from ecr_tui.listing.filters import UNREAD, Policies, Searchable
from ecr_tui.ui.keys import MARKING, MATCHES, MOVES, bindings
from ecr_tui.ui.text.signs import CURSOR, MARK
from ecr_tui.ui.widgets.columns import GAP, GUTTER, Column, Piece, column_at, fit_pieces
from ecr_tui.ui.widgets.virtual_table import VirtualTable

T = TypeVar("T")

FRAME = 3
"""Cells of a column for cursor and mark."""
_LEAST = 10
"""Minimum width of the first column in a narrow terminal."""


class CellTable(VirtualTable[T], inherit_bindings=False):
    """All columns except the first have the same width. ``cells``: the marked ones, by row key and column."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(*MARKING, *MATCHES, *MOVES),
        Binding("left,h", "move_column(-1)", "Left", show=False),
        Binding("right,l", "move_column(1)", "Right", show=False),
        Binding("0,circumflex_accent", "end_column(-1)", "First column", show=False),
        Binding("dollar_sign", "end_column(1)", "Last column", show=False),
    ]

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        key: Callable[[T], str],
        look: Callable[[T], Searchable] | None = None,
        policies: Policies = UNREAD,
        id: str | None = None,
    ) -> None:
        self.cells: dict[tuple[str, str], None] = {}
        self.place = 0
        """The cursor's index among the scrolling columns."""
        self.first = 0
        """The leftmost visible column."""
        super().__init__(columns, key=key, look=look, policies=policies, id=id)

    # -- columns -------------------------------------------------------------------------------------------------

    @property
    def sideways(self) -> Sequence[Column[T]]:
        """The scrolling columns."""
        return self.columns[1:]

    @property
    def column(self) -> str:
        """The id of the cursor's column, or ""."""
        return self.sideways[self.place].id if self.sideways else ""

    @property
    def in_view(self) -> int:
        """Number of scrolling columns that fit."""
        if not self.sideways:
            return 0
        room = self.size.width - GUTTER - 1 - max(min(self.columns[0].width, self.size.width // 3), _LEAST)
        return min(max(room // (self.sideways[0].width + GAP), 1), len(self.sideways))

    def set_columns(self, columns: Sequence[Column[T]]) -> None:
        """Keeps the cursor's column and the visible columns."""
        before, offset = self.column, self.place - self.first
        known = {one.id: place for place, one in enumerate(columns[1:])}
        self.place = known.get(before, min(self.place, max(len(known) - 1, 0)))
        self.first = max(self.place - offset, 0)
        super().set_columns(columns)

    def lay_out(self, width: int) -> list[tuple[Column[T], int]]:
        head, room = self.columns[0], width - GUTTER - 1
        seen = self.in_view
        self.first = min(max(self.first, self.place - seen + 1, 0), self.place, max(len(self.sideways) - seen, 0))
        shown = self.sideways[self.first : self.first + seen]
        wide = sum(one.width + GAP for one in shown)
        layout = [(head, max(min(head.most or head.width, room - wide), _LEAST))]
        return layout + [(self._framed(one), one.width) for one in shown]

    def _framed(self, column: Column[T]) -> Column[T]:
        here = column.id == self.column

        def cell(row: T) -> list[Piece]:
            on = here and row is self.current
            marked = (self.model.key(row), column.id) in self.cells
            frame = [("[" if on else " ", ""), (MARK, "marked") if marked else (" ", "")]
            return [*frame, *fit_pieces(column.cell(row), column.width - FRAME, False), ("]" if on else " ", "")]

        return column._replace(cell=cell, label=f"{CURSOR if here else ' '} {column.label}")

    def go_to_column(self, place: int) -> None:
        """Move the cursor to that scrolling column."""
        self.place = min(max(place, 0), max(len(self.sideways) - 1, 0))
        self.refit()
        self._report(self.Moved(self.current))

    def action_move_column(self, by: int) -> None:
        self.go_to_column(self.place + by)

    def action_end_column(self, direction: int) -> None:
        self.go_to_column(0 if direction < 0 else len(self.sideways) - 1)

    def scroll_columns(self, by: int) -> None:
        """The cursor moves along if it would become invisible."""
        seen = self.in_view
        self.first = min(max(self.first + by, 0), max(len(self.sideways) - seen, 0))
        self.go_to_column(min(max(self.place, self.first), self.first + seen - 1))

    # -- marks ---------------------------------------------------------------------------------------------------

    def marked_cells(self) -> list[tuple[T, str]]:
        """Rows with column ids, in table order; those in hidden rows last."""
        columns = [one.id for one in self.sideways]
        rows = [(row, self.model.key(row)) for row in self.marked]
        return [(row, column) for row, key in rows for column in columns if (key, column) in self.cells]

    def unmark_all(self) -> None:
        self.cells.clear()
        super().unmark_all()

    def _toggle_mark(self) -> None:
        row = self.current
        if row is None or not self.column:
            return
        cell = (self.model.key(row), self.column)
        self._set_marks([cell], cell not in self.cells)

    def action_mark_shown(self) -> None:
        """Mark the cursor's column in all visible rows; again unmarks."""
        if self.model.refusal:
            self.notify(self.model.refusal, severity="warning", markup=False)
            return
        cells = [(entry.key, self.column) for entry in self.model.view]
        self._set_marks(cells, not self.cells.keys() >= set(cells))

    def _set_marks(self, cells: Sequence[tuple[str, str]], marked: bool) -> None:
        for cell in cells:
            if marked:
                self.cells[cell] = None
            else:
                self.cells.pop(cell, None)
        self.model.marks = dict.fromkeys(key for key, _ in self.cells)
        self.refresh()
        self._report(self.Changed())

    # -- mouse ---------------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        column: Column[Any] | None = None if offset is None or offset.y == 0 else column_at(self._layout, offset.x)
        for place, one in enumerate(self.sideways):
            if column is not None and one.id == column.id:
                self.go_to_column(place)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        self.scroll_columns(1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        self.scroll_columns(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        if event.shift:
            self.scroll_columns(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        if event.shift:
            self.scroll_columns(-1)
