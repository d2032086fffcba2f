"""The record of every policy write: append-only JSON lines, for undo and for the question "who changed this?".

A line is written and forced to disk before a policy is written and another after it, so that a kill at any point
leaves a true record: an entry without its second line is "unknown". Lines are never changed or removed.
Policies are no secrets, and no credential or token ever gets in here; still the file is for its owner only.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecr_tui.config import default_state_dir
from ecr_tui.lines import Damage as Damage
from ecr_tui.lines import LineFile
from ecr_tui.processes import is_running, this_process

WRITTEN, FAILED, UNKNOWN = "written", "failed", "unknown"
DONE, STOPPED, DISMISSED = "done", "stopped", "dismissed"
_KINDS = ("grant", "revoke", "undo")
_FORMAT = 1
_LONGEST_RUN = timedelta(hours=24)
_WRITING_WAIT = 60.0
"""Longer than one write can take: a policy is read, written and read again, each within its own time limits."""


@dataclass(frozen=True)
class Record:
    """What is about to be written. Texts are exact; None means "no policy". ``principal`` is who gains or loses access,
    ``operator`` the ARN of who writes; ``undoes`` the id of the entry that an undo takes back; ``run`` the id of the
    run over many repositories that it is a part of."""

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
    run: str = ""


@dataclass(frozen=True)
class Run:
    """A change to many repositories, noted before the first of them is written.

    ``intent`` is what is done to each (``bulk.Intent`` as JSON), ``targets`` (name, ARN, region) of all in their order.
    ``ended``: "" while nothing was noted, DONE, STOPPED (by the user or a failure that concerns all), or DISMISSED.
    """

    id: str
    at: datetime
    kind: str
    account: str
    operator: str
    intent: dict[str, Any]
    targets: tuple[tuple[str, str, str], ...]
    ended: str = ""
    by: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def at_work(self) -> bool:
        """Whether the program that runs it still does."""
        return not self.ended and is_running(self.by, self.at, _LONGEST_RUN)


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
    runs: tuple[Run, ...] = ()

    def undone(self) -> frozenset[str]:
        """The ids of entries that an undo took back."""
        return frozenset(
            entry.record.undoes for entry in self.entries if entry.record.undoes and entry.outcome == WRITTEN
        )

    def undoable(self, account: str | None = None) -> Iterator[Entry]:
        """Grants and revokes that were written and not taken back since, newest first."""
        undone = self.undone()
        for entry in reversed(self.entries):
            if (
                entry.outcome == WRITTEN
                and entry.record.kind != "undo"
                and entry.id not in undone
                and account in (None, entry.record.account)
            ):
                yield entry

    def last_undoable(self, account: str | None = None) -> Entry | None:
        """The newest grant or revoke that was written and not taken back since."""
        return next(self.undoable(account), None)

    def last_action(self, account: str | None = None) -> tuple[Entry, ...]:
        """What the user last did and can take back, newest first: one write, or all of a run that still stand."""
        last = self.last_undoable(account)
        if last is None or not last.record.run:
            return () if last is None else (last,)
        return tuple(entry for entry in self.undoable(account) if entry.record.run == last.record.run)


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
        values = asdict(record)
        if not record.run:
            del values["run"]
        self._file.append({"v": _FORMAT, "event": "begin", "id": identifier, "at": now.isoformat(), **values})
        return identifier

    def begin_run(
        self, kind: str, account: str, operator: str, intent: dict[str, Any], targets: Iterable[tuple[str, str, str]]
    ) -> str:
        """Note what a run is about to do; returns its id. Arguments as the fields of :class:`Run`."""
        now = datetime.now(UTC)
        identifier = f"run-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        head = {"v": _FORMAT, "event": "run", "id": identifier, "at": now.isoformat(), "kind": kind}
        about = {"account": account, "operator": operator, "intent": intent, "targets": [list(one) for one in targets]}
        self._file.append({**head, **about, "by": this_process()})
        return identifier

    def take_over_run(self, identifier: str) -> None:
        """This program goes on with a run that another one, or an earlier one, left."""
        now = datetime.now(UTC).isoformat()
        self._file.append({"v": _FORMAT, "event": "run-again", "id": identifier, "at": now, "by": this_process()})

    def end_run(self, identifier: str, how: str) -> None:
        """``how``: DONE, STOPPED or DISMISSED."""
        if how not in (DONE, STOPPED, DISMISSED):
            raise ValueError(f"unknown end of a run: {how}")
        now = datetime.now(UTC).isoformat()
        self._file.append({"v": _FORMAT, "event": "run-end", "id": identifier, "at": now, "how": how})

    def finish(self, identifier: str, outcome: str, detail: str = "") -> None:
        """Note what became of an entry. Of several the last one counts, so that an "unknown" can be settled later."""
        if outcome not in (WRITTEN, FAILED, UNKNOWN):
            raise ValueError(f"unknown outcome: {outcome}")
        now = datetime.now(UTC).isoformat()
        self._file.append(
            {"v": _FORMAT, "event": "finish", "id": identifier, "at": now, "outcome": outcome, "detail": detail}
        )

    @contextmanager
    def writing(self, arn: str = "") -> Iterator[None]:
        """Held from the last look at a live policy until it is written: AWS has no revision to compare, so this
        program's own threads and instances at least must not overwrite each other. Waits up to a minute.

        With ``arn`` other repositories can be written meanwhile; without, none.
        """
        part = hashlib.sha256(arn.encode()).hexdigest()[:2] if arn else ""
        with self._file.held(_WRITING_WAIT, part):
            yield

    def read(self) -> History:
        """The whole journal; an absent file is an empty history."""
        entries: dict[str, Entry] = {}
        runs: dict[str, Run] = {}
        damaged = self._file.read(lambda value: _take(value, entries, runs))
        return History(tuple(entries.values()), damaged, tuple(runs.values()))

    def entries(self) -> tuple[Entry, ...]:
        return self.read().entries

    def last_undoable(self, account: str | None = None) -> Entry | None:
        return self.read().last_undoable(account)


def _take(value: dict[str, Any], entries: dict[str, Entry], runs: dict[str, Run]) -> None:
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
    elif value["event"] == "run":
        runs[identifier] = Run(
            id=identifier,
            at=at,
            kind=str(value["kind"]),
            account=str(value["account"]),
            operator=str(value["operator"]),
            intent=dict(value["intent"]),
            targets=tuple((str(name), str(arn), str(region)) for name, arn, region in value["targets"]),
            by=dict(value.get("by") or {}),
        )
    elif value["event"] == "run-again":
        runs[identifier] = replace(runs[identifier], at=at, by=dict(value["by"]), ended="")
    elif value["event"] == "run-end":
        runs[identifier] = replace(runs[identifier], ended=str(value["how"]))
    else:
        raise ValueError("unknown event")
