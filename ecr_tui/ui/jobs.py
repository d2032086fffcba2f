"""Blocking work: it runs on a thread, speaks only in messages, and its failure is a typed value."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from collections.abc import Callable
from typing import Protocol, TypeVar

from textual.message import Message
from textual.widget import Widget

from ecr_tui.errors import EcrTuiError

T = TypeVar("T")


class Receiver(Protocol):
    def post_message(self, message: Message) -> bool: ...


def as_error(error: BaseException) -> EcrTuiError:
    """Any exception as one that can be shown. A bug keeps its stack, without the values of its variables."""
    if isinstance(error, EcrTuiError):
        return error
    return EcrTuiError(
        f"A fault of ecr-tui itself: {type(error).__name__}",
        detail="".join(traceback.format_exception(error)).strip(),
        hint="Nothing was done beyond what is shown. Please report it with this text (y copies it).",
    )


def start(
    node: Widget,
    work: Callable[[], Message | None],
    *,
    failed: Callable[[EcrTuiError], Message | None],
    group: str,
) -> None:
    """Run ``work`` on a daemon thread and post its message to ``node``; ``failed`` makes a message of an error.

    A job is never stopped: its message arrives however late, and handlers compare generations. Textual's own thread
    workers and ``asyncio.to_thread`` would hold the program back at its end, until their calls return.
    """

    def run() -> None:
        try:
            message = work()
        except Exception as error:
            message = failed(as_error(error))
        if message is not None:
            post(node, message)

    threading.Thread(target=run, name=group, daemon=True).start()


async def on_thread(work: Callable[[], T]) -> T:
    """The result of ``work``, run on a daemon thread; raises what it raises."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more
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
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="on-thread", daemon=True).start()
    return await future


def post(node: Receiver, message: Message) -> None:
    """From any thread. A message to a screen that has gone is lost, which is right: the work that sends it may be a
    cleanup that goes on after the user has left, and must not fail for it."""
    with contextlib.suppress(RuntimeError):
        node.post_message(message)
