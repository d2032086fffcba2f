"""Run blocking work that ends immediately on cancel, silence or a deadline, regardless of the peer."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ecr_tui.errors import Cancelled

T = TypeVar("T")
E = TypeVar("E")

_TICK = 0.1


class Overdue(Exception):
    """The work exceeded its time limit and was abandoned. The text has the seconds."""


class Silent(Overdue):
    """The work reported nothing for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class Slow(Overdue):
    """The work reported progress but did not finish within ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not finished within {seconds:g} s")
        self.seconds = seconds


class Stopped(Exception):
    """Raised inside abandoned work to stop it."""


class _End(Generic[T]):
    def __init__(self, value: T | None, failure: BaseException | None) -> None:
        self.value = value
        self.failure = failure


def run(
    work: Callable[[Callable[[E], None]], T],
    *,
    cancel: threading.Event,
    abort: Callable[[], None],
    on_event: Callable[[E], None] = lambda _: None,
    silence: float,
    limit: float = math.inf,
) -> T:
    """Run ``work(tell)`` on a daemon thread; ``on_event`` gets its events on the caller's thread.

    Raises :class:`Cancelled` within a tick of ``cancel``, :class:`Silent` after ``silence`` seconds without an event,
    :class:`Slow` after ``limit`` seconds, each after calling ``abort`` (which must close the sockets of the work); else
    the work's exception. Abandoned work gets :class:`Stopped` at its next ``tell``.
    """
    told: queue.SimpleQueue[E | _End[T]] = queue.SimpleQueue()
    abandoned = threading.Event()

    def tell(event: E) -> None:
        if abandoned.is_set():
            raise Stopped
        told.put(event)

    def target() -> None:
        try:
            end: _End[T] = _End(work(tell), None)
        except BaseException as failure:
            end = _End(None, failure)
        told.put(end)

    if cancel.is_set():
        raise Cancelled
    threading.Thread(target=target, name="registry-io", daemon=True).start()
    try:
        end = _listen(told, cancel, on_event, silence, limit)
    except BaseException:
        abandoned.set()
        abort()
        raise
    if end.failure is not None:
        raise end.failure
    return end.value  # type: ignore[return-value]


def _listen(
    told: queue.SimpleQueue[E | _End[T]],
    cancel: threading.Event,
    on_event: Callable[[E], None],
    silence: float,
    limit: float,
) -> _End[T]:
    began = heard = time.monotonic()
    while True:
        if cancel.is_set():
            raise Cancelled
        if time.monotonic() - began > limit:
            raise Slow(limit)
        try:
            event = told.get(timeout=_TICK)
        except queue.Empty:
            if time.monotonic() - heard > silence:
                raise Silent(silence) from None
            continue
        if isinstance(event, _End):
            return event
        heard = time.monotonic()
        on_event(event)
