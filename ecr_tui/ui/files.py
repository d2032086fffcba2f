"""Files that the user names."""

from __future__ import annotations

from pathlib import Path

from ecr_tui.errors import InputError
from ecr_tui.policy.incoming import decoded
from ecr_tui.ui.text import size


def find(path: str, largest: int) -> Path:
    """Raises InputError for what is no regular file of at most ``largest`` bytes.

    Nothing that never ends, and nothing that makes the app wait: a pipe, a device.
    """
    file = Path(path.strip()).expanduser()
    try:
        if not file.is_file():
            raise InputError(f"no such file: {file}")
        if file.stat().st_size > largest:
            raise InputError(f"{file.name} is larger than {size(largest)}")
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file}", detail=str(error)) from error
    return file


def read(path: str, largest: int) -> str:
    """Its text. Raises InputError as :func:`find`, and for what is no text."""
    file = find(path, largest)
    try:
        return decoded(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file}", detail=str(error)) from error
