"""The journal as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from ecr_tui.changes.history import PastWrite
from ecr_tui.render.common import table

_HEAD = ("ID", "WHEN (UTC)", "OPERATOR", "CHANGE", "REPOSITORY", "OUTCOME")


def history_text(rows: Sequence[PastWrite]) -> str:
    if not rows:
        return "No writes found."
    lines = [_HEAD, *(_cells(row) for row in rows)]
    return table(lines)


def what(row: PastWrite) -> str:
    """ "grant push-pull to user devusr2 in 222222222222", "undo of 20260101T120000-1a2b3c4d"."""
    record = row.entry.record
    if record.undoes:
        return f"{record.kind} of {record.undoes}"
    if row.about_tags:
        changed = [f"{op}{line}" for op, line in row.text_diff if op != " "]
        return f"{record.kind} {' '.join(changed)}"
    access = f" {row.access}" if row.access is not None else ""
    link = {"revoke": "of", "repair": "for", "edit": "for", "apply": "for"}.get(record.kind, "to")
    return f"{record.kind}{access}" + (f" {link} {row.who}" if row.who else "")


def operator(row: PastWrite) -> str:
    """The operator in short: "bob", or "EcrAdmin/alice" for a role session."""
    name = row.entry.record.operator.rpartition(":")[2]
    return name.partition("/")[2] or name or "–"


def outcome(row: PastWrite) -> str:
    words = row.entry.outcome
    if row.undone_by is not None:
        words += f", undone by {row.undone_by.id}"
    elif row.entry.outcome != "written" and row.entry.detail:
        words += f": {row.entry.detail.splitlines()[0]}"
    words += f" ({row.run.id})" if row.run is not None else ""
    return words + (f"; reason: {row.entry.record.reason}" if row.entry.record.reason else "")


def _cells(row: PastWrite) -> tuple[str, ...]:
    record = row.entry.record
    when = f"{row.entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    where = f"{record.repository} {record.region} {record.account}"
    cells = (row.id, when, operator(row), what(row), where, outcome(row))
    return tuple(" ".join(cell.split()) for cell in cells)
