"""Choosing the columns of the list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection

from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.widgets.keyhints import KeyHints


class ColumnsScreen(Dialog[tuple[str, ...] | None]):
    """The ids of the chosen columns in the order of ``columns``, (id, label); None when left with Esc."""

    DEFAULT_CSS = """
    ColumnsScreen {
        & > #dialog { max-width: 70; }
        & SelectionList { height: auto; max-height: 30vh; background: $surface; padding: 0; margin-top: 1; }
        & SelectionList, & SelectionList:focus { border: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        # Before the list's own Enter, which is Space.
        Binding("enter", "accept", "Accept", priority=True),
        Binding("a", "all", "All"),
        Binding("y", "copy", "Copy the configuration line"),
    ]

    def __init__(self, columns: Sequence[tuple[str, str]], chosen: Sequence[str]) -> None:
        super().__init__()
        self._list = SelectionList[str](*(Selection(Content(label), one, one in chosen) for one, label in columns))
        self._order = [one for one, _ in columns]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Columns", classes="title", markup=False)
            yield Static(
                "Where there is not room for all, the least important ones are left out.", classes="body", markup=False
            )
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

    @property
    def _chosen(self) -> tuple[str, ...]:
        return tuple(one for one in self._order if one in self._list.selected)

    def action_all(self) -> None:
        self._list.select_all()

    def action_copy(self) -> None:
        line = f"columns = {json.dumps(self._chosen)}"
        self.post_message(CopyWanted(line, f"the line {line}"))

    def action_accept(self) -> None:
        self.dismiss(self._chosen)

    def action_leave(self) -> None:
        self.dismiss(None)
