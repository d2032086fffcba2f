"""What a confirmation asks and what a write's end says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.principal import describe
from ecr_tui.ui.choice import ACCESS_WORDS, condition_words, until_words
from ecr_tui.ui.preview_text import changes, notes
from ecr_tui.ui.text import MUTED, NO, OK, count, safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.grants import Outcome, Plan
    from ecr_tui.policy.change import Grant

LISTED = 200
"""Repositories named one by one in a dialog; more of them are counted."""


def grant_words(grant: Grant) -> str:
    """ "user devusr2 in 222222222222 may push + pull if Team = Payments"."""
    words = f"{describe(grant.principal)} may {ACCESS_WORDS[grant.access]}"
    words += f" if {condition_words(grant.tags)}" if grant.tags else ""
    return safe(words + (f" until {until_words(grant.until)}" if grant.until else ""))


def whom(grant: Grant, *, revoke: bool) -> str:
    """The second half of a confirmation's title."""
    return f"Everything of {safe(describe(grant.principal))} is taken away." if revoke else f"{grant_words(grant)}."


def done(plans: Sequence[Plan], outcomes: Sequence[Outcome]) -> str:
    """What a toast says after writes that all succeeded."""
    names = safe(plans[0].repository.name) if len(plans) == 1 else count(len(plans), "repository", "repositories")
    grant = plans[0].grant
    what = f"{grant_words(grant)}: {names}" if grant is not None and plans[0].kind != "revoke" else names
    notes = [safe(note) for outcome in outcomes for note in outcome.notes]
    end = "\n".join(notes[:5]) or "Written and read back."
    return f"{what}\n{end} u undoes it."


def _risks(plan: Plan) -> list[Content]:
    return [Content.assemble(("  ! ", "bold $text-warning"), safe(risk)) for risk in plan.risks]


def one(plan: Plan) -> list[Content]:
    """The body of a confirmation for one repository: the risks, then what changes."""
    lines = [*_risks(plan), Content("")] if plan.risks else []
    return [*lines, changes(plan, width=56), *notes(plan)]


def many(
    plans: Sequence[Plan],
    same: Sequence[Plan],
    failed: Sequence[tuple[Repository, EcrTuiError]],
    hidden: Sequence[Repository],
) -> list[Content]:
    """The body of a confirmation for several: what will happen to which, hidden ones and trouble first."""
    lines: list[Content] = []
    if hidden:
        names = ", ".join(safe(r.name) for r in hidden[:20]) + (" …" if len(hidden) > 20 else "")
        lines += [
            Content.assemble(
                (f"  ! {count(len(hidden), 'of them is', 'of them are')} hidden by the filter: ", "bold $text-warning"),
                names,
            ),
            Content(""),
        ]
    for repository, error in failed:
        lines.append(
            Content.assemble((f"  {NO} ", "$text-error"), (safe(repository.name), "bold"), f": {safe(error.title)}")
        )
    if failed:
        lines += [Content.styled("    Those are left alone.", MUTED), Content("")]
    for plan in plans[:LISTED]:
        lines.append(
            Content.assemble(
                ("  + " if plan.kind != "revoke" else "  - ", "$text-success"), (safe(plan.repository.name), "bold")
            )
        )
        lines += [Content.assemble("  ", risk) for risk in _risks(plan)]
    if len(plans) > LISTED:
        lines.append(Content(f"  and {len(plans) - LISTED:,} more"))
    if same:
        names = ", ".join(safe(p.repository.name) for p in same[:20]) + (" …" if len(same) > 20 else "")
        lines += [Content(""), Content.assemble((f"  No change in {len(same)}: ", MUTED), (names, MUTED))]
    return lines


def outcome_lines(plans: Sequence[Plan], outcomes: Sequence[Outcome | EcrTuiError | None]) -> str:
    """One line a repository, for a modal after a write of several that did not all succeed."""
    lines = []
    for plan, outcome in zip(plans, outcomes, strict=True):
        name = safe(plan.repository.name)
        if outcome is None:
            lines.append(f"– {name}: not begun")
        elif isinstance(outcome, EcrTuiError):
            lines.append(f"{NO} {name}: {outcome.text()}")
        else:
            lines.append(f"{OK} {name}: " + ("written and read back" if outcome.written else "no change"))
    return "\n".join(lines)
