"""Request IAM Access Analyzer's opinion on the preview. Only on demand, because it creates an access preview in account
A."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def ask(desk: Desk, selection: Selection) -> None:
    if selection.plan is None:
        desk.say("No preview to ask about yet.")
        return
    desk.stage.preview.turn_to("findings")
    desk.stage.area.go_to("preview")
    desk.stage.preview.analyzer.ask(selection.plan)
