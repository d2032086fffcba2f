"""The rows of a table as the filter looks at them: plain columns, so that a pass over 100,000 rows takes milliseconds.

Columns are scanned in row order whatever the table is sorted by: strings that were made one after the other lie one
after the other in memory, and hopping between them costs five times as much as comparing them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ecr_tui.policy.access import AccessSummary


class Searchable(Protocol):
    """What can be looked for: a repository (``aws.model.Repository``), or what looks like one."""

    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> dict[str, str] | None: ...
    @property
    def region(self) -> str: ...
    @property
    def mutability(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Plain:
    """A text, to be looked at like a repository's name."""

    name: str
    tags: dict[str, str] | None = field(default_factory=dict)
    region: str = ""
    mutability: str = ""


PULL, PUSH, ACCESS_KNOWN = 1, 2, 4
SEPARATOR = "\x1f"
"""Stands before each tag in a haystack; no name and no tag of AWS may hold it."""


def haystack(row: Searchable) -> str:
    """The name and then each tag as KEY=VALUE, casefolded."""
    if not row.tags:
        return row.name.casefold()
    return "".join([row.name, *(f"{SEPARATOR}{key}={value}" for key, value in row.tags.items())]).casefold()


def access_code(access: AccessSummary | None) -> int:
    """0 while it is not known."""
    if access is None:
        return 0
    return ACCESS_KNOWN | (PULL if access.pull else 0) | (PUSH if access.push else 0)


class Index:
    """Row numbers count from 0 in the order of :meth:`extend`. Not thread-safe: it belongs to whoever shows the rows.

    The versions grow with every change, so that an older result is not built upon: ``access_version`` with what is
    known of access, ``version`` with everything else.
    """

    def __init__(self, rows: Iterable[Searchable] = ()) -> None:
        self.version = self.access_version = 0
        self.names: list[str] = []
        self.haystacks: list[str] = []
        self.tags: list[dict[str, str] | None] = []
        self.tag_keys: set[str] = set()
        """Of all rows, and perhaps of some that have lost theirs."""
        self.regions: list[str] = []
        self.region_names: set[str] = set()
        self.mutable = bytearray()
        self.access = bytearray()
        self.without_tags = 0
        self.extend(rows)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def all_rows(self) -> range:
        return range(len(self.names))

    def extend(self, rows: Iterable[Searchable]) -> None:
        """A further page. Costs about 1 µs a row."""
        start = len(self.names)
        new = list(rows)
        self.names += [row.name for row in new]
        self.haystacks += [haystack(row) for row in new]
        self.tags += [row.tags for row in new]
        self.tag_keys.update(*(row.tags for row in new if row.tags))
        self.regions += [row.region for row in new]
        self.region_names.update(self.regions[start:])
        self.mutable += bytes(row.mutability.startswith("MUTABLE") for row in new)
        self.access += bytes(len(new))
        self.without_tags += sum(row.tags is None for row in new)
        self.version += 1

    def update(self, at: int, row: Searchable) -> None:
        """The row with that number is known better now, such as with its tags; its name stays."""
        self.without_tags += (row.tags is None) - (self.tags[at] is None)
        self.haystacks[at] = haystack(row)
        self.tags[at] = row.tags
        self.tag_keys.update(row.tags or ())
        self.mutable[at] = row.mutability.startswith("MUTABLE")
        self.version += 1

    def set_access(self, at: int, access: AccessSummary | None) -> None:
        """What A's policy lets B do; None: not known (any more)."""
        code = access_code(access)
        if self.access[at] != code:
            self.access[at] = code
            self.access_version += 1

    def forget_access(self) -> None:
        """As when another principal is looked at."""
        self.access = bytearray(len(self.names))
        self.access_version += 1


class Order:
    """In which order a table shows its rows: all row numbers, each once.

    Made once for each sort; a filter's matches are put into it at every keystroke. ``rows`` are machine words in a
    row: a list of sorted numbers points all over the memory, which costs four times as much. Without any, rows stay
    in the order in which they came.
    """

    def __init__(self, rows: Iterable[int] = ()) -> None:
        self.rows = array("I", rows)
        self._places = places = array("I", bytes(self.rows.itemsize * len(self.rows)))
        for place, row in enumerate(self.rows):
            places[row] = place

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, rows: range) -> None:
        """The next row numbers, behind all others: they are in no order yet."""
        if rows.start != len(self.rows):
            raise ValueError(f"the next row is {len(self.rows)}, not {rows.start}")
        new = array("I", rows)
        self.rows += new
        self._places += new

    def copy(self) -> Order:
        made = Order()
        made.rows, made._places = self.rows[:], self._places[:]
        return made

    def place(self, row: int) -> int:
        """Where it comes, from 0."""
        return self._places[row]

    def of(self, rows: Sequence[int]) -> Sequence[int]:
        """``rows``, which are ascending, in this order."""
        if not self.rows:
            return list(rows)
        if len(rows) == len(self.rows):
            return list(self.rows)
        places = self._places
        if len(rows) * 8 < len(self.rows):
            return sorted(rows, key=places.__getitem__)
        hit = bytearray(len(self.rows))
        for row in rows:
            hit[places[row]] = 1
        return list(compress(self.rows, hit))
