"""Read-only tasks: audit, matrix, drift, usage and workloads of a repository, session log, help."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textual.content import Content

from ecr_tui.errors import EcrTuiError
from ecr_tui.render.usage import usage_text
from ecr_tui.ui.keymap import Keymap
from ecr_tui.ui.screens.audit import AuditScreen
from ecr_tui.ui.screens.calls import CallsScreen
from ecr_tui.ui.screens.drift import DriftScreen
from ecr_tui.ui.screens.help import HelpScreen
from ecr_tui.ui.screens.matrix import MatrixScreen
from ecr_tui.ui.screens.reading import ReadingScreen
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.tasks.drift import file_of_grants
from ecr_tui.ui.text import safe, safe_block

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from textual.screen import Screen

    from ecr_tui.access.usage_report import UsageReport
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

T = TypeVar("T")


async def audit(desk: Desk, selection: Selection) -> None:
    await _go_to(desk, AuditScreen(desk.workspace))


async def matrix(desk: Desk, selection: Selection) -> None:
    """For the marked or all listed repositories."""
    await _go_to(desk, MatrixScreen(desk, selection.marked or desk.stage.repositories.table.rows))


async def drift(desk: Desk, selection: Selection) -> None:
    path = await file_of_grants(desk)
    if path is not None:
        await _go_to(desk, DriftScreen(desk, path, Path(path.strip()).name))


async def _go_to(desk: Desk, screen: Screen[Repository | None]) -> None:
    """Selects the repository returned by the screen."""
    repository = await desk.ask(screen)
    if repository is not None and (problem := desk.stage.reach(repository)):
        desk.say(problem)


async def usage(desk: Desk, selection: Selection) -> None:
    """Usage of the selected repository: reads new CloudTrail events."""
    repository = selection.repository
    if repository is None:
        return
    title, report = f"Usage of {safe(repository.name)}", desk.workspace.access.usage.report

    def read(cancel: Event, tell: Callable[[str], None]) -> UsageReport:
        def page(events: int, back_to: datetime) -> None:
            tell(f"{events:,} events read, back to {back_to:%Y-%m-%d %H:%M} UTC")

        return report([repository], on_page=page, cancel=cancel)

    where, stop = f"{title}: CloudTrail's events of {repository.region}", "stop and keep the events read so far"
    found = await _read(desk, ReadingScreen(where, "reading…", read, stop=stop))
    if found is None:
        desk.say("Stopped reading CloudTrail. Events read so far are kept.")
    else:
        text = usage_text(found)
        await desk.ask(TextScreen(title, Content(safe_block(text)), copy=text, what="the report"))


async def workloads(desk: Desk, selection: Selection) -> None:
    """Lambda functions and ECS task definitions that use the selected repository's images."""
    repository = selection.repository
    if repository is None:
        return
    title, read = f"Workloads that use {safe(repository.name)}", desk.workspace.access.workloads
    begin = "reading Lambda functions and ECS task definitions"
    found = await _read(desk, ReadingScreen(title, begin, lambda cancel, _: read(repository, cancel=cancel)))
    if found is not None:
        text = "\n".join(found.lines())
        await desk.ask(TextScreen(title, Content(safe_block(text)), copy=text, what="the workloads"))


async def _read(desk: Desk, screen: ReadingScreen[T]) -> T | None:
    """None if the user stopped it. Raises EcrTuiError."""
    found = await desk.ask(screen)
    if isinstance(found, EcrTuiError):
        raise found
    return found


async def calls(desk: Desk, selection: Selection) -> None:
    await desk.ask(CallsScreen())


async def keys(desk: Desk, selection: Selection) -> None:
    keys_in_force = Keymap.of(desk.workspace.settings).keys
    await desk.ask(HelpScreen(keys_in_force, desk.stage.area.focused, desk.app.size.width))
