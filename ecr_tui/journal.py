"""The record of every policy write: append-only JSON lines, for undo and for the question "who changed this?".

A line is written and forced to disk before a policy is written and another after it, so that a kill at any point
leaves a true record: an entry without its second line is "unknown". Lines are never changed or removed.
Policies are no secrets, and no credential or token ever gets in here; still the file is for its owner only.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecr_tui.config import default_state_dir
from ecr_tui.lines import Damage as Damage
from ecr_tui.lines import LineFile

WRITTEN, FAILED, UNKNOWN = "written", "failed", "unknown"
_KINDS = ("grant", "revoke", "undo")
_FORMAT = 1
_WRITING_WAIT = 60.0
"""Longer than one write can take: a policy is read, written and read again, each within its own time limits."""


@dataclass(frozen=True)
class Record:
    """What is about to be written. Texts are exact; None means "no policy". ``principal`` is who gains or loses access,
    ``operator`` the ARN of who writes; ``undoes`` the id of the entry that an undo takes back."""

    kind: str
    repository: str
    arn: str
    region: str
    account: str
    principal: str = ""
    operator: str = ""
    before_text: str | None = None
    after_text: str | None = None
    undoes: str | None = None


@dataclass(frozen=True)
class Entry:
    """A record with what became of it. ``outcome``: "written", "failed" (nothing was written) or "unknown"."""

    id: str
    at: datetime
    record: Record
    outcome: str = UNKNOWN
    detail: str = ""
    finished_at: datetime | None = None


@dataclass(frozen=True)
class History:
    """Everything that the journal holds, oldest first."""

    entries: tuple[Entry, ...]
    damaged: tuple[Damage, ...] = ()

    def undone(self) -> frozenset[str]:
        """The ids of entries that an undo took back."""
        return frozenset(
            entry.record.undoes for entry in self.entries if entry.record.undoes and entry.outcome == WRITTEN
        )

    def last_undoable(self, account: str | None = None) -> Entry | None:
        """The newest grant or revoke that was written and not taken back since."""
        undone = self.undone()
        for entry in reversed(self.entries):
            if (
                entry.outcome == WRITTEN
                and entry.record.kind != "undo"
                and entry.id not in undone
                and account in (None, entry.record.account)
            ):
                return entry
        return None


class Journal:
    """A journal file, shared by concurrent instances: each write holds a lock and appends whole lines.

    ``path`` None means ``journal.jsonl`` in ECR_TUI_STATE_DIR or the platform's state folder. Nothing is created
    before the first :meth:`begin`. Every method raises EnvironmentFailure when the file cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            folder = os.environ.get("ECR_TUI_STATE_DIR")
            path = (Path(folder).expanduser() if folder else default_state_dir()) / "journal.jsonl"
        self.path = path
        self._file = LineFile(
            path,
            name="the journal",
            hint="Without it no policy is written. Make it writable, or name another folder with ECR_TUI_STATE_DIR.",
        )

    def begin(self, record: Record) -> str:
        """Note what is about to be written; returns the entry's id. Without it nothing may be written."""
        if record.kind not in _KINDS:
            raise ValueError(f"unknown kind of entry: {record.kind}")
        now = datetime.now(UTC)
        identifier = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self._file.append({"v": _FORMAT, "event": "begin", "id": identifier, "at": now.isoformat(), **asdict(record)})
        return identifier

    def finish(self, identifier: str, outcome: str, detail: str = "") -> None:
        """Note what became of an entry. Of several the last one counts, so that an "unknown" can be settled later."""
        if outcome not in (WRITTEN, FAILED, UNKNOWN):
            raise ValueError(f"unknown outcome: {outcome}")
        now = datetime.now(UTC).isoformat()
        self._file.append(
            {"v": _FORMAT, "event": "finish", "id": identifier, "at": now, "outcome": outcome, "detail": detail}
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Held from the last look at a live policy until it is written: AWS has no revision to compare, so this
        program's own threads and instances at least must not overwrite each other. Waits up to a minute."""
        with self._file.held(_WRITING_WAIT):
            yield

    def read(self) -> History:
        """The whole journal; an absent file is an empty history."""
        entries: dict[str, Entry] = {}
        damaged = self._file.read(lambda value: _take(value, entries))
        return History(tuple(entries.values()), damaged)

    def entries(self) -> tuple[Entry, ...]:
        return self.read().entries

    def last_undoable(self, account: str | None = None) -> Entry | None:
        return self.read().last_undoable(account)


def _take(value: dict[str, Any], entries: dict[str, Entry]) -> None:
    identifier, at = str(value["id"]), datetime.fromisoformat(value["at"])
    if value["event"] == "begin":
        # Fields that a later version may add are skipped, not refused.
        fields = {name: value[name] for name in Record.__dataclass_fields__ if name in value}
        entries[identifier] = Entry(identifier, at, Record(**fields))
    elif value["event"] == "finish":
        begun = entries[identifier]
        entries[identifier] = Entry(
            begun.id, begun.at, begun.record, str(value["outcome"]), str(value.get("detail", "")), at
        )
    else:
        raise ValueError("unknown event")
