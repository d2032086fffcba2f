"""Match policy text against request text: wildcards, policy variables and ARNs by segment.

Rules: IAM User Guide, "Policy variables" (with defaults and "no value"), "Condition operators" (ARN) and the
resource element. Variables exist in 2012-10-17 only; their values are literal, never wildcards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

Context = Mapping[str, str | tuple[str, ...]]
"""Condition keys in lower case; a tuple is a multivalued key. Values are text."""

Matcher = Callable[[str, Context], bool]

_VARIABLE = re.compile(r"\$\{\s*([^{},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_ESCAPES = {"*": "*", "?": "?", "$": "$"}
_PIECES = re.compile(r"(\$\{[^}]*\}|[*?])")


def has_variable(text: str) -> bool:
    return "${" in text


def resolve(name: str, default: str | None, context: Context) -> str | None:
    """The value of a variable: a single-valued key of the request, else the default, else None (no value)."""
    value = context.get(name.lower())
    return value if isinstance(value, str) else default


def text_matcher(pattern: str, *, wildcards: bool, ignore_case: bool, expands: bool) -> Matcher:
    """Match one policy value against one request value. A variable without a value matches nothing."""
    if ignore_case:
        exact = text_matcher(pattern.lower(), wildcards=wildcards, ignore_case=False, expands=expands)
        # Only the policy's text was lowered above; values of variables are lowered with the request's context.
        return lambda value, context: exact(value.lower(), _lowered(context) if expands else context)
    if not (expands and has_variable(pattern)):
        if wildcards and ("*" in pattern or "?" in pattern):
            fullmatch = compiled(pattern).fullmatch
            return lambda value, context: fullmatch(value) is not None
        return lambda value, context: value == pattern

    def match(value: str, context: Context) -> bool:
        source = _expanded(pattern, context, wildcards)
        return source is not None and _regex(source).fullmatch(value) is not None

    return match


_STAR = ""
"""Represents ``*`` among pieces of a regular expression; no other piece is empty."""


@lru_cache(maxsize=8192)
def compiled(pattern: str) -> re.Pattern[str]:
    """``*`` matches any run of characters, ``?`` exactly one; all else is literal."""
    return _regex(_joined([_escaped(piece, True) for piece in re.split(r"([*?])", pattern) if piece]))


def _joined(pieces: list[str]) -> str:
    """One regular expression. Text between two stars is matched at its first occurrence only, without backtracking:
    sufficient for these patterns, and avoids exponential time for many stars."""
    runs = [""]
    for piece in pieces:
        if piece is _STAR:
            runs.append("")
        else:
            runs[-1] += piece
    if len(runs) == 1:
        return runs[0]
    first, *middle, last = runs
    return first + "".join(f"(?>.*?{run})" for run in middle if run) + ".*" + last


@lru_cache(maxsize=8192)
def _regex(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL)


def _escaped(piece: str, wildcards: bool) -> str:
    if wildcards and piece in ("*", "?"):
        return _STAR if piece == "*" else "."
    return re.escape(piece)


def _expanded(pattern: str, context: Context, wildcards: bool) -> str | None:
    """A regular expression with every variable replaced by its (escaped) value; None if one has no value."""
    source = []
    for piece in filter(None, _PIECES.split(pattern)):
        if not piece.startswith("${"):
            source.append(_escaped(piece, wildcards))
            continue
        literal = _ESCAPES.get(piece[2:-1])
        if literal is not None:
            source.append(re.escape(literal))
            continue
        variable = _VARIABLE.fullmatch(piece)
        if variable is None:
            source.append(re.escape(piece))
            continue
        value = resolve(variable.group(1), variable.group(2), context)
        if value is None:
            return None
        if value:
            source.append(re.escape(value))
    return _joined(source)


def _lowered(context: Context) -> Context:
    return {key: value.lower() if isinstance(value, str) else value for key, value in context.items()}


def split_arn(text: str, expands: bool) -> list[str]:
    """The colon-separated parts, six at most; colons inside ``${...}`` do not separate."""
    if not (expands and has_variable(text)):
        return text.split(":", 5)
    parts = [""]
    for piece in _PIECES.split(text):
        if piece.startswith("${"):
            parts[-1] += piece
            continue
        first, *others = piece.split(":", 6 - len(parts))
        parts[-1] += first
        parts.extend(others)
    return parts


def arn_matcher(pattern: str, *, expands: bool) -> Callable[[str, Context], bool | None]:
    """ArnLike: compares each of the six parts. None if the pattern or the request's value is not an ARN."""
    parts = split_arn(pattern, expands)
    if len(parts) != 6 or parts[0] != "arn":
        return lambda value, context: None
    matchers = [text_matcher(part, wildcards=True, ignore_case=False, expands=expands) for part in parts]

    def match(value: str, context: Context) -> bool | None:
        given = value.split(":", 5)
        if len(given) != 6 or given[0] != "arn":
            return None
        return all(matcher(part, context) for matcher, part in zip(matchers, given, strict=True))

    return match


def resource_matcher(pattern: str, *, expands: bool, pads: bool = True) -> Matcher:
    """The Resource element, segment by segment; variables in the last segment only.

    A final ``*`` of a segment also matches past the colon (IAM User Guide, "JSON policy elements: Resource").
    An ARN with fewer than six segments matches every ARN with that prefix, as if missing segments were ``*``; with
    ``pads`` False only if it has a wildcard (policies attached to resources are stricter than identity policies).
    """
    if pattern == "*":
        return lambda value, context: True
    parts = split_arn(pattern, expands)
    if parts[0] != "arn":
        return lambda value, context: False
    readings = [_Segments(parts, expands)]
    if len(parts) < 6:
        if not pads and "*" not in pattern:
            return lambda value, context: False
        readings.append(_Segments([*parts, *["*"] * (6 - len(parts))], expands))

    def match(value: str, context: Context) -> bool:
        given = value.split(":")
        return len(given) > 5 and any(reading.match(given, context) for reading in readings)

    return match


class _Segments:
    """The segments of a resource pattern; the last one matches the rest of the value."""

    def __init__(self, parts: list[str], expands: bool) -> None:
        last = len(parts) - 1
        self._crosses = [part.endswith("*") for part in parts]
        self._matchers = [
            text_matcher(part, wildcards=True, ignore_case=False, expands=expands and index == last)
            for index, part in enumerate(parts)
        ]

    def match(self, given: list[str], context: Context, index: int = 0, start: int = 0) -> bool:
        if index == len(self._matchers) - 1:
            return start < len(given) and self._matchers[index](":".join(given[start:]), context)
        if start >= len(given) or not self._matchers[index](given[start], context):
            return False
        ends = range(start + 1, len(given)) if self._crosses[index] else (start + 1,)
        return any(self.match(given, context, index + 1, end) for end in ends)


def may_cover(pattern: str, value: str, context: Context, *, expands: bool, certain: Callable[[str], bool]) -> bool:
    """Whether a Resource may match under any reading of AWS's documentation: ignoring case, wildcards across segments,
    missing segments filled, and any value for a variable that is not ``certain``."""
    pieces = [
        _any_value(piece, context, certain) if expands and piece.startswith("${") else _escaped(piece.lower(), True)
        for piece in _PIECES.split(pattern)
        if piece
    ]
    source, lower = _joined(pieces), value.lower()
    return any(_regex(form).fullmatch(lower) is not None for form in (source, f"{source}:.*"))


def _any_value(piece: str, context: Context, certain: Callable[[str], bool]) -> str:
    if piece[2:-1] in _ESCAPES:
        return re.escape(piece[2:-1])
    variable = _VARIABLE.fullmatch(piece)
    if variable is None or _CANONICAL.fullmatch(piece) is None or not certain(variable.group(1).lower()):
        return _STAR
    found = resolve(variable.group(1), variable.group(2), context)
    return re.escape(found.lower()) if found else _STAR


def variables(text: str) -> tuple[str, ...]:
    """The keys of the variables in a policy's text."""
    if not has_variable(text):
        return ()
    found = (_VARIABLE.fullmatch(piece) for piece in _PIECES.findall(text) if piece.startswith("${"))
    return tuple(match.group(1) for match in found if match is not None and match.group(1) not in _ESCAPES)


_CANONICAL = re.compile(r"\$\{(?:[*?$]|[^\s{},']+(?:, '[^']*')?)\}")


def has_odd_variable(text: str) -> bool:
    """Whether a variable has an undocumented form, such as inner blanks, so that AWS's reading is unknown."""
    return any(piece.startswith("${") and _CANONICAL.fullmatch(piece) is None for piece in _PIECES.findall(text))


def witnesses(pattern: str, head: str, tail: str) -> list[str]:
    """Sample texts ``head + X + tail`` that show how ``pattern`` (with ``*`` and ``?``) matches any X.

    One matching text, if any; and X of a character that only a wildcard matches, in every length that matters. X is
    never empty.
    """
    fresh = "\x00"
    made = [f"{head}{fresh * length}{tail}" for length in range(1, pattern.count("?") + 3)]
    matching = _common(tuple(pattern), (*head, "?", "*", *tail))
    return [*made, matching] if matching is not None else made


def _common(a: tuple[str, ...], b: tuple[str, ...]) -> str | None:
    """A text that both patterns match, or None."""
    possible = [[False] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a) + 1)):
        for j in reversed(range(len(b) + 1)):
            ends = i == len(a) and j == len(b)
            possible[i][j] = ends or any(possible[x][y] for x, y, _ in _steps(a, b, i, j))
    if not possible[0][0]:
        return None
    i = j = 0
    text = ""
    while (i, j) != (len(a), len(b)):
        i, j, letter = next(step for step in _steps(a, b, i, j) if possible[step[0]][step[1]])
        text += "x" if letter == "?" else letter
    return text


def _steps(a: tuple[str, ...], b: tuple[str, ...], i: int, j: int) -> Iterator[tuple[int, int, str]]:
    """The next positions of both patterns, each with the consumed character."""
    in_a, in_b = a[i] if i < len(a) else "", b[j] if j < len(b) else ""
    if in_a == "*":
        yield i + 1, j, ""
    if in_b == "*":
        yield i, j + 1, ""
    if in_a == "*" and in_b not in ("", "*"):
        yield i, j + 1, in_b
    elif in_b == "*" and in_a not in ("", "*"):
        yield i + 1, j, in_a
    elif in_a and in_b and "*" not in (in_a, in_b) and (in_a == in_b or "?" in (in_a, in_b)):
        yield i + 1, j + 1, in_b if in_a == "?" else in_a
