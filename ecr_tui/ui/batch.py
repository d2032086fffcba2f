"""The verification of many repositories, as what each repository's line shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecr_tui.ui import jobs
from ecr_tui.verification.report import StageStarted

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.policy.actions import Access
    from ecr_tui.verification.batch import Batch, Result
    from ecr_tui.verification.report import Event, StageName
    from ecr_tui.workspace import Workspace

CANCEL_PATIENCE = 0.9
"""Seconds after which a cancelled verification is shown as cancelled, even if its engine still runs."""


@dataclass
class BatchRow:
    """``stage`` is the one that runs, or ran last; None before the first."""

    repository: Repository
    place: int
    stage: StageName | None = None
    began: float | None = None
    result: Result | None = None


class BatchRun:
    """The threads write into the rows, which the screen draws by its own clock: there may be very many.

    ``clock`` returns monotonic seconds. ``batch`` is the end.
    """

    def __init__(self, repositories: Sequence[Repository], clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = [BatchRow(one, place) for place, one in enumerate(repositories)]
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
        """It did not stop within the time that a user waits: it goes on by itself, cleaning up."""
        return self._stopped_at is not None and self.running and self.clock() - self._stopped_at > CANCEL_PATIENCE

    async def carry_out(self, workspace: Workspace, engine: str, access: Access) -> None:
        """Verify on threads, until :attr:`batch` or :attr:`error` is known."""
        rows = {row.repository.arn: row for row in self.rows}

        def on_event(repository: Repository, event: Event) -> None:
            # Bytes have no room in one line a repository: of what an engine tells, only the stages are kept.
            if isinstance(event, StageStarted):
                row = rows[repository.arn]
                row.began = self.clock() if row.began is None else row.began
                row.stage = event.name

        def on_result(result: Result) -> None:
            rows[result.repository.arn].result = result
            self.done += 1

        def work() -> Batch:
            return workspace.verification.run_many(
                [row.repository for row in self.rows],
                engine=engine,
                access=access,
                on_event=on_event,
                on_result=on_result,
                cancel=self._cancel,
            )

        try:
            self.batch = await jobs.on_thread(work)
        except Exception as error:
            self.error = jobs.as_error(error)

    def stop(self) -> None:
        """Begin nothing further; what has begun is cleaned up."""
        if self.running and self._stopped_at is None:
            self._stopped_at = self.clock()
        self._cancel.set()
