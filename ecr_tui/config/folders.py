"""Folders and files of this user alone: for state, and for what is cached."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for this user alone, whatever the umask."""
    if folder.is_dir():
        return
    make_private(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    folder.chmod(0o700)


def replace_private(path: Path, lines: Iterable[str]) -> None:
    """Replace a file as a whole, or make it, with mode 0600; its folder is made. Raises OSError and what ``lines``
    raises, and leaves the former file then."""
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
    """What a kill in the middle of writing left; an hour is longer than any writing takes."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 3600:
                left.unlink()
