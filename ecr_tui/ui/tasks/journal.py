"""The journal: opening it, and taking back what was chosen in it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.undo import target
from ecr_tui.errors import ConflictError, EcrTuiError, InputError
from ecr_tui.ui.result import Result
from ecr_tui.ui.screens.journal import JournalScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.tasks import runs, tags
from ecr_tui.ui.text import MUTED, OK, safe
from ecr_tui.ui.text.journal import about, meaning_lines
from ecr_tui.ui.text.preview import diff_lines

if TYPE_CHECKING:
    from ecr_tui.changes.history import PastWrite, PastWrites
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


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
    """Show what would be restored, and ask; nothing is read for that, so the write itself decides."""
    changes = desk.workspace.changes
    if not desk.ready():
        return
    try:
        # The write itself finds out about an outcome that is unknown.
        entry = target(past.history, row.entry, redo=redo, settled=False)
    except (InputError, ConflictError) as error:
        await desk.ask(ErrorScreen(error))
        return
    if row.about_tags:
        # What it does to access only the policy of now tells.
        wanted = redo and row.entry.record.kind != "undo"
        await tags.change(desk, lambda: changes.plan_tags_back(row.id, redo=wanted))
        _reread(screen)
        return
    redo = entry.record.kind == "undo"
    reverse = past.row_of(entry).reversed
    body = [
        *about(row, desk.now()),
        *meaning_lines(reverse, 70),
        *diff_lines(reverse.text_diff),
        Content(""),
        Content.styled("Exactly this is written, if the policy has not changed since that write.", MUTED),
    ]
    verb, name = "Redo" if redo else "Undo", entry.record.repository
    title = f"{verb} the {safe(row.entry.record.kind)} on {safe(name)}?"
    if not (await desk.confirmed(title, body, yes=f"Yes, {verb.lower()}") and desk.ready()):
        return
    act = changes.undo_entry if row.entry.record.kind == "undo" or not redo else changes.redo_entry
    try:
        outcome = await desk.do("undoing", lambda: act(row.id))
    except EcrTuiError as error:
        desk.stage.policies_changed([entry.record.arn])
        _reread(screen)
        desk.stage.report(error, f"{verb} on {row.entry.record.repository} failed")
        return
    plan = outcome.plan
    if plan.kind == "redo" and outcome.entry_id:
        desk.made_here.add(outcome.entry_id)  # u takes it back without asking
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
