"""Columns that identify a row's repository, and facts as lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rich.cells import cell_len
from textual.content import Content

from ecr_tui.ui.text import MUTED, safe
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository

WIDEST = 48
"""Maximum width of a name, if some are longer."""


class Placed(Protocol):
    @property
    def repository(self) -> Repository: ...


def places(rows: Sequence[Placed]) -> list[Column[Any]]:
    """Names, and regions if there are several, because a copy has its original's name."""
    most = max(longest(row.repository.name for row in rows), len("Repository"))
    found = [Column("name", "Repository", _name, lambda row: row.repository.name, min(16, most), most=most, keep=9)]
    regions = {row.repository.region for row in rows}
    if len(regions) > 1:
        found.append(Column("region", "Region", _region, lambda row: row.repository.region, longest(regions), keep=8))
    return found


def _name(row: Placed) -> list[Piece]:
    return [(safe(row.repository.name), "")]


def _region(row: Placed) -> list[Piece]:
    return [(safe(row.repository.region), "dim")]


def longest(names: Iterable[str]) -> int:
    """Maximum width of their column."""
    return min(max(map(cell_len, names), default=0), WIDEST)


def fact_lines(facts: Iterable[tuple[str, str]], width: int = 8) -> list[Content]:
    """A line per label and text, without empty texts. ``width``: of the label."""
    return [Content.assemble((f"{label:<{width}}", MUTED), safe(text)) for label, text in facts if text]


def title_line(repository: Repository) -> Content:
    """Name and region, above the details of a row."""
    return Content.assemble((safe(repository.name), "bold"), (f"  {safe(repository.region)}", MUTED))
