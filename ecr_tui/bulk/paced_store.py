"""A policy store that waits its turn, and sends again what was refused for its pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from ecr_tui.aws.model import Repository
from ecr_tui.bulk.pacing import Pacer
from ecr_tui.errors import Cancelled, Throttled
from ecr_tui.grants import PolicyStore

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds of nothing but refusals, after which a call fails with the last of them."""


class Stop:
    """Several events as one: set when any of them is."""

    def __init__(self, *events: threading.Event | Stop | None) -> None:
        self._events = [event for event in events if event is not None]

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)

    def wait(self, seconds: float) -> None:
        """Up to ``seconds``; raises Cancelled within a tenth of a second of being set."""
        end = time.monotonic() + seconds
        while True:
            if self.is_set():
                raise Cancelled
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))


class PacedStore:
    """For one repository: ``stop`` ends its waits with Cancelled until its write is on its way; what has been sent is
    read back in any case. ``store`` raises ``errors.Throttled`` instead of trying again itself."""

    def __init__(self, store: PolicyStore, pacer: Pacer, stop: Stop) -> None:
        self._store = store
        self._pacer = pacer
        self._stop = stop
        self._never = Stop()
        self._sent = False

    def read(self, repository: Repository) -> str | None:
        return self.ask(lambda: self._store.read(repository))

    def write(self, repository: Repository, text: str) -> None:
        self.ask(lambda: self._store.write(repository, text), writes=True)

    def delete(self, repository: Repository) -> None:
        self.ask(lambda: self._store.delete(repository), writes=True)

    def ask(self, call: Callable[[], T], *, writes: bool = False) -> T:
        """Make any call of AWS at the same pace."""
        began = time.monotonic()
        while True:
            (self._never if self._sent else self._stop).wait(self._pacer.turn())
            self._sent = self._sent or writes
            try:
                answer = call()
            except Throttled:
                self._pacer.throttled()
                if time.monotonic() - max(began, self._pacer.last_accepted) > PATIENCE:
                    raise
                # A refused write was not done: it can still be left.
                self._sent = self._sent and not writes
            except BaseException:
                self._pacer.accepted()
                raise
            else:
                self._pacer.accepted()
                return answer
