"""One live verification at a time, as what each stage's row shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.widget import Widget

from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Verified, Verifying
from ecr_tui.verification.report import StageEnded, StageName, StageProgress, StageStarted, stages_of

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.policy.actions import Access
    from ecr_tui.registry.engine import Progress
    from ecr_tui.verification.report import Report, Stage, StageName
    from ecr_tui.workspace import Workspace


@dataclass
class StageRow:
    """``began`` is monotonic seconds while the stage runs; ``stage`` is its end."""

    name: StageName
    began: float | None = None
    layers: dict[str, Progress] = field(default_factory=dict)
    latest: Progress | None = None
    stage: Stage | None = None

    @property
    def running(self) -> bool:
        return self.began is not None and self.stage is None

    def transferred(self) -> tuple[int, int | None]:
        """Bytes so far and in all, over the layers that tell; the total is None as long as none does."""
        current = sum(p.current or 0 for p in self.layers.values())
        totals = [p.total for p in self.layers.values() if p.total is not None]
        return current, sum(totals) if totals else None


@dataclass
class Run:
    """A verification, running or done."""

    repository: Repository
    rows: list[StageRow]
    report: Report | None = None
    error: EcrTuiError | None = None
    access: Access | None = None
    cancelling: bool = False
    serial: int = 0
    """Its place among the runs and changes of this session, see :class:`Changes`."""
    at: datetime | None = None
    abandoned: bool = False
    """It did not stop within the time that a user waits: it goes on by itself, cleaning up."""

    @property
    def running(self) -> bool:
        return self.report is None and self.error is None

    def row(self, name: StageName) -> StageRow:
        return next(row for row in self.rows if row.name is name)


class Changes:
    """What has changed access since, by ARN: our own writes, and what a refresh showed. For striking a former proof.

    ``now`` is the wall clock. Order is a counter's: a change and a run may be of the same second.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._serial = 0
        self._changes: dict[str, tuple[int, datetime, str]] = {}
        self._policies: dict[str, str | None] = {}

    def next(self) -> int:
        self._serial += 1
        return self._serial

    def add(self, arn: str, what: str) -> None:
        """``what``: a noun, such as "undo"."""
        self._changes[arn] = (self.next(), self._now(), what)
        self._policies.pop(arn, None)

    def read(self, arn: str, policy: str | None) -> bool:
        """A policy was read. Whether it is another one than before, which nobody here has written."""
        other = arn in self._policies and self._policies[arn] != policy
        if other:
            self.add(arn, "policy change")
        self._policies[arn] = policy
        return other

    def since(self, arn: str, serial: int) -> str:
        """ "before the undo at 18:50 UTC", where there was a change after that run; "" otherwise."""
        found = self._changes.get(arn)
        return "" if found is None or found[0] < serial else _before(found)

    def since_time(self, arn: str, at: datetime) -> str:
        """As :meth:`since`, for a run of which only the time is known."""
        found = self._changes.get(arn)
        return "" if found is None or found[1] < at else _before(found)


def _before(change: tuple[int, datetime, str]) -> str:
    return f"before the {change[2]} at {change[1].astimezone(UTC):%H:%M} UTC"


class Verifier:
    """Owns the run that the verification pane shows."""

    def __init__(
        self,
        node: Widget,
        workspace: Workspace,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._workspace = workspace
        self.clock = clock
        self.changes = Changes(now)
        self._now = now
        self._generation = 0
        self._cancel = threading.Event()
        self.run: Run | None = None

    @property
    def running(self) -> bool:
        return self.run is not None and self.run.running

    def about(self, repository: Repository | None) -> Run | None:
        """The run that may be shown beside this repository: its own, or one that is not over."""
        run = self.run
        mine = run is not None and repository is not None and run.repository.arn == repository.arn
        return run if run is not None and (mine or run.running) else None

    @property
    def stale(self) -> str:
        """What makes the run's result an old one; "" for nothing."""
        return "" if self.run is None else self.changes.since(self.run.repository.arn, self.run.serial)

    def look_at_tags(self, repository: Repository | None) -> None:
        """The repository of the run as a listing shows it now."""
        run = self.run
        if run is None or repository is None or repository.tags is None or run.repository.tags is None:
            return
        if repository.tags != run.repository.tags and not self.stale:
            self.changes.add(repository.arn, "tag change")

    def start(
        self, repository: Repository, engine: str, access: Access, counter_proof: Sequence[Repository] = ()
    ) -> Run:
        """``counter_proof``: repositories that account B must be denied; without any, one is chosen."""
        self._generation += 1
        generation, node, workspace = self._generation, self._node, self._workspace
        cancel = self._cancel = threading.Event()
        serial, at = self.changes.next(), self._now()
        self.run = Run(repository, [StageRow(name) for name in stages_of(access)], access=access, serial=serial, at=at)

        def work() -> Verified:
            report = workspace.verification.run(
                repository,
                engine=engine,
                isolation=counter_proof or "auto",
                access=access,
                on_event=lambda event: jobs.post(node, Verifying(generation, event)),
                cancel=cancel,
            )
            return Verified(generation, report)

        jobs.start(
            node,
            work,
            failed=lambda error: Verified(generation, None, error),
            group="verify",
        )
        return self.run

    def cancel(self) -> None:
        if self.run is not None and self.run.running:
            self.run.cancelling = True
        self._cancel.set()

    def abandon(self) -> None:
        """The run has not ended in the time after a cancel that a user waits; its end is still taken when it comes."""
        if self.run is not None and self.run.running:
            self.run.abandoned = True

    def take_event(self, message: Verifying) -> bool:
        if message.generation != self._generation or self.run is None:
            return False
        event = message.event
        if isinstance(event, StageStarted):
            self.run.row(event.name).began = self.clock()
        elif isinstance(event, StageProgress):
            row = self.run.row(event.name)
            row.latest = event.progress
            if event.progress.layer:
                row.layers[event.progress.layer] = event.progress
        elif isinstance(event, StageEnded):
            self.run.row(event.stage.name).stage = event.stage
        return True

    def take_end(self, message: Verified) -> bool:
        if message.generation != self._generation or self.run is None:
            return False
        self.run.report, self.run.error = message.report, message.error
        if message.report is not None:
            for stage in message.report.stages:
                self.run.row(stage.name).stage = stage
        return True
