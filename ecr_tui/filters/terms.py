"""One term of a query: for a single row, for many rows at once, and where it shows in a text."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

from ecr_tui.filters.index import (
    ACCESS_KNOWN,
    BLOCK,
    MAY_PULL,
    MAY_PUSH,
    PULL,
    PUSH,
    SEPARATOR,
    Index,
    Searchable,
    access_code,
    haystack,
)
from ecr_tui.filters.rows import NOT, Mask

if TYPE_CHECKING:
    from ecr_tui.policy.access import AccessSummary

Span = tuple[int, int]
"""Start and end (exclusive), in characters."""

_ACCESS = {"pull": PULL, "push": PUSH, "push-pull": PULL | PUSH}
_KNOWN_CODES = frozenset(ACCESS_KNOWN | pull | push for pull in (0, PULL, MAY_PULL) for push in (0, PUSH, MAY_PUSH))
_RARE_FIRST = "zqxjkvbywgpfmcudlhrsniotae"


@dataclass(frozen=True)
class Term:
    """One condition. ``kind``: "word", "tag", "access", "mutable" or "region".

    ``value`` is a word casefolded, a tag's key, or a field's value; ``tag_value`` None asks for the key alone.
    """

    kind: str
    value: str
    tag_value: str | None = None
    negated: bool = False
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def holds(self, row: Searchable, access: AccessSummary | None = None) -> bool | None:
        """For one row; None where that is not known."""
        if self.kind == "access":
            return None if access is None else access_code(access) in self._codes
        found = self._holds(row)
        return found if found is None else found != self.negated

    def _holds(self, row: Searchable) -> bool | None:
        if self.kind == "word":
            return self.value in haystack(row)
        if self.kind == "region":
            return row.region.startswith(self.value)
        if self.kind == "mutable":
            return row.mutability.startswith("MUTABLE") == (self.value == "yes")
        if row.tags is None:
            return None
        return self.value in row.tags if self.tag_value is None else row.tags.get(self.value) == self.tag_value

    @property
    def _codes(self) -> frozenset[int]:
        """The codes of ``Index.access`` for which the term holds. Access that depends is neither there nor not, so such
        a row is in neither of ``access:pull`` and ``!access:pull``."""
        return frozenset(code for code in _KNOWN_CODES if self._fits(code))

    def _fits(self, code: int) -> bool:
        sure = code & (PULL | PUSH)
        most = sure | (PULL if code & MAY_PULL else 0) | (PUSH if code & MAY_PUSH else 0)
        if self.value == "depends":
            return (most != sure) != self.negated
        if self.value == "none":
            return sure != 0 if self.negated else most == 0
        wanted = _ACCESS[self.value]
        return most & wanted != wanted if self.negated else sure & wanted == wanted

    def masks(self, index: Index) -> tuple[Mask, Mask]:
        """As :meth:`scan` of all rows."""
        rows, none = len(index), Mask.none(len(index))
        if self.kind == "word":
            return self._mask(_holding(self.value, index)), none
        if self.kind == "region":
            good = {one for one in index.region_names if one.startswith(self.value) != self.negated}
            if len(good) == len(index.region_names):
                return Mask.every(rows), none
            return Mask.of(bytes(map(good.__contains__, index.regions))), none
        if self.kind == "mutable":
            return self._mask(_flags(index.mutable, {self.value == "yes"})), none
        if self.kind == "access":
            unknown = Mask.of(_flags(index.access, {0})) if 0 in index.access else none
            return Mask.of(_flags(index.access, self._codes)), unknown
        found, unknown_rows = self._scan_tags(index, index.all_rows)
        return Mask.holding(rows, found), Mask.holding(rows, unknown_rows)

    def _mask(self, flags: bytes) -> Mask:
        return Mask.of(flags.translate(NOT) if self.negated else flags)

    def scan(self, index: Index, base: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """The rows of ``base`` for which it holds, and those for which that is not known."""
        value, negated = self.value, self.negated
        if self.kind == "word":
            hay = index.haystacks
            if negated:
                return [i for i in base if value not in hay[i]], ()
            return [i for i in base if value in hay[i]], ()
        if self.kind == "region":
            good = {one for one in index.region_names if one.startswith(value) != negated}
            regions = index.regions
            return base if len(good) == len(index.region_names) else [i for i in base if regions[i] in good], ()
        if self.kind == "mutable":
            return _flagged(base, index.mutable, {(value == "yes") != negated}), ()
        if self.kind == "access":
            unread = _flagged(base, index.access, {0}) if 0 in index.access else ()
            return _flagged(base, index.access, self._codes), unread
        return self._scan_tags(index, base)

    def _scan_tags(self, index: Index, base: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        tags, key, value, negated = index.tags, self.value, self.tag_value, self.negated
        if not negated and not index.without_tags and key not in index.tag_keys:
            return (), ()  # as while a key is being typed
        unknown: Sequence[int] = ()
        if index.without_tags:
            unknown = [i for i in base if tags[i] is None]
            base = [i for i in base if tags[i] is not None]
        # No row without tags is left; the type checker cannot see that.
        some: list[Any] = tags
        if value is None:
            return [i for i in base if (key in some[i]) != negated], unknown
        if negated:
            return [i for i in base if some[i].get(key) != value], unknown
        return [i for i in base if some[i].get(key) == value], unknown

    def scan_loosely(self, index: Index, base: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """As :meth:`scan`, for a positive word or tag: letters in order, tags in any case and by their beginning."""
        if self.kind == "word":
            names = index.names
            # A sieve costs a fifth of the regular expression, and most names lack one of the rarest letters.
            for letter in _rarest(self.value):
                base = [i for i in base if letter in names[i]]
            search = in_order(self.value).search
            return [i for i in base if search(names[i])], ()
        hay, tags, needle = index.haystacks, index.tags, self._loose_needle
        unknown = [i for i in base if tags[i] is None] if index.without_tags else ()
        return [i for i in base if needle in hay[i]], unknown

    @property
    def _loose_needle(self) -> str:
        value = "" if self.tag_value is None else f"={self.tag_value}"
        return f"{SEPARATOR}{self.value}{value}".casefold()

    def implies(self, other: Term) -> bool:
        """Whether every row for which this holds is one for which ``other`` holds."""
        if self == other:
            return True
        if self.kind == other.kind == "access":
            return self._codes <= other._codes
        if self.kind != other.kind or self.negated != other.negated:
            return False
        narrow, wide = (other, self) if self.negated else (self, other)
        if self.kind == "word":
            return wide.value in narrow.value
        if self.kind == "region":
            return narrow.value.startswith(wide.value)
        return self.kind == "tag" and narrow.value == wide.value and wide.tag_value is None

    def implies_loosely(self, other: Term) -> bool:
        """The same in a loose result, where a term that cannot be loose keeps its meaning."""
        if not (self.can_be_loose and other.can_be_loose):
            return not other.can_be_loose and self.implies(other)
        if self.kind != other.kind:
            return False
        if self.kind == "word":
            return in_order(other.value).search(self.value) is not None
        return self._loose_needle.startswith(other._loose_needle)

    @property
    def can_be_loose(self) -> bool:
        return not self.negated and (self.kind == "tag" or (self.kind == "word" and len(self.value) > 1))


_NOWHERE, _EVERYWHERE = bytes(BLOCK), b"\1" * BLOCK


def _holding(word: str, index: Index) -> bytes:
    """A 1 for each row whose haystack holds the word."""
    hay, blocks, beginnings = index.haystacks, index.blocks(), index.beginnings
    sample = range(0, len(blocks), len(blocks) // 50 + 1)
    if sum(word in blocks[number] and word not in beginnings[number] for number in sample) * 2 > len(sample):
        return bytes([word in one for one in hay])
    found = [
        _EVERYWHERE
        if word in beginning
        else bytes([word in one for one in hay[number * BLOCK : (number + 1) * BLOCK]])
        if word in text
        else _NOWHERE
        for number, (text, beginning) in enumerate(zip(blocks, beginnings, strict=True))
    ]
    return b"".join(found)[: len(hay)]


def _flagged(base: Sequence[int], flags: bytearray, wanted: Container[int]) -> Sequence[int]:
    hit = _flags(flags, wanted)
    if isinstance(base, range):
        return list(compress(base, hit))
    return [i for i in base if hit[i]]


def _flags(codes: bytearray, wanted: Container[int]) -> bytes:
    """A 1 for each code that is wanted."""
    return bytes(codes.translate(bytes(code in wanted for code in range(256))))


def in_order(word: str) -> re.Pattern[str]:
    """The letters of ``word`` one after the other. Each step may skip only what is not the next letter, so that a
    name is never looked at twice."""
    return re.compile(re.escape(word[0]) + "".join(f"[^{re.escape(c)}]*{re.escape(c)}" for c in word[1:]))


def _rarest(word: str) -> list[str]:
    return sorted(set(word), key=lambda c: _RARE_FIRST.find(c) if c in _RARE_FIRST else len(_RARE_FIRST))[:2]


def places(term: Term, text: str, folded: str, loose: bool) -> Iterator[Span]:
    if term.kind == "word":
        at = folded.find(term.value)
        if at < 0 and loose and term.can_be_loose:
            yield from _letters(folded, term.value)
        while at >= 0:
            yield at, at + len(term.value)
            at = folded.find(term.value, at + 1)
    elif term.kind == "tag":
        key, equals, value = text.partition("=")
        wanted = "" if term.tag_value is None else f"={term.tag_value}"
        if loose:
            needle = f"{term.value}{wanted}".casefold()
            if equals and folded.startswith(needle):
                yield 0, len(needle)
        elif equals and key == term.value and term.tag_value in (None, value):
            yield 0, len(key) + len(wanted)


def _letters(text: str, word: str) -> Iterator[Span]:
    if not in_order(word).search(text):
        return
    at = -1
    for letter in word:
        at = text.index(letter, at + 1)
        yield at, at + 1
