"""Dialogs for the columns of the list and its sort column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual.widgets.option_list import Option

from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.ask import Choosable, ChooseScreen
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.text import MUTED, OK, SKIP
from ecr_tui.ui.widgets.columns import Column
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.options import Options


class ColumnsScreen(Dialog[tuple[str, ...] | None]):
    """The ids of the chosen columns in the order of ``columns``, (id, label); None on Esc."""

    DEFAULT_CSS = """
    ColumnsScreen {
        & > #dialog { max-width: 70; }
        & OptionList { max-height: 30vh; margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        # Priority over the list's own keys: its Enter selects one.
        Binding("enter", "accept", "Accept", priority=True),
        Binding("space", "switch", "Show or hide", priority=True),
        Binding("a", "all", "All"),
        Binding("y", "copy", "Copy the configuration line"),
    ]

    def __init__(self, columns: Sequence[tuple[str, str]], chosen: Sequence[str]) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self._shown = {one for one, _ in columns if one in chosen}
        self._list = Options(*(Option(self._label(one, label)) for one, label in columns), markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Columns", classes="title", markup=False)
            yield Static("Without room for all, the least important columns are hidden.", classes="body", markup=False)
            yield self._list
            yield KeyHints(
                ("space", "show or hide"),
                ("a", "all"),
                ("enter", "accept"),
                ("y", "copy for config"),
                ("esc", "cancel"),
            )

    def on_mount(self) -> None:
        self.set_focus(self._list)
        self._list.highlighted = 0

    def _label(self, column: str, label: str) -> Content:
        shown = column in self._shown
        return Content.assemble((f"{OK if shown else SKIP} ", ""), (label, "" if shown else MUTED))

    @property
    def _chosen(self) -> tuple[str, ...]:
        return tuple(one for one, _ in self._columns if one in self._shown)

    def action_switch(self) -> None:
        if (at := self._list.highlighted) is not None:
            self._shown ^= {self._columns[at][0]}
            self._draw()

    def action_all(self) -> None:
        self._shown = {one for one, _ in self._columns}
        self._draw()

    def _draw(self) -> None:
        for at, (one, label) in enumerate(self._columns):
            self._list.replace_option_prompt_at_index(at, self._label(one, label))

    def action_copy(self) -> None:
        line = f"columns = {json.dumps(self._chosen)}"
        self.post_message(CopyWanted(line, f"the line {line}"))

    def action_accept(self) -> None:
        self.dismiss(self._chosen)


def sort_question(columns: Sequence[Column[Any]], sorted_by: str, descending: bool) -> ChooseScreen:
    """The id of the column to sort by."""
    choices = []
    for column in columns:
        now = ("  ▼ descending" if descending else "  ▲ ascending") if column.id == sorted_by else ""
        choices.append(Choosable(Content.assemble(column.label, (now, MUTED)), column.id))
    return ChooseScreen(
        "Sort by",
        choices,
        current=next(i for i, column in enumerate(columns) if column.id == sorted_by),
        explanation="Pick the same column again to reverse the order. Unread values come last.",
    )
