"""Drift from a file of grants: compared in the background, shown as rows, applied as one run."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.drift import Comparison, Difference, read
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.plain import pace
from ecr_tui.ui.screens.rows import RowsScreen
from ecr_tui.ui.screens.text import ErrorScreen, plan_screen
from ecr_tui.ui.tasks import drift, runs
from ecr_tui.ui.text import NO, safe
from ecr_tui.ui.text import drift as words
from ecr_tui.ui.widgets.keyhints import Hint, KeyHints
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Hanging, Words

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk

TICK = 0.2
"""Seconds between checks whether a run has ended."""


class DriftScreen(RowsScreen[Repository | None]):
    """Starts when shown, and again after each run. The result is a repository to go to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "apply", "Apply"),
        Binding("P", "prune", "Prune"),
        Binding("R", "runs", "Run"),
        Binding("o", "go_to", "Go to the repository"),
        Binding("C", "sort('change')", "Sort by change", show=False),
        Binding("D", "sort('risks')", "Sort by risks", show=False),
        Binding("r", "again", "Refresh"),
    ]

    def __init__(self, desk: Desk, path: str, name: str) -> None:
        super().__init__()
        self._desk = desk
        self._path = path
        self._file = name
        self._cancel = threading.Event()
        self._run = desk.run
        self._prune = False
        self._error: EcrTuiError | None = None
        self.found: Comparison | None = None
        self.table: VirtualTable[Difference] = VirtualTable(
            words.columns((), False), key=lambda row: row.repository.arn, search=words.search_text, id="drift"
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(words.title(self._file), classes="title", markup=False)
            yield Words(id="progress", classes="body")
            yield self.filter_box("repository, principal, grant, change or revoke")
            yield self.table
            with VerticalScroll(classes="detail", can_focus=False):
                yield Hanging(id="detail", classes="body")
            yield KeyHints(between="  ")

    def on_mount(self) -> None:
        self.set_interval(pace(self, TICK), self._look_again)
        self._begin()

    def on_unmount(self) -> None:
        self._cancel.set()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Read the file and the policies. Previous rows stay visible until then, but cannot be applied."""
        self.busy, self._error = True, None
        self._cancel = cancel = threading.Event()
        self.say(words.READING)
        if self.found is None:
            self.table.set_message("Reading policies…")
        listed, progressed = partial(jobs.call, self, self.say_listed), jobs.teller(self, self.say_read)
        work = partial(read, self._desk.workspace, self._path, listed, progressed, cancel)
        self.call_after_refresh(jobs.start, self, work, self._compared, self._failed)

    def _failed(self, error: EcrTuiError) -> None:
        """Drop the previous comparison, which may be outdated."""
        self.busy, self.found, self._error = False, None, error
        self.table.set_message("Not compared. Press r to retry.")
        self.table.set_rows(())
        self.say(f"{NO} {safe(error.title)}", "$text-error")
        self._tell()
        self.app.push_screen(ErrorScreen(error))

    def _compared(self, found: Comparison) -> None:
        self.busy, self.found = False, found
        self.table.set_message("No drift.")
        self._draw()

    def _draw(self) -> None:
        if self.found is not None:
            self.query_one("#progress", Words).say(words.headline(self.found, self._prune))
            self.table.set_columns(words.columns(self.found.rows, self._prune))
            self.table.set_rows(self.found.rows)
        self._tell()

    def _look_again(self) -> None:
        """A run or an undo may have ended."""
        if not (self.busy or self._desk.running or self._desk.run is self._run):
            self._run = self._desk.run
            self._begin()

    # -- rows --------------------------------------------------------------------------------------------------------

    @on(VirtualTable.Moved)
    @on(VirtualTable.Changed)
    @on(VirtualTable.Loaded)
    @on(VirtualTable.WindowChanged)
    def _tell(self) -> None:
        """The row in full, and the keys."""
        row = self.table.current
        self.query_one("#detail", Words).say(Content.empty() if row is None else words.details(row, self._prune))
        self.say_keys()

    def hints(self) -> list[Hint]:
        marks = self.table.marks
        possible = not self._desk.workspace.settings.read_only_reason
        return [
            ("enter", "diff"),
            *([("g", f"apply {marks} marked" if marks else "apply")] if possible else []),
            ("space", "mark"),
            ("*", "all"),
            ("P", "prune off" if self._prune else "prune"),
            ("/", "filter"),
            ("S C D", "sort"),
            ("o", "open"),
            ("y", "copy"),
            ("r", "refresh"),
            ("esc", "close"),
        ]

    @on(VirtualTable.Opened)
    def _opened(self) -> None:
        row = self.table.current
        if row is None:
            return
        name = safe(row.repository.name)
        plan = row.planned(self._prune)
        if not isinstance(plan, EcrTuiError) and not plan.changed:
            plan = row.pruned
            name = f"{name}: with prune"
        self.app.push_screen(plan_screen(name, plan, f"{name} could not be compared"))

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_prune(self) -> None:
        """Toggle between revoking and keeping grants that are not in the file."""
        self._prune = not self._prune
        if not self.busy:
            self._draw()

    def action_apply(self) -> None:
        """The marked rows, or the one under the cursor."""
        found, table = self.found, self.table
        if found is None or self.busy:
            self.tell("The policies are not compared yet.")
            return
        rows = list(table.marked) or ([] if table.current is None else [table.current])
        hidden = frozenset(row.repository.arn for row in table.model.marked_hidden())
        desk = self._desk
        desk.start(drift.apply(desk, found, rows, hidden, table.unmark_all, prune=self._prune))

    def action_runs(self) -> None:
        self._desk.start(runs.show(self._desk, self._desk.selection))

    def action_again(self) -> None:
        if not self.busy:
            self._begin()

    def action_go_to(self) -> None:
        if self.table.current is not None:
            self.dismiss(self.table.current.repository)

    def document(self) -> str:
        if self.found is None:
            return "" if self._error is None else self._error.text()
        return words.report(self.found, [entry.row for entry in self.table.model.view], self._prune)

    def action_copy(self) -> None:
        """The rows that are shown."""
        text = self.document()
        if text and not self.busy:
            self.post_message(CopyWanted(text, "the drift" if self._error is None else "the error"))
        else:
            self.tell("The policies are not compared yet.")
