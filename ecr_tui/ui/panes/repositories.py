"""The repositories of account A: filter, tags, table and listing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer

from ecr_tui.aws.model import Repository
from ecr_tui.aws.role import Role
from ecr_tui.errors import EcrTuiError
from ecr_tui.text import block
from ecr_tui.ui import collector, jobs
from ecr_tui.ui.messages import Failed, Latest
from ecr_tui.ui.panes.columns import RepositoryColumns
from ecr_tui.ui.panes.details import Details
from ecr_tui.ui.panes.filter_bar import FilterBars
from ecr_tui.ui.panes.judged import Judged
from ecr_tui.ui.panes.listing import Listing
from ecr_tui.ui.panes.search import Search
from ecr_tui.ui.screens.ask import Choosable
from ecr_tui.ui.screens.columns import ColumnsScreen, sort_question
from ecr_tui.ui.screens.text import ErrorScreen, TextScreen
from ecr_tui.ui.selection import Selection
from ecr_tui.ui.text import NO, safe
from ecr_tui.ui.text.status import failures, kept, nothing, rows_line
from ecr_tui.ui.text.usage import use_lines
from ecr_tui.ui.widgets.columns import Column
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.ui.choice import Tags
    from ecr_tui.ui.panes.accounts import AccountRead
    from ecr_tui.verification.records import Past
    from ecr_tui.workspace import Workspace

COPY_AGAIN = 5.0
"""Seconds within which y on the same row copies the URI instead of the ARN."""
WINDOW_DEBOUNCE = 0.1


class RepositoriesPane(Vertical):
    """``details`` of visible rows are read; ``principal``: whose access is shown."""

    DEFAULT_CSS = """
    RepositoriesPane {
        & > #next { height: auto; max-height: 6; display: none; }
    }
    """

    class Updated(Latest):
        """The listing, its rows or marks changed."""

    def __init__(
        self,
        workspace: Workspace,
        details: Details,
        accounts: Mapping[Role, AccountRead],
        *,
        principals: Callable[[], tuple[str, ...]],
        now: Callable[[], datetime],
        verified: Callable[[Repository], Past | None],
    ) -> None:
        super().__init__(id="repositories")
        self.border_title = "Repositories"
        self._details = details
        self._now = now
        self._regions: set[str] = set()
        self._subtitle = ""
        self._tag_values: dict[str, list[str]] = {}
        self._copied: tuple[str, float] = ("", 0.0)
        """The last copied ARN, and its time."""
        self._window_timer: Timer | None = None
        self.listing = Listing(
            self,
            workspace,
            tuple(workspace.settings.tags),
            accounts,
            show=self._show_page,
            changed=self._update,
            ended=self._listed,
        )
        judged = Judged(workspace.settings.trusted)
        self._workspace = workspace
        scope = workspace.settings.scope_tag
        self._columns = RepositoryColumns(
            details, principals=principals, now=now, policies=judged, verified=verified, scope=scope
        )
        self.table: VirtualTable[Repository] = VirtualTable(
            self._shown(), key=lambda r: r.arn, look=lambda r: r, policies=judged, id="table"
        )
        self.search = Search(
            self.table, judged, workspace, details, principals=principals, now=now, changed=self._show_note
        )
        self._bars = FilterBars(self.table, self.tag_values)

    def compose(self) -> ComposeResult:
        yield self._bars
        yield self.table
        yield Words(id="next")

    def on_mount(self) -> None:
        self._bars.set_tags(self.listing.tags)
        self.table.set_message("Listing repositories…")

    def on_unmount(self) -> None:
        self.stop()

    def stop(self) -> None:
        """Cancel all running work."""
        self.listing.stop()
        self.search.stop()

    # -- the listing -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.listing.begin()
        self._update()

    def relist(self) -> None:
        """Read everything again, keeping the shown rows until then."""
        self.listing.refresh(keep=bool(self.table.rows))
        self.judge_anew()
        self._update()

    @on(FilterBars.TagsWanted)
    def _tags_wanted(self, message: FilterBars.TagsWanted) -> None:
        message.stop()
        self._list_tagged(message.tags)

    def _list_tagged(self, tags: Tags) -> None:
        self.table.set_message("Listing repositories…")
        self.listing.relist(tags)
        self._update()

    def _show_page(self, rows: Sequence[Repository], first: bool) -> None:
        if first:
            self._show_rows(rows, partial=True)
        else:
            self._fit_regions(self._regions | {r.region for r in rows})
            self._tag_values = {}
            self.table.add_rows(rows)
        self._update()

    def _listed(self, rows: Sequence[Repository]) -> None:
        error = self.listing.error
        if error is None:
            self._show_rows(rows)
            collector.settle()
        elif self.table.rows and not self.listing.stale:
            # Keep the rows: slightly outdated data is better than none, and the error is shown separately.
            self.post_message(Failed(error, "Refresh failed").set_sender(self))
        self.table.set_message(*nothing(self.listing, self.table))
        self._update()

    def _show_rows(self, rows: Sequence[Repository], *, partial: bool = False) -> None:
        """``partial``: the first page of a listing; more rows follow."""
        self._fit_regions({r.region for r in rows})
        self._tag_values = {}
        self.table.set_rows(rows, partial=partial)

    def _fit_regions(self, regions: set[str]) -> None:
        several, had = len(regions) > 1, len(self._regions) > 1
        self._regions = regions
        if several != had:
            self.table.set_columns(self._shown())

    def _shown(self) -> list[Column[Repository]]:
        return self._columns.shown(self._workspace.settings.columns, several_regions=len(self._regions) > 1)

    def account_read(self, role: Role) -> None:
        if self.listing.disown():
            self._show_rows(())
        if role is Role.CONSUMER:
            self.judge_anew()
        self._update()

    # -- policies ---------------------------------------------------------------------------------

    def judge_anew(self) -> None:
        """Switch the principal of the access column and filter."""
        self.search.learn_anew()
        self.table.redraw_rows()

    def policies_read(self, arns: Iterable[str]) -> None:
        """These policies were read or invalidated."""
        self.search.learn(arns)
        self.table.redraw_rows()

    def read_window(self) -> None:
        """Read missing details of visible rows."""
        if self.listing.stale:
            return  # it may be of another account, or without credentials
        page = max(self.table.size.height - 1, 1)
        self._details.want(self.table.window(ahead=page), first=self.table.current)
        self.search.learn_window()

    @on(VirtualTable.WindowChanged)
    def _window_changed(self, message: VirtualTable.WindowChanged) -> None:
        message.stop()
        if self._window_timer is not None:
            self._window_timer.stop()
        self._window_timer = self.set_timer(WINDOW_DEBOUNCE, self.read_window)

    @on(VirtualTable.Loaded)
    def _loaded(self) -> None:
        self.search.learn_anew()

    # -- the table -------------------------------------------------------------------------------------------------

    @on(VirtualTable.Changed)
    def _changed(self, message: VirtualTable.Changed) -> None:
        message.stop()
        if not self.table.shown and (self.table.rows or not self.listing.busy):
            self.table.set_message(*nothing(self.listing, self.table))
        self._update()

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        if message.row is None:
            message.stop()
            if self.listing.error is not None:
                self.app.push_screen(ErrorScreen(self.listing.error))

    def on_descendant_focus(self) -> None:
        self._show_note()

    def on_descendant_blur(self) -> None:
        self._show_note()

    def _show_note(self) -> None:
        self.search.look()
        self._bars.show_note(self.search.note())

    def _update(self) -> None:
        self._show_note()
        subtitle = rows_line(self.table, kept(self.listing, self._now()), listing=self.listing.busy)
        if subtitle != self._subtitle:
            self._subtitle = subtitle
            self.border_subtitle = Content(subtitle)
        self.post_message(self.Updated().set_sender(self))

    def tag_values(self) -> Mapping[str, Sequence[str]]:
        """Each tag's key with its values among the rows, both the most frequent first."""
        if not self._tag_values:
            tags = (row.tags for row in self.table.rows if row.tags)
            counted = Counter(pair for some in tags for pair in some.items())
            for (key, value), _ in counted.most_common():
                self._tag_values.setdefault(key, []).append(value)
        return self._tag_values

    @property
    def rows_wanted(self) -> int | None:
        """Screen rows that the pane can use; None while changing or unknown."""
        if not self.table.shown or self.listing.busy or self._bars.typing:
            return None
        return self.table.shown + 1 + self._bars.outer_size.height + (self.outer_size.height - self.size.height)

    def show_next(self, brief: Content) -> None:
        """The last result and the effect of g, for the layout with the preview on another tab."""
        self.query_one("#next", Words).say(brief)

    def show_tags(self, arn: str, tags: Mapping[str, str]) -> bool:
        """Set the repository's current tags; returns whether they differ from the shown ones."""
        before = self.table.model.find(arn)
        if before is not None:
            self.table.add_rows([replace(before, tags=dict(tags), tags_source="live")])
        return before is None or before.tags != tags

    def show_failures(self) -> None:
        """The error of a partial or failed listing."""
        error = failures(self.listing)
        if error is not None:
            self.app.push_screen(ErrorScreen(error))

    def copy_text(self) -> tuple[str, str, str]:
        """The ARN; on a repeated key the URI."""
        row, (arn, at) = self.table.current, self._copied
        if row is None:
            return "", "", ""
        if arn == row.arn and time.monotonic() - at < COPY_AGAIN:
            self._copied = ("", 0.0)
            return row.uri, "the URI", ""
        self._copied = (row.arn, time.monotonic())
        return row.arn, "the ARN", "  y again: the URI"

    def commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """For the palette."""
        if failures(self.listing) is not None:
            yield "Inspect: regions not listed", "Regions that failed, with the reasons", self.show_failures
        for column in self.table.columns:
            sort = partial(self.table.sort_by, column.id)
            yield f"Sort by {column.label}", "Pick the same column again to reverse the order", sort

    def description(self) -> str:
        """All known facts of the selected repository, or ""."""
        row = self.table.current
        return block(f"{label:<12}{text}" for label, text in self._columns.facts(row)) if row is not None else ""

    def action_describe(self) -> None:
        row = self.table.current
        if row is not None:
            self.run_worker(self._describe(row, self.description()))

    async def _describe(self, row: Repository, facts: str) -> None:
        """Includes its use by CloudTrail events read before (a file, which may be large)."""
        try:
            record = await jobs.on_thread(lambda: self._workspace.access.usage.known(row))
            text = f"{facts}\n{block(use_lines(record, row))}"
        except EcrTuiError as error:
            text = f"{facts}\n{block([f'Usage       {NO} {error.title}'])}"
        self.app.push_screen(TextScreen(safe(row.name), Content(text), copy=text, what="the description"))

    def action_columns(self) -> None:
        """Choose the shown columns for the rest of the session."""

        def answered(chosen: tuple[str, ...] | None) -> None:
            if chosen is not None:
                self._workspace.accounts.choose(columns=chosen)
                self.table.set_columns(self._shown())

        labels = {one.id: one.label for one in self._columns.all().values()}
        shown = [one.id for one in self._shown()]
        # Shown ones in order, then the others.
        order = [*shown[1:], *(one for one in labels if one not in shown)]
        self.app.push_screen(ColumnsScreen([(one, labels[one]) for one in order], shown), answered)

    def action_sort(self) -> None:
        def answered(chosen: Choosable | None) -> None:
            if chosen is not None:
                self.table.sort_by(chosen.value)

        self.app.push_screen(sort_question(self.table.columns, *self.table.sort), answered)

    def take_focus(self) -> None:
        self.table.focus()

    def open_filter(self, name: str) -> None:
        """``name``: "filter" or "tags"."""
        self._bars.open(name)

    def selected(self, selection: Selection) -> Selection:
        """The selection with this pane's state."""
        table = self.table
        return selection.but(
            tags=self.listing.tags,
            repository=table.current,
            marked=tuple(table.marked) if table.marks else (),
            hidden=frozenset(one.arn for one in table.model.marked_hidden()) if table.marks else frozenset(),
            cached=self.listing.stale,
        )

    def clear_words(self) -> bool:
        """Remove them; returns whether there were any."""
        return self._bars.clear_filter()

    def clear_filter(self) -> bool:
        """Clear the words, else reset the tags. Returns whether there was anything to clear."""
        start = tuple(self._workspace.settings.tags)
        if self.clear_words():
            return True
        if self.listing.tags == start:
            return False
        self._bars.set_tags(start)
        self._list_tagged(start)
        return True

    def action_read_all(self) -> None:
        """Read the policies of all rows that match the rest of the filter."""
        self.search.read_all()
