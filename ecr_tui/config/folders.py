"""Private folders and files for state and cache."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path


def make_private(folder: Path) -> None:
    """Create a folder and its missing parents, private to this user regardless of the umask."""
    if folder.is_dir():
        return
    make_private(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    folder.chmod(0o700)


def replace_private(path: Path, lines: Iterable[str]) -> None:
    """Replace or create a file atomically, with mode 0600; creates its folder. Raises OSError and exceptions of
    ``lines``; the previous file is then kept."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    make_private(path.parent)
    _sweep(path)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        temporary.replace(path)
    except Exception:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sweep(path: Path) -> None:
    """Remove leftovers of killed writes; a write never takes an hour."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 3600:
                left.unlink()
