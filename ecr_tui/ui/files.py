"""Files that the user names."""

from __future__ import annotations

from pathlib import Path

from ecr_tui.errors import InputError
from ecr_tui.policy.incoming import decoded
from ecr_tui.ui.text import size


def find(path: str, largest: int) -> Path:
    """Raises InputError unless it is a regular file of at most ``largest`` bytes.

    Pipes and devices could block or be endless.
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
    """The file's text. Raises InputError as :func:`find`, and if it is not text."""
    file = find(path, largest)
    try:
        return decoded(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file}", detail=str(error)) from error
