"""Merge a policy file into the selected or marked repositories: preview, confirm, write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecr_tui.changes.bulk import Intent
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.incoming import read_incoming
from ecr_tui.ui import files
from ecr_tui.ui.screens.ask import AskScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.tasks import grants, runs
from ecr_tui.ui.text import OK, count, safe

if TYPE_CHECKING:
    from ecr_tui.policy.incoming import Incoming
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

LARGEST = 1_000_000
"""Maximum bytes; a repository policy has at most 10,240 characters."""


def read_policy(path: str) -> Incoming:
    """Raises InputError for an unreadable file or an invalid policy."""
    return read_incoming(files.read(path, LARGEST))


async def merge(desk: Desk, selection: Selection) -> None:
    """Ask for a file, and merge it into the marked repositories or the selected one."""
    if not desk.ready():
        return
    targets = selection.marked or ((selection.repository,) if selection.repository is not None else ())
    if not targets:
        desk.say("Select a repository first, or mark some.")
        return

    def check(path: str) -> str:
        if not path.strip():
            raise InputError("enter a file name")
        found = read_policy(path)
        words = f"{OK} {count(len(found.document.statements), 'statement')}"
        return safe(" ".join([words, *found.notes]))

    where = safe(targets[0].name) if len(targets) == 1 else count(len(targets), "repository", "repositories")
    question = AskScreen(
        f"Policy file to merge into {where}",
        "A JSON file with the statements to add. Existing statements stay; "
        "actions that a repository policy cannot carry are dropped, with a note.",
        placeholder="~/grant.json",
        check=check,
    )
    path = await desk.ask(question)
    if path is None or not desk.ready():
        return
    try:
        incoming = read_policy(path)
    except EcrTuiError as error:
        await desk.ask(ErrorScreen(error))
        return
    if len(targets) > 1:
        intent = Intent.to_merge(incoming.document, incoming.notes)
        await runs.change(desk, selection, "Merge", "The statements of the file are added.", intent)
        return
    changes = desk.workspace.changes
    await grants.plan_and_ask(
        desk,
        lambda: changes.plan_document(targets[0], incoming.document, incoming.notes),
        verb="Merge",
        title=lambda plan: f"Merge into {safe(plan.repository.name)}?",
        nothing="the policy already has all of it",
    )
