"""A whole query over rows: which match, in which order, and what can be reused from the query before."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from ecr_tui.listing.filters.grammar import Problem, read
from ecr_tui.listing.filters.terms import POLICY_KINDS, UNREAD, Entry, Policies, Rows, Span, Term, in_order

RANKED = 5_000
"""Up to so many matches are put in order by how well they match; with more, one types on anyway."""

_INITIALS = re.compile(r"(?<![a-z0-9])[a-z0-9]")


class Result(NamedTuple):
    """``found`` are rows in the order in which they were looked through. ``loose``: nothing matched literally, perhaps
    not even loosely.

    ``unknown`` rows passed every other term but could not be judged yet.
    """

    filter: Filter
    found: Rows
    loose: bool = False
    unknown: int = 0

    def ranked(self) -> Rows:
        """The best matches first, equally good ones in their order; as they are where there are too many."""
        words = self.filter.words
        if not words or len(self.found) > RANKED:
            return self.found
        scores = [_loose_score(word) if self.loose else _score(word) for word in words]
        return sorted(self.found, key=lambda one: sum(score(one.look.name) for score in scores))


class Filter:
    """A parsed query. Equal ones select the same rows, whatever their spelling."""

    def __init__(self, text: str, terms: tuple[Term, ...], problems: tuple[Problem, ...] = ()) -> None:
        self.text = text
        self.terms = terms
        self.problems = problems

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and (self.terms, self.broken) == (other.terms, other.broken)

    def __hash__(self) -> int:
        return hash(self.terms)

    def __repr__(self) -> str:
        return f"Filter({self.text!r})"

    def __bool__(self) -> bool:
        """Whether it selects at all."""
        return bool(self.terms) or self.broken

    @cached_property
    def broken(self) -> bool:
        """A part of it is wrong, so nobody knows what it is to select: it selects nothing."""
        return any(not problem.unfinished for problem in self.problems)

    @property
    def needs_account_b(self) -> bool:
        """Whether it asks what account B may do."""
        return any(term.kind == "access" for term in self.terms)

    @property
    def needs_policies(self) -> bool:
        """Whether policies must be read to judge it."""
        return any(term.kind in POLICY_KINDS for term in self.terms)

    @property
    def needs_findings(self) -> bool:
        return any(term.kind == "finding" for term in self.terms)

    @property
    def needs_tags(self) -> bool:
        return any(term.kind == "tag" for term in self.terms)

    def without_policies(self) -> Filter:
        """What can be judged without policies."""
        return Filter(self.text, tuple(one for one in self.terms if one.kind not in POLICY_KINDS), self.problems)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What is looked for in names, casefolded; without globs."""
        return tuple(t.value for t in self.terms if t.kind in ("word", "name") and not (t.negated or t.glob))

    def matches(self, row: Entry[Any], policies: Policies = UNREAD) -> bool | None:
        """Literally. None: it depends on what is not known."""
        found = [term.verdict(policies)(row) for term in self.terms]
        if self.broken or False in found:
            return False
        return None if None in found else True

    def extends(self, previous: Filter) -> bool:
        """Whether this can only select rows that ``previous`` selected, as when a letter is added to a word."""
        return all(any(mine.implies(other) for mine in self.terms) for other in previous.terms)

    def apply(
        self,
        rows: Rows,
        policies: Policies = UNREAD,
        previous: Result | None = None,
        *,
        loose: bool = True,
    ) -> Result:
        """The rows that match. ``previous``, an earlier result on the same rows in the same order and with the same
        policies known, makes it faster where this query narrows it, and changes nothing else.

        ``loose`` False never falls back to the loose reading.
        """
        if self.broken:
            return Result(self, ())
        # What could not be judged then is not in its rows, and must be counted again.
        narrows = previous is not None and not (previous.unknown or previous.filter.broken)
        base = previous.found if previous is not None and narrows and self.extends(previous.filter) else rows
        if previous is None or base is rows or not previous.loose:
            found, unknown = self._scan(base, policies, loose=False)
        else:
            found, unknown = (), 0  # nothing matched the wider query literally
        if found or unknown or not loose or not any(term.can_be_loose for term in self.terms):
            return Result(self, found, unknown=unknown)
        base = base if previous is not None and previous.loose else rows
        found, unknown = self._scan(base, policies, loose=True)
        return Result(self, found, loose=True, unknown=unknown)

    def _scan(self, base: Rows, policies: Policies, *, loose: bool) -> tuple[Rows, int]:
        undecided: Rows = ()
        for term in self._cheapest_first:

            def scan(some: Rows, term: Term = term) -> tuple[Rows, Rows]:
                return term.scan_loosely(some) if loose and term.can_be_loose else term.scan(some, policies)

            base, unknown = scan(base)
            passed, still = scan(undecided) if undecided else ((), ())
            undecided = [*passed, *still, *unknown]
        return base, len(undecided)

    @cached_property
    def _cheapest_first(self) -> tuple[Term, ...]:
        order = ("word", "name", "tag", "region", "mutable", "access", "principal", "finding")
        # A long word leaves fewer rows for what comes after it than a short one.
        return tuple(sorted(self.terms, key=lambda t: (order.index(t.kind), t.negated, bool(t.glob), -len(t.value))))

    def spans(self, text: str, *, loose: bool = False) -> tuple[Span, ...]:
        """Where ``text`` (a name, or a tag as KEY=VALUE) holds what is looked for: ascending, without overlaps."""
        folded = text.casefold()
        if len(folded) != len(text):
            # Some letters fold to several: places in one would not be places in the other.
            return ()
        hit = bytearray(len(text))
        for term in self.terms:
            if not term.negated:
                for start, end in term.places(text, folded, loose):
                    hit[start:end] = b"\1" * (end - start)
        return tuple(found.span() for found in re.finditer(b"\1+", bytes(hit)))


def parse(text: str) -> Filter:
    """Never raises; what cannot be understood is in ``problems``."""
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
