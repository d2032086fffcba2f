"""Feeds rows into a table: few synchronously, many in a worker that yields to keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from textual.timer import Timer
from textual.widget import Widget

from ecr_tui.ui.widgets.row_model import FEW, RowModel

T = TypeVar("T")

SOON, LATER = 0.25, 1.0
"""Seconds until arrived pages are sorted into many existing rows."""


class RowFeed(Generic[T]):
    """Up to :data:`~ecr_tui.ui.widgets.row_model.FEW` rows are processed synchronously; more in a worker of the table,
    one change after the other."""

    def __init__(self, table: Widget, model: RowModel[T]) -> None:
        self._table = table
        self._model = model
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._sorting: Timer | None = None

    @property
    def busy(self) -> bool:
        return self._waiting > 0

    def replace(self, rows: Iterable[T], partial: bool, *, done: Callable[[], None]) -> None:
        """``done`` is called when the rows are in place."""

        def load() -> Iterator[None]:
            yield from self._model.set_rows(rows, partial=partial)
            done()

        self.work(load())

    def add(self, rows: Iterable[T]) -> None:
        self.work(self._model.add_rows(rows))
        if len(self._model.rows) <= FEW:
            self._sort()
        else:
            self._sort_soon()

    def sort_again(self) -> None:
        """Sort again after a change of sort values."""
        self._model.unsorted = True
        self._sort_soon()

    def _sort_soon(self) -> None:
        if self._sorting is None:
            self._sorting = self._table.set_timer(SOON if len(self._model.rows) < 4 * FEW else LATER, self._sort)

    def _sort(self) -> None:
        if self._sorting is not None:
            self._sorting.stop()
            self._sorting = None
        if self._waiting or self._model.unsorted:
            self.work(self._model.arrange())

    def work(self, work: Iterator[None]) -> None:
        """Run now if synchronous; else queue it."""
        if not self._waiting:
            for _ in work:
                if self._table.is_running:
                    break
            else:
                return
        self._waiting += 1
        self._table.run_worker(self._go_on(work))

    async def _go_on(self, work: Iterator[None]) -> None:
        try:
            async with self._turn:
                for _ in work:
                    await asyncio.sleep(0)
        finally:
            self._waiting -= 1
