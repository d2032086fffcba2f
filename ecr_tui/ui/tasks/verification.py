"""Verifying one repository live, and what was verified before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.ui import jobs
from ecr_tui.ui.screens.ask import Choosable, ChooseScreen
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import NO, OK, safe, safe_block, utc
from ecr_tui.ui.text.past import past_line, past_text
from ecr_tui.ui.text.write import labelled, place, steps

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def verify(desk: Desk, selection: Selection, others: Sequence[Repository] = ()) -> None:
    """``others``: repositories on which account B must be denied."""
    repository, access = selection.repository, selection.choice.access
    if repository is None:
        return
    if desk.verifying:
        desk.say("A verification is running. Press Esc to stop it.", warning=True)
        return
    if desk.workspace.settings.confirms("verify"):
        body = [*labelled([*place(repository), ("As", selection.consumer.arn if selection.consumer else "account B")])]
        body.append(Content(steps(access)))
        if others:
            body.append(Content(f"It must be denied on {safe(', '.join(one.name for one in others))}."))
        if not await desk.confirmed(f"Verify {safe(repository.name)}?", body, yes="Yes, verify"):
            return
    desk.stage.verify(repository, access, others)


async def isolation(desk: Desk, selection: Selection) -> None:
    """Verify the selected repository; account B must be denied on the marked ones."""
    repository = selection.repository
    others = [one for one in selection.marked if repository is not None and one.arn != repository.arn]
    if others:
        await verify(desk, selection, others)
    else:
        desk.say("Mark the repositories that must be denied, and select the one that is granted.")


async def history(desk: Desk, selection: Selection) -> None:
    """All verifications of the repository, newest first."""
    repository = selection.repository
    if repository is None:
        return
    found = await jobs.on_thread(lambda: desk.workspace.verification.history(repository))
    if not found:
        desk.say(f"{safe(repository.name)} has not been verified yet. Press v to verify.")
        return
    place = 0
    while True:
        title = f"Verifications of {safe(repository.name)}, newest first"
        choices = [Choosable(past_line(past), number) for number, past in enumerate(found)]
        chosen = await desk.ask(ChooseScreen(title, choices, current=place))
        if chosen is None:
            return
        place = chosen.value
        past = found[place]
        text = past_text(past)
        title = f"{OK if past.passed else NO} {safe(repository.name)}, {utc(past.at)}"
        body = Content(safe_block(text))
        await desk.ask(TextScreen(title, body, copy=text, what="the report", failure=not past.passed))
