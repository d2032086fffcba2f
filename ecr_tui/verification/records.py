"""Results and possible leftovers of verifications: an append-only file next to the journal.

A probe image is noted before it is created, and a tag before it is removed; a second line closes the note after
cleanup. An open note of a process that has ended is a leftover.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ecr_tui.aws.model import Repository
from ecr_tui.changes.json_lines import Damage, LineFile, check_version, fields_of, moment_of, text_of
from ecr_tui.changes.processes import is_running
from ecr_tui.policy.principal import account_of

PROBE, TAG = "probe", "tag"
_FORMAT = 1
_LONGEST = timedelta(hours=1)
"""No verification takes longer: an older note is a leftover, even if another process has its number."""


class Leftover(NamedTuple):
    """What a killed verification did not clean up.

    ``kind`` "probe": the image ``tag`` may be in the repository, and with ``engine`` "docker" in that engine.
    ``kind`` "tag": the repository's tag ``key`` with ``value`` was removed temporarily and may still be missing.
    """

    id: str
    kind: str
    place: Repository
    at: datetime
    tag: str = ""
    engine: str = ""
    key: str = ""
    value: str = ""

    @property
    def what(self) -> str:
        if self.kind == PROBE:
            return f"the probe image {self.place.name}:{self.tag}"
        return f"the tag {self.key}={self.value} of {self.place.name}"


@dataclass(frozen=True)
class Past:
    """A finished verification. ``report`` is its JSON without null values; see ``report.Report.to_json``.

    ``stale``: what has changed access since, "grant at 2030-01-31 18:50 UTC"; "" for nothing that is known.
    """

    id: str
    at: datetime
    arn: str
    report: Mapping[str, Any] = field(default_factory=dict)
    stale: str = ""

    @property
    def repository(self) -> str:
        return str(self.report.get("repository", ""))

    @property
    def principal(self) -> str:
        """Account B's principal; "" if unknown."""
        return str(self.report.get("principal", ""))

    @property
    def verdict(self) -> str:
        """ "allowed", "denied" or "error"; not affected by a leak or a failed tag switch: see ``passed``."""
        return str(self.report.get("verdict", ""))

    @property
    def passed(self) -> bool:
        return self.report.get("passed") is True

    @property
    def headline(self) -> str:
        return str(self.report.get("headline", ""))


class Record(NamedTuple):
    """The content of the file. ``past`` is oldest first."""

    past: tuple[Past, ...]
    open: tuple[Leftover, ...]
    damaged: tuple[Damage, ...]


class Verifications:
    """Thread-safe; every method raises EnvironmentFailure if the file is not usable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = LineFile(
            path,
            name="the record of verifications",
            hint="Make it writable, or use another folder with ECR_TUI_STATE_DIR.",
        )

    def probe(self, place: Repository, tag: str, engine: str) -> str:
        """Note a probe image before it is created; returns the note's id."""
        return self._note(PROBE, place, {"tag": tag, "engine": engine})

    def untagging(self, place: Repository, key: str, value: str) -> str:
        """Note a tag before it is removed temporarily; returns the note's id."""
        return self._note(TAG, place, {"key": key, "value": value})

    def settle(self, identifier: str, how: str = "") -> None:
        """Close a note: cleanup succeeded."""
        self._append("settled", identifier, {"how": how})

    def leave(self, identifier: str, why: str = "") -> None:
        """Cleanup failed: mark it as a leftover, even while this process runs."""
        self._append("left", identifier, {"why": why})

    def add(self, place: Repository, report: Mapping[str, Any]) -> None:
        self._append("verified", _new_id(), {**_facts(place), "report": _without_nothing(report)})

    def read(self) -> Record:
        past: list[Past] = []
        notes: dict[str, tuple[Leftover, dict[str, Any]]] = {}

        def take(value: Any) -> None:
            check_version(fields_of(value), _FORMAT)
            event, identifier, at = value["event"], text_of(value["id"]), moment_of(value["at"])
            if event == "verified":
                past.append(Past(identifier, at, text_of(value["arn"]), fields_of(value["report"])))
            elif event in (PROBE, TAG):
                name, arn, region, account, host = (text_of(value[name]) for name in _PLACE)
                place = Repository(name, arn, f"{host}/{name}", region, account)
                told = {name: text_of(value[name]) for name in ("tag", "engine", "key", "value") if name in value}
                process = fields_of(value.get("process") or {})
                notes[identifier] = Leftover(identifier, event, place, at, **told), process
            elif event == "settled":
                notes.pop(identifier, None)
            elif event == "left":
                if identifier in notes:
                    notes[identifier] = notes[identifier][0], {}
            else:
                raise ValueError("unknown event")

        damaged = self._file.read(take)
        return Record(
            tuple(past), tuple(note for note, by in notes.values() if not is_running(by, note.at, _LONGEST)), damaged
        )

    def past(self, arn: str | None = None) -> tuple[Past, ...]:
        """Newest first; of one repository, or of all."""
        return tuple(one for one in reversed(self.read().past) if arn in (None, one.arn))

    def last(self, account: str = "") -> dict[str, Past]:
        """The newest of each repository, by ARN; with ``account``, of those as one of its principals, if recorded."""
        past = self.read().past
        return {one.arn: one for one in past if not account or account_of(one.principal) in (account, None)}

    def leftovers(self) -> tuple[Leftover, ...]:
        """Oldest first, without notes of running processes."""
        return self.read().open

    def _note(self, kind: str, place: Repository, more: dict[str, str]) -> str:
        identifier = _new_id()
        self._append(kind, identifier, {**_facts(place), **more, "process": self._file.owner()})
        return identifier

    def _append(self, event: str, identifier: str, more: Mapping[str, Any]) -> None:
        now = datetime.now(UTC).isoformat()
        self._file.append({"v": _FORMAT, "event": event, "id": identifier, "at": now, **more})


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


_PLACE = ("repository", "arn", "region", "account", "host")


def _facts(place: Repository) -> dict[str, str]:
    return dict(zip(_PLACE, (place.name, place.arn, place.region, place.account, place.host), strict=True))


def _without_nothing(value: Any) -> Any:
    """Reports are mostly null; omitting it halves the file."""
    if isinstance(value, Mapping):
        return {key: _without_nothing(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_without_nothing(one) for one in value]
    return value
