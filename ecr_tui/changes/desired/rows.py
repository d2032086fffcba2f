"""The rows of a file with resolved principals, and the rows that apply to a repository."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import translate
from functools import cached_property
from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.config.values import Tag
from ecr_tui.errors import InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.ours import Grant, Own, tag_covers

_GLOB = re.compile(r"[*?\[]")


def is_glob(name: str) -> bool:
    return bool(_GLOB.search(name))


@dataclass(frozen=True)
class Selector:
    """Selects repositories with one of the names (``fnmatch`` globs, whose * also matches a slash), all of the tags,
    and one of the regions; () means any."""

    repositories: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    regions: tuple[str, ...] = ()

    def takes(self, repository: Repository) -> bool:
        """Raises InputError if that depends on unknown tags."""
        if self.regions and repository.region not in self.regions:
            return False
        return self.names(repository.name) and self._tagged(repository)

    @property
    def literal(self) -> bool:
        """Whether it has only names, no patterns."""
        return bool(self.repositories) and self._globs is None

    def names(self, name: str) -> bool:
        return not self.repositories or name in self.repositories or bool(self._globs and self._globs.match(name))

    @cached_property
    def _globs(self) -> re.Pattern[str] | None:
        """Caches all patterns: the library's cache is too small for a large file."""
        found = [translate(one) for one in self.repositories if is_glob(one)]
        return re.compile("|".join(found)) if found else None

    def _tagged(self, repository: Repository) -> bool:
        if self.tags and repository.tags is None:
            raise InputError(f"the tags of {repository.name} are unknown", hint="Retry.")
        tags = repository.tags or {}
        return all(key in tags and tag_covers(value, tags[key]) for key, value in self.tags)

    def to_json(self) -> dict[str, Any]:
        return {
            "repositories": list(self.repositories),
            "tags": [list(pair) for pair in self.tags],
            "regions": list(self.regions),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Selector:
        return cls(
            tuple(map(str, value["repositories"])),
            tuple((str(key), str(wanted)) for key, wanted in value["tags"]),
            tuple(map(str, value["regions"])),
        )


@dataclass(frozen=True)
class Row:
    """``grant``: wanted in each selected repository; ``reason``: for the journal."""

    selector: Selector
    grant: Grant
    reason: str = ""

    @cached_property
    def wanted(self) -> tuple[Own, ...]:
        return Own.of_grant(self.grant)


@dataclass(frozen=True)
class Desired:
    """All rows, and the repositories that they manage. ``prune``: revoke our grants there that no row wants."""

    rows: tuple[Row, ...]
    scope: Selector = field(default_factory=Selector)
    prune: bool = False

    def of(self, repository: Repository) -> tuple[Row, ...]:
        """The rows for a repository. Raises as :meth:`Selector.takes`."""
        if not self.scope.takes(repository):
            return ()
        found = [*self._by_name.get(repository.name, ()), *self._by_glob]
        return tuple(row for _, row in sorted(found, key=lambda one: one[0]) if row.selector.takes(repository))

    def concerns(self, repository: Repository) -> bool:
        """Whether a row, or prune, applies to it; also true if that depends on unknown tags."""
        try:
            return self.prune or bool(self.of(repository))
        except InputError:
            return True

    @cached_property
    def _by_glob(self) -> list[tuple[int, Row]]:
        return [(place, row) for place, row in enumerate(self.rows) if not row.selector.literal]

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[int, Row]]]:
        found: dict[str, list[tuple[int, Row]]] = {}
        for place, row in enumerate(self.rows):
            for name in dict.fromkeys(row.selector.repositories if row.selector.literal else ()):
                found.setdefault(name, []).append((place, row))
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": [
                {"for": row.selector.to_json(), "grant": grant_json(row.grant), "reason": row.reason}
                for row in self.rows
            ],
            "scope": self.scope.to_json(),
            "prune": self.prune,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Desired:
        """Raises KeyError, TypeError or ValueError for the format of another version."""
        rows = (
            Row(Selector.from_json(one["for"]), grant_from(one["grant"]), str(one["reason"])) for one in value["rows"]
        )
        return cls(tuple(rows), Selector.from_json(value["scope"]), bool(value["prune"]))


def wanted_of(rows: Iterable[Row]) -> tuple[Own, ...]:
    return tuple(own for row in rows for own in row.wanted)


def grant_json(grant: Grant) -> dict[str, Any]:
    """In the journal's format."""
    return {
        "principals": list(grant.principals),
        "access": str(grant.access),
        "tags": [list(pair) for pair in grant.tags],
        "until": None if grant.until is None else grant.until.isoformat(),
    }


def grant_from(value: Mapping[str, Any]) -> Grant:
    return Grant(
        tuple(map(str, value["principals"])),
        Access(value["access"]),
        tuple((str(key), str(wanted)) for key, wanted in value["tags"]),
        None if value["until"] is None else datetime.fromisoformat(value["until"]),
    )
