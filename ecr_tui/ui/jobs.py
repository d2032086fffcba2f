"""Blocking work: it runs on a thread, speaks only in messages, and its failure is a typed value."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump
from textual.widget import Widget

from ecr_tui.errors import EcrTuiError


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
    exclusive: bool = True,
) -> None:
    """Run ``work`` on a thread and post the message that it returns to ``node``; ``failed`` makes one of an error.

    ``exclusive`` forgets an older job of the group, but its thread runs on and its message still arrives: handlers
    compare generations.
    """

    def run() -> None:
        try:
            message = work()
        except Exception as error:
            message = failed(as_error(error))
        if message is not None:
            post(node, message)

    node.run_worker(run, thread=True, group=group, name=group, exclusive=exclusive, exit_on_error=False)


def post(node: MessagePump, message: Message) -> None:
    """From any thread. A message to a screen that has gone is lost, which is right: the work that sends it may be a
    cleanup that goes on after the user has left, and must not fail for it."""
    with contextlib.suppress(RuntimeError):
        node.post_message(message)
