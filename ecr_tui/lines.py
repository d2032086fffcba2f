"""A file of JSON lines that only grows, for the program's owner alone, shared by concurrent instances.

A line is forced to disk before :meth:`LineFile.append` returns, so that a kill at any point leaves a true record.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecr_tui.errors import EnvironmentFailure

LOCK_WAIT = 5.0


@dataclass(frozen=True)
class Damage:
    """A line that cannot be read. It stays in the file; ``line`` counts from 1."""

    line: int
    why: str


class LineFile:
    """``name`` is what messages call it ("the journal"), ``hint`` what they advise where it cannot be used.

    Nothing is created before the first :meth:`append`. Every method raises EnvironmentFailure when the file cannot
    be used. The file has mode 0600, a folder that is made for it 0700.
    """

    def __init__(self, path: Path, *, name: str, hint: str) -> None:
        self.path = path
        self._name = name
        self._hint = hint
        self._appending = threading.Lock()
        """Threads of one program wait here, where waiting costs nothing; the file's lock is polled."""

    def append(self, value: dict[str, Any]) -> None:
        line = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            created = self._prepare_folder()
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            try:
                if os.fstat(descriptor).st_mode & 0o077 and sys.platform != "win32":
                    os.fchmod(descriptor, 0o600)
                with self._appending, _locked(descriptor, self.path, exclusive=True):
                    _write_all(descriptor, _newline_if_torn(descriptor) + line)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if created:
                _sync_folder(self.path.parent)
        except OSError as exc:
            raise self._unusable(exc) from exc

    def read(self, take: Callable[[Any], None]) -> tuple[Damage, ...]:
        """Give each line's value to ``take``, oldest first; one for which it raises ValueError, KeyError or TypeError
        counts as damaged. An absent file has no lines."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _CLOEXEC)
        except FileNotFoundError:
            return ()
        except OSError as exc:
            raise self._unusable(exc) from exc
        try:
            with os.fdopen(descriptor, "rb") as file, _locked(file.fileno(), self.path, exclusive=False):
                data = file.read()
        except OSError as exc:
            raise self._unusable(exc) from exc
        return tuple(_damaged(data, take, self._name.removeprefix("the ")))

    @contextmanager
    def held(self, wait: float, part: str = "") -> Iterator[None]:
        """A lock beside the file, for work that spans several lines. Waits up to ``wait`` seconds.

        Without ``part`` it is held alone; with one it is shared with every other part, and that part is held alone.
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
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o600)
        except OSError as exc:
            raise self._unusable(exc) from exc
        try:
            with _locked(descriptor, path, exclusive=exclusive, wait=wait):
                yield
        finally:
            os.close(descriptor)

    def _prepare_folder(self) -> bool:
        """Make the folder; True when the file is not there yet, whose name must then be forced to disk, too."""
        folder = self.path.parent
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return not self.path.exists()

    def _unusable(self, exc: OSError) -> EnvironmentFailure:
        return EnvironmentFailure(f"{self._name} {self.path} cannot be used: {exc.strerror or exc}", hint=self._hint)


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
def _locked(descriptor: int, path: Path, *, exclusive: bool, wait: float = LOCK_WAIT) -> Iterator[None]:
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


def _damaged(data: bytes, take: Callable[[Any], None], name: str) -> Iterator[Damage]:
    lines = data.split(b"\n")
    complete = lines[-1] == b""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            take(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            torn = number == len(lines) and not complete
            why = "cut off in the middle" if torn else f"not a line of a {name} ({type(exc).__name__})"
            yield Damage(number, why)
