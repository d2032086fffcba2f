"""The verification of many repositories: one at a time of these, as what each repository's line shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widget import Widget

from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.verification.report import StageStarted

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.policy.actions import Access
    from ecr_tui.verification.batch import Batch, Result
    from ecr_tui.verification.report import Event, StageName
    from ecr_tui.workspace import Workspace


@dataclass
class ManyRow:
    """``stage`` is the one that runs, or ran last; None before the first."""

    repository: Repository
    place: int
    stage: StageName | None = None
    began: float | None = None
    result: Result | None = None


@dataclass
class ManyRun:
    """``began`` is monotonic seconds, ``batch`` the end."""

    rows: list[ManyRow]
    began: float
    done: int = 0
    batch: Batch | None = None
    error: EcrTuiError | None = None
    cancelling: bool = False
    abandoned: bool = False
    """It did not stop within the time that a user waits: it goes on by itself, cleaning up."""

    @property
    def running(self) -> bool:
        return self.batch is None and self.error is None


class ManyVerifier:
    """The threads write into the rows, which the screen draws by its own clock: there may be very many."""

    def __init__(self, node: Widget, workspace: Workspace, clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._workspace = workspace
        self.clock = clock
        self._cancel = threading.Event()
        self.run: ManyRun | None = None

    @property
    def running(self) -> bool:
        return self.run is not None and self.run.running

    def start(
        self, repositories: Sequence[Repository], engine: str, access: Access, *, on_end: Callable[[], None]
    ) -> ManyRun:
        """``on_end`` is called on the app's thread."""
        workspace = self._workspace
        cancel = self._cancel = threading.Event()
        run = self.run = ManyRun([ManyRow(one, place) for place, one in enumerate(repositories)], self.clock())
        rows = {row.repository.arn: row for row in run.rows}

        def on_event(repository: Repository, event: Event) -> None:
            # Bytes have no room in one line a repository: of what an engine tells, only the stages are kept.
            if isinstance(event, StageStarted):
                row = rows[repository.arn]
                row.began = self.clock() if row.began is None else row.began
                row.stage = event.name

        def on_result(result: Result) -> None:
            rows[result.repository.arn].result = result
            run.done += 1

        def ended(batch: Batch | None, error: EcrTuiError | None) -> None:
            run.batch, run.error = batch, error
            on_end()

        def work() -> Answered:
            batch = workspace.verification.run_many(
                repositories, engine=engine, access=access, on_event=on_event, on_result=on_result, cancel=cancel
            )
            return Answered(lambda: ended(batch, None))

        def failed(error: EcrTuiError) -> Answered:
            return Answered(lambda: ended(None, error))

        jobs.start(self._node, work, failed=failed, group="verify-many")
        return run

    def cancel(self) -> None:
        if self.run is not None and self.run.running:
            self.run.cancelling = True
        self._cancel.set()

    def abandon(self) -> None:
        if self.run is not None and self.run.running:
            self.run.abandoned = True
