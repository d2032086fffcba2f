"""A small thread pool whose results are iterated by the caller's thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from ecr_tui.aws.parallel import LOOK
from ecr_tui.changes.bulk.paced_store import Stop

T = TypeVar("T")
R = TypeVar("R")

_FAREWELL = 20.0
"""Seconds to wait at the end for work in progress: longer than any AWS call, to avoid partial writes."""


class Pool(Generic[T, R]):
    """``with Pool(...) as pool: for item, result in pool``. Starts nothing once ``stop`` is set, nor after the block.

    ``pilot``: the first item runs alone, so that an error common to all is found once. Re-raises exceptions of
    ``work``.
    """

    def __init__(
        self, work: Callable[[T], R], items: Sequence[T], threads: int, stop: Stop, *, pilot: bool = False
    ) -> None:
        self._work = work
        self._waiting = queue.SimpleQueue[T]()
        for item in items:
            self._waiting.put(item)
        self._threads = max(1, min(threads, len(items)))
        self._pilot = pilot and len(items) > 1
        self._over = threading.Event()
        self._stop = Stop(stop, self._over)
        self._done: queue.SimpleQueue[tuple[T, R] | BaseException | None] = queue.SimpleQueue()
        self._started: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(1 if self._pilot else self._threads, alone=self._pilot)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._started:
            thread.join(_FAREWELL)

    def __iter__(self) -> Iterator[tuple[T, R]]:
        ended = 0
        while ended < len(self._started):
            try:
                found = self._done.get(timeout=LOOK)
            except queue.Empty:
                continue
            if found is None:
                ended += 1
            elif isinstance(found, BaseException):
                raise found
            else:
                yield found
                if self._pilot:
                    # The caller has seen the first result.
                    self._pilot = False
                    self._start(self._threads)

    def _start(self, count: int, *, alone: bool = False) -> None:
        for _ in range(count):
            thread = threading.Thread(target=self._serve, args=(alone,), name="bulk", daemon=True)
            self._started.append(thread)
            thread.start()

    def _serve(self, alone: bool) -> None:
        try:
            while not self._stop.is_set():
                item = self._waiting.get_nowait()
                self._done.put((item, self._work(item)))
                if alone:
                    break
        except queue.Empty:
            pass
        except BaseException as exc:
            self._done.put(exc)
        finally:
            self._done.put(None)
