"""Who draws an interface goes first: threads that compute beside it wait until it has answered.

All threads share one interpreter, which goes round among those that want it: beside three threads that read answers
of AWS, drawing a frame takes several times as long. Here such a thread asks at the steps of its work, and goes on when
the interface has nothing to do, or at the end of its present turn: one thread for each turn, so that all get on.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 0.05
"""Seconds that a thread waits at the most. No turn of an interface should last as long."""

_working = 0
"""The thread whose interface is within a turn; 0 where there is none, or where it has nothing to do."""
_doors: deque[threading.Lock] = deque()


def give_way() -> None:
    """For a thread that is about to compute for a millisecond or more. It must hold no lock that the interface may
    want. Without an interface it is nothing."""
    if not _working or _working == threading.get_ident():
        return
    door = threading.Lock()
    door.acquire()
    _doors.append(door)
    # It may have come to rest in between, and would then let nobody in until after its next turn.
    if not _working or not door.acquire(timeout=PATIENCE):
        with contextlib.suppress(ValueError):  # let in at this very moment
            _doors.remove(door)
    if not _working:
        _open()


def giving_way(items: Iterable[T], every: int) -> Iterator[T]:
    """The same ``items``; :func:`give_way` before each ``every`` of them."""
    for number, item in enumerate(items):
        if not number % every:
            give_way()
        yield item


def let_go(items: list[Any], every: int = 500) -> None:
    """Empty a list that may hold the last references: 100,000 rows at a stroke take 40 ms, in which no other thread
    has a turn."""
    while items:
        give_way()
        del items[-every:]


def rest() -> None:
    """The interface's turn is at its end."""
    global _working
    _working = 0
    _open()


def work() -> None:
    """A turn of the interface begins, on this thread."""
    global _working
    _working = threading.get_ident()


def _open() -> None:
    try:
        _doors.popleft().release()
    except IndexError:
        return
