"""Verifying all marked repositories: when to ask, the run, and what is said at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.ui.batch import BatchRun, Target
from ecr_tui.ui.screens.many import ManyScreen
from ecr_tui.ui.text import count
from ecr_tui.ui.text.write import labelled, steps, where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

ASK_ABOVE = 10
"""So many marked repositories are verified without a question: each costs some ten requests and pushes an image."""


async def verify_marked(desk: Desk, selection: Selection) -> None:
    if desk.batch is not None and desk.batch.running:
        await show(desk, selection)
        return
    marked, hidden, access = selection.marked, len(selection.hidden), selection.choice.access
    if not marked:
        desk.say("No repositories marked. Press Space to mark some, or v to verify the selected one.")
        return
    many = count(len(marked), "repository", "repositories")
    if len(marked) > ASK_ABOVE or hidden or desk.workspace.settings.confirms("verify"):
        some = f", {count(hidden, 'of them hidden', 'of them hidden')} by the filter" if hidden else ""
        rows = [("In", where(marked)), ("As", selection.consumer.arn if selection.consumer else "account B")]
        body = [*labelled(rows), Content(f"{steps(access)} In each of {many}{some}.")]
        if not await desk.confirmed(f"Verify {many}?", body, yes="Verify"):
            return
    await verify(desk, selection, [Target(one, access) for one in marked])


async def verify(desk: Desk, selection: Selection, targets: Sequence[Target]) -> None:
    """As one run, without a question."""
    run = desk.batch = BatchRun(targets)
    desk.start(show(desk, selection))
    await run.carry_out(desk.workspace, desk.workspace.settings.engine)
    desk.stage.verification.read_record()
    if run.error is not None:
        desk.stage.report(run.error, "Verification stopped")
    elif run.batch is not None and not _shown(desk, run):
        desk.say(run.batch.summary(), title="Verified", warning=not run.batch.passed)


def _shown(desk: Desk, run: BatchRun) -> bool:
    return any(isinstance(one, ManyScreen) and one.run is run for one in desk.app.screen_stack)


async def show(desk: Desk, selection: Selection) -> None:
    """The verification at work, or the last one."""
    if desk.batch is not None:
        desk.host.work_changed()
        await desk.ask(ManyScreen(desk.batch))
