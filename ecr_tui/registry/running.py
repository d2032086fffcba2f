"""Blocking work that a cancel event, silence or a deadline ends at once, whatever the peer does."""

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
    """The work took longer than it may; it was abandoned. The text says after how many seconds."""


class Silent(Overdue):
    """The work told nothing for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class Slow(Overdue):
    """The work went on telling, and was not done after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not finished within {seconds:g} s")
        self.seconds = seconds


class Stopped(Exception):
    """Raised inside abandoned work so that it goes no further."""


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
    """Do ``work(tell)`` on a daemon thread; ``on_event`` gets, on the caller's thread, whatever it tells.

    Raises :class:`Cancelled` within a tick of ``cancel``, :class:`Silent` when neither an event nor the end came for
    ``silence`` seconds, :class:`Slow` when the end did not come for ``limit`` seconds, each after calling ``abort``
    (which should close the sockets the work waits on); else what the work raised. Abandoned work meets
    :class:`Stopped` at its next ``tell``.
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
