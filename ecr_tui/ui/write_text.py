"""What a confirmation asks and what a write's end says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.journal import REPAIR
from ecr_tui.policy.ours import tag_words
from ecr_tui.policy.principal import describe_all
from ecr_tui.present import unchanged_words
from ecr_tui.ui.choice import ACCESS_WORDS, until_words
from ecr_tui.ui.preview_text import changes, diff_lines, notes
from ecr_tui.ui.text import safe

if TYPE_CHECKING:
    from ecr_tui.grants import Outcome, Plan
    from ecr_tui.policy.change import Grant


def grant_words(grant: Grant) -> str:
    """ "user devusr2 in 222222222222 may push + pull if Team = Payments"."""
    words = f"{describe_all(grant.principals)} may {ACCESS_WORDS[grant.access]}"
    words += f" if {tag_words(grant.tags)}" if grant.tags else ""
    return safe(words + (f" until {until_words(grant.until)}" if grant.until else ""))


def whom(grant: Grant, *, revoke: bool) -> str:
    """The second half of a confirmation's title."""
    return (
        f"Everything of {safe(describe_all(grant.principals))} is taken away." if revoke else f"{grant_words(grant)}."
    )


def nothing(plan: Plan) -> str:
    """What a toast says where there is nothing to write."""
    lines = [f"No change in {safe(plan.repository.name)}: {safe(unchanged_words(plan))}.", *map(safe, plan.risks)]
    return "\n".join(lines)


def done(plan: Plan, outcome: Outcome) -> str:
    """What a toast says after a write."""
    name = safe(plan.repository.name)
    what = f"{grant_words(plan.grant)}: {name}" if plan.grant is not None and plan.kind != "revoke" else name
    end = "\n".join(safe(note) for note in outcome.notes[:5]) or "Written and read back."
    left = "".join(f"\n{safe(row.sentence())}." for row in plan.remaining) if plan.kind == "revoke" else ""
    return f"{what}\n{end} u undoes it.{left}"


def risks(plan: Plan) -> list[Content]:
    """A line each, and a blank one; nothing where there is no risk."""
    lines = [Content.assemble(("  ! ", "bold $text-warning"), safe(risk)) for risk in plan.risks]
    return [*lines, Content("")] if lines else []


def one(plan: Plan) -> list[Content]:
    """The body of a confirmation for one repository: the risks, then what changes."""
    exact = [Content(""), *diff_lines(plan.text_diff)] if plan.kind == REPAIR else []
    return [*risks(plan), changes(plan, width=56), *notes(plan), *exact]
