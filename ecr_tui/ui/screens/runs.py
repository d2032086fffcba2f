"""Changes to many repositories as the user meets them: planned, asked about, watched, resumed, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.timer import Timer

from ecr_tui.changes.bulk import Intent, undo_preview
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.flows.bulk import TICK, Job, Planning, Row, Running
from ecr_tui.ui.messages import AccountRead, Answered
from ecr_tui.ui.screens.bulk_left import UnfinishedScreen, words_of
from ecr_tui.ui.screens.bulk_plan import BulkPlanScreen
from ecr_tui.ui.screens.bulk_run import BulkRunScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import NO, OK, count

if TYPE_CHECKING:
    from ecr_tui.changes.bulk import Bulk, Intent, Unfinished
    from ecr_tui.changes.entries import Entry
    from ecr_tui.ui.screens.bulk_run import BulkRunScreen
    from ecr_tui.ui.screens.main import MainScreen

REREAD = 10
"""Ticks between two looks at which rows of the main table are others now."""


class Runs:
    """Belongs to the main screen; keeps the run when its screen is closed. One run at a time."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.run: Running | None = None
        self._planning: Planning | None = None
        self._shown: BulkRunScreen | None = None
        self._ticker: Timer | None = None
        self._ticks = 0
        self._written: list[str] = []
        self._looked: set[str] = set()

    @property
    def running(self) -> bool:
        return self.run is not None and self.run.running

    def stop(self) -> None:
        """Begin nothing further; what has begun is finished."""
        if self._planning is not None:
            self._planning.cancel.set()
        if self.run is not None:
            self.run.stop()

    def _say(self, text: str, *, title: str = "", warning: bool = False) -> None:
        self._screen.app.notify(
            text, title=title, severity="warning" if warning else "information", timeout=8, markup=False
        )

    # -- before --------------------------------------------------------------------------------------------------

    def change(self, verb: str, whom: str, intent: Intent) -> None:
        """For all marked repositories."""
        table = self._screen.table
        hidden = frozenset(one.arn for one in table.model.marked_hidden())
        self.ask(Job(verb, whom, table.marked, intent, hidden))

    def take_back(self, entries: Sequence[Entry]) -> None:
        """All that still stands of a run."""
        plans = undo_preview(entries)
        rows = [plan.repository for plan in plans]
        whom = "Each policy is put back exactly as it was before, if nobody has changed it since."
        self.ask(Job("Undo", whom, rows, Intent("undo", principals=plans[0].named), entries=entries))

    def ask(self, job: Job) -> None:
        if self.running:
            self._say("A run is under way; R shows it.", warning=True)
            return
        planning = self._planning = Planning(self._screen, self._screen.workspace, job)
        dialog = BulkPlanScreen(planning)

        def ended() -> None:
            if planning.error is not None and dialog.is_current:
                dialog.dismiss(False)
                self._screen.report(planning.error, f"{job.verb} not planned")

        def answered(yes: bool | None) -> None:
            if yes and planning.bulk is not None and self._screen.writes.ready() and not self.running:
                self._begin(planning, planning.bulk)

        self._screen.app.push_screen(dialog, answered)
        planning.start(ended)

    # -- the run -------------------------------------------------------------------------------------------------

    def _begin(self, planning: Planning, bulk: Bulk) -> None:
        screen, job = self._screen, planning.job
        if job.left is None and not job.again and not job.entries:
            # They have been taken; what is marked while the run goes on is for the next one.
            screen.table.unmark_all()
        run = self.run = Running(planning, bulk)
        self._planning, self._written, self._ticks = None, [], 0
        run.start(screen, screen.workspace, self._ended)
        self._ticker = screen.set_interval(TICK, self._tick)
        self._busy_changed()
        self.open()

    def _tick(self) -> None:
        run = self.run
        if run is None or not run.running:
            return
        rows = run.take()
        self._written += [row.repository.arn for row in rows]
        self._ticks += 1
        if self._ticks % REREAD == 0:
            self._reread()
        if self._shown is not None:
            self._shown.show(_last(rows))
        self._screen.show_status()

    def _reread(self) -> None:
        if self._written:
            self._screen.policies_changed(self._written)
            self._written = []

    def _ended(self) -> None:
        run, screen = self.run, self._screen
        if run is None:
            return
        if self._ticker is not None:
            self._ticker.stop()
        self._written += [row.repository.arn for row in run.rows if row.result is not None]
        self._reread()
        self._busy_changed()
        if self._shown is not None and self._shown.is_attached:
            self._shown.ended()
        elif run.summary is not None:
            fine = run.summary.complete
            more = "u takes it all back." if fine and not run.job.entries else "R shows it."
            self._say(f"{run.summary.headline()}. {more}", title=f"{OK if fine else NO} Run ended", warning=not fine)
        if run.error is not None:
            screen.report(run.error, f"{run.job.verb} stopped")

    def _again(self) -> None:
        """What failed or was not tried, planned anew."""
        run = self.run
        if run is None or run.summary is None or not self._screen.writes.ready():
            return
        undone = {row.repository.arn for row in run.undone()}
        rows = [row.repository for row in run.rows if row.repository.arn in undone]
        job = run.job
        if job.entries:
            self.take_back([entry for entry in job.entries if entry.record.arn in undone])
        else:
            self.ask(Job(job.verb, job.whom, rows, job.intent, again=run.summary.run))

    def _busy_changed(self) -> None:
        self._screen.update_bindings()
        self._screen.show_status()
        self._screen.writes_settled()

    def open(self) -> None:
        """The run at work, or the last one; else what is left of an earlier one."""
        if self.run is None:
            self.find(asked=True)
            return
        self._shown = BulkRunScreen(self.run, self._again)
        self._screen.app.push_screen(self._shown)

    @property
    def words(self) -> str:
        """For the status line, "" where nothing runs."""
        run = self.run
        if run is None or not run.running:
            return ""
        doing = "paused" if run.paused else "stopping" if run.stopping else "undoing" if run.job.entries else "writing"
        return f"{doing} {run.done:,} of {run.total:,} (R)"

    # -- what an earlier one left ----------------------------------------------------------------------------------

    def look(self, message: AccountRead) -> None:
        """Once for each owner that is met, whose runs may have been interrupted."""
        identity = message.identity
        if identity is not None and identity.account not in self._looked:
            self._looked.add(identity.account)
            self.find()

    def find(self, *, asked: bool = False) -> None:
        """Reads the journal; a run that another instance works on is not found."""
        workspace = self._screen.workspace

        def work() -> Answered:
            found = workspace.changes.bulk().unfinished()
            return Answered(lambda: self._found(found, asked))

        def failed(error: EcrTuiError) -> Answered | None:
            # Nobody asked: whoever writes next hears of it.
            return Answered(lambda: self._screen.report(error)) if asked else None

        jobs.start(self._screen, work, failed=failed, group="bulk-left")

    def _found(self, found: Sequence[Unfinished], asked: bool) -> None:
        if self.running or not found:
            if asked and not found:
                self._say("There is no unfinished run. space or * marks repositories, then g grants to all of them.")
            return
        left = found[0]
        if self._screen.read_only:
            if asked:
                self._say("Read-only mode leaves the unfinished run as it is.", warning=True)
            return

        def answered(answer: str | None) -> None:
            if answer == "resume" and self._screen.writes.ready():
                try:
                    verb, whom, intent = words_of(left)
                except EcrTuiError as error:
                    self._screen.app.push_screen(ErrorScreen(error))
                    return
                self.ask(Job(verb, whom, left.rest, intent, left=left))
            elif answer == "dismiss":
                self._dismiss(left)

        self._screen.app.push_screen(UnfinishedScreen(left), answered)

    def _dismiss(self, left: Unfinished) -> None:
        workspace = self._screen.workspace

        def work() -> Answered:
            workspace.changes.bulk().dismiss(left)
            rest = count(len(left.rest), "repository is left as it is", "repositories are left as they are")
            return Answered(lambda: self._say(f"{rest}."))

        jobs.start(
            self._screen,
            work,
            failed=lambda error: Answered(lambda: self._screen.report(error)),
            group="bulk-left",
        )


def _last(rows: Sequence[Row]) -> Row | None:
    return rows[-1] if rows else None
