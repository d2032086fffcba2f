"""Apply a query to rows: matches, their order, and reuse of the previous result."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from ecr_tui.listing.filters.grammar import Problem, read
from ecr_tui.listing.filters.terms import POLICY_KINDS, UNREAD, Entry, Policies, Rows, Span, Term, in_order

RANKED = 5_000
"""Maximum matches to rank; with more, the user keeps typing."""

_INITIALS = re.compile(r"(?<![a-z0-9])[a-z0-9]")


class Result(NamedTuple):
    """``found``: rows in input order. ``loose``: nothing matched literally; may be empty.

    ``unknown``: number of rows that match all other terms but cannot be decided yet.
    """

    filter: Filter
    found: Rows
    loose: bool = False
    unknown: int = 0

    def ranked(self) -> Rows:
        """Best matches first, stable; unranked if there are too many."""
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
        """Whether it has any term."""
        return bool(self.terms) or self.broken

    @cached_property
    def broken(self) -> bool:
        """Whether a part is invalid, so that it selects nothing."""
        return any(not problem.unfinished for problem in self.problems)

    @property
    def needs_account_b(self) -> bool:
        """Whether it uses account B's access."""
        return any(term.kind == "access" for term in self.terms)

    @property
    def needs_policies(self) -> bool:
        """Whether it needs policies."""
        return any(term.kind in POLICY_KINDS for term in self.terms)

    @property
    def needs_findings(self) -> bool:
        return any(term.kind == "finding" for term in self.terms)

    @property
    def needs_tags(self) -> bool:
        return any(term.kind == "tag" for term in self.terms)

    def without_policies(self) -> Filter:
        """The terms that need no policies."""
        return Filter(self.text, tuple(one for one in self.terms if one.kind not in POLICY_KINDS), self.problems)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Words to find in names, casefolded, without globs."""
        return tuple(t.value for t in self.terms if t.kind in ("word", "name") and not (t.negated or t.glob))

    def matches(self, row: Entry[Any], policies: Policies = UNREAD) -> bool | None:
        """Literal match. None: depends on unknown facts."""
        found = [term.verdict(policies)(row) for term in self.terms]
        if self.broken or False in found:
            return False
        return None if None in found else True

    def extends(self, previous: Filter) -> bool:
        """Whether this selects a subset of ``previous``, such as after adding a letter to a word."""
        return all(any(mine.implies(other) for mine in self.terms) for other in previous.terms)

    def apply(
        self,
        rows: Rows,
        policies: Policies = UNREAD,
        previous: Result | None = None,
        *,
        loose: bool = True,
    ) -> Result:
        """The matching rows. ``previous``, a result on the same rows, order and known policies, speeds up a narrower
        query and does not change the result.

        ``loose`` False disables the fuzzy match.
        """
        if self.broken:
            return Result(self, ())
        # Undecided rows are not in its rows and must be counted again.
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
        # Long words first: they leave fewer rows for the next terms.
        return tuple(sorted(self.terms, key=lambda t: (order.index(t.kind), t.negated, bool(t.glob), -len(t.value))))

    def spans(self, text: str, *, loose: bool = False) -> tuple[Span, ...]:
        """Match ranges in ``text`` (a name, or a tag as KEY=VALUE): ascending, without overlaps."""
        folded = text.casefold()
        if len(folded) != len(text):
            # Some letters fold to several, which shifts positions.
            return ()
        hit = bytearray(len(text))
        for term in self.terms:
            if not term.negated:
                for start, end in term.places(text, folded, loose):
                    hit[start:end] = b"\1" * (end - start)
        return tuple(found.span() for found in re.finditer(b"\1+", bytes(hit)))


def parse(text: str) -> Filter:
    """Never raises; invalid parts are in ``problems``."""
    return Filter(text, *read(text))


def parse_words(text: str) -> Filter:
    """Words only, without fields, signs or quotes: for rows that are not repositories."""
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
