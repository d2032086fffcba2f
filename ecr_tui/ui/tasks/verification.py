"""Verify the selected or all marked repositories; and past verifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.ui import jobs
from ecr_tui.ui.batch import BatchRun, Target
from ecr_tui.ui.screens.ask import Choosable, ChooseScreen
from ecr_tui.ui.screens.many import ManyScreen
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import NO, OK, count, safe, safe_block, utc
from ecr_tui.ui.text.past import past_line, past_text
from ecr_tui.ui.text.write import labelled, place, steps, where

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


ASK_ABOVE = 10
"""Maximum marked repositories verified without confirmation: each costs some ten requests and pushes an image."""


def _consumer(selection: Selection) -> str:
    return selection.consumer.arn if selection.consumer else "account B"


async def verify(desk: Desk, selection: Selection, others: Sequence[Repository] = ()) -> None:
    """``others``: repositories on which account B must be denied."""
    repository, access = selection.repository, selection.choice.access
    if repository is None:
        return
    if desk.verifying:
        desk.say("A verification is running. Press Esc to stop it.", warning=True)
        return
    if desk.workspace.settings.confirms("verify"):
        body = [*labelled([*place(repository), ("As", _consumer(selection))])]
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
        desk.say("Mark the repositories that must be denied, and select the granted one.")


async def tag_switch(desk: Desk, selection: Selection) -> None:
    """Verify, and that access ends with the tag: always asked, since others may depend on it."""
    repository, access = selection.repository, selection.choice.access
    if repository is None or not desk.ready():
        return
    if desk.verifying:
        desk.say("A verification is running. Press Esc to stop it.", warning=True)
        return
    body = [
        *labelled(place(repository)),
        Content("The tag that account B's access depends on is removed for some seconds."),
        Content("Other principals with access by this tag lose it during that time. It is always restored."),
    ]
    title = f"Verify {safe(repository.name)}, and remove its tag temporarily?"
    if await desk.confirmed(title, body, yes="Yes, verify"):
        desk.stage.verify(repository, access, tag_switch=True)


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


# -- many -------------------------------------------------------------------------------------------------------------


async def verify_marked(desk: Desk, selection: Selection) -> None:
    if desk.batch is not None and desk.batch.running:
        await show_many(desk, selection)
        return
    marked, hidden, access = selection.marked, len(selection.hidden), selection.choice.access
    if not marked:
        desk.say("No repositories marked. Press Space to mark some, or v to verify the selected one.")
        return
    targets = [Target(one, access) for one in marked]
    note = f"{hidden:,} of them hidden by the filter." if hidden else ""
    if await confirmed(desk, targets, count(len(marked), "repository", "repositories"), _consumer(selection), note):
        await verify_many(desk, selection, targets)


async def confirmed(desk: Desk, targets: Sequence[Target], many: str, who: str, note: str = "") -> bool:
    """Confirm the verification of ``many``: if there are many, with a ``note``, or if configured. ``who``: the
    caller."""
    if len(targets) <= ASK_ABOVE and not note and not desk.workspace.settings.confirms("verify"):
        return True
    rows = [("In", where([one.repository for one in targets])), ("As", who)]
    words = f"{steps(targets[0].access)} In each of {many}."
    body = [*labelled(rows), Content(words), *([Content(safe(note))] if note else [])]
    return await desk.confirmed(f"Verify {many}?", body, yes="Verify")


async def verify_many(desk: Desk, selection: Selection, targets: Sequence[Target]) -> None:
    """As one run, without confirmation."""
    run = desk.batch = BatchRun(targets)
    desk.start(show_many(desk, selection))
    await run.carry_out(desk.workspace, desk.workspace.settings.engine)
    desk.stage.verification.read_record()
    if run.error is not None:
        desk.stage.report(run.error, "Verification stopped")
    elif run.batch is not None and not desk.shows(run):
        desk.say(run.batch.summary(), title="Verified", warning=not run.batch.passed)


async def show_many(desk: Desk, selection: Selection) -> None:
    """The current or last verification of many."""
    if desk.batch is not None:
        desk.host.work_changed()
        await desk.ask(ManyScreen(desk.batch))
