"""The journal of every policy and tag write: append-only JSON lines, for undo and history.

A line is synced to disk before each write and another after it, so that a kill leaves a correct record: an entry
without its second line is "unknown". Lines are never changed or removed. The file is private to its owner, and never
contains credentials or tokens.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ecr_tui.changes.entries import (
    DISMISSED,
    DONE,
    FAILED,
    FOUND_BY_NEXT,
    KINDS,
    NEVER_ARRIVED,
    POLICY,
    STOPPED,
    SUBJECTS,
    UNKNOWN,
    WRITTEN,
    Entry,
    History,
    Record,
    Run,
    found_in,
)
from ecr_tui.changes.json_lines import Damage, LineFile, check_version, fields_of, moment_of, text_of
from ecr_tui.config import default_state_dir

_FORMAT = 1
_TAIL = 1 << 20
"""Bytes from the end for :meth:`Journal.heads`."""
_RECENT = 4 << 20
"""Bytes from the end that usually suffice: some thousand entries."""
_WRITING_WAIT = 60.0
"""Longer than one write can take: a read, a write and a read back, each with its own timeout."""


class Head(NamedTuple):
    """The first fields of an entry, for shell completion; ``at`` is ISO 8601."""

    id: str
    at: str
    kind: str
    repository: str
    principal: str


class Journal:
    """A journal file, shared by concurrent instances: each write holds a lock and appends whole lines.

    ``path`` None means ``journal.jsonl`` in ECR_TUI_STATE_DIR or the platform's state folder. Creates nothing before
    the first :meth:`begin`. Every method raises EnvironmentFailure if the file is not usable.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            folder = os.environ.get("ECR_TUI_STATE_DIR")
            path = (Path(folder).expanduser() if folder else default_state_dir()) / "journal.jsonl"
        self.path = path
        self._file = LineFile(
            path,
            name="the journal",
            hint="Make it writable, or use another folder with ECR_TUI_STATE_DIR. Without the journal nothing is "
            "written.",
        )

    def begin(self, record: Record) -> str:
        """Journal a write before it is sent; returns the entry's id."""
        if record.kind not in KINDS:
            raise ValueError(f"unknown kind of entry: {record.kind}")
        now = datetime.now(UTC)
        identifier = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        values = record._asdict()
        for name in ("run", "reason"):
            if not values[name]:
                del values[name]
        if record.subject == POLICY:
            del values["subject"]
        self._file.append({"v": _FORMAT, "event": "begin", "id": identifier, "at": now.isoformat(), **values})
        return identifier

    def begin_run(
        self, kind: str, account: str, operator: str, intent: dict[str, Any], targets: Iterable[tuple[str, str, str]]
    ) -> str:
        """Journal a run before its first write; returns its id. Arguments as the fields of :class:`Run`."""
        now = datetime.now(UTC)
        identifier = f"run-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        head = {"v": _FORMAT, "event": "run", "id": identifier, "at": now.isoformat(), "kind": kind}
        about = {"account": account, "operator": operator, "intent": intent, "targets": [list(one) for one in targets]}
        self._file.append({**head, **about, "by": self._file.owner()})
        return identifier

    def take_over_run(self, identifier: str) -> None:
        """This process resumes an unfinished run."""
        now = datetime.now(UTC).isoformat()
        self._file.append({"v": _FORMAT, "event": "run-again", "id": identifier, "at": now, "by": self._file.owner()})

    def end_run(self, identifier: str, how: str) -> None:
        """``how``: DONE, STOPPED or DISMISSED."""
        if how not in (DONE, STOPPED, DISMISSED):
            raise ValueError(f"unknown end of a run: {how}")
        now = datetime.now(UTC).isoformat()
        self._file.append({"v": _FORMAT, "event": "run-end", "id": identifier, "at": now, "how": how})

    def finish(self, identifier: str, outcome: str, detail: str = "") -> None:
        """Journal the result of an entry. The last one counts, so that an "unknown" can be settled later."""
        if outcome not in (WRITTEN, FAILED, UNKNOWN):
            raise ValueError(f"unknown outcome: {outcome}")
        now = datetime.now(UTC).isoformat()
        self._file.append(
            {"v": _FORMAT, "event": "finish", "id": identifier, "at": now, "outcome": outcome, "detail": detail}
        )

    @contextmanager
    def writing(self, arn: str = "") -> Iterator[None]:
        """Lock from the last read of a live policy until it is written, so that threads and instances of ecr-tui do not
        overwrite each other. Waits up to a minute.

        With ``arn`` it locks one repository, without all.
        """
        part = hashlib.sha256(arn.encode()).hexdigest()[:2] if arn else ""
        with self._file.held(_WRITING_WAIT, part):
            yield

    def read(self, enough: Callable[[History], bool] | None = None) -> History:
        """The whole journal, or the last part if ``enough`` accepts it. A missing file is an empty history."""
        if enough is not None:
            history = self.recent()
            if history.complete or enough(history):
                return history
        return self._read(None)

    def recent(self) -> History:
        """The last entries, with their whole runs."""
        last = _RECENT
        while True:
            history = self._read(last)
            known = {run.id for run in history.runs}
            if history.complete or all(entry.record.run in known for entry in history.entries if entry.record.run):
                return history
            last *= 8

    def _read(self, last: int | None) -> History:
        entries: dict[str, Entry] = {}
        runs: dict[str, Run] = {}
        # A text after one write is usually the text before the next: share it.
        texts: dict[str, str] = {}

        def take(value: Any) -> None:
            _take(value, entries, runs, texts)

        damaged: tuple[Damage, ...] = ()
        complete = True
        if last is None:
            damaged = self._file.read(take)
        else:
            complete = self._file.read_last(last, take)
        settled = tuple(_settled_by_next(list(entries.values())))
        return History(settled, damaged, tuple(runs.values()), complete=complete)

    def entries(self) -> tuple[Entry, ...]:
        return self.read().entries

    def heads(self) -> list[Head]:
        """Heads of the last entries, oldest first: fast, without locks, and [] on errors."""
        found = []
        for line in self._file.tail(_TAIL):
            try:
                value = json.loads(line) if b'"begin"' in line else {}
                if value.get("event") == "begin":
                    found.append(Head(*(str(value[name]) for name in Head._fields)))
            except (ValueError, KeyError, AttributeError, RecursionError):
                continue
        return found


def _settled_by_next(entries: list[Entry]) -> list[Entry]:
    """Settle unknown writes by the text that the next write to the same place found under the lock."""
    if all(entry.outcome != UNKNOWN for entry in entries):
        return entries
    following: dict[tuple[str, str], Entry] = {}
    for place in range(len(entries) - 1, -1, -1):
        entry = entries[place]
        key = (entry.record.arn, entry.record.subject)
        after, following[key] = following.get(key), entry
        if entry.outcome != UNKNOWN or after is None:
            continue
        found = found_in(entry.record, after.record.before_text)
        if found == WRITTEN:
            entries[place] = entry._replace(outcome=WRITTEN, detail=FOUND_BY_NEXT)
        elif found == FAILED:
            entries[place] = entry._replace(outcome=FAILED, detail=NEVER_ARRIVED)
    return entries


_NULLABLE = ("before_text", "after_text", "undoes")
_REQUIRED = ("kind", "repository", "arn", "region", "account")


def _record_of(value: dict[str, Any], texts: dict[str, str]) -> Record:
    """Ignores fields of later versions."""
    fields: dict[str, Any] = {}
    for name in Record._fields:
        if name in value:
            found = value[name]
            fields[name] = None if found is None and name in _NULLABLE else texts.setdefault(text_of(found), found)
    record = Record(**fields)
    if record.kind not in KINDS or record.subject not in SUBJECTS or not all(fields[one] for one in _REQUIRED):
        raise ValueError("no write")
    return record


def _run_of(value: dict[str, Any], identifier: str, at: datetime) -> Run:
    targets = tuple((text_of(name), text_of(arn), text_of(region)) for name, arn, region in value["targets"])
    return Run(
        id=identifier,
        at=at,
        kind=text_of(value["kind"]),
        account=text_of(value["account"]),
        operator=text_of(value["operator"]),
        intent=fields_of(value["intent"]),
        targets=targets,
        by=fields_of(value.get("by") or {}),
    )


def _take(value: Any, entries: dict[str, Entry], runs: dict[str, Run], texts: dict[str, str]) -> None:
    """One line of the file. Raises ValueError, KeyError or TypeError for a malformed one."""
    check_version(fields_of(value), _FORMAT)
    event, identifier, at = value["event"], text_of(value["id"]), moment_of(value["at"])
    if not identifier:
        raise ValueError("no id")
    if event == "begin":
        entries[identifier] = Entry(identifier, at, _record_of(value, texts))
    elif event == "finish":
        outcome, detail = text_of(value["outcome"]), text_of(value.get("detail", ""))
        if outcome not in (WRITTEN, FAILED, UNKNOWN):
            raise ValueError("unknown outcome")
        entries[identifier] = entries[identifier]._replace(outcome=outcome, detail=detail, finished_at=at)
    elif event == "run":
        runs[identifier] = _run_of(value, identifier, at)
    elif event == "run-again":
        runs[identifier] = replace(runs[identifier], at=at, by=fields_of(value["by"]), ended="")
    elif event == "run-end":
        runs[identifier] = replace(runs[identifier], ended=text_of(value["how"]))
    else:
        raise ValueError("unknown event")
