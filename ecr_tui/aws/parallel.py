"""One question about each of many things, a few at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ecr_tui.errors import Cancelled

K = TypeVar("K")
V = TypeVar("V")

WORKERS = 8
LOOK = 0.1
"""Seconds after which a wait looks for a cancel. A signal that comes just before the main thread falls asleep in a bare
``get`` would wait for the next item; on Windows nothing else wakes the thread."""

OnProgress = Callable[[int, int], None]
"""(done, total), on the calling thread."""


def answered(
    ask: Callable[[K], V], items: Sequence[K], *, workers: int = WORKERS, cancel: threading.Event | None = None
) -> Iterator[tuple[K, V]]:
    """Each item with its answer, as they come. ``ask`` is called from several daemon threads and raises nothing.

    Raises Cancelled within :data:`LOOK` of ``cancel``; calls on their way are left behind.
    """
    waiting: queue.SimpleQueue[K] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[K, V]] = queue.SimpleQueue()
    stop = threading.Event()
    for item in items:
        waiting.put(item)

    def work() -> None:
        while not stop.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((item, ask(item)))

    for _ in range(min(workers, len(items))):
        threading.Thread(target=work, name="reading", daemon=True).start()
    left = len(items)
    try:
        while left:
            if cancel is not None and cancel.is_set():
                raise Cancelled
            try:
                found = done.get(timeout=LOOK)
            except queue.Empty:
                continue
            left -= 1
            yield found
    finally:
        stop.set()


def each(
    ask: Callable[[K], V],
    items: Sequence[K],
    *,
    workers: int = WORKERS,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> list[V]:
    """The answers, in the order of ``items``. As :func:`answered`."""
    found: dict[int, V] = {}
    numbered = range(len(items))
    for index, answer in answered(lambda index: ask(items[index]), numbered, workers=workers, cancel=cancel):
        found[index] = answer
        if on_progress is not None:
            on_progress(len(found), len(items))
    return [found[index] for index in numbered]
