"""Detect whether the process that wrote a journal record still runs and so owns its unfinished work.

Each process locks a separate file; the system releases the lock when the process ends for any reason.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecr_tui.config.folders import make_private

_held: dict[Path, str] = {}
_taking = threading.Lock()
_FRESH = 60.0
"""Seconds within which a new file is locked; one that is older and unlocked belongs to a process that ended."""


def this_process(folder: Path) -> dict[str, Any]:
    """The lock that this process holds below ``folder`` until it ends, for a record. Raises OSError."""
    running = folder / "running"
    with _taking:
        if running not in _held:
            make_private(running)
            _sweep(running)
            path = running / f"{os.getpid()}-{secrets.token_hex(8)}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _held[running] = str(path)
        return {"host": socket.gethostname(), "lock": _held[running]}


def is_running(process: Mapping[str, Any], since: datetime, longest: timedelta) -> bool:
    """Whether the process of a record ``since`` still runs, for at most ``longest``. One on another machine, whose
    locks may not be visible here, counts as running until then."""
    if not process or datetime.now(UTC) - since > longest:
        return False
    return process.get("host") != socket.gethostname() or _is_locked(Path(str(process.get("lock", ""))))


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _sweep(running: Path) -> None:
    for path in running.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _FRESH and not _is_locked(path):
                path.unlink()
