"""Long work on the app's thread, in slices between which keys are answered and frames are drawn.

A thread would not do: what holds the interpreter holds the interface, too, and what both look at would need locks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from time import perf_counter

from textual.widget import Widget

SLICE = 0.008
"""Seconds. Half a frame: whatever else is waiting comes in time for the next one."""

PAUSE = 0.001
"""Seconds between two slices."""

ROWS = 1000
"""Rows between two points at which a work may be interrupted; up to so many are done at a stroke."""


class Slices:
    """Works one after the other. A work is a generator that yields wherever it may be interrupted; one that never
    does is done when :meth:`add` returns, and so is everything as long as ``node`` is not on a screen."""

    def __init__(self, node: Widget) -> None:
        self._node = node
        self._works: deque[Iterator[None]] = deque()
        self._going = False

    @property
    def busy(self) -> bool:
        return bool(self._works)

    def add(self, work: Iterator[None]) -> None:
        self._works.append(work)
        if not self._going:
            self._go_on()

    def clear(self) -> None:
        """Drop what is not done yet."""
        self._works.clear()

    def _go_on(self) -> None:
        end = perf_counter() + SLICE
        self._going = True
        try:
            while self._works:
                work = self._works[0]
                for _ in work:
                    if self._node.is_running and perf_counter() >= end:
                        # A message to itself would be taken before anybody else gets a turn.
                        self._node.set_timer(PAUSE, self._go_on)
                        return
                    if not self._works or self._works[0] is not work:
                        break  # dropped by what it did
                else:
                    if self._works and self._works[0] is work:
                        self._works.popleft()
            self._going = False
        except BaseException:
            self._going = False
            self._works.clear()
            raise
