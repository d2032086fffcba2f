"""Paths of the style sheets: inside an installed package, or next to it in a checkout."""

from __future__ import annotations

from pathlib import Path

import ecr_tui


def style_sheets(*names: str) -> list[Path]:
    """Absolute paths of ``names``. An editable install may leave an old copy elsewhere, so only these two locations are
    used."""
    package = Path(ecr_tui.__file__).resolve().parent
    for folder in (package / "styles", package.parent / "styles"):
        if all((folder / name).is_file() for name in names):
            return [folder / name for name in names]
    raise FileNotFoundError(f"ecr-tui's style sheets are missing from {package}: install it again")
