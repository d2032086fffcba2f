"""Daemon threads that are started without waiting for them, how many of them are worth having, and their results.

``Thread.start`` returns only when the new thread has had its first turn. Beside threads that compute it waits for
some five milliseconds for each of them, which nobody who draws an interface has.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")

AGAIN = 0.05
"""Seconds until a thread is tried again that could not be had."""
LOOK = 0.1
"""Seconds after which a wait looks up."""

_lock = threading.Lock()
_wishes: SimpleQueue[tuple[Callable[[], object], str]] | None = None


def start(target: Callable[[], object], name: str) -> None:
    """Run ``target`` on a thread of its own. Only the first call in a process waits for a thread."""
    global _wishes
    with _lock:
        wishes = _wishes
        if wishes is None:
            wishes = _wishes = SimpleQueue()
            threading.Thread(target=_serve, args=(wishes,), name="thread-starter", daemon=True).start()
    wishes.put((target, name))


def _serve(wishes: SimpleQueue[tuple[Callable[[], object], str]]) -> None:
    while True:
        target, name = wishes.get()
        try:
            threading.Thread(target=target, name=name, daemon=True).start()
        except RuntimeError:
            # The system has no room for another one now; others end.
            time.sleep(AGAIN)
            wishes.put((target, name))
        del target


def received(results: SimpleQueue[T]) -> T:
    """The next item, waited for however long.

    A Ctrl-C is heard within ``LOOK`` seconds. Python runs a signal's handler on the main thread between two steps of
    it; one that comes just before the thread falls asleep waits until the thread is woken, which a bare ``get`` is
    only by the next item. On Windows nothing else wakes it at all.
    """
    while True:
        try:
            return results.get(timeout=LOOK)
        except Empty:
            continue


def _forked() -> None:
    """A child process has none of its parent's threads."""
    global _lock, _wishes
    _lock, _wishes = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Crew:
    """How many threads are worth having. Where answers come from near, one interpreter is busy with those of a few;
    more threads would only keep everybody else waiting for it, such as who draws the interface."""

    LEAST = 3
    EVERY = 0.05
    """Seconds between two looks."""
    FULL, IDLE = 0.9, 0.7
    """Processors that the program keeps busy: above it one thread goes, below it one comes."""

    def __init__(
        self,
        limit: int,
        wall: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._limit, self._wall, self._cpu = limit, wall, cpu
        self.size = limit
        self._looked = wall(), cpu()
        self._lock = threading.Lock()

    def look(self) -> None:
        """After each answer."""
        with self._lock:
            wall, cpu = self._wall(), self._cpu()
            passed = wall - self._looked[0]
            if passed < self.EVERY:
                return
            busy = (cpu - self._looked[1]) / passed
            self._looked = wall, cpu
            if busy > self.FULL:
                self.size = max(self.size - 1, min(self.LEAST, self._limit))
            elif busy < self.IDLE:
                self.size = min(self.size + 1, self._limit)
