"""Tasks to choose a grant's access, condition and end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.expiry import ending, parse_until
from ecr_tui.listing.filters import complete_tags
from ecr_tui.policy.ours import tag_words
from ecr_tui.ui.choice import condition_choices, parse_condition
from ecr_tui.ui.screens.ask import AskScreen, Choosable, ChooseScreen
from ecr_tui.ui.text import MUTED, OK, safe

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

OWN = "own"
"""The choice for the repository's value of the scope tag."""


async def next_access(desk: Desk, selection: Selection) -> None:
    choice = selection.choice.next_access()
    desk.select(choice=choice)
    cycle = [("▸" if one is choice.access else "") + one.value.replace("-", "+") for one in choice.accesses]
    desk.host.tell(" · ".join(cycle))


async def condition(desk: Desk, selection: Selection) -> None:
    repository, choice = selection.repository, selection.choice
    current = choice.condition or ()
    tags = condition_choices(repository, selection.tags, current)
    own = set((repository.tags or {}).items()) if repository else set()
    choices = []
    if choice.scope:
        words = f"{safe(choice.scope)} of each repository"
        choices.append(Choosable(Content.assemble(words, ("  · the default", MUTED)), OWN))
    for pairs in tags:
        note = ""
        if pairs:
            note = "this repository has it" if set(pairs) <= own else "this repository does not have it"
        words = safe(tag_words(pairs)) if pairs else "no condition"
        choices.append(Choosable(Content.assemble(words, (f"  · {note}" if note else "", MUTED)), pairs))
    choices.append(Choosable(Content.styled("other tag…", "italic"), None))
    question = ChooseScreen(
        "Tag condition of the grant",
        choices,
        current=0 if choice.own_tag else tags.index(current) + bool(choice.scope),
        explanation="Written into the policy as a condition on aws:ResourceTag.",
    )
    chosen = await desk.ask(question)
    if chosen is None:
        return
    if chosen.value is not None:
        _choose(desk, condition=None if chosen.value == OWN else chosen.value)
        return

    def check(text: str) -> str:
        pairs = parse_condition(text)
        return f"{OK} if {tag_words(pairs)}" if pairs else f"{OK} no condition"

    typed = AskScreen(
        "Condition",
        "KEY=VALUE. Separate several with commas; all must match.",
        value=", ".join(f"{key}={value}" for key, value in current),
        placeholder="Team=Payments",
        check=check,
        complete=lambda text: complete_tags(text, desk.stage.tag_values),
    )
    text = await desk.ask(typed)
    if text is not None:
        _choose(desk, condition=parse_condition(text))


async def until(desk: Desk, selection: Selection) -> None:
    now, before = desk.now, selection.choice.until

    def parsed(text: str) -> datetime | None:
        return parse_until(text, now=now()) if text.strip() else None

    def check(text: str) -> str:
        end = parsed(text)
        return f"{OK} until {ending(end, now())}" if end else f"{OK} no end"

    question = AskScreen(
        "End of the grant",
        "A duration (2w, 30d, 12h), a date (that day's end in UTC) or a time with its zone: 2030-01-31T18:00:00Z. "
        "Empty: no end.",
        value=before.strftime("%Y-%m-%dT%H:%M:%SZ") if before else "",
        placeholder="30d",
        check=check,
    )
    text = await desk.ask(question)
    if text is not None:
        _choose(desk, until=parsed(text))


ENGINES = {
    "auto": "Docker or Podman if one answers within 3 s, else direct",
    "docker": "Docker or Podman, with your daemon's own network and proxies",
    "direct": "registry protocol, without a daemon",
}
"""Descriptions of ``config.ENGINES``."""


async def engine(desk: Desk, selection: Selection) -> None:
    """Choose the engine of verifications for the rest of the session."""
    now = desk.workspace.settings.engine
    choices = [Choosable(Content.assemble(one, (f"  · {words}", MUTED)), one) for one, words in ENGINES.items()]
    chosen = await desk.ask(ChooseScreen("Verification engine", choices, current=list(ENGINES).index(now)))
    if chosen is not None:
        desk.workspace.accounts.choose(engine=chosen.value)
        desk.stage.verification.read_record()


def _choose(desk: Desk, **changes: object) -> None:
    desk.select(choice=desk.selection.choice._replace(**changes))  # type: ignore[arg-type]
