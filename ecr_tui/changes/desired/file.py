"""The file of ``ecr-tui apply``: TOML, strict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ecr_tui.access.expiry import parse_end
from ecr_tui.changes.desired.rows import Selector, is_glob
from ecr_tui.config.strict import TAGS, TEXT, TEXTS, Kind, TomlFile, tables_of, texts_of
from ecr_tui.config.values import ACCESSES, Tag, choice, parse, parse_tag, parse_tags
from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.ours import Grant
from ecr_tui.policy.principal import ANY_ACCOUNT, check_account, parse_grantee

T = TypeVar("T")

_END = Kind("a date such as 2030-01-31", lambda value: isinstance(value, str | date | datetime))
ROW: dict[str, Kind] = {
    "repositories": TEXTS,
    "tags": TAGS,
    "regions": TEXTS,
    "account": TEXT,
    "to": TEXTS,
    "consumer": TEXTS,
    "access": TEXT,
    "if-tag": TAGS,
    "until": _END,
    "reason": TEXT,
}
"""Keys of ``[[grants]]``."""
SCOPE: dict[str, Kind] = {"repositories": TEXTS, "tags": TAGS}


class FileRow(NamedTuple):
    """``to``: as in ``--to``; ``consumers``: names in the configuration. ``regions`` (): those in use."""

    place: int
    repositories: tuple[str, ...]
    tags: tuple[Tag, ...]
    regions: tuple[str, ...]
    account: str
    to: tuple[str, ...]
    consumers: tuple[str, ...]
    access: Access
    conditions: tuple[Tag, ...]
    until: datetime | None
    reason: str


class GrantsFile(TomlFile):
    """``rows`` in the order of the file; ``scope``: the managed repositories."""

    def __init__(self, name: str, text: str) -> None:
        """Raises InputError with file and line for anything invalid."""
        super().__init__(name, text)
        self.known((), self.data, ("grants", "scope"))
        scope = self.table("scope")
        self.known(("scope",), scope, SCOPE)
        for key, value in scope.items():
            self.check(SCOPE[key], value, "scope", key)
        self.scope = Selector(texts_of(scope.get("repositories", ())), self._tags(scope, "tags", "scope"))
        tables = self.data.get("grants", [])
        self.check(tables_of("grants"), tables, "grants")
        if not tables:
            raise InputError(
                f"{name} has no [[grants]]", hint="Write one for each grant. To end access: ecr-tui revoke."
            )
        self.rows = tuple(self._row(place, table) for place, table in enumerate(tables))

    def row_at(self, row: FileRow, key: str = "") -> str:
        """ "FILE:LINE" of a row, or of one of its values."""
        return self.at("grants", str(row.place), *([key] if key else []))

    def _row(self, place: int, table: Mapping[str, Any]) -> FileRow:
        here = ("grants", str(place))
        self.known(here, table, ROW)
        for key, value in table.items():
            self.check(ROW[key], value, *here, key)
        for one, other in (("repositories", "tags"), ("to", "consumer")):
            if not (table.get(one) or table.get(other)):
                raise InputError(f"{self.at(*here)}: missing {one}", hint=f"Add {one} or {other}.")
        if "access" not in table:
            raise InputError(f"{self.at(*here)}: missing access", hint=f"Use one of {', '.join(ACCESSES)}.")
        account = table.get("account", "")
        if "account" in table:
            self._told(partial(check_account, account), *here, "account")
        regions, names = texts_of(table.get("regions", ())), texts_of(table.get("repositories", ()))
        if regions:
            self._told(lambda: parse("regions", regions, "regions"), *here, "regions")
        outside = next((name for name in names if not (is_glob(name) or self.scope.names(name))), "")
        if outside:
            at = self.at(*here, "repositories")
            raise InputError(f"{at}: {outside!r} is outside the [scope] of the file", hint="Correct one of them.")
        row = FileRow(
            place,
            names,
            self._tags(table, "tags", *here),
            regions,
            account,
            texts_of(table.get("to", ())),
            texts_of(table.get("consumer", ())),
            self._access(table["access"], *here, "access"),
            self._conditions(table, *here),
            self._until(table["until"], *here, "until") if "until" in table else None,
            " ".join(table.get("reason", "").split()),
        )
        self._check_grant(row, *here)
        return row

    def _access(self, text: str, *path: str) -> Access:
        try:
            return Access.parse(text)
        except ValueError:
            return Access.parse(choice(text, ACCESSES, f"{self.at(*path)}: access"))

    def _until(self, value: str | date | datetime, *path: str) -> datetime:
        text = value if isinstance(value, str) else value.isoformat()
        return self._told(lambda: parse_end(text).astimezone(UTC).replace(microsecond=0), *path)

    def _check_grant(self, row: FileRow, *here: str) -> None:
        """Checks that do not depend on the accounts."""
        for text in row.to:
            self._told(partial(parse_grantee, text, account_b=ANY_ACCOUNT), *here, "to")
        if grantees.only_pulls(row.to) and row.access.writes:
            raise InputError(f"{self.at(*here, 'access')}: Lambda only pulls images", hint='Use access = "pull".')
        self._told(lambda: Grant(("*",), row.access, row.conditions), *here, "if-tag")

    def _conditions(self, table: Mapping[str, Any], *here: str) -> tuple[Tag, ...]:
        """The same key twice means either value."""
        return tuple(self._told(partial(parse_tag, pair), *here, "if-tag") for pair in _pairs(table, "if-tag"))

    def _tags(self, table: Mapping[str, Any], key: str, *here: str) -> tuple[Tag, ...]:
        return self._told(partial(parse_tags, _pairs(table, key)), *here, key)

    def _told(self, make: Callable[[], T], *path: str) -> T:
        """The result of ``make``; adds file and line to its error, which searches the whole file."""
        try:
            return make()
        except InputError as error:
            raise InputError(f"{self.at(*path)}: {path[-1]}: {error.title}", hint=error.hint) from None


def _pairs(table: Mapping[str, Any], key: str) -> Sequence[str]:
    raw = table.get(key, ())
    return [f"{name}={value}" for name, value in raw.items()] if isinstance(raw, dict) else texts_of(raw)
