"""Which program wrote a note, and whether it is still at work: what it left unfinished is its own until it has gone."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    """To be kept with a note."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": _started(os.getpid())}


def is_running(process: Mapping[str, Any], since: datetime, longest: timedelta) -> bool:
    """Whether the program that left a note ``since`` is at work; none is for longer than ``longest``. One of another
    machine is believed to be until then."""
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
    """When a process began, in the kernel's ticks, which tells it from a later one with its number; "" elsewhere."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return ""
    # The name in front may hold anything, even parentheses.
    return text.rpartition(")")[2].split()[19]
