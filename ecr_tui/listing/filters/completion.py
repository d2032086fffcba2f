"""Completion of a query or a list of tags from the known tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ecr_tui.listing.filters.grammar import FIELDS
from ecr_tui.policy.rules import RULES

TagValues = Mapping[str, Iterable[str]]
"""Each key with its values, the most frequent first."""


def complete_query(text: str, tags: Callable[[], TagValues]) -> str | None:
    """The query with its last term completed; None if there is nothing to add.

    A tag's key and value are completed case-insensitively.
    """
    head, start = _last_term(text)
    term = text[start:]
    sign, body = ("!", term[1:]) if term.startswith("!") else ("", term)
    name, colon, value = body.partition(":")
    if not colon:
        found = _first(name, FIELDS) if len(name) > 1 else None
        return None if found is None else f"{head}{sign}{found}:"
    if name == "tag":
        completed = _tag(value, tags())
    elif name in ("access", "mutable", "finding"):
        words = [one for one in FIELDS[name] if not one.isupper()]
        completed = _first(value, [*words, *RULES] if name == "finding" else words)
    else:
        completed = None
    return None if completed is None else f"{head}{sign}{name}:{completed}"


def complete_tags(text: str, tags: Callable[[], TagValues]) -> str | None:
    """As :func:`complete_query`, for "K=V, K2=V2"."""
    head, comma, last = text.rpartition(",")
    blanks = last[: len(last) - len(last.lstrip())]
    found = _tag(last.lstrip(), tags(), quote=False)
    return None if found is None else f"{head}{comma}{blanks}{found}"


def _tag(text: str, tags: TagValues, *, quote: bool = True) -> str | None:
    """Completes KEY, then "=", then VALUE, from any point."""
    shown = _quoted if quote else str
    key, equals, value = (text.replace('"', "") if quote else text).partition("=")
    if not equals:
        found = _first(key, tags)
        return None if found is None else f"{shown(found)}="
    known = key if key in tags else next((one for one in tags if one.casefold() == key.casefold()), None)
    if known is None:
        return None
    found = _first(value, tags[known])
    completed = None if found is None else f"{shown(known)}={shown(found)}"
    return None if completed == text else completed


def _first(text: str, choices: Iterable[str]) -> str | None:
    """The first with this prefix, case-sensitive first; None if complete already."""
    known = list(choices)
    for one in known:
        if one.startswith(text) and one != text:
            return one
    folded = text.casefold()
    return next((one for one in known if one.casefold().startswith(folded) and one != text), None)


def _quoted(text: str) -> str:
    if not any(letter.isspace() or letter in '"=*?' for letter in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _last_term(text: str) -> tuple[str, int]:
    """The text before the last term, and the term's start."""
    quoted, start = False, 0
    for at, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif letter.isspace() and not quoted:
            start = at + 1
    return text[:start], start
