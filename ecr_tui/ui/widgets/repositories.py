"""The repositories of account A: filter bar, tag bar and table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from ecr_tui.aws.model import Repository
from ecr_tui.errors import InputError
from ecr_tui.listing.filters import Policies, complete_query, complete_tags
from ecr_tui.ui.choice import Tags, parse_condition
from ecr_tui.ui.text import NO, count, safe
from ecr_tui.ui.widgets.columns import Column
from ecr_tui.ui.widgets.inputs import SafeInput
from ecr_tui.ui.widgets.repository_columns import RepositoryColumns
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.ui.flows.details import Details
    from ecr_tui.verification.records import Past


KEPT = 50
"""Entered texts that a bar remembers."""


class BarInput(SafeInput):
    """An input above the table: Esc leaves it, ↓ goes to the table, ↑ brings back what was entered before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("up", "recall(-1)", "Earlier"),
        Binding("down", "recall(1)", "To the rows"),
    ]

    @dataclass(eq=False)
    class Left(Message):
        input: BarInput
        cancelled: bool

        @property
        def control(self) -> BarInput:
            return self.input

    def __init__(self, **options: Any) -> None:
        super().__init__(compact=True, **options)
        self._entered: list[str] = []
        self._recalled = 0
        """How far back from the newest."""

    def remember(self) -> None:
        """What is in it was entered."""
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
            place += 1  # what is there already
        self._recalled = place
        self.value = self._entered[-place] if place else ""
        self.cursor_position = len(self.value)

    def action_leave(self) -> None:
        self._recalled = 0
        self.post_message(self.Left(self, True))


class RepositoriesPane(Vertical):
    """Draws what the flows know; asks for a new listing by message."""

    DEFAULT_CSS = """
    RepositoriesPane {
        & > .bar { height: 1; width: 1fr; display: none; }
        & > .bar.-shown { display: block; }
        & > .bar Label { width: auto; padding: 0 1 0 0; }
        & > .bar Input { width: 1fr; }
        & > #tag-problem { height: auto; display: none; padding: 0 0 0 5; }
        & > #tag-problem.-shown { display: block; }
        & > #filter-note { height: auto; max-height: 2; display: none; padding: 0 0 0 2; }
        & > #filter-note.-shown { display: block; }
        & > #next { height: 2; display: none; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    @dataclass(eq=False)
    class TagsWanted(Message):
        """The user asks for the repositories with these tags."""

        tags: Tags

    def __init__(
        self,
        details: Details,
        *,
        principal: Callable[[], str | None],
        now: Callable[[], datetime],
        policies: Policies,
        verified: Callable[[Repository], Past | None],
        columns: Sequence[str] = (),
    ) -> None:
        super().__init__(id="repositories")
        self.border_title = "Repositories"
        self._columns = RepositoryColumns(details, principal=principal, now=now, policies=policies, verified=verified)
        self._chosen = tuple(columns)
        self._regions: set[str] = set()
        self._subtitle = ""
        self.tags: Tags = ()
        self._tag_values: dict[str, list[str]] = {}
        self.table: VirtualTable[Repository] = VirtualTable(
            self._shown(), key=lambda r: r.arn, look=lambda r: r, policies=policies, id="table"
        )

    def compose(self) -> ComposeResult:
        with Horizontal(classes="bar", id="filter-bar"):
            yield Label("/", classes="bar-label")
            yield BarInput(
                placeholder="words, api-*, tag:Team=Web, access:none, finding:error, !not",
                complete=lambda text: complete_query(text, self.tag_values),
                id="filter",
            )
        yield Words(id="filter-note")
        with Horizontal(classes="bar", id="tags-bar"):
            yield Label("tags", classes="bar-label")
            yield BarInput(
                placeholder="Team=Payments, Env=prod   (Enter lists them, empty lists all)",
                complete=lambda text: complete_tags(text, self.tag_values),
                id="tags",
            )
        yield Static(id="tag-problem", markup=False)
        yield self.table
        yield Words(id="next")

    # -- content -------------------------------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[Repository], *, partial: bool = False) -> None:
        """``partial``: the first page of a listing; what is not in it may still come."""
        self._fit_regions({r.region for r in rows})
        self._tag_values = {}
        self.table.set_rows(rows, partial=partial)

    def add_rows(self, rows: Sequence[Repository]) -> None:
        self._fit_regions(self._regions | {r.region for r in rows})
        self._tag_values = {}
        self.table.add_rows(rows)

    def _fit_regions(self, regions: set[str]) -> None:
        several, had = len(regions) > 1, len(self._regions) > 1
        self._regions = regions
        if several != had:
            self.table.set_columns(self._shown())

    def choose_columns(self, ids: Sequence[str]) -> None:
        """Show these beside the name; without any all there is room for."""
        self._chosen = tuple(ids)
        self.table.set_columns(self._shown())

    def _shown(self) -> list[Column[Repository]]:
        return self._columns.shown(self._chosen, several_regions=len(self._regions) > 1)

    def tag_values(self) -> Mapping[str, Sequence[str]]:
        """Each tag's key with its values among the rows, both the most frequent first."""
        if not self._tag_values:
            tags = (row.tags for row in self.table.rows if row.tags)
            counted = Counter(pair for some in tags for pair in some.items())
            for (key, value), _ in counted.most_common():
                self._tag_values.setdefault(key, []).append(value)
        return self._tag_values

    def say(self, *lines: str) -> None:
        """What the table says when it has no rows."""
        self.table.set_message(*lines)

    def update_subtitle(self, listing: bool, kept: str = "") -> None:
        """``kept``: the rows are old, and how old."""
        table = self.table
        total = len(table.rows)
        parts = [f"{table.shown:,} of {total:,}" if table.parsed else count(total, "repository", "repositories")]
        if table.marks:
            hidden = table.model.hidden_marks
            parts.append(f"● {table.marks:,} marked" + (f", {hidden:,} of them hidden" if hidden else ""))
        if kept:
            parts.append(kept)
        if listing:
            parts.append("refreshing…" if kept else "listing…")
        subtitle = " · ".join(parts)
        if subtitle != self._subtitle:
            self._subtitle = subtitle
            self.border_subtitle = Content(subtitle)

    def show_note(self, note: Content) -> None:
        """What there is to say of the filter."""
        words = self.query_one("#filter-note", Words)
        words.say(note)
        if words.has_class("-shown") != bool(note.plain):
            words.set_class(bool(note.plain), "-shown")

    def show_next(self, sentence: Content, effect: Content) -> None:
        """What g would write, in two lines: for the layout where the preview is on another tab."""
        self.query_one("#next", Words).say(Content("\n").join([sentence, effect.first_line]))

    # -- filter bar ------------------------------------------------------------------------------------------------

    def open_filter(self) -> None:
        self._open("filter")

    def open_tags(self) -> None:
        self._open("tags")

    def _open(self, name: str) -> None:
        self.query_one(f"#{name}-bar").add_class("-shown")
        # At once, not when there is time: the next key may be waiting already.
        self.screen.set_focus(self.query_one(f"#{name}", BarInput))

    def clear_filter(self) -> bool:
        """Whether there was one."""
        had = bool(self.table.filter)
        if had:
            self.table.filter = ""
        self.query_one("#filter", BarInput).value = ""
        self._close_bars()
        return had

    def set_tags(self, tags: Tags) -> None:
        """The tag filter in force."""
        self.tags = tags
        self.query_one("#tags", BarInput).value = ", ".join(f"{key}={value}" for key, value in tags)
        self._close_bars()

    def _close_bars(self) -> None:
        self.query_one("#filter-bar").set_class(bool(self.query_one("#filter", BarInput).value), "-shown")
        self.query_one("#tags-bar").set_class(bool(self.tags), "-shown")
        self.query_one("#tag-problem").remove_class("-shown")

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self.table.filter:
            self.table.filter = event.value

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#filter", BarInput).remember()
        if event.value != self.table.filter:
            self.table.filter = event.value  # its Changed message may still be on its way
        self._close_bars()
        self.table.focus()

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
        self.table.focus()
        self.post_message(self.TagsWanted(tags))

    @on(Input.Blurred, "#filter")
    def _filter_left(self) -> None:
        """However it was left: the row under the cursor is what is acted on now."""
        self.table.keep_cursor()

    @on(BarInput.Left)
    def _left(self, event: BarInput.Left) -> None:
        event.stop()
        if event.input.id == "filter" and event.cancelled:
            self.clear_filter()
        elif event.input.id == "tags" and event.cancelled:
            self.set_tags(self.tags)
        self._close_bars()
        self.table.focus()
