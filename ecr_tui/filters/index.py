"""The rows of a table as the filter looks at them: plain columns, so that a pass over 100,000 rows takes milliseconds.

Columns are scanned in row order whatever the table is sorted by: strings that were made one after the other lie one
after the other in memory, and hopping between them costs five times as much as comparing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

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


_NO_TAGS: dict[str, str] = {}


class Plain(NamedTuple):
    """A text, to be looked at like a repository's name."""

    name: str
    tags: dict[str, str] | None = _NO_TAGS
    region: str = ""
    mutability: str = ""


PULL, PUSH, ACCESS_KNOWN, MAY_PULL, MAY_PUSH = 1, 2, 4, 8, 16
SEPARATOR = "\x1f"
"""Stands before each tag in a haystack; no name and no tag of AWS may hold it."""

BLOCK = 64
_BETWEEN = "\x1e"


def haystack(row: Searchable) -> str:
    """The name and then each tag as KEY=VALUE, casefolded."""
    if not row.tags:
        return row.name.casefold()
    return "".join([row.name, *(f"{SEPARATOR}{key}={value}" for key, value in row.tags.items())]).casefold()


def _beginning(haystacks: Sequence[str]) -> str:
    """What all names begin with. Not what follows them: tags change."""
    first, last = min(haystacks), max(haystacks)
    least, most = 0, len(first)
    while least < most:
        middle = (least + most + 1) // 2
        if last.startswith(first[:middle]):
            least = middle
        else:
            most = middle - 1
    return first[:least].partition(SEPARATOR)[0]


def access_code(access: AccessSummary | None) -> int:
    """0 while it is not known. What depends is neither given nor refused: its bits are MAY_PULL and MAY_PUSH."""
    if access is None:
        return 0
    pull = MAY_PULL if access.pull is None else PULL if access.pull else 0
    push = MAY_PUSH if access.push is None else PUSH if access.push else 0
    return ACCESS_KNOWN | pull | push


class Index:
    """Row numbers count from 0 in the order of :meth:`extend`. Not thread-safe: it belongs to whoever shows the rows.

    The versions grow with every change, so that an older result is not built upon: ``access_version`` with what is
    known of access, ``version`` with everything else.
    """

    def __init__(self, rows: Iterable[Searchable] = ()) -> None:
        self.version = self.access_version = 0
        self.names: list[str] = []
        self.haystacks: list[str] = []
        self._blocks: list[str] = []
        self.beginnings: list[str] = []
        """Of each block, that of all its names, casefolded: they come in order, so that neighbours begin alike."""
        self._stale: set[int] = set()
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
        first = start - start % BLOCK
        pages = [self.haystacks[at : at + BLOCK] for at in range(first, len(self.haystacks), BLOCK)]
        self._blocks[first // BLOCK :] = map(_BETWEEN.join, pages)
        self.beginnings[first // BLOCK :] = map(_beginning, pages)
        self.tags += [row.tags for row in new]
        self.tag_keys.update(*(row.tags for row in new if row.tags))
        self.regions += [row.region for row in new]
        self.region_names.update(self.regions[start:])
        self.mutable += bytes(row.mutability.startswith("MUTABLE") for row in new)
        self.access += bytes(len(new))
        self.without_tags += sum(row.tags is None for row in new)
        self.version += 1

    def blocks(self) -> list[str]:
        """The haystacks, :data:`BLOCK` of them in a text: most words are in few of those, and a text is looked through
        ten times as fast as its parts."""
        for number in self._stale:
            self._blocks[number] = _BETWEEN.join(self.haystacks[number * BLOCK : (number + 1) * BLOCK])
        self._stale.clear()
        return self._blocks

    def update(self, at: int, row: Searchable) -> None:
        """The row with that number is known better now, such as with its tags; its name stays."""
        self.without_tags += (row.tags is None) - (self.tags[at] is None)
        self.haystacks[at] = haystack(row)
        self._stale.add(at // BLOCK)
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
