"""Waits on the main thread that a Ctrl-C ends."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")

LOOK = 0.1
"""Seconds after which a wait looks for a signal."""


def received(results: SimpleQueue[T]) -> T:
    """The next item, however long it takes.

    Python runs a signal's handler between two steps of the main thread. A signal that comes just before the thread
    falls asleep in a bare ``get`` would wait for the next item; on Windows nothing else wakes the thread.
    """
    while True:
        try:
            return results.get(timeout=LOOK)
        except Empty:
            continue
