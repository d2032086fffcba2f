"""An append-only file of JSON lines, private to its user and shared by concurrent instances.

A line is synced to disk before :meth:`LineFile.append` returns, so that a kill leaves a correct record.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ecr_tui.changes.processes import this_process
from ecr_tui.config.folders import make_private
from ecr_tui.errors import EnvironmentFailure

LOCK_WAIT = 5.0


class Damage(NamedTuple):
    """An unreadable line, kept in the file; ``line`` counts from 1."""

    line: int
    why: str


class LineFile:
    """``name`` ("the journal") and ``hint`` are for error messages.

    Creates nothing before the first :meth:`append`. Every method raises EnvironmentFailure if the file is not usable.
    The file has mode 0600, a created folder 0700.
    """

    def __init__(self, path: Path, *, name: str, hint: str) -> None:
        self.path = path
        self._name = name
        self._hint = hint
        self._appending = threading.Lock()
        """For threads of this process, which then need not poll the file's lock."""

    def append(self, value: dict[str, Any]) -> None:
        line = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            created = self._prepare_folder()
            descriptor = self._open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            try:
                with self._appending, _locked(descriptor, self.path, exclusive=True):
                    _write_all(descriptor, _newline_if_torn(descriptor) + line)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if created:
                _sync_folder(self.path.parent)
        except OSError as exc:
            raise self._unusable(exc) from exc

    def owner(self) -> dict[str, Any]:
        """This process, for a record of work that is its own until it ends; see :func:`processes.is_running`."""
        try:
            return this_process(self.path.parent)
        except OSError as exc:
            raise self._unusable(exc) from exc

    def read(self, take: Callable[[Any], None]) -> tuple[Damage, ...]:
        """Pass each line's value to ``take``, oldest first; ValueError, KeyError or TypeError mark it as damaged. A
        missing file has no lines."""
        with self._reading() as (file, end):
            return () if file is None else tuple(_damaged(file, end, take, self._name.removeprefix("the ")))

    def read_last(self, size: int, take: Callable[[Any], None]) -> bool:
        """As :meth:`read`, for the lines in the last ``size`` bytes, ignoring damage; returns whether these are all."""
        with self._reading() as (file, end):
            if file is None:
                return True
            skipped = 0
            if end > size:
                file.seek(end - size)
                skipped = end - size + len(file.readline())
            for _ in _damaged(file, end - skipped, take, self._name):
                continue
            return not skipped

    @contextmanager
    def _reading(self) -> Iterator[tuple[BinaryIO | None, int]]:
        """The file (None if missing) and its size. The file only grows, so this part can be read without a lock."""
        try:
            descriptor = self._open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            yield None, 0
            return
        except OSError as exc:
            raise self._unusable(exc) from exc
        try:
            with os.fdopen(descriptor, "rb") as file:
                with _locked(file.fileno(), self.path, exclusive=False):
                    end = os.fstat(file.fileno()).st_size
                yield file, end
        except OSError as exc:
            raise self._unusable(exc) from exc

    def tail(self, size: int) -> list[bytes]:
        """The last lines, the first one perhaps truncated, without waiting for a lock; [] if unreadable."""
        try:
            with os.fdopen(self._open(self.path, os.O_RDONLY), "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - size))
                return file.read().split(b"\n")
        except (OSError, EnvironmentFailure):
            return []

    def _open(self, path: Path, flags: int) -> int:
        """A descriptor of a regular, private file of this user. Does not follow links or wait for pipes. Raises
        OSError, and EnvironmentFailure for another kind of file."""
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        except OSError as exc:
            if exc.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                raise self._no_file(path) from exc
            raise
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise self._no_file(path)
            if found.st_uid != os.geteuid():
                raise EnvironmentFailure(
                    f"{path} belongs to another user and is not used",
                    hint=f"Change its owner with chown, or move it away. {self._hint}",
                )
            if stat.S_IMODE(found.st_mode) != 0o600:
                os.fchmod(descriptor, 0o600)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _no_file(self, path: Path) -> EnvironmentFailure:
        return EnvironmentFailure(
            f"{path} is not a regular file and is not used",
            hint=f"Move away the link, pipe or folder with this name. {self._hint}",
        )

    @contextmanager
    def held(self, wait: float, part: str = "") -> Iterator[None]:
        """A lock file, for work that spans several lines. Waits up to ``wait`` seconds.

        Without ``part`` the lock is exclusive; with one it is exclusive for that part only.
        """
        if not part:
            with self._lock_file(self.path.name + ".lock", wait, exclusive=True):
                yield
            return
        with (
            self._lock_file(self.path.name + ".lock", wait, exclusive=False),
            self._lock_file(f"locks/{self.path.stem}-{part}", wait, exclusive=True),
        ):
            yield

    @contextmanager
    def _lock_file(self, name: str, wait: float, *, exclusive: bool) -> Iterator[None]:
        path = self.path.parent / name
        try:
            self._prepare_folder()
            make_private(path.parent)
            descriptor = self._open(path, os.O_RDWR | os.O_CREAT)
        except OSError as exc:
            raise self._unusable(exc) from exc
        try:
            with _locked(descriptor, path, exclusive=exclusive, wait=wait):
                yield
        finally:
            os.close(descriptor)

    def _prepare_folder(self) -> bool:
        """Make the folder. True if the file is missing, whose name must then be synced to disk, too."""
        make_private(self.path.parent)
        return not self.path.exists()

    def _unusable(self, exc: OSError) -> EnvironmentFailure:
        return EnvironmentFailure(f"cannot use {self._name} {self.path}: {exc.strerror or exc}", hint=self._hint)


def _newline_if_torn(descriptor: int) -> bytes:
    """End a partial line after a kill or a full disk, so that reading reports it as damaged."""
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
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(descriptor: int, path: Path, *, exclusive: bool, wait: float = LOCK_WAIT) -> Iterator[None]:
    """An advisory lock with a bounded wait; the system releases it with the process."""
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EnvironmentFailure(
                    f"another instance has locked {path}", hint="Wait for it, or close it, and retry."
                ) from None
            time.sleep(0.02)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _damaged(file: BinaryIO, end: int, take: Callable[[Any], None], name: str) -> Iterator[Damage]:
    number, place = 0, 0
    while place < end:
        line = file.readline()
        number, place = number + 1, place + len(line)
        if not line.strip():
            continue
        try:
            if b"\\ud" in line:
                _check_characters(line)
            take(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            why = f"not a line of a {name} ({type(exc).__name__})"
            if isinstance(exc, LaterVersion):
                why = str(exc)
            elif not line.endswith(b"\n"):
                why = "truncated"
            yield Damage(number, why)


class LaterVersion(ValueError):
    """A line in a newer format."""


def check_version(value: Any, known: int) -> None:
    """Raises ValueError for a line in another format than ``known``. Additional fields are allowed."""
    version = value["v"]
    if type(version) is not int or version < 1:
        raise ValueError("no version")
    if version > known:
        raise LaterVersion(f"written by a newer version of ecr-tui (format {version})")


def _check_characters(line: bytes) -> None:
    """Raises ValueError for half a surrogate pair, which JSON can express but nothing can display."""
    json.dumps(json.loads(line), ensure_ascii=False).encode()


def text_of(value: Any) -> str:
    """Raises TypeError for what is no text."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def moment_of(value: Any) -> datetime:
    """Raises TypeError, or ValueError for a malformed time or one without a time zone."""
    found = datetime.fromisoformat(text_of(value))
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found


def fields_of(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value
