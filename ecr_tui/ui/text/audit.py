"""Text of the audit screen: findings and access as rows, with details."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.expiry import ending
from ecr_tui.policy.principal import describe
from ecr_tui.policy.rules import ERROR, INFO, WARNING
from ecr_tui.policy.who import Capability, Row, Verdict
from ecr_tui.ui.text import MUTED, NO, OK, SKIP, UNKNOWN, safe
from ecr_tui.ui.text.places import fact_lines, longest, places, title_line
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.access.audit_result import Audit, RepositoryAudit
    from ecr_tui.aws.model import Repository

Sign = tuple[str, str, str]
"""Sign, word and style of a cell."""

SEVERITIES: dict[str, Sign] = {
    ERROR: (NO, "error", "warn"),
    WARNING: ("!", "warning", "warn"),
    INFO: ("i", "note", "dim"),
}
_RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES)}


@dataclass(frozen=True, eq=False)
class Odd:
    """A finding in one repository. ``facts``: label and text, for the details."""

    place: int
    severity: str
    repository: Repository
    title: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Who:
    """Access of a principal to one repository, by account A's side."""

    place: int
    repository: Repository
    row: Row


def findings(audit: Audit) -> list[Odd]:
    """The most severe first, then by repository."""
    found = [one for item in audit.repositories for one in _of_repository(item, audit)]
    found.sort(key=lambda one: (_RANKS[one[0]], one[1].name))
    return [Odd(place, *one) for place, one in enumerate(found)]


_Found = tuple[str, "Repository", str, tuple[tuple[str, str], ...]]


def _of_repository(item: RepositoryAudit, audit: Audit) -> Iterable[_Found]:
    repository = item.repository
    if item.unreadable:
        yield ERROR, repository, "Access unknown: the policy could not be read", (("Reason", item.unreadable),)
    for one in item.findings:
        facts = (("Where", one.statement or one.where), ("Why", one.why), ("Fix", one.fix), ("Rule", one.id))
        yield one.severity, repository, one.title, facts
    for end in item.endings:
        if not end.expired:  # expired grants and those without effect are findings
            title = f"The grant to {_people(end.principals)} ends at {ending(end.ends, audit.at)}"
            yield INFO, repository, title, (("Where", end.statement),)
    if item.not_granted:
        tag = " ".join(f"{key}={value}" for key, value in audit.interest.tags)
        yield INFO, repository, f"Tagged {tag}, but not granted to {_people(item.not_granted)}", ()


def _people(principals: Sequence[str]) -> str:
    return ", ".join(map(describe, principals))


def access(audit: Audit) -> list[Who]:
    """By principal, then by repository."""
    pairs = sorted(
        ((row, item.repository) for item in audit.repositories for row in item.rows),
        key=lambda pair: (pair[0].title, pair[1].name),
    )
    return [Who(place, repository, row) for place, (row, repository) in enumerate(pairs)]


def finding_columns(rows: Sequence[Odd]) -> list[Column[Odd]]:
    return [
        Column("findings", "Severity", _severity, lambda one: _RANKS[one.severity], width=10, keep=8),
        *places(rows),
        Column("finding", "Finding", lambda one: [(safe(one.title), "")], lambda one: one.title, 20, flex=1, keep=9),
    ]


def _severity(one: Odd) -> list[Piece]:
    sign, word, style = SEVERITIES[one.severity]
    return [(f"{sign} {word}", style)]


def access_columns(rows: Sequence[Who]) -> list[Column[Who]]:
    principal: Column[Who] = Column(
        "principal", "Principal", lambda one: [(safe(one.row.title), "strong")], lambda one: one.row.title, 16, keep=10
    )
    keeps = dict(zip(Capability, (5, 8, 7, 3, 4), strict=True))
    verdicts = [_verdict_column(one, keeps[one]) for one in Capability]
    return [principal._replace(most=longest(one.row.title for one in rows)), *places(rows), *verdicts]


def _verdict_column(capability: Capability, keep: int) -> Column[Who]:
    def cell(one: Who) -> list[Piece]:
        sign, words, style = VERDICTS[one.row.verdict(capability)]
        return [(f"{sign} {words}", style)]

    order = list(VERDICTS)
    return Column(
        capability.value,
        capability.value.capitalize(),
        cell,
        lambda one: order.index(one.row.verdict(capability)),
        width=10,
        keep=keep,
    )


VERDICTS: dict[Verdict, Sign] = {
    Verdict.YES: (OK, "yes", "ok"),
    Verdict.IF: (UNKNOWN, "depends", "warn"),
    Verdict.PARTLY: (UNKNOWN, "partly", "warn"),
    Verdict.VOID: (NO, "void", "warn"),
    Verdict.DENIED: (NO, "denied", ""),
    Verdict.NO: (SKIP, "no", "dim"),
}


def search_text(one: Odd | Who) -> str:
    """The text for the filter."""
    where = f"{one.repository.name} {one.repository.region}"
    if isinstance(one, Odd):
        return f"{where} {SEVERITIES[one.severity][1]} {one.title} {' '.join(text for _, text in one.facts)}"
    cells = " ".join(f"{name}:{VERDICTS[cell.verdict][1]}" for name, cell in one.row.cells.items())
    return f"{where} {one.row.title} {one.row.principal} {cells}"


def details(one: Odd | Who) -> Content:
    """Details of the row under the cursor."""
    place = title_line(one.repository)
    if isinstance(one, Odd):
        sign, word, _ = SEVERITIES[one.severity]
        lines = [place, Content.styled(f"{sign} {word}: {safe(one.title)}", "bold")]
        lines += fact_lines(one.facts)
    else:
        lines = [place, Content.styled(safe(one.row.title), "bold"), Content.styled(safe(one.row.principal), MUTED)]
        for capability, cell in one.row.cells.items():
            sign, words, _ = VERDICTS[cell.verdict]
            lines.append(Content.assemble(f"{sign} {capability.value} {words}: ", (safe(cell.reason), MUTED)))
    return Content("\n").join(lines)
