"""The process that wrote a journal record, and whether it still runs: its unfinished work is its own until it ends."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    """The process id and start time, for a record."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": _started(os.getpid())}


def is_running(process: Mapping[str, Any], since: datetime, longest: timedelta) -> bool:
    """Whether the process of a record ``since`` still runs, for at most ``longest``. One on another machine counts as
    running until then."""
    if not process or datetime.now(UTC) - since > longest:
        return False
    pid = process.get("pid")
    if process.get("host") != socket.gethostname() or sys.platform == "win32" or not isinstance(pid, int):
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not process.get("started") or process["started"] == _started(pid)


def _started(pid: int) -> str:
    """Start time of a process in kernel ticks, to detect a reused process id; "" if unavailable."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return ""
    # The name before it may contain anything, even parentheses.
    return text.rpartition(")")[2].split()[19]
