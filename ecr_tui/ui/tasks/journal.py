"""Undo the last write or run; and the journal screen, to undo or redo any write."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.bulk import undo_preview
from ecr_tui.changes.entries import TAGS
from ecr_tui.changes.history import PastWrite
from ecr_tui.changes.undo import repository_of, target
from ecr_tui.errors import ConflictError, EcrTuiError, InputError
from ecr_tui.ui.result import Result
from ecr_tui.ui.screens.journal import JournalScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.tasks import grants, runs, tags
from ecr_tui.ui.text import MUTED, OK, safe
from ecr_tui.ui.text import write as write_text
from ecr_tui.ui.text.journal import about, meaning_lines
from ecr_tui.ui.text.preview import diff_lines

if TYPE_CHECKING:
    from ecr_tui.changes.entries import Entry
    from ecr_tui.changes.history import PastWrites
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
        desk.say("Nothing to undo.")
    elif len(entries) > 1:
        await runs.take_back(desk, entries)
    elif entries[0].record.subject == TAGS:
        await tags.change(desk, lambda: changes.plan_tags_back(entries[0].id))
    elif await _confirmed(desk, selection, entries[0]):
        await _take_back_last(desk, entries[0])


async def _confirmed(desk: Desk, selection: Selection, entry: Entry) -> bool:
    """Describe and confirm writes of other sessions or to other repositories than the selected one."""
    (plan,) = undo_preview([entry])
    fresh = entry.id in desk.made_here
    here = selection.repository is not None and selection.repository.arn == entry.record.arn
    if fresh and here and not plan.risks and not desk.workspace.settings.confirms("undo"):
        return True
    body = [
        *write_text.risks(plan),
        *about(PastWrite(entry), desk.now()),
        Content("The policy is restored exactly as it was, unless someone has changed it since."),
    ]
    title = (
        "Undo the last write?" if fresh else f"Undo a write of {'a run' if entry.record.run else 'an earlier session'}?"
    )
    return await desk.confirmed(title, body, yes="Yes, undo") and desk.ready()


async def _take_back_last(desk: Desk, entry: Entry) -> None:
    try:
        pending = Result(repository_of(entry), "undoing…")
        outcome = await desk.do("undoing", lambda: desk.workspace.changes.undo(entry.id), pending)
    except EcrTuiError as error:
        # A conflict means that the policy changed.
        desk.stage.policies_changed([entry.record.arn])
        await grants.failed(desk, error, "Undo")
        return
    repository = outcome.plan.repository
    desk.stage.policies_changed([repository.arn], "undo")
    desk.tell(Result(repository, f"{OK} Undone: the exact previous policy is restored"))


# -- the journal ------------------------------------------------------------------------------------------------------


async def show(desk: Desk, selection: Selection) -> None:
    def take_back(past: PastWrites, rows: Sequence[PastWrite], redo: bool) -> None:
        if len(rows) > 1:
            desk.start(_take_back_several(desk, past, rows, redo))
        else:
            desk.start(_take_back(desk, screen, past, rows[0], redo))

    screen = JournalScreen(desk.workspace, selection.repository, now=desk.now, take_back=take_back)
    await desk.ask(screen)


async def _take_back_several(desk: Desk, past: PastWrites, rows: Sequence[PastWrite], redo: bool) -> None:
    if not desk.ready():
        return
    entries = []
    for row in rows:
        with contextlib.suppress(InputError, ConflictError):
            entries.append(target(past.history, row.entry, redo=redo, settled=False))
    if entries:
        await runs.take_back(desk, entries)
    else:
        desk.say("Nothing to redo." if redo else "Nothing to undo.")


async def _take_back(desk: Desk, screen: JournalScreen, past: PastWrites, row: PastWrite, redo: bool) -> None:
    """Preview and confirm without AWS calls; the write itself detects conflicts."""
    changes = desk.workspace.changes
    if not desk.ready():
        return
    try:
        # The write itself settles unknown results.
        entry = target(past.history, row.entry, redo=redo, settled=False)
    except (InputError, ConflictError) as error:
        await desk.ask(ErrorScreen(error))
        return
    if row.about_tags:
        # Its effect on access needs the current policy.
        wanted = redo and row.entry.record.kind != "undo"
        await tags.change(desk, lambda: changes.plan_tags_back(row.id, redo=wanted))
        _reread(screen)
        return
    redo = entry.record.kind == "undo"
    reverse = past.row_of(entry).reversed
    body = [
        *about(row, desk.now()),
        *meaning_lines(reverse),
        *diff_lines(reverse.text_diff),
        Content(""),
        Content.styled("Exactly this is written, unless the policy has changed since that write.", MUTED),
    ]
    verb, name = "Redo" if redo else "Undo", entry.record.repository
    title = f"{verb} the {safe(row.entry.record.kind)} on {safe(name)}?"
    if not (await desk.confirmed(title, body, yes=f"Yes, {verb.lower()}") and desk.ready()):
        return
    act = changes.undo if row.entry.record.kind == "undo" or not redo else changes.redo
    try:
        pending = Result(repository_of(entry), f"{verb.lower()}ing…")
        outcome = await desk.do("undoing", lambda: act(row.id), pending)
    except EcrTuiError as error:
        desk.stage.policies_changed([entry.record.arn])
        _reread(screen)
        desk.stage.report(error, f"{verb} on {row.entry.record.repository} failed")
        return
    plan = outcome.plan
    if plan.kind == "redo" and outcome.entry_id:
        desk.made_here.add(outcome.entry_id)  # u undoes it without confirmation
    desk.stage.policies_changed([plan.repository.arn], plan.kind)
    _reread(screen)
    words = f"{OK} {'Redone' if plan.kind == 'redo' else 'Undone'}"
    words += "" if outcome.notes else " · written and read back"
    result = Result(plan.repository, words, more=tuple(f"! {safe(note)}" for note in outcome.notes))
    if screen.is_current:
        desk.stage.preview.tell(result)
        screen.tell("  ".join([words, safe(plan.repository.name), *result.more]))
    else:
        desk.tell(result)


def _reread(screen: JournalScreen) -> None:
    if screen.is_attached:
        screen.read()
