"""The stages of one verification as they go by: timed, told as events, and kept for the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as CancelEvent

from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.verification.report import Event, EventSink, Stage, StageEnded, StageName, StageStarted, Status

Explain = Callable[[StageName, EcrTuiError, str], Stage]
"""Makes the stage of a failure; the third argument is the IAM action that the stage is known to need, or ""."""


class StageFailed(Exception):
    """The current stage ended the story; it is recorded already, and ``error`` is why."""

    def __init__(self, error: EcrTuiError) -> None:
        super().__init__(error.title)
        self.error = error


class StageLog:
    """``explain`` words failures. Belongs to the thread that verifies."""

    def __init__(self, on_event: EventSink, cancel: CancelEvent, clock: Callable[[], float], explain: Explain) -> None:
        self._on_event = on_event
        self._cancel = cancel
        self._clock = clock
        self._explain = explain
        self.stages: list[Stage] = []
        self.fault: Exception | None = None
        """What the listener raised: from then on it is told nothing, and what has begun is still cleaned up."""

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
        """The bytes of a stage that had ended before anybody could know them."""
        self.stages = [s._replace(bytes=size) if s.name is name and s.bytes is None else s for s in self.stages]

    @contextmanager
    def running(self, name: StageName, action: str = "") -> Iterator[Callable[..., None]]:
        """Times one stage. Yields ``end(message, *, size, status, pattern)``, to be called at its end; see ``Stage``.

        What goes wrong inside (an EcrTuiError, or a cancel) becomes the stage's end, and :class:`StageFailed`.
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
            # The time that looking for the reason takes is not the stage's.
            seconds = self._clock() - begun
            self.record(self._explain(name, error, action)._replace(seconds=seconds))
            raise StageFailed(error) from error
        self.record(ended[0])
