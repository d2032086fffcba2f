"""Text of Access Analyzer's opinion on the previewed policy, or a hint to request it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from ecr_tui.render.second_opinion import headline, lines
from ecr_tui.ui.text import KEY, MUTED, OK, PENDING, UNKNOWN, safe

if TYPE_CHECKING:
    from ecr_tui.access.second_opinion import SecondOpinion
    from ecr_tui.changes.apply import Plan
    from ecr_tui.errors import EcrTuiError


class Asked(NamedTuple):
    """``plan``: the subject, or None. ``waited``: seconds, while waiting for the answer."""

    plan: Plan | None = None
    waited: float | None = None
    opinion: SecondOpinion | None = None
    error: EcrTuiError | None = None


def second_opinion(asked: Asked) -> Content:
    opinion = asked.opinion
    if asked.error is not None:
        return Content.styled(f"{UNKNOWN} Access Analyzer: {safe(asked.error.title)}", MUTED)
    if asked.waited is not None:
        words = f"Waiting for Access Analyzer, {asked.waited:.0f} s; "
        return Content.assemble((f"{PENDING} ", "bold"), (words, MUTED), ("Esc", KEY), (" cancels", MUTED))
    if opinion is None:
        words = "Access Analyzer: not requested; "
        return Content.assemble((words, MUTED), (":", KEY), (" Ask Access Analyzer", MUTED))
    if opinion.disagreements:
        sign, style = "!", "bold $text-warning"
    elif opinion.after is not None or opinion.now is not None:
        sign, style = OK, "bold $text-success"
    else:
        sign, style = UNKNOWN, MUTED
    words = headline(opinion)
    head = Content.styled(f"{sign} {safe(words[:1].upper() + words[1:])}", style)
    return Content("\n").join([head, *(Content(f"  {safe(line)}") for line in lines(opinion))])
