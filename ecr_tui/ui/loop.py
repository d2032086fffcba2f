"""The loop that an app runs on: it tells other threads when it is within a turn (see :mod:`ecr_tui.precedence`)."""

from __future__ import annotations

import asyncio
import selectors
import sys
from typing import TYPE_CHECKING, Any

from ecr_tui import precedence

if TYPE_CHECKING:
    from textual.app import App


def run(app: App[Any], **given: Any) -> None:
    """As ``app.run``; ``given`` is what that takes."""
    if sys.platform == "win32":
        app.run(**given)  # whose loop has no selector
        return
    try:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Telling())) as runner:
            runner.run(app.run_async(**given))
    finally:
        precedence.rest()


class _Telling(selectors.DefaultSelector):
    """A loop looks for what has come whenever it is through with a turn, and waits there while there is nothing."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        precedence.rest()
        try:
            return super().select(timeout)
        finally:
            precedence.work()
