"""Reasons for each principal's access: the deciding statement, and void, conditional or ending grants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.expiry import ending
from ecr_tui.access.registry_policy import Reach
from ecr_tui.policy.lint_conditions import ends_at
from ecr_tui.policy.who import Capability, Row, Verdict, who_can
from ecr_tui.ui.text import MUTED, NO, OK, UNKNOWN, safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import RegistryFacts, Repository
    from ecr_tui.policy.document import PolicyDocument

MARKS = {
    Verdict.YES: (OK, "", "$text-success"),
    Verdict.IF: (UNKNOWN, " on a condition", "$text-warning"),
    Verdict.VOID: (NO, " void", "$text-error"),
    Verdict.PARTLY: (UNKNOWN, " partly", "$text-warning"),
    Verdict.DENIED: (NO, " denied", "$text-error"),
}


def who_reasons(
    document: PolicyDocument | None,
    repository: Repository,
    now: datetime | None = None,
    registry: RegistryFacts | None = None,
) -> dict[str, list[Content]]:
    """By principal as in the document: a line for each capability that is not a plain no."""
    if document is None:
        return {}
    now = now or datetime.now(UTC)
    beside = Reach(registry).on(repository.arn) if registry is not None else None
    rows = who_can(document, repository_arn=repository.arn, tags=repository.tags, registry=beside, now=now)
    return {row.principal: [*_cells(row), *_endings(document, row.principal, now)] for row in rows}


def _cells(row: Row) -> list[Content]:
    # Pull and push share actions, so either is partial whenever the other is complete.
    whole = any(row.verdict(one) not in (Verdict.NO, Verdict.PARTLY) for one in Capability)
    lines = []
    for capability, cell in row.cells.items():
        if cell.verdict is Verdict.NO or (whole and cell.verdict is Verdict.PARTLY):
            continue
        sign, words, style = MARKS[cell.verdict]
        lines.append(Content.assemble((f"    {sign} {capability.value}{words}: ", style), (safe(cell.reason), MUTED)))
    return lines


def _endings(document: PolicyDocument, principal: str, now: datetime) -> list[Content]:
    lines = []
    for statement in document.statements:
        ends = ends_at(statement) if statement.effect == "Allow" else None
        if ends is not None and any(value == principal for _, value in statement.principals):
            over = ends <= now
            words = f"    ! {statement.name} {'ended' if over else 'ends'} at {ending(ends, now)}"
            lines.append(Content.styled(safe(words), "$text-error" if over else "$text-warning"))
    return lines
