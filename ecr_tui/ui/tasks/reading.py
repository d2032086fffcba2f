"""What is only read: the audit, the matrix, drift, the session log, the help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ecr_tui.ui.keymap import Keymap
from ecr_tui.ui.screens.audit import AuditScreen
from ecr_tui.ui.screens.calls import CallsScreen
from ecr_tui.ui.screens.drift import DriftScreen
from ecr_tui.ui.screens.help import HelpScreen
from ecr_tui.ui.screens.matrix import MatrixScreen
from ecr_tui.ui.tasks.drift import file_of_grants

if TYPE_CHECKING:
    from textual.screen import Screen

    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def audit(desk: Desk, selection: Selection) -> None:
    await _go_to(desk, AuditScreen(desk.workspace))


async def matrix(desk: Desk, selection: Selection) -> None:
    """Of the marked repositories, or all of the list."""
    await _go_to(desk, MatrixScreen(desk, selection.marked or desk.stage.repositories.table.rows))


async def drift(desk: Desk, selection: Selection) -> None:
    path = await file_of_grants(desk)
    if path is not None:
        await _go_to(desk, DriftScreen(desk, path, Path(path.strip()).name))


async def _go_to(desk: Desk, screen: Screen[Repository | None]) -> None:
    """And select the repository that is gone to from there."""
    repository = await desk.ask(screen)
    if repository is not None and (problem := desk.stage.reach(repository)):
        desk.say(problem)


async def calls(desk: Desk, selection: Selection) -> None:
    await desk.ask(CallsScreen())


async def keys(desk: Desk, selection: Selection) -> None:
    keys_in_force = Keymap.of(desk.workspace.settings).keys
    await desk.ask(HelpScreen(keys_in_force, desk.stage.area.focused, desk.app.size.width))
