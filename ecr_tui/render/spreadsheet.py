"""CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ecr_tui.text import safe


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A line for each row, without a final line end. Cells cannot become formulas or additional lines."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(heads)
    for row in rows:
        write(map(_plain, row))
    return out.getvalue().rstrip("\n")


def _plain(text: str) -> str:
    """Spreadsheets read cells that begin with these characters as formulas; an apostrophe makes them text."""
    shown = safe(text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@", "\t") else shown
