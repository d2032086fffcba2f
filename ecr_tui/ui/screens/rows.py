"""Base of screens with rows: nearly full size, a table, and a filter opened by ``/``."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.text import PENDING, count
from ecr_tui.ui.widgets.inputs import SafeInput
from ecr_tui.ui.widgets.keyhints import Hint, KeyHints
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

T = TypeVar("T")


class RowsScreen(Dialog[T]):
    """Subclasses compose :meth:`filter_box`, one or more tables, the line of keys, and ``#progress`` for :meth:`say`.

    Esc clears the filter, then the marks, and then leaves.
    """

    DEFAULT_CSS = """
    RowsScreen {
        background: $background;  /* it covers nearly all of what is below */
        & > #dialog { width: 98%; max-width: 200; height: 94%; max-height: 94%; padding: 0 1; }
        & .title { margin-bottom: 0; }
        & .keys { margin-top: 0; }
        & #filter { display: none; height: 1; &.-open { display: block; } }
        & .detail { height: auto; max-height: 40%; border-top: solid $border-blurred; scrollbar-size-vertical: 1; }
    }
    """
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("q", "leave", "Close"),
        Binding("slash", "filter", "Filter"),
        Binding("y", "copy", "Copy"),
    ]
    table: VirtualTable[Any]
    """The visible table."""
    busy = False
    """Whether repositories or policies are being read."""

    def hints(self) -> list[Hint]:
        """The keys outside the filter."""
        raise NotImplementedError

    @on(events.DescendantFocus)
    def say_keys(self) -> None:
        typing: list[Hint] = [("enter", "accept"), ("↓", "to the rows"), ("esc", "clear")]
        self.query_one(KeyHints).tell(*(typing if self.filter.has_focus else self.hints()))

    def say(self, words: str, style: str = "$text-primary") -> None:
        """Show the progress or result."""
        self.query_one("#progress", Words).say(Content.styled(words, style))

    def say_listed(self, number: int) -> None:
        if self.busy:
            self.say(f"{PENDING} {count(number, 'repository', 'repositories')} listed   Esc stops it")

    def say_read(self, done: int, total: int) -> None:
        if self.busy:
            self.say(f"{PENDING} {done:,} of {count(total, 'policy', 'policies')} read   Esc stops it")

    @property
    def scrolled(self) -> Widget:
        return self.table

    def on_mount(self) -> None:
        self.focus_rows()

    # -- filter ------------------------------------------------------------------------------------------------------

    @staticmethod
    def filter_box(placeholder: str) -> SafeInput:
        return SafeInput(placeholder=placeholder, id="filter", compact=True)

    @property
    def filter(self) -> SafeInput:
        return self.query_one("#filter", SafeInput)

    def action_filter(self) -> None:
        self.filter.add_class("-open")
        self.filter.focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self.filter_rows(event.value)

    def filter_rows(self, text: str) -> None:
        for table in self.query(VirtualTable):
            table.filter = text
            if table.rows:
                table.set_message("No row matches the filter." if text else "")

    @on(Input.Submitted, "#filter")
    def leave_filter(self) -> None:
        """Keep it visible while it has a text."""
        self.filter.set_class(bool(self.filter.value), "-open")
        self.table.model.keep()
        self.focus_rows()

    def focus_rows(self) -> None:
        self.table.focus()

    def key_down(self) -> None:
        if self.filter.has_focus:
            self.leave_filter()

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_sort(self, column: str) -> None:
        self.table.action_sort_column(column)

    def action_back(self) -> None:
        if self.filter.value or self.filter.has_focus:
            self.filter.value = ""
            self.leave_filter()
        elif not self.clear():
            self.action_leave()

    def clear(self) -> bool:
        """Clear the next item for Esc; returns whether there was one."""
        marked = self.table.marks > 0
        if marked:
            self.table.unmark_all()
        return marked
