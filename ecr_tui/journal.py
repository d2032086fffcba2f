"""The record of every policy write: append-only JSON lines, for undo and for the question "who changed this?".

A line is written and forced to disk before a policy is written and another after it, so that a kill at any point
leaves a true record: an entry without its second line is "unknown". Lines are never changed or removed.
Policies are no secrets, and no credential or token ever gets in here; still the file is for its owner only.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecr_tui.config import default_state_dir
from ecr_tui.errors import EnvironmentFailure

WRITTEN, FAILED, UNKNOWN = "written", "failed", "unknown"
_KINDS = ("grant", "revoke", "undo")
_FORMAT = 1
_LOCK_WAIT = 5.0
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
class Damage:
    """A line that cannot be read. It stays in the file; ``line`` counts from 1."""

    line: int
    why: str


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

    def begin(self, record: Record) -> str:
        """Note what is about to be written; returns the entry's id. Without it nothing may be written."""
        if record.kind not in _KINDS:
            raise ValueError(f"unknown kind of entry: {record.kind}")
        now = datetime.now(UTC)
        identifier = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self._append({"v": _FORMAT, "event": "begin", "id": identifier, "at": now.isoformat(), **asdict(record)})
        return identifier

    def finish(self, identifier: str, outcome: str, detail: str = "") -> None:
        """Note what became of an entry. Of several the last one counts, so that an "unknown" can be settled later."""
        if outcome not in (WRITTEN, FAILED, UNKNOWN):
            raise ValueError(f"unknown outcome: {outcome}")
        now = datetime.now(UTC).isoformat()
        self._append(
            {"v": _FORMAT, "event": "finish", "id": identifier, "at": now, "outcome": outcome, "detail": detail}
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Held from the last look at a live policy until it is written: AWS has no revision to compare, so this
        program's own threads and instances at least must not overwrite each other. Waits up to a minute."""
        path = self.path.with_name(self.path.name + ".lock")
        try:
            self._prepare_folder()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o600)
        except OSError as exc:
            raise _unusable(self.path, exc) from exc
        try:
            with _locked(descriptor, path, exclusive=True, wait=_WRITING_WAIT):
                yield
        finally:
            os.close(descriptor)

    def read(self) -> History:
        """The whole journal; an absent file is an empty history."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _CLOEXEC)
        except FileNotFoundError:
            return History(())
        except OSError as exc:
            raise _unusable(self.path, exc) from exc
        try:
            with os.fdopen(descriptor, "rb") as file, _locked(file.fileno(), self.path, exclusive=False):
                return _parse(file.read())
        except OSError as exc:
            raise _unusable(self.path, exc) from exc

    def entries(self) -> tuple[Entry, ...]:
        return self.read().entries

    def last_undoable(self, account: str | None = None) -> Entry | None:
        return self.read().last_undoable(account)

    def _append(self, value: dict[str, Any]) -> None:
        line = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            created = self._prepare_folder()
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            try:
                if os.fstat(descriptor).st_mode & 0o077 and sys.platform != "win32":
                    os.fchmod(descriptor, 0o600)
                with _locked(descriptor, self.path, exclusive=True):
                    _write_all(descriptor, _newline_if_torn(descriptor) + line)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if created:
                _sync_folder(self.path.parent)
        except OSError as exc:
            raise _unusable(self.path, exc) from exc

    def _prepare_folder(self) -> bool:
        """Make the folder; True when the file is not there yet, whose name must then be forced to disk, too."""
        folder = self.path.parent
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return not self.path.exists()


_CLOEXEC = getattr(os, "O_CLOEXEC", 0)


def _newline_if_torn(descriptor: int) -> bytes:
    """A kill or a full disk can leave half a line; it is kept on a line of its own, where reading reports it."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if size == 0:
        return b""
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return b"" if os.read(descriptor, 1) == b"\n" else b"\n"


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(descriptor: int, path: Path, *, exclusive: bool, wait: float = _LOCK_WAIT) -> Iterator[None]:
    """An advisory lock, which the system drops with the process. Waiting for it is bounded."""
    if sys.platform == "win32":
        # Appending is atomic enough there for one user's instances, and msvcrt locks bytes, not files.
        yield
        return
    import fcntl

    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EnvironmentFailure(
                    f"another instance keeps {path} locked", hint="Let it finish, or close it, and try again."
                ) from None
            time.sleep(0.02)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _parse(data: bytes) -> History:
    entries: dict[str, Entry] = {}
    damaged: list[Damage] = []
    lines = data.split(b"\n")
    complete = lines[-1] == b""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            _take(json.loads(line), entries)
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            torn = number == len(lines) and not complete
            why = "cut off in the middle" if torn else f"not a line of a journal ({type(exc).__name__})"
            damaged.append(Damage(number, why))
    return History(tuple(entries.values()), tuple(damaged))


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


def _unusable(path: Path, exc: OSError) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the journal {path} cannot be used: {exc.strerror or exc}",
        hint="Without it no policy is written. Make it writable, or name another folder with ECR_TUI_STATE_DIR.",
    )
