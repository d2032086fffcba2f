"""The two inputs above the repositories: the filter, and the tags to list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from ecr_tui.errors import InputError
from ecr_tui.listing.filters import complete_query, complete_tags
from ecr_tui.ui.choice import Tags, parse_condition
from ecr_tui.ui.text import NO, safe
from ecr_tui.ui.widgets.inputs import SafeInput
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

KEPT = 50
"""Maximum entries in a bar's history."""


class BarInput(SafeInput):
    """An input above the table: Esc leaves, ↓ goes to the table, ↑ recalls previous entries."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("up", "recall(-1)", "Earlier"),
        Binding("down", "recall(1)", "To the rows"),
    ]

    @dataclass(eq=False)
    class Left(Message):
        input: BarInput
        cancelled: bool

    def __init__(self, **options: Any) -> None:
        super().__init__(compact=True, **options)
        self._entered: list[str] = []
        self._recalled = 0
        """Position in the history, from the newest."""

    def remember(self) -> None:
        """Whether its text was submitted."""
        self._recalled = 0
        if self.value.strip():
            self._entered = [*(one for one in self._entered if one != self.value), self.value][-KEPT:]

    def action_recall(self, by: int) -> None:
        """Down from the newest goes to the table."""
        if by > 0 and not self._recalled:
            self.post_message(self.Left(self, False))
            return
        place = min(max(self._recalled - by, 0), len(self._entered))
        if by < 0 and 0 < place < len(self._entered) and self._entered[-place] == self.value:
            place += 1  # already current
        self._recalled = place
        self.value = self._entered[-place] if place else ""
        self.cursor_position = len(self.value)

    def action_leave(self) -> None:
        self._recalled = 0
        self.post_message(self.Left(self, True))


class FilterBars(Vertical):
    """Each is visible while it has a text. The filter applies to the table while typing."""

    DEFAULT_CSS = """
    FilterBars {
        height: auto;
        & > .bar { height: 1; width: 1fr; display: none; }
        & > .bar.-shown { display: block; }
        & > .bar Label { width: auto; padding: 0 1 0 0; }
        & > .bar Input { width: 1fr; }
        & > #tag-problem { height: auto; display: none; padding: 0 0 0 5; }
        & > #tag-problem.-shown { display: block; }
        & > #filter-note { height: auto; max-height: 2; display: none; padding: 0 0 0 2; }
        & > #filter-note.-shown { display: block; }
    }
    """

    @dataclass(eq=False)
    class TagsWanted(Message):
        """The user requested the repositories with these tags."""

        tags: Tags

    def __init__(self, table: VirtualTable[Any], tag_values: Callable[[], Mapping[str, Sequence[str]]]) -> None:
        """``tag_values``: each tag's key with its values, for completion."""
        super().__init__()
        self._table = table
        self._tag_values = tag_values
        self._tags: Tags = ()

    def compose(self) -> ComposeResult:
        def bar(name: str, label: str, placeholder: str, complete: Callable[..., str | None]) -> Horizontal:
            box = BarInput(placeholder=placeholder, complete=partial(complete, tags=self._tag_values), id=name)
            return Horizontal(Label(label, classes="bar-label"), box, classes="bar", id=f"{name}-bar")

        words = "words, api-*, tag:Team=Web, access:none, finding:error, !not"
        yield bar("filter", "/", words, complete_query)
        yield Words(id="filter-note")
        yield bar("tags", "tags", "Team=Payments, Env=prod   (Enter applies; empty: all)", complete_tags)
        yield Static(id="tag-problem", markup=False)

    @property
    def typing(self) -> bool:
        """Whether an input has the focus."""
        return any(bar.has_focus for bar in self.query(BarInput))

    def open(self, name: str) -> None:
        """``name``: "filter" or "tags"."""
        self.query_one(f"#{name}-bar").add_class("-shown")
        # Immediately, because the next key may be waiting.
        self.screen.set_focus(self.query_one(f"#{name}", BarInput))

    def clear_filter(self) -> bool:
        """Clear it; returns whether there was one."""
        had = bool(self._table.filter)
        if had:
            self._table.filter = ""
        self.query_one("#filter", BarInput).value = ""
        self._close()
        return had

    def set_tags(self, tags: Tags) -> None:
        """The current tags."""
        self._tags = tags
        self.query_one("#tags", BarInput).value = ", ".join(f"{key}={value}" for key, value in tags)
        self._close()

    def show_note(self, note: Content) -> None:
        """Show a note on the filter."""
        words = self.query_one("#filter-note", Words)
        words.say(note)
        if words.has_class("-shown") != bool(note.plain):
            words.set_class(bool(note.plain), "-shown")

    def _close(self) -> None:
        self.query_one("#filter-bar").set_class(bool(self.query_one("#filter", BarInput).value), "-shown")
        self.query_one("#tags-bar").set_class(bool(self._tags), "-shown")
        self.query_one("#tag-problem").remove_class("-shown")

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._table.filter:
            self._table.filter = event.value

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#filter", BarInput).remember()
        if event.value != self._table.filter:
            self._table.filter = event.value  # its Changed message may still be queued
        self._close()
        self._table.focus()

    @on(Input.Submitted, "#tags")
    def _tags_done(self, event: Input.Submitted) -> None:
        event.stop()
        problem = self.query_one("#tag-problem", Static)
        try:
            tags = parse_condition(event.value)
        except InputError as error:
            problem.update(Content.styled(f"{NO} {safe(error.title)}. {safe(error.hint)}", "$text-error"))
            problem.add_class("-shown")
            return
        self.query_one("#tags", BarInput).remember()
        self.set_tags(tags)
        self._table.focus()
        self.post_message(self.TagsWanted(tags))

    @on(Input.Blurred, "#filter")
    def _filter_left(self) -> None:
        """After leaving in any way, actions apply to the row under the cursor."""
        self._table.model.keep()

    @on(BarInput.Left)
    def _left(self, event: BarInput.Left) -> None:
        event.stop()
        if event.input.id == "filter" and event.cancelled:
            self.clear_filter()
        elif event.input.id == "tags" and event.cancelled:
            self.set_tags(self._tags)
        self._close()
        self._table.focus()
