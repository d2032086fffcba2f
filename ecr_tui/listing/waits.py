"""Waits on the main thread that Ctrl-C interrupts."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")

LOOK = 0.1
"""Seconds after which a wait checks for a signal."""


def received(results: SimpleQueue[T]) -> T:
    """The next item, without a time limit.

    Python runs a signal's handler between two steps of the main thread. A signal that arrives just before the thread
    blocks in a plain ``get`` would wait for the next item; on Windows nothing else wakes the thread.
    """
    while True:
        try:
            return results.get(timeout=LOOK)
        except Empty:
            continue
