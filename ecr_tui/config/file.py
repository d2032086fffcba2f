"""The configuration file: strict TOML, read-only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import platformdirs

from ecr_tui.config.consumers import Consumer
from ecr_tui.config.safety import CONFIRMS, ProfileRule, Trait
from ecr_tui.config.strict import SWITCH, TAGS, TEXT, TEXTS, Kind, TomlFile, tables_of, texts_of
from ecr_tui.config.values import choice, parse
from ecr_tui.errors import InputError
from ecr_tui.policy.trusted import Trusted

VARIABLE = "ECR_TUI_CONFIG"
FLAG = "--config"


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class ConfigFile(NamedTuple):
    """The content of a file. ``values`` by field of Settings, all valid; ``origins`` "FILE:LINE" for each of them, for
    "keys.ID", "confirm.WHAT" and "consumers.NAME.KEY". ``named_by`` is the flag or variable with the path, or ""."""

    path: Path
    named_by: str = ""
    exists: bool = True
    values: Mapping[str, Any] = _NOTHING
    rules: tuple[ProfileRule, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    trusted: Trusted | None = None
    confirm: Mapping[str, str] = _NOTHING
    keys: Mapping[str, tuple[str, ...]] = _NOTHING
    origins: Mapping[str, str] = _NOTHING
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return _short(self.path)

    def without(self, *names: str) -> ConfigFile:
        """A copy without these fields."""
        values = {name: value for name, value in self.values.items() if name not in names}
        return self._replace(values=values, consumers=() if "consumers" in names else self.consumers)


def locate(flag: Path | None = None, environ: Mapping[str, str] | None = None) -> tuple[Path, str]:
    """The file of this run and the flag or variable that names it, "" for the platform's default."""
    environ = os.environ if environ is None else environ
    if flag is not None:
        return flag.expanduser(), FLAG
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE]).expanduser(), VARIABLE
    return Path(platformdirs.user_config_dir("ecr-tui")) / "config.toml", ""


def read(path: Path, named_by: str = "") -> ConfigFile:
    """Read the file. A missing file is empty, unless it was named explicitly.

    Raises InputError with file and line for anything invalid: safety settings must never be ignored silently.
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


# -- known settings --------------------------------------------------------------------------------------------


SETTINGS: dict[str, tuple[str, Kind]] = {
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
    "plain": ("plain", SWITCH),
    "reduced-motion": ("reduced_motion", SWITCH),
    "columns": ("columns", TEXTS),
    "state-dir": ("state_dir", TEXT),
    "cache-dir": ("cache_dir", TEXT),
}
"""Values by name in the file: the field of Settings, and the type."""

TABLES = ("production", "profiles", "consumers", "trusted", "confirm", "keys")
CONSUMER: dict[str, Kind] = {"name": TEXT, "profile": TEXT, "account": TEXT, "principals": TEXTS}
"""Settings of ``[[consumers]]``; ``name`` is required."""
TRUSTED: dict[str, Kind] = {"accounts": TEXTS, "organizations": TEXTS, "ous": TEXTS, "services": TEXTS}
TRAITS: dict[str, Trait] = {"read-only": "read_only", "production": "production"}


class _Reading(TomlFile):
    """Reader of one file."""

    def __init__(self, path: Path, name: str, text: str) -> None:
        super().__init__(name, text)
        self.path = path
        self.origins: dict[str, str] = {}

    def file(self, named_by: str, warnings: tuple[str, ...]) -> ConfigFile:
        self.known((), self.data, (*SETTINGS, *TABLES))
        values = {}
        for key, (field_name, kind) in SETTINGS.items():
            if key in self.data:
                where = self.at(key)
                values[field_name] = parse(field_name, self.of(kind, key), f"{where}: {key}")
                self.origins[field_name] = where
        return ConfigFile(
            self.path,
            named_by,
            values=values,
            rules=(*self._production(), *self._profiles()),
            consumers=tuple(self._consumers()),
            trusted=self._trusted(),
            confirm=self._confirm(),
            keys=self._keys(),
            origins=self.origins,
            warnings=warnings,
        )

    def _production(self) -> Iterator[ProfileRule]:
        if "production" in self.data:
            where = self.at("production")
            for pattern in texts_of(self.of(TEXTS, "production")):
                yield ProfileRule(pattern, production=True, origins=(("production", where),))

    def _profiles(self) -> Iterator[ProfileRule]:
        for pattern in self.table("profiles"):
            self.table("profiles", pattern)
            table = self.data["profiles"][pattern]
            self.known(("profiles", pattern), table, TRAITS)
            found = {trait: self.of(SWITCH, "profiles", pattern, key) for key, trait in TRAITS.items() if key in table}
            origins = tuple((trait, self.at("profiles", pattern, key)) for key, trait in TRAITS.items() if key in table)
            yield ProfileRule(pattern, **found, origins=origins)

    def _consumers(self) -> Iterator[Consumer]:
        lines: dict[str, str] = {}
        for index, table in enumerate(self.of(tables_of("consumers"), "consumers") if "consumers" in self.data else ()):
            here = ("consumers", str(index))
            self.known(here, table, CONSUMER)
            for key, value in table.items():
                self.check(CONSUMER[key], value, *here, key)
            if "name" not in table:
                raise InputError(f"{self.at(*here)}: a consumer has no name", hint='Add name = "…".')
            principals = texts_of(table.get("principals", ()))
            consumer = Consumer(table["name"], table.get("profile"), table.get("account"), principals)
            for key, error in consumer.problems():
                raise InputError(f"{self.at(*here, key)}: {key}: {error.title}", hint=error.hint)
            where = self.at(*here, "name")
            if consumer.name in lines:
                raise InputError(f"{where}: name: {consumer.name!r} is taken by {lines[consumer.name]}")
            lines[consumer.name] = where
            self.origins |= {f"consumers.{consumer.name}.{key}": self.at(*here, key) for key in table}
            yield consumer

    def _trusted(self) -> Trusted | None:
        if "trusted" not in self.data:
            return None
        table = self.table("trusted")
        self.known(("trusted",), table, TRUSTED)
        found: dict[str, tuple[str, ...]] = {}
        for key in table:
            found[key] = texts_of(self.of(TEXTS, "trusted", key))
            self.origins[f"trusted.{key}"] = where = self.at("trusted", key)
            try:
                Trusted(**{key: found[key]}).check(key)
            except InputError as error:
                raise InputError(f"{where}: {key}: {error.title}", hint=error.hint) from None
        return Trusted(**found)

    def _confirm(self) -> dict[str, str]:
        table = self.table("confirm")
        self.known(("confirm",), table, CONFIRMS)
        found = {}
        for key in table:
            where = self.at("confirm", key)
            found[key] = choice(self.of(TEXT, "confirm", key), CONFIRMS[key], f"{where}: {key}")
            self.origins[f"confirm.{key}"] = where
        return found

    def _keys(self) -> dict[str, tuple[str, ...]]:
        """Ids have dots, which TOML reads as nested tables unless quoted; both forms are accepted."""
        found: dict[str, tuple[str, ...]] = {}

        def collect(table: Mapping[str, Any], *path: str) -> None:
            for key, value in table.items():
                here = (*path, key)
                if isinstance(value, dict):
                    collect(value, *here)
                    continue
                self.check(TEXTS, value, *here)
                identity = ".".join(here[1:])
                found[identity] = _spelled(value)
                self.origins[f"keys.{identity}"] = self.at(*here)

        collect(self.table("keys"), "keys")
        return found


def _spelled(value: str | list[str]) -> tuple[str, ...]:
    """ "up, k" and ["up", "k"] are two keys, "," is one, "" is none."""
    parts = value.split(",") if isinstance(value, str) and value.strip() != "," else [*value]
    return tuple(part.strip() for part in parts if part.strip())


def _warnings(path: Path, name: str) -> tuple[str, ...]:
    """Other users with write permission could disable safety settings."""
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
