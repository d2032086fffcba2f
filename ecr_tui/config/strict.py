"""Strict reading of a TOML file: every error has the file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ecr_tui.config.values import close_match
from ecr_tui.errors import InputError


class Kind(NamedTuple):
    words: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


TEXT = Kind("a quoted string", _is_text)
TEXTS = Kind('a list of strings such as ["a", "b"]', lambda value: _is_text(value) or _is_texts(value))
TAGS = Kind(
    'a list of tags such as ["Team=Payments"]',
    lambda value: (
        _is_text(value) or _is_texts(value) or (isinstance(value, dict) and all(map(_is_text, value.values())))
    ),
)
SWITCH = Kind("true or false", lambda value: isinstance(value, bool))
TABLE = Kind("a table", lambda value: isinstance(value, dict))


def tables_of(name: str) -> Kind:
    """An array of tables of that name."""
    return Kind(
        f"a table for each of them, under [[{name}]]",
        lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
    )


def texts_of(value: str | Iterable[str]) -> tuple[str, ...]:
    """What :data:`TEXTS` takes, each text once."""
    return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))


class TomlFile:
    """Parse a file. Raises InputError with the line for invalid TOML."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._lines = text.splitlines()
        try:
            self.data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message = str(error)
            at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
            line = (int(at[1]) if at[1] else max(len(self._lines), 1)) if at else 1
            what = message[: at.start()] if at else message
            raise InputError(f"{name}:{line}: {what}", hint="Correct the TOML syntax: https://toml.io") from None

    def table(self, *path: str) -> Mapping[str, Any]:
        if len(path) == 1 and path[0] not in self.data:
            return {}
        found: Mapping[str, Any] = self.of(TABLE, *path)
        return found

    def of(self, kind: Kind, *path: str) -> Any:
        value: Any = self.data
        for part in path:
            value = value[part]
        self.check(kind, value, *path)
        return value

    def check(self, kind: Kind, value: Any, *path: str) -> None:
        if not kind.fits(value):
            raise InputError(f"{self.at(*path)}: {path[-1]} must be {kind.words}, not {_words(value)}")

    def known(self, path: tuple[str, ...], table: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in table:
            if key not in known:
                hint = close_match(key.lower().replace("_", "-"), known) or f"Use one of {', '.join(known)}."
                table_name = f"[{path[0]}]" if path[:1] in (("consumers",), ("grants",)) else ".".join(path)
                where = f" in [{table_name}]" if path else ""
                raise InputError(f"{self.at(*path, key)}: unknown setting {key!r}{where}", hint=hint)

    def at(self, *path: str) -> str:
        return f"{self.name}:{line_of(self._lines, path)}"


def line_of(lines: Iterable[str], path: tuple[str, ...]) -> int:
    """The line (from 1) where the key at ``path`` is set, or the nearest one above it; tomllib does not provide it.
    Tables of an array count from "0"."""
    best, best_depth = 1, 0
    header: tuple[str, ...] = ()
    arrays: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if stripped.startswith("["):
            found = _dotted(stripped.lstrip("[ \t"))
            if found is None or not found[1].lstrip().startswith("]"):
                continue
            header = here = found[0]
            if stripped.startswith("[["):
                arrays[header] = arrays.get(header, -1) + 1
                header = here = (*header, str(arrays[header]))
        else:
            found = _dotted(stripped)
            if found is None or not found[1].lstrip().startswith("="):
                continue
            here = (*header, *found[0])
        depth = len(here)
        if path[:depth] == here and depth > best_depth:
            best, best_depth = number, depth
    return best


_PART = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\s*""")


def _dotted(text: str) -> tuple[tuple[str, ...], str] | None:
    """The dotted key at the start of a line, and the rest."""
    parts: list[str] = []
    while True:
        match = _PART.match(text)
        if match is None:
            return None
        parts.append(next(group for group in match.groups() if group is not None))
        text = text[match.end() :]
        if not text.startswith("."):
            return tuple(parts), text
        text = text[1:]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return repr(value)[:60]
