"""One term of a query: matching rows, and match ranges in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ecr_tui.policy.access import AccessSummary

T = TypeVar("T")

Span = tuple[int, int]
"""Start and end (exclusive), in characters."""

SEPARATOR = "\x1f"
"""Precedes each tag in :attr:`Entry.hay`; never occurs in AWS names and tags."""


class Searchable(Protocol):
    """A searchable row: a repository (``aws.model.Repository``) or an object of the same shape."""

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
    """A text, searchable like a repository's name."""

    name: str
    tags: dict[str, str] | None = _NO_TAGS
    region: str = ""
    mutability: str = ""


class Entry(Generic[T]):
    """A row prepared for the filter. ``hay``: the name and then each tag as KEY=VALUE, casefolded."""

    __slots__ = ("hay", "key", "look", "row")

    def __init__(self, row: T, key: str, look: Searchable) -> None:
        self.key = key
        self.take(row, look)

    def take(self, row: T, look: Searchable) -> None:
        """Update the row, such as with its tags."""
        self.row = row
        self.look = look
        tags = look.tags
        if tags:
            self.hay = "".join([look.name, *(f"{SEPARATOR}{key}={value}" for key, value in tags.items())]).casefold()
        else:
            self.hay = look.name.casefold()


Rows = Sequence[Entry[Any]]


class Policies(Protocol):
    """Known facts of the rows' policies; None: unknown (yet)."""

    def access(self, row: Any) -> AccessSummary | None: ...
    def principals(self, row: Any) -> Collection[str] | None:
        """Principals with an Allow, casefolded."""
        ...

    def findings(self, row: Any) -> Collection[tuple[str, str]] | None:
        """(rule id, severity) of each finding."""
        ...


class Unread:
    """Facts without any policy."""

    def access(self, row: Any) -> AccessSummary | None:
        return None

    def principals(self, row: Any) -> Collection[str] | None:
        return None

    def findings(self, row: Any) -> Collection[tuple[str, str]] | None:
        return None


UNREAD = Unread()

POLICY_KINDS = frozenset({"access", "principal", "finding"})
"""Kinds of terms that need the policy."""

Verdict = Callable[[Entry[Any]], bool | None]


@dataclass(frozen=True)
class Term:
    """One condition. ``kind``: "word" or the name of a field.

    ``value`` is a casefolded text, a tag's key, or a field's value; ``tag_value`` None matches the key only. ``glob``
    is a regular expression for the whole text, "" if the value is literal.
    """

    kind: str
    value: str
    tag_value: str | None = None
    negated: bool = False
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    glob: str = ""

    def verdict(self, policies: Policies = UNREAD) -> Verdict:
        """A function of a row: whether the term matches; None if unknown."""
        negated = self.negated
        if self.kind == "access":
            access = policies.access

            def of_access(one: Entry[Any]) -> bool | None:
                found = access(one.row)
                return None if found is None else self._access_holds(found)

            return of_access
        held = self._held(policies)

        def of(one: Entry[Any]) -> bool | None:
            found = held(one)
            return None if found is None else found is not negated

        return of

    def _held(self, policies: Policies) -> Verdict:
        """As :meth:`verdict`, ignoring a negation."""
        value, kind = self.value, self.kind
        if kind == "word":
            search = self._search
            return lambda one: search(one.hay) is not None
        if kind == "name":
            search = self._search
            return lambda one: search(one.look.name) is not None
        if kind == "region":
            return lambda one: one.look.region.startswith(value)
        if kind == "mutable":
            wanted = value == "yes"
            return lambda one: one.look.mutability.startswith("MUTABLE") is wanted
        if kind == "tag":
            return self._held_tag
        if kind == "principal":
            return lambda one: self._named(policies.principals(one.row))
        return lambda one: self._found(policies.findings(one.row))

    def _held_tag(self, one: Entry[Any]) -> bool | None:
        tags, key, value = one.look.tags, self.value, self.tag_value
        if tags is None:
            return None
        if self.glob:
            whole = re.compile(self.glob, re.DOTALL).fullmatch
            return any(whole(name if value is None else f"{name}={tags[name]}") for name in tags)
        return key in tags if value is None else tags.get(key) == value

    def _named(self, principals: Collection[str] | None) -> bool | None:
        if principals is None or self.value == "*":
            return None if principals is None else "*" in principals
        search = self._search
        return any(search(one) for one in principals)

    def _found(self, findings: Collection[tuple[str, str]] | None) -> bool | None:
        if findings is None:
            return None
        if self.value in ("any", "none"):
            return bool(findings) is (self.value == "any")
        return any(self.value == severity or rule.startswith(self.value) for rule, severity in findings)

    def _access_holds(self, found: AccessSummary) -> bool:
        """Access that depends is neither true nor false, so such a row matches neither ``access:pull`` nor
        ``!access:pull``."""
        both = (found.pull, found.push)
        if self.value == "depends":
            return (None in both) is not self.negated
        if self.value == "none":
            return True in both if self.negated else both == (False, False)
        wanted = {"pull": both[:1], "push": both[1:]}.get(self.value, both)
        return False in wanted if self.negated else all(one is True for one in wanted)

    def scan(self, base: Rows, policies: Policies = UNREAD) -> tuple[Rows, Rows]:
        """The matching rows of ``base``, and the undecided ones, both in order."""
        if self.kind == "word" and not self.glob:
            word = self.value
            if self.negated:
                return [one for one in base if word not in one.hay], ()
            return [one for one in base if word in one.hay], ()
        verdicts = list(map(self.verdict(policies), base))
        unknown = [one for one, held in zip(base, verdicts, strict=True) if held is None] if None in verdicts else ()
        return [one for one, held in zip(base, verdicts, strict=True) if held], unknown

    def scan_loosely(self, base: Rows) -> tuple[Rows, Rows]:
        """As :meth:`scan`, for a positive word or tag: letters in order, tags in any case and by their beginning."""
        if self.kind == "tag":
            needle = self._loose_needle
            return [one for one in base if needle in one.hay], [one for one in base if one.look.tags is None]
        for letter in set(self.value):  # most names lack one of them, and this takes a fifth of the expression's time
            base = [one for one in base if letter in one.look.name]
        search = in_order(self.value).search
        return [one for one in base if search(one.look.name)], ()

    @property
    def _loose_needle(self) -> str:
        value = "" if self.tag_value is None else f"={self.tag_value}"
        return f"{SEPARATOR}{self.value}{value}".casefold()

    @property
    def _search(self) -> Callable[[str], re.Match[str] | None]:
        """A pattern for the text, or for the glob on a whole name, part after a slash, or tag."""
        if not self.glob:
            return re.compile(re.escape(self.value)).search
        return re.compile(f"(?:^|[/{SEPARATOR}])({self.glob})(?={SEPARATOR}|$)").search

    def implies(self, other: Term) -> bool:
        """Whether each row that this matches, literally or loosely, is also matched by ``other``."""
        if self == other:
            return True
        plain = self.kind == other.kind == "word" and not (self.negated or other.negated or self.glob or other.glob)
        return plain and other.value in self.value

    @property
    def can_be_loose(self) -> bool:
        if self.negated or self.glob:
            return False
        return self.kind == "tag" or (self.kind == "word" and len(self.value) > 1)

    def places(self, text: str, folded: str, loose: bool) -> Iterator[Span]:
        """Match ranges in a name, or in a tag as KEY=VALUE."""
        if self.kind == "word" or (self.kind == "name" and "=" not in text):
            yield from self._places(folded, loose)
        elif self.kind == "tag":
            key, equals, value = text.partition("=")
            wanted = "" if self.tag_value is None else f"={self.tag_value}"
            if self.glob:
                whole = re.compile(self.glob, re.DOTALL).fullmatch
                if equals and whole(text if wanted else key):
                    yield 0, len(text if wanted else key)
            elif loose:
                needle = f"{self.value}{wanted}".casefold()
                if equals and folded.startswith(needle):
                    yield 0, len(needle)
            elif equals and key == self.value and self.tag_value in (None, value):
                yield 0, len(key) + len(wanted)

    def _places(self, folded: str, loose: bool) -> Iterator[Span]:
        if self.glob:
            found = self._search(folded)
            if found:
                yield found.span(1)
            return
        at = folded.find(self.value)
        if at < 0 and loose and self.can_be_loose and in_order(self.value).search(folded):
            for letter in self.value:
                at = folded.index(letter, at + 1)
                yield at, at + 1
            return
        while at >= 0:
            yield at, at + len(self.value)
            at = folded.find(self.value, at + 1)


def in_order(word: str) -> re.Pattern[str]:
    """The letters of ``word`` in order. Each step skips only other letters, so that matching needs no backtracking."""
    return re.compile(re.escape(word[0]) + "".join(f"[^{re.escape(c)}]*{re.escape(c)}" for c in word[1:]))


def glob_pattern(letters: Sequence[str], plain: Sequence[bool]) -> str:
    """A regular expression for the text with ``*`` and ``?`` where ``plain``; "" without wildcards."""
    if not any(letter in "*?" and outside for letter, outside in zip(letters, plain, strict=True)):
        return ""
    signs = {"*": f"[^{SEPARATOR}]*", "?": f"[^{SEPARATOR}]"}
    return "".join(
        signs[letter] if outside and letter in signs else re.escape(letter)
        for letter, outside in zip(letters, plain, strict=True)
    )
