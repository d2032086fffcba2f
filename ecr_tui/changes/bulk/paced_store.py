"""A policy store that paces its calls and retries throttled ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from ecr_tui.aws.model import Repository
from ecr_tui.changes.apply import PolicyStore
from ecr_tui.changes.attempts import Patience, refused
from ecr_tui.changes.bulk.pacing import Pacer
from ecr_tui.errors import Cancelled, EcrTuiError, Throttled

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds of continuous throttling after which a call fails with the last error."""


class Stop:
    """Several events as one, set when any of them is."""

    def __init__(self, *events: threading.Event | Stop | None) -> None:
        self._events = [event for event in events if event is not None]

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)

    def wait(self, seconds: float) -> None:
        """Wait up to ``seconds``. Raises Cancelled within 0.1 s of being set."""
        end = time.monotonic() + seconds
        while True:
            if self.is_set():
                raise Cancelled
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))


class PacedStore:
    """For one repository. ``stop`` cancels its waits until the write is sent, which is then always read back. ``store``
    sends each request once and raises ``errors.Throttled``.

    It is also the ``attempts.Pace`` of that write, whose turn is taken before the preceding read.
    """

    def __init__(self, store: PolicyStore, pacer: Pacer, stop: Stop) -> None:
        self._store = store
        self._pacer = pacer
        self._stop = stop
        self._never = Stop()
        self._refused_since: float | None = None
        self._sent = False
        self._look_paid = False
        """Whether the next read may be sent at once: its turn and that of the following write were taken."""
        self._patience = Patience(self._wait)

    def read(self, repository: Repository) -> str | None:
        return self.ask(lambda: self._store.read(repository))

    def write(self, repository: Repository, text: str) -> None:
        self._send(lambda: self._store.write(repository, text))

    def delete(self, repository: Repository) -> None:
        self._send(lambda: self._store.delete(repository))

    def ask(self, call: Callable[[], T]) -> T:
        """Make a read-only AWS call at this pace; retries if throttled or without a response."""
        began, patience = time.monotonic(), Patience(self._wait)
        while True:
            self._take_turn()
            patience.turn()
            try:
                return self._paced(call)
            except Throttled:
                if time.monotonic() - max(began, self._pacer.last_accepted) > PATIENCE:
                    raise
            except EcrTuiError as error:
                patience.again(error)

    def turn(self) -> None:
        self._patience.turn()
        for _ in ("the look", "the write"):
            self._wait(self._pacer.turn())
        self._look_paid = True

    def again(self, error: EcrTuiError) -> None:
        if not isinstance(error, Throttled):
            self._patience.again(error)
            return
        # Not since the last accepted call: reads between the attempts are accepted.
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        if now - self._refused_since >= PATIENCE:
            raise error

    def _send(self, call: Callable[[], None]) -> None:
        if not self._sent:
            self._stop.wait(0)
        sent_before, self._sent = self._sent, True
        try:
            self._paced(call)
        except EcrTuiError as error:
            # A refused write did nothing, so it can still be cancelled.
            self._sent = sent_before or not refused(error)
            raise

    def _paced(self, call: Callable[[], T]) -> T:
        try:
            answer = call()
        except Throttled:
            self._pacer.throttled()
            raise
        except BaseException:
            self._pacer.accepted()
            raise
        self._pacer.accepted()
        return answer

    def _take_turn(self) -> None:
        paid, self._look_paid = self._look_paid, False
        self._wait(0 if paid else self._pacer.turn())

    def _wait(self, seconds: float) -> None:
        (self._never if self._sent else self._stop).wait(seconds)
