"""Undoing the last write, or all of the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.bulk import undo_preview
from ecr_tui.changes.entries import TAGS
from ecr_tui.changes.history import PastWrite
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.result import Result
from ecr_tui.ui.tasks import grants, runs, tags
from ecr_tui.ui.text import OK
from ecr_tui.ui.text import write as write_text
from ecr_tui.ui.text.journal import about

if TYPE_CHECKING:
    from ecr_tui.changes.entries import Entry
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def undo(desk: Desk, selection: Selection) -> None:
    if not desk.ready():
        return
    if desk.running:
        desk.say("A run is in progress. Press R to see it; undo it when it has ended.", warning=True)
        return
    changes = desk.workspace.changes
    entries = await desk.do("looking", lambda: changes.bulk().last_action())
    if not entries:
        desk.say("Nothing to undo: every write of this account is undone already.")
    elif len(entries) > 1:
        await runs.take_back(desk, entries)
    elif entries[0].record.subject == TAGS:
        await tags.change(desk, lambda: changes.plan_tags_back(entries[0].id))
    elif await _confirmed(desk, selection, entries[0]):
        await _take_back(desk, entries[0])


async def _confirmed(desk: Desk, selection: Selection, entry: Entry) -> bool:
    """What was not written in this session, or to another repository than the one that is selected, is not in the
    user's mind: say what it is, and ask."""
    (plan,) = undo_preview([entry])
    fresh = entry.id in desk.made_here
    here = selection.repository is not None and selection.repository.arn == entry.record.arn
    if fresh and here and not plan.risks and not desk.workspace.settings.confirms("undo"):
        return True
    body = [
        *write_text.risks(plan),
        *about(PastWrite(entry), desk.now()),
        Content("The policy is put back exactly as it was before, if nobody has changed it since."),
    ]
    title = (
        "Undo the last write?" if fresh else f"Undo a write of {'a run' if entry.record.run else 'an earlier session'}?"
    )
    return await desk.confirmed(title, body, yes="Yes, undo") and desk.ready()


async def _take_back(desk: Desk, entry: Entry) -> None:
    try:
        outcome = await desk.do("undoing", desk.workspace.changes.undo)
    except EcrTuiError as error:
        # A conflict means that the policy is not what was read.
        desk.stage.policies_changed([entry.record.arn])
        await grants.failed(desk, error, "Undo")
        return
    repository = outcome.plan.repository
    desk.stage.policies_changed([repository.arn], "undo")
    desk.tell(Result(repository, f"{OK} Undone: the policy is exactly as it was before"))
