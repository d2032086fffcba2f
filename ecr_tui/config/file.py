"""The configuration file: TOML, strict, read and never written."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import platformdirs

from ecr_tui.config.consumers import Consumer
from ecr_tui.config.safety import CONFIRMS, ProfileRule, Trait
from ecr_tui.config.values import choice, close_match, parse
from ecr_tui.errors import InputError

VARIABLE = "ECR_TUI_CONFIG"
FLAG = "--config"


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class ConfigFile(NamedTuple):
    """What a file says. ``values`` by field of Settings, each of a usable value; ``origins`` "FILE:LINE" for each
    of them, for "keys.ID", "confirm.WHAT" and "consumers.NAME.KEY". ``named_by`` is the flag or variable that chose
    the path, or ""."""

    path: Path
    named_by: str = ""
    exists: bool = True
    values: Mapping[str, Any] = _NOTHING
    rules: tuple[ProfileRule, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    confirm: Mapping[str, str] = _NOTHING
    keys: Mapping[str, tuple[str, ...]] = _NOTHING
    origins: Mapping[str, str] = _NOTHING
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return _short(self.path)

    def without(self, *names: str) -> ConfigFile:
        """As if these fields were not in it."""
        values = {name: value for name, value in self.values.items() if name not in names}
        return self._replace(values=values, consumers=() if "consumers" in names else self.consumers)


def locate(flag: Path | None = None, environ: Mapping[str, str] | None = None) -> tuple[Path, str]:
    """The file of this run and the flag or variable that names it, "" for the platform's own place."""
    environ = os.environ if environ is None else environ
    if flag is not None:
        return flag.expanduser(), FLAG
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE]).expanduser(), VARIABLE
    return Path(platformdirs.user_config_dir("ecr-tui")) / "config.toml", ""


def read(path: Path, named_by: str = "") -> ConfigFile:
    """What the file says. One that is not there says nothing, unless it was asked for by name.

    Raises InputError with the file and the line for everything that is not understood: a setting that is silently
    ignored would be worst among those that are there for safety.
    """
    name = _short(path)
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if named_by:
            raise InputError(f"{named_by}: no such file: {name}") from None
        return ConfigFile(path, named_by, exists=False)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}", hint=_ELSEWHERE) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{name}:{line}: not UTF-8") from None
    return _Reading(path, name, text).file(named_by, _warnings(path, name))


_ELSEWHERE = f"Use another file with {FLAG} or {VARIABLE}."


# -- what may stand in it --------------------------------------------------------------------------------------------


class _Kind(NamedTuple):
    words: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


TEXT = _Kind("a quoted string", _is_text)
TEXTS = _Kind('a list of strings such as ["a", "b"]', lambda value: _is_text(value) or _is_texts(value))
TAGS = _Kind(
    'a list of tags such as ["Team=Payments"]',
    lambda value: (
        _is_text(value) or _is_texts(value) or (isinstance(value, dict) and all(map(_is_text, value.values())))
    ),
)
SWITCH = _Kind("true or false", lambda value: isinstance(value, bool))
TABLE = _Kind("a table", lambda value: isinstance(value, dict))

SETTINGS: dict[str, tuple[str, _Kind]] = {
    "profile-a": ("profile_a", TEXT),
    "profile-b": ("profile_b", TEXT),
    "regions": ("regions", TEXTS),
    "tags": ("tags", TAGS),
    "access": ("access", TEXT),
    "if-tag": ("condition", TAGS),
    "scope-tag": ("scope_tag", TEXT),
    "engine": ("engine", TEXT),
    "read-only": ("read_only", SWITCH),
    "theme": ("theme", TEXT),
    "columns": ("columns", TEXTS),
    "state-dir": ("state_dir", TEXT),
    "cache-dir": ("cache_dir", TEXT),
}
"""What is a value, by its name in the file: the field of Settings, and what it takes."""

CONSUMERS = _Kind(
    "a table for each of them, under [[consumers]]",
    lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
)

TABLES = ("production", "profiles", "consumers", "confirm", "keys")
CONSUMER: dict[str, _Kind] = {"name": TEXT, "profile": TEXT, "account": TEXT, "principals": TEXTS}
"""What each of ``[[consumers]]`` may say; ``name`` it must."""
TRAITS: dict[str, Trait] = {"read-only": "read_only", "production": "production"}


class _Reading:
    """One file while it is read."""

    def __init__(self, path: Path, name: str, text: str) -> None:
        self.path, self.name = path, name
        self._lines = text.splitlines()
        try:
            self._data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message = str(error)
            at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
            line = (int(at[1]) if at[1] else max(len(self._lines), 1)) if at else 1
            what = message[: at.start()] if at else message
            raise InputError(f"{name}:{line}: {what}", hint="Correct the TOML syntax: https://toml.io") from None
        self.origins: dict[str, str] = {}

    def file(self, named_by: str, warnings: tuple[str, ...]) -> ConfigFile:
        self._known((), self._data, (*SETTINGS, *TABLES))
        values = {}
        for key, (field_name, kind) in SETTINGS.items():
            if key in self._data:
                where = self._at(key)
                values[field_name] = parse(field_name, self._of(kind, key), f"{where}: {key}")
                self.origins[field_name] = where
        return ConfigFile(
            self.path,
            named_by,
            values=values,
            rules=(*self._production(), *self._profiles()),
            consumers=tuple(self._consumers()),
            confirm=self._confirm(),
            keys=self._keys(),
            origins=self.origins,
            warnings=warnings,
        )

    def _production(self) -> Iterator[ProfileRule]:
        if "production" in self._data:
            patterns = self._of(TEXTS, "production")
            where = self._at("production")
            for pattern in [patterns] if isinstance(patterns, str) else patterns:
                yield ProfileRule(pattern, production=True, origins=(("production", where),))

    def _profiles(self) -> Iterator[ProfileRule]:
        for pattern in self._table("profiles"):
            self._table("profiles", pattern)
            table = self._data["profiles"][pattern]
            self._known(("profiles", pattern), table, TRAITS)
            found = {trait: self._of(SWITCH, "profiles", pattern, key) for key, trait in TRAITS.items() if key in table}
            origins = tuple(
                (trait, self._at("profiles", pattern, key)) for key, trait in TRAITS.items() if key in table
            )
            yield ProfileRule(pattern, **found, origins=origins)

    def _consumers(self) -> Iterator[Consumer]:
        lines: dict[str, str] = {}
        for index, table in enumerate(self._of(CONSUMERS, "consumers") if "consumers" in self._data else ()):
            here = ("consumers", str(index))
            self._known(here, table, CONSUMER)
            for key, value in table.items():
                self._check(CONSUMER[key], value, *here, key)
            if "name" not in table:
                raise InputError(f"{self._at(*here)}: a consumer without name", hint='Add name = "…".')
            principals = table.get("principals", ())
            texts = (principals,) if isinstance(principals, str) else tuple(dict.fromkeys(principals))
            consumer = Consumer(table["name"], table.get("profile"), table.get("account"), texts)
            for key, error in consumer.problems():
                raise InputError(f"{self._at(*here, key)}: {key}: {error.title}", hint=error.hint)
            where = self._at(*here, "name")
            if consumer.name in lines:
                raise InputError(f"{where}: name: {consumer.name!r} is taken by {lines[consumer.name]}")
            lines[consumer.name] = where
            self.origins |= {f"consumers.{consumer.name}.{key}": self._at(*here, key) for key in table}
            yield consumer

    def _confirm(self) -> dict[str, str]:
        table = self._table("confirm")
        self._known(("confirm",), table, CONFIRMS)
        found = {}
        for key in table:
            where = self._at("confirm", key)
            found[key] = choice(self._of(TEXT, "confirm", key), CONFIRMS[key], f"{where}: {key}")
            self.origins[f"confirm.{key}"] = where
        return found

    def _keys(self) -> dict[str, tuple[str, ...]]:
        """Ids have dots, which TOML reads as tables within tables unless they are quoted: both are the same here."""
        found: dict[str, tuple[str, ...]] = {}

        def collect(table: Mapping[str, Any], *path: str) -> None:
            for key, value in table.items():
                here = (*path, key)
                if isinstance(value, dict):
                    collect(value, *here)
                    continue
                self._check(TEXTS, value, *here)
                identity = ".".join(here[1:])
                found[identity] = _spelled(value)
                self.origins[f"keys.{identity}"] = self._at(*here)

        collect(self._table("keys"), "keys")
        return found

    # -- complaints --------------------------------------------------------------------------------------------------

    def _table(self, *path: str) -> Mapping[str, Any]:
        if len(path) == 1 and path[0] not in self._data:
            return {}
        found: Mapping[str, Any] = self._of(TABLE, *path)
        return found

    def _of(self, kind: _Kind, *path: str) -> Any:
        value: Any = self._data
        for part in path:
            value = value[part]
        self._check(kind, value, *path)
        return value

    def _check(self, kind: _Kind, value: Any, *path: str) -> None:
        if not kind.fits(value):
            raise InputError(f"{self._at(*path)}: {path[-1]} must be {kind.words}, not {_words(value)}")

    def _known(self, path: tuple[str, ...], table: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in table:
            if key not in known:
                hint = close_match(key.lower().replace("_", "-"), known) or f"Use one of {', '.join(known)}."
                table_name = "[consumers]" if path[:1] == ("consumers",) else ".".join(path)
                where = f" in [{table_name}]" if path else ""
                raise InputError(f"{self._at(*path, key)}: unknown setting {key!r}{where}", hint=hint)

    def _at(self, *path: str) -> str:
        return f"{self.name}:{line_of(self._lines, path)}"


def line_of(lines: Iterable[str], path: tuple[str, ...]) -> int:
    """The line (from 1) where the key at ``path`` is set, or the nearest one above it: tomllib does not tell. Tables
    of an array are counted from "0"."""
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
    """The dotted key that a line begins with, and what follows it."""
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


def _spelled(value: str | list[str]) -> tuple[str, ...]:
    """ "up, k" and ["up", "k"] are two keys, "," is one, "" is none."""
    parts = value.split(",") if isinstance(value, str) and value.strip() != "," else [*value]
    return tuple(part.strip() for part in parts if part.strip())


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return repr(value)[:60]


def _warnings(path: Path, name: str) -> tuple[str, ...]:
    """Others who may write the file could take its safety away."""
    if os.name != "posix":
        return ()
    try:
        mode = path.stat().st_mode
    except OSError:
        return ()
    if stat.S_ISREG(mode) and mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everyone" if mode & stat.S_IWOTH else "its group"
        return (f"{name} is writable by {who}. Run chmod go-w on it.",)
    return ()


def _short(path: Path) -> str:
    """With ~ for the home folder."""
    try:
        return f"~{os.sep}{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
