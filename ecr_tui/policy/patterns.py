"""Policy text against request text: wildcards, policy variables and ARNs by segment.

Rules: IAM User Guide, "Policy variables" (with defaults and "no value"), "Condition operators" (ARN) and the
resource element. Variables exist in 2012-10-17 only; what a variable resolves to is literal, never a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

Context = Mapping[str, str | tuple[str, ...]]
"""Condition keys in lower case; a tuple is a multi-valued key. Values are text."""

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
        # Only the policy's own text is lowered above; resolved variables are lowered with the request's context.
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
"""Stands for ``*`` among pieces of a regular expression; no other piece is empty."""


@lru_cache(maxsize=8192)
def compiled(pattern: str) -> re.Pattern[str]:
    """``*`` any run of characters, ``?`` exactly one, all else literal."""
    return _regex(_joined([_escaped(piece, True) for piece in re.split(r"([*?])", pattern) if piece]))


def _joined(pieces: list[str]) -> str:
    """One regular expression. What stands between two stars is taken where it comes first and never elsewhere: that
    is enough for such patterns, and keeps a policy full of stars from matching forever."""
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
    """A regular expression with every variable replaced by its (escaped) value; None where one has no value."""
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
    """ArnLike: each of the six parts on its own. None where the pattern or the request's value is no ARN."""
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
    """The Resource element: part by part, variables in the last part only.

    An ARN with fewer than six parts stands for every ARN that begins so, missing parts being ``*``; with ``pads``
    False only where it holds a wildcard (policies attached to resources are stricter than identity policies).
    """
    if pattern == "*":
        return lambda value, context: True
    parts = split_arn(pattern, expands)
    short = len(parts) < 6
    if parts[0] != "arn" or (short and not pads and "*" not in pattern):
        return lambda value, context: False
    parts += ["*"] * (6 - len(parts))
    matchers = [
        text_matcher(part, wildcards=True, ignore_case=False, expands=expands and index == 5)
        for index, part in enumerate(parts)
    ]

    def match(value: str, context: Context) -> bool:
        given = value.split(":", 5)
        return len(given) == 6 and all(matcher(part, context) for matcher, part in zip(matchers, given, strict=True))

    return match
