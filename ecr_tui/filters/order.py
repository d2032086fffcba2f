"""In which order a table shows its rows."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import compress
from operator import itemgetter

from ecr_tui.filters.rows import Rows

STEP = 4_000
"""Rows between two points at which making an order may be interrupted."""


class Order:
    """All row numbers, each once.

    Made once for each sort; a filter's matches are put into it at every keystroke. ``rows`` are machine words in a
    row: a list of sorted numbers points all over the memory, which costs four times as much. Without any, rows stay
    in the order in which they came.
    """

    def __init__(self, rows: Iterable[int] = ()) -> None:
        for _ in self._making(array("I", rows)):
            pass

    @classmethod
    def by_and_by(cls, rows: array[int]) -> Generator[None, None, Order]:
        """Yields wherever it may be interrupted."""
        made = cls()
        yield from made._making(rows)
        return made

    def _making(self, rows: array[int]) -> Iterator[None]:
        self.rows = rows
        self._as_they_came = rows == array("I", range(len(rows)))
        """Row numbers are places: nothing has to be put in order."""
        self._places = places = array("I", bytes(rows.itemsize * len(rows)))
        self._pick: tuple[tuple[int, ...], Callable[[bytes], Iterable[int]]] | None = None
        for start in range(0, len(rows), STEP):
            if start:
                yield
            for place, row in enumerate(rows[start : start + STEP], start):
                places[row] = place
        if len(rows) > STEP and not self._as_they_came:
            yield
            self._picker()

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, rows: range) -> None:
        """The next row numbers, behind all others: they are in no order yet."""
        if rows.start != len(self.rows):
            raise ValueError(f"the next row is {len(self.rows)}, not {rows.start}")
        new = array("I", rows)
        self.rows += new
        self._places += new
        self._pick = None

    def copy(self) -> Order:
        made = Order()
        made.rows, made._places, made._pick = self.rows[:], self._places[:], self._pick
        made._as_they_came = self._as_they_came
        return made

    def place(self, row: int) -> int:
        """Where it comes, from 0."""
        return self._places[row]

    def _picker(self) -> tuple[tuple[int, ...], Callable[[bytes], Iterable[int]]]:
        """The rows, and what puts a mask's bytes into their order."""
        if self._pick is None:
            numbers = tuple(self.rows)
            self._pick = numbers, itemgetter(*numbers) if len(numbers) > 1 else bytes
        return self._pick

    def of(self, rows: Rows) -> Sequence[int]:
        """``rows`` in this order, which may have more than the index that they are of has by now."""
        if self.rows and len(rows) == len(self.rows):
            return self.rows[:]
        if not self.rows or self._as_they_came:
            return rows.numbers
        if rows.mask is None or len(rows) * 32 < len(self.rows):
            return sorted(rows, key=self._places.__getitem__)
        numbers, pick = self._picker()
        return list(compress(numbers, pick(rows.mask.ljust(len(numbers), b"\0"))))
