"""A bulk change: planned on one thread, executed on another, drawn periodically by the screen.

Threads write into plain fields and a queue, which screens read when they draw, so the load of the event loop does not
depend on the number of repositories per second.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.changes.bulk import FAILED, UNTRIED, WRITTEN, undo_preview
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Plan
    from ecr_tui.changes.bulk import Bulk, Intent, Progress, Result, Summary, Unfinished
    from ecr_tui.changes.entries import Entry, Run
    from ecr_tui.workspace import Workspace

TICK = 0.1
"""Seconds between redraws."""


class Job(NamedTuple):
    """The change and its repositories; ``terms`` is a sentence.

    With ``left`` it resumes a run, with ``again`` it retries a run's failures, with ``entries`` it undoes these writes.
    ``hidden``: ARNs of repositories that the filter hides. ``begun`` is called at the start and removes the marks.
    """

    verb: str
    terms: str
    repositories: Sequence[Repository]
    intent: Intent
    hidden: frozenset[str] = frozenset()
    left: Unfinished | None = None
    again: str = ""
    entries: Sequence[Entry] = ()
    begun: Callable[[], None] | None = None

    def plan(
        self, bulk: Bulk, told: Callable[[int, int], None], cancel: threading.Event
    ) -> Sequence[Plan | EcrTuiError]:
        if self.entries:
            return undo_preview(self.entries)
        if self.left is not None:
            return bulk.resume(self.left, on_progress=told, cancel=cancel)
        return bulk.plan(self.repositories, self.intent, on_progress=told, cancel=cancel)

    def carry_out(
        self,
        bulk: Bulk,
        plans: Sequence[Plan],
        resumes: Run | None,
        told: Callable[[Progress], None],
        pause: threading.Event,
        cancel: threading.Event,
    ) -> Summary:
        if self.entries:
            return bulk.undo(self.entries, on_progress=told, pause=pause, cancel=cancel)
        return bulk.run(plans, self.intent, on_progress=told, pause=pause, cancel=cancel, resumes=resumes)

    def resumes(self, workspace: Workspace) -> Run | None:
        """The journal's run that this one belongs to, so that undo covers both."""
        if self.left is not None:
            return self.left.run
        if self.again:
            return next((run for run in workspace.changes.journal.read().runs if run.id == self.again), None)
        return None


@dataclass
class Row:
    """A repository's row. ``planned`` None until planned, ``result`` None until written; ``place`` is its position in
    the table. ``named``: the principals, if they differ between repositories."""

    repository: Repository
    place: int
    hidden: bool = False
    named: tuple[str, ...] = ()
    planned: Plan | EcrTuiError | None = None
    result: Result | None = None

    @property
    def plan(self) -> Plan | None:
        return None if isinstance(self.planned, EcrTuiError) else self.planned

    @property
    def changes(self) -> bool:
        return self.plan is not None and self.plan.changed and not self.plan.refused

    @property
    def refused(self) -> bool:
        """ECR would reject it, so it is skipped."""
        return self.plan is not None and self.plan.refused


class Planning:
    """``done`` of ``rows`` are planned; ``over`` when finished, with ``error`` on failure. :attr:`bulk` has learned
    AWS's pace and should execute the plans."""

    def __init__(self, workspace: Workspace, job: Job) -> None:
        self._workspace = workspace
        self.job = job
        # Without duplicates, as in the plans; an undo has one for each entry.
        rows = job.repositories if job.entries else {one.arn: one for one in job.repositories}.values()
        named = job.intent.each
        self.rows = [Row(one, n, one.arn in job.hidden, named.get(one.arn, ())) for n, one in enumerate(rows)]
        self.done = 0
        self.over = False
        self.error: EcrTuiError | None = None
        self.bulk: Bulk | None = None
        self.cancel = threading.Event()

    async def make(self) -> None:
        """Plan on a thread."""

        def told(done: int, total: int) -> None:
            self.done = done

        def work() -> tuple[Bulk, Sequence[Plan | EcrTuiError]]:
            bulk = self._workspace.changes.bulk()
            return bulk, self.job.plan(bulk, told, self.cancel)

        try:
            self.bulk, plans = await jobs.on_thread(work)
        except EcrTuiError as error:
            self.error = error
        else:
            for row, found in zip(self.rows, plans, strict=True):
                row.planned = found
        self.over = True

    @property
    def changing(self) -> list[Row]:
        return [row for row in self.rows if row.changes]

    @property
    def failed(self) -> list[Row]:
        return [row for row in self.rows if isinstance(row.planned, EcrTuiError)]

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.refused]

    @property
    def risky(self) -> list[Row]:
        return [row for row in self.changing if row.plan is not None and row.plan.risks]

    def arrange(self) -> None:
        """Rows by importance: skipped, risky, hidden; unchanged ones last."""

        def rank(row: Row) -> int:
            if row.plan is None or row.refused:
                return 0
            if not row.plan.changed:
                return 4
            return 1 if row.plan.risks else 2 if row.hidden else 3

        self.rows.sort(key=rank)
        _number(self.rows)


class Running:
    """A run from its first write to its summary. ``rows``: those to write."""

    def __init__(self, planning: Planning, bulk: Bulk, clock: Callable[[], float] = time.monotonic) -> None:
        self.job = planning.job
        self.rows = sorted(planning.changing, key=lambda row: row.place)
        _number(self.rows)
        self._by_arn: Mapping[str, Row] = {row.repository.arn: row for row in self.rows}
        self._bulk = bulk
        self._clock = clock
        self._told: deque[Progress] = deque()
        self._pause, self._cancel = threading.Event(), threading.Event()
        self._began = clock()
        self._paused_at: float | None = None
        self._paused_for = 0.0
        self._ended_at: float | None = None
        self.latest: Progress | None = None
        self.counts: Counter[str] = Counter()
        self.summary: Summary | None = None
        self.error: EcrTuiError | None = None

    async def carry_out(self, workspace: Workspace) -> None:
        """Write on threads, until :attr:`summary` or :attr:`error` is set."""
        plans = [row.plan for row in self.rows if row.plan is not None]

        def work() -> Summary:
            resumes = self.job.resumes(workspace)
            return self.job.carry_out(self._bulk, plans, resumes, self._told.append, self._pause, self._cancel)

        summary, error = None, None
        try:
            summary = await jobs.on_thread(work)
        except EcrTuiError as failure:
            error = failure
        self._ended_at = self._clock()
        self.take()
        self.summary, self.error = summary, error
        for result in summary.results if summary is not None else ():
            if result.repository.arn in self._by_arn:
                self._by_arn[result.repository.arn].result = result
        self._arrange()

    def take(self) -> list[Row]:
        """The rows finished since the last call."""
        fresh = []
        while self._told:
            self.latest = self._told.popleft()
            row = self._by_arn[self.latest.result.repository.arn]
            row.result = self.latest.result
            self.counts[row.result.status] += 1
            fresh.append(row)
        return fresh

    @property
    def last(self) -> Row | None:
        """The row finished last."""
        return None if self.latest is None else self._by_arn[self.latest.result.repository.arn]

    def _arrange(self) -> None:
        """Failures first, then untried rows."""

        def rank(row: Row) -> int:
            status = row.result.status if row.result is not None else UNTRIED
            return {FAILED: 0, UNTRIED: 1}.get(status, 2)

        self.rows.sort(key=rank)
        _number(self.rows)

    # -- control ------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.summary is None and self.error is None

    @property
    def paused(self) -> bool:
        return self.running and self._pause.is_set() and not self.stopping

    @property
    def stopping(self) -> bool:
        return self.running and self._cancel.is_set()

    def toggle_pause(self) -> None:
        """Writes in progress are always completed."""
        if self._pause.is_set():
            self._pause.clear()
            self._paused_for += self._clock() - (self._paused_at or self._clock())
            self._paused_at = None
        else:
            self._pause.set()
            self._paused_at = self._clock()

    def stop(self) -> None:
        """Start no more writes."""
        self._cancel.set()

    # -- numbers -------------------------------------------------------------------------------------------------

    @property
    def done(self) -> int:
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def seconds(self) -> float:
        """Seconds of work, without pauses."""
        now = self._ended_at if self._ended_at is not None else self._paused_at or self._clock()
        return max(now - self._began - self._paused_for, 0.0)

    @property
    def seconds_left(self) -> float | None:
        """None while unknown."""
        return (self.total - self.done) * self.seconds / self.done if self.done and self.running else None

    @property
    def refusals(self) -> int:
        """Number of throttled calls."""
        if self.summary is not None:
            return self.summary.refusals
        return self.latest.refusals if self.latest is not None else 0

    @property
    def can_take_back(self) -> bool:
        """Whether there is anything to undo or redo."""
        return self.summary is not None and self.counts[WRITTEN] > 0

    def undone(self) -> list[Row]:
        """Failed and untried rows."""
        return [row for row in self.rows if row.result is None or row.result.status in (FAILED, UNTRIED)]


def _number(rows: Iterable[Row]) -> None:
    for place, row in enumerate(rows):
        row.place = place
