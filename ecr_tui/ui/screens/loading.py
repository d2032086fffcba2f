"""Merging a policy file into the selected repository, or the marked ones: previewed, asked about, written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ecr_tui.changes.bulk import Intent
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.incoming import decoded, read_incoming
from ecr_tui.ui.screens.ask import AskScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import OK, count, safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.policy.incoming import Incoming
    from ecr_tui.ui.screens.main import MainScreen

LARGEST = 1_000_000
"""Bytes; a repository policy has 10,240 characters at most."""


def read_policy(path: str) -> Incoming:
    """Raises InputError for what cannot be read or is no policy."""
    file = Path(path.strip()).expanduser()
    try:
        # Nothing that never ends, and nothing that makes the app wait: a pipe, a device.
        if not file.is_file():
            raise InputError(f"there is no file {file}")
        if file.stat().st_size > LARGEST:
            raise InputError(f"{file.name} is too large for a policy")
        return read_incoming(decoded(file.read_bytes()))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"cannot read {file}", detail=str(error)) from error


class Loading:
    """Belongs to the main screen."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    def ask(self) -> None:
        screen = self._screen
        if not screen.writes.ready():
            return
        targets = screen.table.marked or ([screen.repository] if screen.repository is not None else [])
        if not targets:
            screen.app.notify("Select a repository first, or mark some.")
            return

        def check(path: str) -> str:
            if not path.strip():
                raise InputError("which file?")
            found = read_policy(path)
            words = f"{OK} {count(len(found.document.statements), 'statement')}"
            return safe(" ".join([words, *found.notes]))

        def answered(path: str | None) -> None:
            if path is None or not screen.writes.ready():
                return
            try:
                incoming = read_policy(path)
            except EcrTuiError as error:
                screen.app.push_screen(ErrorScreen(error))
            else:
                self._merge(list(targets), incoming)

        where = safe(targets[0].name) if len(targets) == 1 else count(len(targets), "repository", "repositories")
        question = AskScreen(
            f"Which policy is merged into {where}?",
            "A JSON file with the statements to add. Those that are there stay; "
            "what a repository policy cannot carry is left out, and said.",
            placeholder="~/grant.json",
            check=check,
        )
        screen.app.push_screen(question, answered)

    def _merge(self, targets: list[Repository], incoming: Incoming) -> None:
        screen = self._screen
        if len(targets) > 1:
            intent = Intent.to_merge(incoming.document, incoming.notes)
            screen.runs.change("Merge", "The statements of the file are added.", intent)
            return
        workspace, repository = screen.workspace, targets[0]
        screen.writes.plan_and_ask(
            lambda: workspace.changes.plan_document(repository, incoming.document, incoming.notes),
            verb="Merge",
            title=lambda plan: f"Merge into {safe(plan.repository.name)}?",
            nothing="it has all of it already",
        )
