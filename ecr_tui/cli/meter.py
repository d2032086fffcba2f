"""Progress of a long command on stderr: one rewritten line on a terminal, a line every 10 s elsewhere."""

from __future__ import annotations

import os
import sys
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Self

from ecr_tui.cli import output

_QUIET = 1.0
"""Seconds before the first line."""
_EVERY_TERMINAL, _EVERY_ELSEWHERE = 0.1, 10.0


class Meter:
    """``with Meter("Reading policies") as meter: meter(3, 10)``; clears its line at the end.

    ``after``: the meter of the step before, whose line goes once this one counts. A terminal without carriage return
    (TERM is "dumb" or unset) is treated as a file. The line has no colour and fits the terminal's width.
    """

    def __init__(self, what: str, *, after: Meter | None = None) -> None:
        self._what = what
        self._after = after
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._next = monotonic() + (_QUIET if self._terminal else _EVERY_ELSEWHERE)
        self._width = 0
        self._lock = Lock()

    def __call__(self, done: int, total: int | None = None, more: str = "") -> None:
        """``total`` None: unknown. Thread-safe."""
        if self._after is not None:
            self._after.clear()
        with self._lock:
            now = monotonic()
            if now < self._next:
                return
            self._next = now + (_EVERY_TERMINAL if self._terminal else _EVERY_ELSEWHERE)
            line = f"{self._what}: {done:,}{'' if total is None else f' of {total:,}'}{more}"
            if self._terminal:
                line = line[: _columns() - 1]
                output.progress(line.ljust(self._width))
                self._width = len(line)
            else:
                output.line(line, err=True)

    def clear(self) -> None:
        """Clear the line before printing something else; the next call shows it again."""
        with self._lock:
            if self._width:
                output.progress(" " * self._width)
                output.progress("")
                self._width, self._next = 0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
