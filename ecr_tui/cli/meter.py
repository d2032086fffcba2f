"""How far a long command is, on stderr: one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import click

_QUIET = 1.0
"""Seconds that pass before anything is said: what is quick needs no meter."""
_EVERY_TERMINAL, _EVERY_ELSEWHERE = 0.1, 10.0


class Meter:
    """``with Meter("Reading policies") as meter: meter(3, 10)``; leaves no half line behind."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + _QUIET
        self._width = 0

    def __call__(self, done: int, total: int, more: str = "") -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_EVERY_TERMINAL if self._terminal else _EVERY_ELSEWHERE)
        line = f"{self._what}: {done:,} of {total:,}{more}"
        if self._terminal:
            click.echo(f"\r{line.ljust(self._width)}", nl=False, err=True)
            self._width = len(line)
        else:
            click.echo(line, err=True)

    def clear(self) -> None:
        """Before something else is printed."""
        if self._width:
            click.echo(f"\r{' ' * self._width}\r", nl=False, err=True)
            self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
