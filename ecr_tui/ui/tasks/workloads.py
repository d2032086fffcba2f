"""Which Lambda functions and ECS task definitions use the selected repository's images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecr_tui.ui.screens.workloads import WorkloadsScreen

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def show(desk: Desk, selection: Selection) -> None:
    if selection.repository is not None:
        await desk.ask(WorkloadsScreen(desk.workspace, selection.repository))
