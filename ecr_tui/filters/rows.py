"""Some of the rows of an index: as long as they are many, as a byte for each row of it, which the interpreter's own
loops go through; else as their numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import overload

NOT = bytes([1, 0]) + bytes(254)
"""Turns a mask into its opposite, with ``bytes.translate``."""


class Rows(Sequence[int]):
    """Row numbers, ascending."""

    __slots__ = ("_count", "_numbers", "mask")

    def __init__(self, numbers: Sequence[int] = (), mask: bytes | None = None) -> None:
        """``mask`` has a 1 for each row that is in, a 0 for every other; with it there are no ``numbers``."""
        self.mask = mask
        self._count = len(numbers) if mask is None else mask.count(1)
        self._numbers: Sequence[int] | None = numbers if mask is None else None

    @property
    def numbers(self) -> Sequence[int]:
        if self._numbers is None:
            mask = self.mask or b""
            # Rows that match are often neighbours.
            first, end = max(mask.find(1), 0), mask.rfind(1) + 1
            few = self._count * 16 < end - first
            self._numbers = list(_ones(mask) if few else compress(range(first, end), mask[first:end]))
        return self._numbers

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        return self.numbers[at]

    def __contains__(self, row: object) -> bool:
        if not isinstance(row, int):
            return False
        if self.mask is not None:
            return 0 <= row < len(self.mask) and self.mask[row] == 1
        place = bisect_left(self.numbers, row)
        return place < self._count and self.numbers[place] == row


def _ones(mask: bytes) -> Iterator[int]:
    at = mask.find(1)
    while at >= 0:
        yield at
        at = mask.find(1, at + 1)


class Mask:
    """Rows as the bits of a number, a byte for each row: what holds for all rows is worked out with two of them."""

    __slots__ = ("bits", "rows")

    def __init__(self, rows: int, bits: int) -> None:
        self.rows, self.bits = rows, bits

    @classmethod
    def of(cls, flags: bytes | bytearray) -> Mask:
        """A 1 or a 0 for each row."""
        return cls(len(flags), int.from_bytes(flags, "little"))

    @classmethod
    def every(cls, rows: int) -> Mask:
        return cls.of(b"\1" * rows)

    @classmethod
    def none(cls, rows: int) -> Mask:
        return cls(rows, 0)

    @classmethod
    def holding(cls, rows: int, numbers: Iterable[int]) -> Mask:
        flags = bytearray(rows)
        for at in numbers:
            flags[at] = 1
        return cls.of(flags)

    def __and__(self, other: Mask) -> Mask:
        return Mask(self.rows, self.bits & other.bits)

    def __or__(self, other: Mask) -> Mask:
        return Mask(self.rows, self.bits | other.bits)

    def chosen(self) -> Rows:
        return Rows(mask=self.bits.to_bytes(self.rows, "little"))
