"""Text of the journal screen: rows, details, and text for copying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.history import LIVE, NOT_KNOWN, NOT_WRITTEN, SUPERSEDED, TAKEN_BACK
from ecr_tui.render.history import operator, what
from ecr_tui.ui.text import MUTED, NO, OK, PENDING, SKIP, UNKNOWN, ago, safe
from ecr_tui.ui.text.places import fact_lines, longest
from ecr_tui.ui.text.preview import conditions, diff_lines, meaning
from ecr_tui.ui.text.write import labelled
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.changes.history import PastWrite, PastWrites

SIGNS = {LIVE: OK, TAKEN_BACK: "↶", SUPERSEDED: SKIP, NOT_KNOWN: UNKNOWN, NOT_WRITTEN: NO}
_STYLES = {LIVE: "ok", NOT_WRITTEN: "warn"}

EXPLAINED = {
    LIVE: "unchanged since this write",
    TAKEN_BACK: "by a later entry",
    SUPERSEDED: "changed again since",
    NOT_KNOWN: "AWS did not confirm the write",
    NOT_WRITTEN: "AWS rejected it, or it was never sent",
}

WRITTEN = "written"
"""The state of a write that is not superseded in the journal, until the live policy was read."""
_ORDER = (NOT_WRITTEN, NOT_KNOWN, SUPERSEDED, TAKEN_BACK, WRITTEN, LIVE)
"""Priority of states for a run."""


@dataclass(frozen=True, eq=False)
class Line:
    """A line of the list: one write, or those of a run (all, or those that a filter found), newest first."""

    rows: tuple[PastWrite, ...]

    @property
    def row(self) -> PastWrite:
        return self.rows[0]

    @property
    def several(self) -> bool:
        return len(self.rows) > 1

    @property
    def id(self) -> str:
        return self.row.entry.record.run if self.several else self.row.id


States = Mapping[str, str]
"""States by entry id, from the live policies."""


def arranged(rows: Iterable[PastWrite], words: str, past: PastWrites, states: States, run: str = "") -> list[Line]:
    """Rows that match the filter, grouped by run; ``run`` opens one. In the order of ``rows``."""
    wanted = words.casefold().split()
    groups: dict[str, list[PastWrite]] = {}
    for row in rows:
        belongs = row.entry.record.run
        if run in ("", belongs) and _matches(row, wanted, past, states):
            groups.setdefault(row.id if run or not belongs else belongs, []).append(row)
    return [Line(tuple(found)) for found in groups.values()]


def _matches(row: PastWrite, wanted: Sequence[str], past: PastWrites, states: States) -> bool:
    """Documents are searched only for words without another match."""
    record = row.entry.record
    who = (record.principal, record.operator, record.reason)
    text = " ".join((record.kind, record.repository, *who, record.region, record.run, row.id)).casefold()
    missing = [word for word in wanted if word not in text]
    if not missing:
        return True
    more = f"{change_words(row)} {condition_words(row)} {state_of(row, past, states)}".casefold()
    return all(word in more for word in missing)


def state_of(row: PastWrite, past: PastWrites, states: States) -> str:
    known = past.known_state(row)
    if known != NOT_KNOWN:
        return known
    return states.get(row.id) or (WRITTEN if row.entry.outcome == WRITTEN else known)


def columns(
    past: Callable[[], PastWrites], states: States, now: Callable[[], datetime], names: Iterable[str]
) -> list[Column[Line]]:
    """Newest first; sorting by state uses only the journal."""

    def state(line: Line) -> list[Piece]:
        found = Counter(state_of(row, past(), states) for row in line.rows)
        first = min(found, key=_ORDER.index)
        number = f"{found[first]:,} " if line.several else ""
        return [(f"{SIGNS.get(first, OK)} {number}{first}", _STYLES.get(first, "dim" if first == WRITTEN else ""))]

    def newest(line: Line) -> float:
        return -line.row.entry.at.timestamp()

    return [
        Column(
            "when",
            "When",
            lambda one: [(_when(one.row.entry.at, now()), "dim")],
            lambda one: one.row.entry.at.timestamp(),
            width=9,
            keep=7,
            descending=True,
        ),
        Column("change", "Change", _change, lambda one: (change_words(one.row), newest(one)), 15, most=18, keep=10),
        Column(
            "name", "Repository", _where, lambda one: (one.row.entry.record.repository, newest(one)), 15,
            most=longest(names), keep=9,
        ),
        Column("principal", "Principal", _who, lambda one: (one.row.who, newest(one)), 16, flex=2, keep=5),
        Column(
            "condition", "Condition", _condition, lambda one: (condition_words(one.row), newest(one)), 12, 3, 6
        ),
        Column(
            "state", "State", state, lambda one: (one.row.entry.outcome, one.row.undone_by is None), 12, most=16, keep=8
        ),
        Column("who", "By", _by, lambda one: (operator(one.row), newest(one)), 12, flex=1, keep=3),
        Column("region", "Region", _region, lambda one: (one.row.entry.record.region, newest(one)), 12, keep=1),
    ]  # fmt: skip


def _when(at: datetime, now: datetime) -> str:
    """ "now", "5m ago", "28 Nov 26"."""
    return ago(at, now) if (now - at).days < 30 else f"{at.astimezone(UTC):%d %b %y}"


def change_words(row: PastWrite) -> str:
    """ "grant push-pull", "undo push-pull", "tags +Team=Payments"."""
    record = row.entry.record
    if row.about_tags:
        return " ".join((record.kind, *(f"{op}{line}" for op, line in row.text_diff if op != " ")))
    return f"{record.kind} {row.access}" if row.access is not None else record.kind


def condition_words(row: PastWrite) -> str:
    """The conditions of granted or revoked access."""
    return conditions(row.diff).replace("no condition", "none") or SKIP


def _change(line: Line) -> list[Piece]:
    kind, _, rest = change_words(line.row).partition(" ")
    return [(safe(kind), "strong"), (safe(f" {rest}" if rest else ""), "")]


def _where(line: Line) -> list[Piece]:
    if line.several:
        return [(f"▸ {len(line.rows):,} repos", "strong")]
    return [(safe(line.row.entry.record.repository), "")]


def _who(line: Line) -> list[Piece]:
    return [(safe(line.row.who or SKIP), "")]


def _condition(line: Line) -> list[Piece]:
    first = condition_words(line.row)
    same = not line.several or condition_words(line.rows[-1]) == first
    return [(safe(first if same else "differ"), "" if first != SKIP else "dim")]


def _by(line: Line) -> list[Piece]:
    return [(safe(operator(line.row)), "dim")]


def _region(line: Line) -> list[Piece]:
    return [(safe(line.row.entry.record.region), "dim")]


def when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def state_line(row: PastWrite, state: str, problem: str = "") -> Content:
    """``state`` "" while being read; ``problem``: why it is unknown."""
    if problem:
        return Content.assemble((f"{UNKNOWN} state unknown", "bold $text-warning"), (f": {safe(problem)}", MUTED))
    if not state:
        return Content.styled(f"{PENDING} reading the live policy", MUTED)
    style = "$text-success" if state == LIVE else "$text-warning" if state in (NOT_WRITTEN, NOT_KNOWN) else ""
    why = EXPLAINED[state]
    if row.undone_by is not None:
        why = f"by the {row.undone_by.record.kind} of {when(row.undone_by.at)}"
    return Content.assemble((f"{SIGNS[state]} {state}", f"bold {style}"), (f": {safe(why)}", MUTED))


def facts(row: PastWrite) -> list[tuple[str, str]]:
    """Label and text, plain."""
    record, entry = row.entry.record, row.entry
    run = row.run
    outcome = entry.outcome + (f": {' '.join(entry.detail.split())}" if entry.detail else "")
    found = [
        ("change", what(row)),
        ("principal", record.principal),
        ("repository", f"{record.repository} in {record.region}, account {record.account}"),
        ("time", when(entry.at)),
        ("operator", record.operator),
        ("reason", record.reason),
        ("outcome", outcome),
        ("run", f"{run.id}, {len(run.targets):,} repositories" if run is not None else record.run),
        ("id", entry.id),
    ]
    return [(label, text) for label, text in found if text]


def about(row: PastWrite, now: datetime) -> list[Content]:
    """Facts of a write for the confirmation of undo and redo."""
    record = row.entry.record
    rows = [
        ("Repository", record.repository),
        ("Account A", f"{record.account} · {record.region}"),
        ("Write", f"{change_words(row)}, {ago(row.entry.at, now)}" + (", of a run" if record.run else "")),
        ("Principal", row.who),
    ]
    if row.diff:
        rows.append(("Condition", conditions(row.diff)))
    return labelled((label, text) for label, text in rows if text)


def run_detail(line: Line, past: PastWrites, states: States) -> Content:
    """Details of a run: counts by state, the newest write, and all names."""
    found = Counter(state_of(row, past, states) for row in line.rows)
    counted = " · ".join(f"{SIGNS.get(one, OK)} {found[one]:,} {one}" for one in _ORDER if found[one])
    facts = [
        ("run", line.row.entry.record.run),
        ("when", when(line.row.entry.at)),
        ("by", line.row.entry.record.operator),
        ("reason", line.row.entry.record.reason),
    ]
    named = Content(", ".join(safe(row.entry.record.repository) for row in line.rows[:NAMED]))
    more = f" and {len(line.rows) - NAMED:,} more" if len(line.rows) > NAMED else ""
    return Content("\n").join(
        [
            Content.styled(counted, "bold"),
            *meaning_lines(line.row),
            *fact_lines(facts),
            Content(""),
            Content.assemble(named, (more, MUTED)),
        ]
    )


NAMED = 200
"""Maximum repositories named in a run's details; Enter lists all."""


def detail(row: PastWrite, state: Content) -> Content:
    """Most important first; the rest may need scrolling."""
    return Content("\n").join(
        [state, *meaning_lines(row), *fact_lines(facts(row)), Content(""), *diff_lines(row.text_diff)]
    )


def meaning_lines(row: PastWrite) -> list[Content]:
    """Changes of access and a blank line; empty if the meaning did not change."""
    return [meaning(row.diff), Content("")] if row.diff else []


def copied(rows: Sequence[PastWrite]) -> str:
    """Plain text of entries, with the whole difference."""
    parts = []
    for row in rows:
        lines = [f"{label:<8}{text}" for label, text in facts(row)]
        parts.append("\n".join([*lines, "", *(f"{op} {line}" for op, line in row.text_diff)]))
    return "\n\n".join(parts)
