"""Strict, lossless JSON for policies: no duplicate keys, no NaN; errors carry line and column.

``json`` keeps the last of two equal keys, accepts ``NaN`` and rewrites ``1.10`` as ``1.1``; all three would corrupt a
policy that is read, changed and written back.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ecr_tui.errors import InputError

MAX_DEPTH = 64
"""Deeper than any policy (six levels); bounds recursion wherever a document is walked."""

Json = Any
"""dict[str, Json] | list[Json] | str | int | float | bool | None."""


class PolicyError(InputError):
    """The text is not a policy document; reading a document raises no other error. ``line`` and ``column`` count from
    1."""

    def __init__(self, title: str, *, line: int | None = None, column: int | None = None, hint: str = "") -> None:
        place = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(title + place, hint=hint)
        self.line = line
        self.column = column


class Number(float):
    """A number whose spelling differs from Python's (1.10, 1e3, -0): it is written back unchanged."""

    text: str

    def __new__(cls, text: str) -> Number:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text

    def __deepcopy__(self, memo: object) -> Number:
        return self


class _Duplicate(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


class _Constant(Exception):
    pass


class _Range(Exception):
    def __init__(self, text: str) -> None:
        self.text = text


def loads(text: str) -> Json:
    """The value of ``text``. Raises only :class:`PolicyError`."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except json.JSONDecodeError as error:
        raise PolicyError(f"not valid JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except _Duplicate as error:
        raise _at(f'the key "{_shown(error.key)}" occurs twice in one object', text, _duplicate(text)) from None
    except _Constant as error:
        found = re.search(rf'"(?:[^"\\]|\\.)*"|({re.escape(str(error))})', text)
        while found is not None and found.group(1) is None:
            found = re.compile(rf'"(?:[^"\\]|\\.)*"|({re.escape(str(error))})').search(text, found.end())
        raise _at(f"not valid JSON: {error} is not a JSON number", text, found.start() if found else None) from None
    except _Range as error:
        raise _at("a number is out of range", text, text.find(error.text)) from None
    except RecursionError:
        raise _too_deep() from None
    check(value)
    return value


def dumps(value: Json) -> str:
    """Minified JSON; keeps the order of keys and the spelling of numbers. ``value`` must have passed :func:`check`."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{dumps(key)}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    return value.text if isinstance(value, Number) else json.dumps(value)


def pretty(value: Json, indent: str = "") -> str:
    """Two spaces a level, one list item a line: for display and text diffs."""
    deeper = indent + "  "
    if isinstance(value, Mapping) and value:
        rows = [f"{deeper}{dumps(key)}: {pretty(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and value:
        return "[\n" + ",\n".join(deeper + pretty(item, deeper) for item in value) + f"\n{indent}]"
    return dumps(value)


def check(value: Json, depth: int = 0) -> None:
    """Raise :class:`PolicyError` unless it is JSON that can be written as UTF-8 and is not absurdly deep."""
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise PolicyError("a string contains an unpaired surrogate") from None
    elif isinstance(value, Mapping | list | tuple):
        if depth >= MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, Mapping):
            for key, item in value.items():
                if not isinstance(key, str):
                    raise PolicyError("an object's key is not a string")
                check(key)
                check(item, depth + 1)
        else:
            for item in value:
                check(item, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise PolicyError("a number is out of range")
    elif value is not None and not isinstance(value, int):
        raise PolicyError(f"not JSON: {type(value).__name__}")
    elif isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4096:
        raise PolicyError("a number is out of range")


def copy(value: Json) -> Json:
    """A deep copy; tuples become lists, mappings become dicts."""
    if isinstance(value, Mapping):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [copy(item) for item in value]
    return value


def _too_deep() -> PolicyError:
    return PolicyError(f"nested more than {MAX_DEPTH} levels deep")


def _shown(key: str) -> str:
    return json.dumps(key)[1:61].removesuffix('"')


def _at(title: str, text: str, position: int | None) -> PolicyError:
    if position is None or position < 0:
        return PolicyError(title)
    before = text[:position]
    return PolicyError(title, line=before.count("\n") + 1, column=position - before.rfind("\n"))


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Duplicate(key)
            seen.add(key)
    return made


def _constant(name: str) -> Json:
    raise _Constant(name)


def _float(text: str) -> float:
    if not math.isfinite(float(text)):
        raise _Range(text)
    return float(text) if json.dumps(float(text)) == text else Number(text)


def _int(text: str) -> int | float:
    if len(text) > 1000:
        raise _Range(text)
    return int(text) if str(int(text)) == text else Number(text)


_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|[{}\[\]:,]', re.DOTALL)


def _tokens(text: str) -> Iterator[tuple[int, str, str | None]]:
    for found in _TOKEN.finditer(text):
        yield found.start(), found.group(), found.group(1)


def _duplicate(text: str) -> int | None:
    """Offset of the first duplicate key; the text must be well formed up to there."""
    scopes: list[set[str] | None] = []
    expects_key = False
    for position, mark, string in _tokens(text):
        if mark == "{":
            scopes.append(set())
            expects_key = True
        elif mark == "[":
            scopes.append(None)
            expects_key = False
        elif mark in "}]":
            if scopes:
                scopes.pop()
            expects_key = False
        elif mark == ",":
            expects_key = bool(scopes) and scopes[-1] is not None
        elif mark == ":":
            expects_key = False
        elif string is not None and expects_key and scopes and scopes[-1] is not None:
            key = json.loads(mark, strict=False)
            if key in scopes[-1]:
                return position
            scopes[-1].add(key)
    return None
