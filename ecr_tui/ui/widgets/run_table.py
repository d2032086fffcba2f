"""The table of a run: many thousand rows, without marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from ecr_tui.ui.keys import MOVES, bindings
from ecr_tui.ui.widgets.columns import plain_rows
from ecr_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from ecr_tui.ui.widgets.columns import Column

T = TypeVar("T")


class RunTable(VirtualTable[T], inherit_bindings=False):
    """As high as its rows, up to the dialog's remaining height (``#scroll``), in the given order. :attr:`followed`
    until the user moves."""

    BINDINGS = bindings(*MOVES)
    DEFAULT_CSS = """
    RunTable { height: auto; background: $surface; }
    """

    def __init__(self, columns: Sequence[Column[T]], *, key: Callable[[T], str]) -> None:
        super().__init__(columns, key=key, search=lambda _: "", id="scroll")
        self.sort_by("", False)
        self.followed = True

    def plain(self) -> str:
        """All rows as text."""
        return plain_rows(self.columns, self.rows)

    def follow(self, place: int) -> None:
        """Keep a line visible, unless the user has moved."""
        if self.followed:
            super().move_to(place)

    def move_to(self, place: int) -> None:
        self.followed = False
        super().move_to(place)

    def _toggle_mark(self) -> None:
        pass
