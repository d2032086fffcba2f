"""Verification of many repositories, for one account B or several consumers, with one row each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.verification.batch import Batch, Result
from ecr_tui.verification.report import StageStarted

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.config import Consumer
    from ecr_tui.policy.actions import Access
    from ecr_tui.verification.report import Event, StageName
    from ecr_tui.workspace import Workspace

CANCEL_PATIENCE = 0.9
"""Seconds after which a canceled verification is shown as canceled, even if its engine still runs."""


class Target(NamedTuple):
    """Target of a verification; ``consumer`` None: the current one."""

    repository: Repository
    access: Access
    consumer: Consumer | None = None


@dataclass
class BatchRow:
    """``stage``: the current or last one; None before the first."""

    target: Target
    place: int
    stage: StageName | None = None
    began: float | None = None
    result: Result | None = None

    @property
    def repository(self) -> Repository:
        return self.target.repository


class BatchRun:
    """Threads write into the rows, which the screen draws periodically, because there may be very many.

    ``clock`` returns monotonic seconds. ``batch`` is the final result.
    """

    def __init__(self, targets: Sequence[Target], clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = [BatchRow(one, place) for place, one in enumerate(targets)]
        self.clock = clock
        self.began = clock()
        self.done = 0
        self.batch: Batch | None = None
        self.error: EcrTuiError | None = None
        self._cancel = threading.Event()
        self._stopped_at: float | None = None

    @property
    def running(self) -> bool:
        return self.batch is None and self.error is None

    @property
    def cancelling(self) -> bool:
        return self._stopped_at is not None

    @property
    def abandoned(self) -> bool:
        """It did not stop in time and continues in the background, cleaning up."""
        return self._stopped_at is not None and self.running and self.clock() - self._stopped_at > CANCEL_PATIENCE

    async def carry_out(self, workspace: Workspace, engine: str) -> None:
        """Verify on threads, until :attr:`batch` or :attr:`error` is set: one consumer and access after the other. An
        error that prevents one of several is the result of its rows."""
        groups: dict[tuple[Consumer | None, Access], list[BatchRow]] = {}
        for row in self.rows:
            groups.setdefault((row.target.consumer, row.target.access), []).append(row)
        started, results = datetime.now(UTC), dict[int, Result]()
        for (consumer, access), rows in groups.items():
            try:
                batch = await jobs.on_thread(self._group(workspace, engine, access, consumer, rows))
            except EcrTuiError as error:
                if len(groups) == 1:
                    self.error = error
                    return
                for row in rows:
                    row.result = Result(row.repository, error=error)
                self.done += len(rows)
            else:
                for row, result in zip(rows, batch.results, strict=True):
                    row.result = result
            results |= {row.place: row.result for row in rows if row.result is not None}
        self.batch = Batch(tuple(results[row.place] for row in self.rows), started, datetime.now(UTC))

    def _group(
        self, workspace: Workspace, engine: str, access: Access, consumer: Consumer | None, group: Sequence[BatchRow]
    ) -> Callable[[], Batch]:
        rows = {row.repository.arn: row for row in group}

        def on_event(repository: Repository, event: Event) -> None:
            # A row has no room for bytes, so only the stages of an engine's events are kept.
            if isinstance(event, StageStarted):
                row = rows[repository.arn]
                row.began = self.clock() if row.began is None else row.began
                row.stage = event.name

        def on_result(result: Result) -> None:
            rows[result.repository.arn].result = result
            self.done += 1

        def work() -> Batch:
            return workspace.verification.run_many(
                [row.repository for row in rows.values()],
                engine=engine,
                access=access,
                consumer=consumer,
                on_event=on_event,
                on_result=on_result,
                cancel=self._cancel,
            )

        return work

    def stop(self) -> None:
        """Start no more; running ones clean up."""
        if self.running and self._stopped_at is None:
            self._stopped_at = self.clock()
        self._cancel.set()
