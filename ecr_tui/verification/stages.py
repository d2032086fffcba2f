"""Log of one verification's stages: times them, sends events, and keeps them for the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as CancelEvent

from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.verification.report import Event, EventSink, Stage, StageEnded, StageName, StageStarted, Status

Explain = Callable[[StageName, EcrTuiError, str], Stage]
"""Creates the stage for a failure; the third argument is the IAM action that the stage needs, or ""."""


class StageFailed(Exception):
    """The current stage failed and is already recorded; ``error`` is the reason."""

    def __init__(self, error: EcrTuiError) -> None:
        super().__init__(error.title)
        self.error = error


class StageLog:
    """``explain`` diagnoses failures. Used only by the verifying thread."""

    def __init__(self, on_event: EventSink, cancel: CancelEvent, clock: Callable[[], float], explain: Explain) -> None:
        self._on_event = on_event
        self._cancel = cancel
        self._clock = clock
        self._explain = explain
        self.stages: list[Stage] = []
        self.fault: Exception | None = None
        """Exception of the listener: it gets no more events, and cleanup still runs."""

    def tell(self, event: Event) -> None:
        if self.fault is not None:
            return
        try:
            self._on_event(event)
        except Exception as fault:
            self.fault = fault

    def record(self, stage: Stage) -> None:
        self.stages.append(stage)
        self.tell(StageEnded(stage))

    def skip(self, name: StageName, why: str) -> None:
        self.record(Stage(name, Status.SKIPPED, why))

    def reached(self, name: StageName) -> bool:
        return any(stage.name is name for stage in self.stages)

    def amend(self, name: StageName, size: int | None) -> None:
        """Set the bytes of a stage that ended before they were known."""
        self.stages = [s._replace(bytes=size) if s.name is name and s.bytes is None else s for s in self.stages]

    @contextmanager
    def running(self, name: StageName, action: str = "") -> Iterator[Callable[..., None]]:
        """Time one stage. Yields ``end(message, *, size, status, pattern)``, to call at its end; see ``Stage``.

        An EcrTuiError or a cancel inside fails the stage and raises :class:`StageFailed`.
        """
        self.tell(StageStarted(name))
        begun = self._clock()
        ended: list[Stage] = []

        def end(message: str, *, size: int | None = None, status: Status = Status.OK, pattern: str = "") -> None:
            ended.append(Stage(name, status, message, self._clock() - begun, bytes=size, pattern=pattern))

        try:
            if self._cancel.is_set():
                raise Cancelled
            yield end
        except EcrTuiError as error:
            # Excludes the time to diagnose the failure.
            seconds = self._clock() - begun
            self.record(self._explain(name, error, action)._replace(seconds=seconds))
            raise StageFailed(error) from error
        self.record(ended[0])
