"""Parse a query into terms; invalid or unfinished parts become values with their place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ecr_tui.listing.filters.terms import Term, glob_pattern
from ecr_tui.policy.rules import RULES

FIELDS = {
    "name": ("TEXT",),
    "tag": ("KEY", "KEY=VALUE"),
    "access": ("none", "pull", "push", "push-pull", "depends"),
    "principal": ("TEXT",),
    "finding": ("any", "none", "error", "warning", "info", "ID"),
    "mutable": ("yes", "no"),
    "region": ("START",),
}
"""Each field with the forms of its value; capitals mean any text."""


class Problem(NamedTuple):
    """A problem in a part of the query. ``unfinished``: further typing may complete it, so it is not an error yet."""

    start: int
    end: int
    message: str
    hint: str = ""
    unfinished: bool = False


def read(text: str) -> tuple[tuple[Term, ...], tuple[Problem, ...]]:
    """The distinct terms, and the problems. Never raises."""
    terms: list[Term] = []
    problems: list[Problem] = []
    for token in _tokens(text):
        if not token.closed:
            message = "unclosed quotes"
            problems.append(Problem(token.start, token.end, message, unfinished=True))
        found = _term(token)
        if isinstance(found, Problem):
            problems.append(found)
        elif found not in terms:
            terms.append(found)
    return tuple(terms), tuple(problems)


class _Token:
    """A term's text without quotes; ``plain``: for each character, whether it was outside quotes."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = 0
        self.letters: list[str] = []
        self.plain: list[bool] = []
        self.closed = True

    def find(self, sign: str, start: int = 0) -> int:
        """Index of the first unquoted ``sign``, or -1."""
        letters = self.letters
        return next((i for i in range(start, len(letters)) if letters[i] == sign and self.plain[i]), -1)

    def text(self, start: int = 0, end: int | None = None) -> str:
        return "".join(self.letters[start:end])

    def glob(self, start: int) -> str:
        """The text from ``start`` as a regular expression; "" if literal."""
        return glob_pattern(self.letters[start:], self.plain[start:])


def _tokens(text: str) -> Iterator[_Token]:
    token: _Token | None = None
    at, quoted = 0, False
    while at < len(text):
        letter = text[at]
        if letter.isspace() and not quoted:
            if token is not None:
                token.end = at
                yield token
            token = None
            at += 1
            continue
        if token is None:
            token = _Token(at)
        if letter == '"':
            quoted = not quoted
        else:
            if quoted and letter == "\\" and text[at + 1 : at + 2] in ('"', "\\"):
                at += 1
                letter = text[at]
            token.letters.append(letter)
            token.plain.append(not quoted)
        at += 1
    if token is not None:
        token.end, token.closed = len(text), not quoted
        yield token


def _term(token: _Token) -> Term | Problem:
    negated = bool(token.letters) and token.letters[0] == "!" and token.plain[0]
    begin = 1 if negated else 0
    colon = token.find(":", begin)

    def problem(message: str, hint: str = "", *, unfinished: bool = False) -> Problem:
        return Problem(token.start, token.end, message, hint, unfinished)

    def term(kind: str, value: str, tag_value: str | None = None, glob: str = "") -> Term:
        return Term(kind, value, tag_value, negated, token.start, token.end, glob)

    if colon < 0:
        word = token.text(begin).casefold()
        if not word:
            return problem("missing word or field", unfinished=True)
        return term("word", word, glob=token.glob(begin).casefold())
    name, value = token.text(begin, colon).lower(), token.text(colon + 1)
    if name not in FIELDS or not all(token.plain[begin:colon]):
        return problem(f"unknown field {name!r}", _no_field_hint(name, value, token.text()))
    if not value:
        return problem(f"{name}: needs {_choice(FIELDS[name])}", unfinished=True)
    if name == "tag":
        equals = token.find("=", colon + 1)
        key = token.text(colon + 1, None if equals < 0 else equals)
        if not key:
            return problem("missing tag key before '='", "Write tag:KEY=VALUE.")
        return term("tag", key, None if equals < 0 else token.text(equals + 1), token.glob(colon + 1))
    if name in ("name", "principal"):
        return term(name, value.casefold(), glob=token.glob(colon + 1).casefold())
    value = value.lower()
    if name == "region":
        return term("region", value)
    words = _words(name)
    if name == "finding" and any(rule.startswith(value) for rule in RULES):
        return term(name, value)
    if value not in words:
        half = any(one.startswith(value) for one in words)
        return problem(f"{name}: needs {_choice(FIELDS[name])}, not {value!r}", _close(value, name), unfinished=half)
    return term(name, value)


def _words(name: str) -> tuple[str, ...]:
    """The fixed values of a field."""
    return tuple(one for one in FIELDS[name] if not one.isupper())


def _no_field_hint(name: str, value: str, text: str) -> str:
    close = difflib.get_close_matches(name, FIELDS, n=1)
    if close:
        return f"Did you mean {close[0]}:{value}?"
    return f'Use one of {", ".join(FIELDS)}, or quote it to find the text itself: "{text}".'


def _close(value: str, name: str) -> str:
    known = (*_words(name), *RULES) if name == "finding" else _words(name)
    close = difflib.get_close_matches(value, known, n=1)
    return f"Did you mean {name}:{close[0]}?" if close else ""


def _choice(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
