"""Blocking work on daemon threads, with failures as typed values."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ecr_tui.errors import EcrTuiError

T = TypeVar("T")


class Node(Protocol):
    """Any widget or screen, or the app."""

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool: ...


def as_error(error: BaseException) -> EcrTuiError:
    """Convert any exception for display. A bug keeps its stack, without variable values."""
    if isinstance(error, EcrTuiError):
        return error
    return EcrTuiError(
        f"Internal error in ecr-tui: {type(error).__name__}",
        detail="".join(traceback.format_exception(error)).strip(),
        hint="No other changes were made. Report it with this text (press y to copy).",
    )


async def on_thread(work: Callable[[], T]) -> T:
    """Run ``work`` on a daemon thread. Raises EcrTuiError, also for a bug.

    Textual's thread workers and ``asyncio.to_thread`` would block the exit until their calls return.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():  # no longer awaited
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as failure:
            error = as_error(failure)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await future


def start(
    node: Node,
    work: Callable[[], T],
    done: Callable[[T], object],
    failed: Callable[[EcrTuiError], object] = lambda error: None,
) -> None:
    """Run ``work`` on a thread, then ``done`` with its result, or ``failed``; neither if the node was removed.

    A job is never stopped: its result may arrive late, and ``done`` decides whether it is still valid.
    """

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            call(node, failed, as_error(error))
        else:
            call(node, done, result)

    threading.Thread(target=run, daemon=True).start()


def teller(node: Node, tell: Callable[[int, int], object]) -> Callable[[int, int], None]:
    """A progress callback for a worker thread: calls ``tell(done, total)`` on the node, at most some 200 times."""

    def told(done: int, total: int) -> None:
        if done % max(total // 200, 1) == 0 or done == total:
            call(node, tell, done, total)

    return told


def call(node: Node, function: Callable[..., object], *arguments: object) -> None:
    """Schedule a call on the node from any thread. Dropped if the node was removed, because cleanup may continue after
    the user has left and must not fail."""
    with contextlib.suppress(RuntimeError):
        node.call_later(function, *arguments)
