"""The journal's rows on the screen: cells of the list, the pane beside it, and the same for copying."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.history import LIVE, NOT_KNOWN, NOT_WRITTEN, SUPERSEDED, TAKEN_BACK
from ecr_tui.render.history import operator, what
from ecr_tui.ui.text import MUTED, NO, OK, PENDING, SKIP, UNKNOWN, ago, safe
from ecr_tui.ui.text.preview import diff_lines, meaning
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.changes.history import PastWrite, PastWrites

SIGNS = {LIVE: OK, TAKEN_BACK: "↶", SUPERSEDED: SKIP, NOT_KNOWN: UNKNOWN, NOT_WRITTEN: NO}
_STYLES = {LIVE: "ok", NOT_WRITTEN: "warn"}

EXPLAINED = {
    LIVE: "it is still what this write left",
    TAKEN_BACK: "by a later entry",
    SUPERSEDED: "something else was written since",
    NOT_KNOWN: "nobody knows whether it was written",
    NOT_WRITTEN: "AWS refused it, or it was never sent",
}


def columns(past: Callable[[], PastWrites], now: Callable[[], datetime]) -> list[Column[PastWrite]]:
    """Newest first; what would take a look at every policy is no order to sort by."""

    def state(row: PastWrite) -> list[Piece]:
        known = past().known_state(row)
        words = "written" if known == NOT_KNOWN and row.entry.outcome == "written" else known
        return [
            (
                f"{OK if words == 'written' else SIGNS[known]} {words}",
                _STYLES.get(known, "" if words != known else "dim"),
            )
        ]

    def newest(row: PastWrite) -> float:
        return -row.entry.at.timestamp()

    return [
        Column(
            "when",
            "When",
            lambda r: [(ago(r.entry.at, now()), "dim")],
            lambda r: r.entry.at.timestamp(),
            width=10,
            keep=7,
            descending=True,
        ),
        Column("what", "What", _what, lambda r: (r.entry.record.kind, newest(r)), width=14, keep=9, flex=5),
        Column(
            "where", "Repository", _where, lambda r: (r.entry.record.repository, newest(r)), width=16, flex=2, keep=10
        ),
        Column("state", "State", state, lambda r: (r.entry.outcome, r.undone_by is None), width=13, keep=8),
        Column(
            "who", "By", lambda r: [(safe(operator(r)), "dim")], lambda r: (operator(r), newest(r)), width=14, keep=3
        ),
        Column("region", "Region", _region, lambda r: (r.entry.record.region, newest(r)), width=14, keep=1),
    ]


def search_text(row: PastWrite) -> str:
    record = row.entry.record
    return " ".join((record.kind, record.repository, record.principal, record.operator, record.region, row.id))


def _what(row: PastWrite) -> list[Piece]:
    kind = row.entry.record.kind
    rest = "" if row.entry.record.undoes else what(row).removeprefix(kind)
    return [(kind, "strong"), (safe(rest or f" for {row.who}" if row.who else rest), "")]


def _where(row: PastWrite) -> list[Piece]:
    return [(safe(row.entry.record.repository), "")]


def _region(row: PastWrite) -> list[Piece]:
    return [(safe(row.entry.record.region), "dim")]


def when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def state_line(row: PastWrite, state: str, problem: str = "") -> Content:
    """``state`` "" while it is looked up; ``problem``: why it could not be."""
    if problem:
        return Content.assemble((f"{UNKNOWN} not looked up", "bold $text-warning"), (f": {safe(problem)}", MUTED))
    if not state:
        return Content.styled(f"{PENDING} looking at the live policy", MUTED)
    style = "$text-success" if state == LIVE else "$text-warning" if state in (NOT_WRITTEN, NOT_KNOWN) else ""
    why = EXPLAINED[state]
    if row.undone_by is not None:
        why = f"by the {row.undone_by.record.kind} of {when(row.undone_by.at)}"
    return Content.assemble((f"{SIGNS[state]} {state}", f"bold {style}"), (f": {safe(why)}", MUTED))


def facts(row: PastWrite) -> list[tuple[str, str]]:
    """Label and text, plain."""
    record, entry = row.entry.record, row.entry
    run = row.run
    outcome = entry.outcome + (f": {entry.detail}" if entry.detail else "")
    found = [
        ("what", what(row)),
        ("for", record.principal),
        ("where", f"{record.repository} in {record.region}, account {record.account}"),
        ("when", when(entry.at)),
        ("by", record.operator),
        ("outcome", outcome),
        ("run", f"{run.id}, {len(run.targets):,} repositories" if run is not None else record.run),
        ("id", entry.id),
    ]
    return [(label, text) for label, text in found if text]


def detail(row: PastWrite, state: Content, width: int) -> Content:
    """What was done first: in little room the rest is scrolled to."""
    return Content("\n").join(
        [state, *meaning_lines(row, width), *fact_lines(row), Content(""), *diff_lines(row.text_diff)]
    )


def fact_lines(row: PastWrite) -> list[Content]:
    return [Content.assemble((f"{label:<8}", MUTED), safe(" ".join(text.split()))) for label, text in facts(row)]


def meaning_lines(row: PastWrite, width: int) -> list[Content]:
    """Who gained or lost what, and a blank line; nothing where no meaning changed."""
    return [meaning(row.diff, width), Content("")] if row.diff else []


def copied(rows: Sequence[PastWrite]) -> str:
    """Plain text of entries, with the whole difference."""
    parts = []
    for row in rows:
        lines = [f"{label:<8}{text}" for label, text in facts(row)]
        parts.append("\n".join([*lines, "", *(f"{op} {line}" for op, line in row.text_diff)]))
    return "\n\n".join(parts)
