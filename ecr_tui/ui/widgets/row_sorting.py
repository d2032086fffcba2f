"""Very many rows put in order by a column, in parts between which keys are answered (see ``ui.slices``)."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from typing import Any

from ecr_tui.filters import Order
from ecr_tui.ui.slices import ROWS

STROKE = 250
"""Rows that are done at a stroke where each may take some ten microseconds."""

PART = 4 * ROWS
"""About so many rows are sorted at a stroke."""


def ordered(
    rows: Sequence[Any], numbers: Sequence[int], value_of: Callable[[Any], Any], *, descending: bool
) -> Generator[None, None, Order]:
    """All of ``numbers``, which are places in ``rows``, by what ``value_of`` gives for the row. Equal ones stay as they
    are; those of value None, which is not known, come last in either direction."""
    values: list[Any] = [None] * len(rows)
    known: list[int] = []
    unknown: list[int] = []
    for start in range(0, len(numbers), STROKE):
        if start:
            yield
        for at in numbers[start : start + STROKE]:
            value = values[at] = value_of(rows[at])
            (unknown if value is None else known).append(at)
    found = array("I")
    parts = yield from _parts(known, values)
    for part in reversed(parts) if descending else parts:
        part.sort(key=values.__getitem__, reverse=descending)
        found.extend(part)
        if len(parts) > 1:
            yield
    found.extend(unknown)
    return (yield from Order.by_and_by(found))


def _parts(rows: Sequence[int], values: Sequence[Any]) -> Generator[None, None, list[list[int]]]:
    """``rows`` parted by their values: none in a part comes before one in the part before it, and each part is in the
    order that ``rows`` has. To put sorted parts together then costs nothing, which merging them does."""
    if len(rows) <= 2 * PART:
        return [list(rows)]
    sample = sorted(values[at] for at in rows[:: len(rows) // 1000])
    number = len(rows) // PART
    borders = [sample[len(sample) * at // number] for at in range(1, number)]
    parts: list[list[int]] = [[] for _ in range(number)]
    for start in range(0, len(rows), ROWS):
        yield
        for at in rows[start : start + ROWS]:
            parts[bisect_right(borders, values[at])].append(at)
    return parts
