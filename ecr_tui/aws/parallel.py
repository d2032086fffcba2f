"""One question about each of many things, a few at a time: with progress, and left at once when cancelled."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ecr_tui.errors import Cancelled

K = TypeVar("K")
V = TypeVar("V")

WORKERS = 8

OnProgress = Callable[[int, int], None]
"""(answered, of how many), on the calling thread."""


def each(
    ask: Callable[[K], V],
    items: Sequence[K],
    *,
    workers: int = WORKERS,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> list[V]:
    """The answers, in the order of ``items``. ``ask`` is called from several threads and raises nothing.

    Raises Cancelled within a tenth of a second of ``cancel``; calls on their way are left behind (daemon threads).
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, V]] = queue.SimpleQueue()
    stop = threading.Event()
    for index in range(len(items)):
        waiting.put(index)

    def work() -> None:
        while not stop.is_set():
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((index, ask(items[index])))

    for _ in range(min(workers, len(items))):
        threading.Thread(target=work, name="reading", daemon=True).start()
    found: dict[int, V] = {}
    try:
        while len(found) < len(items):
            if cancel is not None and cancel.is_set():
                raise Cancelled
            try:
                index, answer = done.get(timeout=0.1)
            except queue.Empty:
                continue
            found[index] = answer
            if on_progress is not None:
                on_progress(len(found), len(items))
    finally:
        stop.set()
    return [found[index] for index in range(len(items))]
