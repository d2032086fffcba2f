"""A whole query over an index of rows: which match, in which order, and what can be reused from the query before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.filters.grammar import Problem, read
from ecr_tui.filters.index import Index, Searchable
from ecr_tui.filters.order import Order
from ecr_tui.filters.rows import Mask, Rows
from ecr_tui.filters.terms import Span, Term, in_order, places

if TYPE_CHECKING:
    from ecr_tui.policy.access import AccessSummary

RANKED = 5_000
"""Up to so many matches are put in order by how well they match; with more, one types on anyway."""

_INITIALS = re.compile(r"(?<![a-z0-9])[a-z0-9]")


class Result(NamedTuple):
    """``rows`` are of the index. ``loose``: nothing matched literally, perhaps not even loosely.

    ``unknown`` rows passed every other term but could not be judged yet.
    """

    filter: Filter
    rows: Rows
    version: tuple[int, int]
    loose: bool = False
    unknown: int = 0

    def stands(self, index: Index) -> bool:
        """Whether it would still come out the same."""
        rows, access = self.version
        return rows == index.version and (access == index.access_version or not self.filter.needs_access)

    def ordered(self, order: Order) -> Sequence[int]:
        """The rows in the order of the table."""
        return order.of(self.rows)

    def ranked(self, index: Index, order: Order) -> Sequence[int]:
        """The best matches first, equally good ones as in ``order``; as :meth:`ordered` where there are too many."""
        rows = order.of(self.rows)
        words = self.filter.words
        if not words or len(rows) > RANKED:
            return rows
        names = index.names
        scores = dict.fromkeys(rows, 0)
        for word in words:
            score = _loose_score(word) if self.loose else _score(word)
            for i in rows:
                scores[i] += score(names[i])
        return sorted(rows, key=scores.__getitem__)


class Filter:
    """A parsed query. Equal ones select the same rows, whatever their spelling."""

    def __init__(self, text: str, terms: tuple[Term, ...], problems: tuple[Problem, ...] = ()) -> None:
        self.text = text
        self.terms = terms
        self.problems = problems

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(self.terms)

    def __repr__(self) -> str:
        return f"Filter({self.text!r})"

    def __bool__(self) -> bool:
        """Whether it selects at all."""
        return bool(self.terms)

    @property
    def needs_access(self) -> bool:
        """Whether policies must be read to judge it."""
        return any(term.kind == "access" for term in self.terms)

    @property
    def needs_tags(self) -> bool:
        return any(term.kind == "tag" for term in self.terms)

    def without_access(self) -> Filter:
        """What can be judged without policies."""
        return Filter(self.text, tuple(term for term in self.terms if term.kind != "access"), self.problems)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What is looked for in names and tags, casefolded."""
        return tuple(term.value for term in self.terms if term.kind == "word" and not term.negated)

    def matches(self, row: Searchable, access: AccessSummary | None = None) -> bool | None:
        """Literally. None: it depends on what is not known; ``access`` None means that it is not."""
        found = [term.holds(row, access) for term in self.terms]
        if False in found:
            return False
        return None if None in found else True

    def extends(self, previous: Filter) -> bool:
        """Whether this can only select rows that ``previous`` selected, as when a letter is added to a word."""
        return all(any(mine.implies(other) for mine in self.terms) for other in previous.terms)

    def narrow(self, previous: Result | None, index: Index) -> Sequence[int]:
        """The rows that need looking at: all of them, or fewer when ``previous`` is an earlier result on this index
        whose query this one only narrows."""
        # What could not be judged then is not in its rows, and must be counted again.
        if previous is None or previous.unknown or not previous.stands(index):
            return index.all_rows
        if not previous.loose:
            return previous.rows if self.extends(previous.filter) else index.all_rows
        if self.extends(previous.filter):
            return ()  # nothing matched that one literally
        tags_only = all(term.kind != "word" for term in self.terms)
        return previous.rows if tags_only and self._extends_loosely(previous.filter) else index.all_rows

    def apply(self, index: Index, previous: Result | None = None, *, loose: bool = True) -> Result:
        """The rows that match; ``previous`` makes it faster where it can, and changes nothing else.

        ``loose`` False never falls back to the loose reading.
        """
        version = (index.version, index.access_version)
        rows, unknown = self._scan(index, self.narrow(previous, index), loose=False)
        if rows or unknown or not loose or not any(term.can_be_loose for term in self.terms):
            return Result(self, rows, version, unknown=unknown)
        base: Sequence[int] = index.all_rows
        if previous is not None and previous.loose and not previous.unknown and previous.stands(index):
            base = previous.rows if self._extends_loosely(previous.filter) else base
        rows, unknown = self._scan(index, base, loose=True)
        return Result(self, rows, version, loose=True, unknown=unknown)

    def _scan(self, index: Index, base: Sequence[int], *, loose: bool) -> tuple[Rows, int]:
        if not loose and len(base) * 2 > len(index):
            return self._scan_many(index, base)
        undecided: Sequence[int] = ()
        for term in self._cheapest_first:
            scan = term.scan_loosely if loose and term.can_be_loose else term.scan
            base, unknown = scan(index, base)
            if undecided:
                passed, still = scan(index, undecided)
                undecided = [*passed, *still, *unknown]
            else:
                undecided = unknown
        return (base if isinstance(base, Rows) else Rows(base)), len(undecided)

    def _scan_many(self, index: Index, base: Sequence[int]) -> tuple[Rows, int]:
        """The same, all rows at once."""
        if isinstance(base, range):
            held = Mask.every(len(index))
        elif isinstance(base, Rows) and base.mask is not None:
            held = Mask.of(base.mask)
        else:
            held = Mask.holding(len(index), base)
        undecided = Mask.none(len(index))
        for term in self._cheapest_first:
            holds, unknown = term.masks(index)
            undecided = (undecided & (holds | unknown)) | (held & unknown)
            held = held & holds
        return held.chosen(), undecided.bits.bit_count()

    def _extends_loosely(self, previous: Filter) -> bool:
        return all(any(mine.implies_loosely(other) for mine in self.terms) for other in previous.terms)

    @cached_property
    def _cheapest_first(self) -> tuple[Term, ...]:
        cost = {"mutable": 0, "region": 1, "word": 2, "tag": 3, "access": 4}
        # A long word leaves fewer rows for what comes after it than a short one.
        return tuple(sorted(self.terms, key=lambda term: (cost[term.kind], term.negated, -len(term.value))))

    @cached_property
    def _wanted(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.negated)

    def spans(self, text: str, *, loose: bool = False) -> tuple[Span, ...]:
        """Where ``text`` (a name, or a tag as KEY=VALUE) holds what is looked for: ascending, without overlaps."""
        folded = text.casefold()
        if len(folded) != len(text):
            # Some letters fold to several: places in one would not be places in the other.
            return ()
        wanted = self._wanted
        if len(wanted) == 1:
            alone = tuple(places(wanted[0], text, folded, loose))
            if len(alone) < 2:
                return alone
        hit = bytearray(len(text))
        for term in wanted:
            for start, end in places(term, text, folded, loose):
                hit[start:end] = b"\1" * (end - start)
        return tuple(found.span() for found in re.finditer(b"\1+", bytes(hit)))


def parse(text: str) -> Filter:
    """Never raises; what cannot be understood is in ``problems`` and does not select."""
    return Filter(text, *read(text))


def parse_words(text: str) -> Filter:
    """Words alone, without fields, signs or quotes: for what is no repository."""
    words = dict.fromkeys(text.casefold().split())
    return Filter(text, tuple(Term("word", word) for word in words))


def _score(word: str) -> Callable[[str], int]:
    """0 the whole name or its last part, 1 its beginning, 2 the beginning of a part, 3 elsewhere, 4 in a tag only."""
    last = f"/{word}"

    def score(name: str) -> int:
        at = name.find(word)
        if at < 0:
            return 4
        if at == 0:
            return 0 if len(name) == len(word) else 1
        if name.endswith(last):
            return 0
        while at > 0:
            if name[at - 1] in "/-_.":
                return 2
            at = name.find(word, at + 1)
        return 3

    return score


def _loose_score(word: str) -> Callable[[str], int]:
    """0 when the letters are initials of the name's parts, else the length of the stretch that holds them."""
    search = in_order(word).search

    def score(name: str) -> int:
        if word in "".join(_INITIALS.findall(name)):
            return 0
        found = search(name)
        return len(found[0]) if found else len(name)

    return score
