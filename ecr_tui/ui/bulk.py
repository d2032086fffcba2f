"""A change to many repositories: planned on a thread, carried out on another, looked at from the screen's clock.

The threads write into plain fields and a queue, the screens read them as often as they draw: however many repositories
come to their end in a second, the event loop has a few things to do.
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
"""Seconds between two looks at what the threads have done."""


class Job(NamedTuple):
    """What is to be done to which repositories; ``terms`` is a sentence.

    With ``left`` it goes on with a run, with ``again`` it tries once more what failed in one, with ``entries`` it takes
    these writes back. ``hidden`` are the ARNs of those that the user does not see behind the question. ``begun`` is
    called once it has begun, and takes away the marks that it was made of.
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
        """The run of the journal that this one is a part of, so that undo takes back both."""
        if self.left is not None:
            return self.left.run
        if self.again:
            return next((run for run in workspace.changes.journal.read().runs if run.id == self.again), None)
        return None


@dataclass
class Row:
    """A repository's line. ``planned`` None until it is known, ``result`` until the run has come to it; ``place`` is
    where it stands in the table. ``named``: the principals, where they differ between repositories."""

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
        """ECR would not take it, so it is left out."""
        return self.plan is not None and self.plan.refused


class Planning:
    """``done`` of ``rows`` are planned; ``over`` once all are, or ``error`` says why not. :attr:`bulk` knows by then at
    which pace AWS answers, and is to carry the plans out."""

    def __init__(self, workspace: Workspace, job: Job) -> None:
        self._workspace = workspace
        self.job = job
        # Each once, as the plans will be; an undo has one for each entry.
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
        """What deserves a look first: what is left out, risks, what is hidden; what stays the same last."""

        def rank(row: Row) -> int:
            if row.plan is None or row.refused:
                return 0
            if not row.plan.changed:
                return 4
            return 1 if row.plan.risks else 2 if row.hidden else 3

        self.rows.sort(key=rank)
        _number(self.rows)


class Running:
    """A run from its first write to its summary. ``rows`` are those that are to be written."""

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
        """Write on threads, until :attr:`summary` or :attr:`error` is known."""
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
        """The rows that came to their end since the last time."""
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
        """The row that came to its end last."""
        return None if self.latest is None else self._by_arn[self.latest.result.repository.arn]

    def _arrange(self) -> None:
        """Failures first, then what was not tried."""

        def rank(row: Row) -> int:
            status = row.result.status if row.result is not None else UNTRIED
            return {FAILED: 0, UNTRIED: 1}.get(status, 2)

        self.rows.sort(key=rank)
        _number(self.rows)

    # -- steering ------------------------------------------------------------------------------------------------

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
        """What has begun is finished in any case."""
        if self._pause.is_set():
            self._pause.clear()
            self._paused_for += self._clock() - (self._paused_at or self._clock())
            self._paused_at = None
        else:
            self._pause.set()
            self._paused_at = self._clock()

    def stop(self) -> None:
        """Begin nothing further."""
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
        """Of work, without pauses."""
        now = self._ended_at if self._ended_at is not None else self._paused_at or self._clock()
        return max(now - self._began - self._paused_for, 0.0)

    @property
    def seconds_left(self) -> float | None:
        """None as long as nothing can be said."""
        return (self.total - self.done) * self.seconds / self.done if self.done and self.running else None

    @property
    def refusals(self) -> int:
        """How often AWS said that it was asked too fast."""
        if self.summary is not None:
            return self.summary.refusals
        return self.latest.refusals if self.latest is not None else 0

    @property
    def can_take_back(self) -> bool:
        """Whether an undo of it, or of the undo that it was, has anything to do."""
        return self.summary is not None and self.counts[WRITTEN] > 0

    def undone(self) -> list[Row]:
        """What failed or was not tried."""
        return [row for row in self.rows if row.result is None or row.result.status in (FAILED, UNTRIED)]


def _number(rows: Iterable[Row]) -> None:
    for place, row in enumerate(rows):
        row.place = place
