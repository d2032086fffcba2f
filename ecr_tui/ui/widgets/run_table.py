"""The table of a run: many thousand lines to look at, none to mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events
from textual.binding import BindingType

from ecr_tui.ui.table_keys import TABLE
from ecr_tui.ui.widgets.columns import plain_rows
from ecr_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from ecr_tui.ui.widgets.columns import Column

T = TypeVar("T")

_MOVES = (
    "table.half_up",
    "table.half_down",
    "table.top",
    "table.bottom",
    "table.open",
    "table.up",
    "table.down",
    "table.page_up",
    "table.page_down",
)


class RunTable(VirtualTable[T], inherit_bindings=False):
    """As high as its rows, up to what the dialog leaves (``#scroll``), in the order in which they are given.
    :attr:`followed` until the user moves."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in TABLE if key.id in _MOVES]
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
        """Keep a line in view, unless the user looks at another one."""
        if self.followed:
            self.move_to(place)

    def action_move(self, by: int) -> None:
        self.followed = False
        super().action_move(by)

    def action_page(self, by: int) -> None:
        self.followed = False
        super().action_page(by)

    def action_half_page(self, by: int) -> None:
        self.followed = False
        super().action_half_page(by)

    def action_end(self, direction: int) -> None:
        self.followed = False
        super().action_end(direction)

    def _toggle_mark(self) -> None:
        pass

    def on_click(self, event: events.Click) -> None:
        self.followed = False
