"""The repositories of account A: filter bar and table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.ui.text import NO, OK, PENDING, SKIP, UNKNOWN, ago, count, safe
from ecr_tui.ui.widgets.columns import Column, Piece
from ecr_tui.ui.widgets.inputs import SafeInput
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.choice import Tags
    from ecr_tui.ui.flows.details import Details


class BarInput(SafeInput):
    """An input of the filter bar: esc leaves it, down goes to the table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("down", "to_table", "To the rows"),
    ]

    @dataclass(eq=False)
    class Left(Message):
        input: BarInput
        cancelled: bool

        @property
        def control(self) -> BarInput:
            return self.input

    def action_leave(self) -> None:
        self.post_message(self.Left(self, True))

    def action_to_table(self) -> None:
        self.post_message(self.Left(self, False))


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

    def __init__(self, details: Details, *, principal: Callable[[], str | None], now: Callable[[], datetime]) -> None:
        super().__init__(id="repositories")
        self.border_title = "Repositories"
        self._details = details
        self._principal = principal
        self._now = now
        self._regions: set[str] = set()
        self._subtitle = ""
        self.tags: Tags = ()
        self.table: VirtualTable[Repository] = VirtualTable(
            self._columns(), key=lambda r: r.arn, look=lambda r: r, id="table"
        )

    def compose(self) -> ComposeResult:
        with Horizontal(classes="bar", id="filter-bar"):
            yield Label("/", classes="bar-label")
            yield BarInput(placeholder="words, tag:Team=Web, access:none, mutable:no, !not", id="filter", compact=True)
        yield Words(id="filter-note")
        with Horizontal(classes="bar", id="tags-bar"):
            yield Label("tags", classes="bar-label")
            yield BarInput(
                placeholder="Team=Payments, Env=prod   (enter asks AWS, empty lists all)", id="tags", compact=True
            )
        yield Static(id="tag-problem", markup=False)
        yield self.table
        yield Words(id="next")

    # -- columns -------------------------------------------------------------------------------------------------

    def _columns(self) -> list[Column[Repository]]:
        columns = [
            Column("name", "Repository", _name, lambda r: r.name, width=22, flex=4, keep=9, search=True),
            Column("region", "Region", _region, lambda r: (r.region, r.name), width=14, keep=7),
            Column("tags", "Tags", _tags, _tags_key, width=18, flex=5, keep=6, search=True),
            Column("access", "B's access", self._access, self._access_key, width=15, keep=8, live=True),
            Column("mutability", "Image tags", _mutability, lambda r: r.mutability, width=10, keep=3),
            Column("images", "Images", self._images, self._images_key, width=8, keep=4, right=True, live=True),
            Column("pushed", "Last push", self._pushed, self._pushed_key, width=10, keep=5, right=True, live=True),
        ]
        return [c for c in columns if c.id != "region" or len(self._regions) > 1]

    def _access(self, repository: Repository) -> list[Piece]:
        found = self._details.access(repository, self._principal())
        if found is None:
            return [(PENDING, "dim")]
        if isinstance(found, EcrTuiError):
            return [(f"{UNKNOWN} not readable", "warn")]
        return [*_verdict(found.pull, "pull"), ("  ", ""), *_verdict(found.push, "push")]

    def _access_key(self, repository: Repository) -> tuple[int, int] | None:
        found = self._details.access(repository, self._principal())
        if found is None or isinstance(found, EcrTuiError):
            return None
        return _RANK[found.push], _RANK[found.pull]

    def _images(self, repository: Repository) -> list[Piece]:
        answer = self._details.images.get(repository.arn)
        if answer is None:
            return [(PENDING, "dim")]
        if answer.value is None:
            return [(UNKNOWN, "warn")]
        return [(f"{answer.value.count:,}", "" if answer.value.count else "dim")]

    def _images_key(self, repository: Repository) -> int | None:
        answer = self._details.images.get(repository.arn)
        return answer.value.count if answer and answer.value else None

    def _pushed(self, repository: Repository) -> list[Piece]:
        answer = self._details.images.get(repository.arn)
        if answer is None:
            return [(PENDING, "dim")]
        if answer.value is None:
            return [(UNKNOWN, "warn")]
        pushed = answer.value.last_push
        return [(SKIP, "dim")] if pushed is None else [(ago(pushed, self._now()), "")]

    def _pushed_key(self, repository: Repository) -> float | None:
        answer = self._details.images.get(repository.arn)
        return -answer.value.last_push.timestamp() if answer and answer.value and answer.value.last_push else None

    # -- content -------------------------------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[Repository], *, partial: bool = False) -> None:
        """``partial``: the first page of a listing; what is not in it may still come."""
        self._fit_regions({r.region for r in rows})
        self.table.set_rows(rows, partial=partial)

    def add_rows(self, rows: Sequence[Repository]) -> None:
        self._fit_regions(self._regions | {r.region for r in rows})
        self.table.add_rows(rows)

    def _fit_regions(self, regions: set[str]) -> None:
        """The region is worth a column only where there are several."""
        several = len(regions) > 1
        self._regions = regions
        if several != any(c.id == "region" for c in self.table.columns):
            self.table.set_columns(self._columns())

    def say(self, *lines: str) -> None:
        """What the table says when it has no rows."""
        self.table.set_message(*lines)

    def update_subtitle(self, listing: bool, kept: str = "") -> None:
        """``kept``: the rows are old, and how old."""
        table = self.table
        total = len(table.rows)
        parts = [f"{table.shown:,} of {total:,}" if table.parsed else count(total, "repository", "repositories")]
        if table.marks:
            hidden = table.hidden_marks
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
        self._close_bars()
        self.table.focus()

    @on(Input.Submitted, "#tags")
    def _tags_done(self, event: Input.Submitted) -> None:
        event.stop()
        problem = self.query_one("#tag-problem", Static)
        from ecr_tui.ui.choice import parse_condition

        try:
            tags = parse_condition(event.value)
        except InputError as error:
            problem.update(Content.styled(f"{NO} {safe(error.title)}. {safe(error.hint)}", "$text-error"))
            problem.add_class("-shown")
            return
        self.set_tags(tags)
        self.table.focus()
        self.post_message(self.TagsWanted(tags))

    @on(BarInput.Left)
    def _left(self, event: BarInput.Left) -> None:
        event.stop()
        if event.input.id == "filter" and event.cancelled:
            self.clear_filter()
        elif event.input.id == "tags" and event.cancelled:
            self.set_tags(self.tags)
        self._close_bars()
        self.table.focus()


def _name(repository: Repository) -> list[Piece]:
    return [(safe(repository.name), "")]


def _region(repository: Repository) -> list[Piece]:
    return [(safe(repository.region), "dim")]


def _tags(repository: Repository) -> list[Piece]:
    if repository.tags is None:
        return [(PENDING, "dim")]
    if not repository.tags:
        return [("no tags", "dim")]
    pieces: list[Piece] = []
    for key, value in sorted(repository.tags.items()):
        pieces += [("  ", "")] if pieces else []
        pieces += [(safe(f"{key}={value}"), "")]
    return pieces


def _tags_key(repository: Repository) -> str | None:
    return "\0".join(f"{key}={value}" for key, value in sorted(repository.tags.items())) if repository.tags else None


def _mutability(repository: Repository) -> list[Piece]:
    if repository.mutability == "MUTABLE":
        return [("mutable", "dim")]
    if repository.mutability == "IMMUTABLE":
        return [("immutable", "")]
    return [(safe(repository.mutability.lower().replace("_with_exclusion", " *").replace("_", " ")), "")]


_RANK = {True: 0, None: 1, False: 2}
"""The order of the access column: what is allowed first, then what depends."""


def _verdict(allowed: bool | None, word: str) -> list[Piece]:
    if allowed is None:
        return [(f"{UNKNOWN} {word}", "warn")]
    return [(f"{OK} {word}", "ok")] if allowed else [(f"{NO} {word}", "no")]
