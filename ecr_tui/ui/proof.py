"""Display state of a live verification, and later changes of access."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.actions import Access
from ecr_tui.registry.engine import Progress
from ecr_tui.verification.report import Report, Stage, StageName


@dataclass
class StageRow:
    """``began`` is monotonic seconds while the stage runs; ``stage`` is its result."""

    name: StageName
    began: float | None = None
    layers: dict[str, Progress] = field(default_factory=dict)
    latest: Progress | None = None
    stage: Stage | None = None

    @property
    def running(self) -> bool:
        return self.began is not None and self.stage is None

    def transferred(self) -> tuple[int, int | None]:
        """Transferred and total bytes over the layers that report them; the total is None if none does."""
        current = sum(p.current or 0 for p in self.layers.values())
        totals = [p.total for p in self.layers.values() if p.total is not None]
        return current, sum(totals) if totals else None


@dataclass
class Run:
    """A verification, running or finished."""

    repository: Repository
    rows: list[StageRow]
    report: Report | None = None
    error: EcrTuiError | None = None
    access: Access | None = None
    cancelling: bool = False
    serial: int = 0
    """Its position among the runs and changes of this session, see :class:`Changes`."""
    at: datetime | None = None
    abandoned: bool = False
    """It did not stop in time and continues in the background, cleaning up."""

    @property
    def running(self) -> bool:
        return self.report is None and self.error is None

    def row(self, name: StageName) -> StageRow:
        return next(row for row in self.rows if row.name is name)


class Changes:
    """Changes of access by ARN: our own writes, and changes found by a refresh. They make earlier results stale.

    ``now`` is the wall clock. Ordered by a counter, because a change and a run may have the same time.
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
        """A policy was read; returns whether another writer changed it."""
        other = arn in self._policies and self._policies[arn] != policy
        if other:
            self.add(arn, "policy change")
        self._policies[arn] = policy
        return other

    def since(self, arn: str, serial: int) -> str:
        """ "before the undo at 18:50 UTC" if there was a change after that run, else ""."""
        found = self._changes.get(arn)
        return "" if found is None or found[0] < serial else f"before the {_words(found)}"

    def since_time(self, arn: str, at: datetime) -> str:
        """ "undo at 18:50 UTC", where there was a change after that time; "" otherwise."""
        found = self._changes.get(arn)
        return "" if found is None or found[1] < at else _words(found)


def _words(change: tuple[int, datetime, str]) -> str:
    return f"{change[2]} at {change[1].astimezone(UTC):%H:%M} UTC"
