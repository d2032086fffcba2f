"""Threads that never hold the program back when the user quits."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ecr_tui import threads

_NAMES = itertools.count(1)


class DaemonExecutor(ThreadPoolExecutor):
    """A pool of daemon threads for the event loop's blocking calls.

    The standard pool is joined when the loop closes and again when the interpreter exits, so one call that
    waits for a dead endpoint would keep the program alive after ``q``. Here nobody waits: ``shutdown`` drops what
    has not begun and returns. It is a ThreadPoolExecutor only because the loop accepts nothing else.
    """

    def __init__(self, max_workers: int = 32) -> None:
        super().__init__(max_workers=max_workers)
        self._limit = max_workers
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]] | None]
        self._jobs = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._threads_alive = 0
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the executor is closed")
            self._jobs.put((future, fn, args, kwargs))
            if self._idle:
                self._idle -= 1
            elif self._threads_alive < self._limit:
                self._threads_alive += 1
                threads.start(self._serve, f"ecr-tui-{next(_NAMES)}")
        return future

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, fn, args, kwargs = job
            if future.set_running_or_notify_cancel():
                try:
                    result = fn(*args, **kwargs)
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
            # What was run may hold a large result or a secret: an idle thread must not keep it.
            del job, future, fn, args, kwargs
            result = None
            with self._lock:
                if self._closed:
                    return
                if self._jobs.empty():
                    self._idle += 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Returns at once, whatever ``wait`` says; jobs that have not begun are cancelled."""
        with self._lock:
            self._closed = True
            alive = self._threads_alive
        try:
            while (job := self._jobs.get_nowait()) is not None:
                job[0].cancel()
        except queue.Empty:
            pass
        for _ in range(alive):
            self._jobs.put(None)
