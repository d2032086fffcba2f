"""Who used the selected repository, from CloudTrail's events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.errors import EcrTuiError
from ecr_tui.render.usage import usage_text
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.screens.usage import UsageReading
from ecr_tui.ui.text import safe, safe_block

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def show(desk: Desk, selection: Selection) -> None:
    """Reads what is new since the last time, and shows last use, unused grants and denials."""
    repository = selection.repository
    if repository is None:
        return
    found = await desk.ask(UsageReading(desk.workspace, repository))
    if isinstance(found, EcrTuiError):
        raise found
    if found is None:
        desk.say("Stopped reading CloudTrail. What was read is kept.")
        return
    text = usage_text(found)
    await desk.ask(
        TextScreen(f"Use of {safe(repository.name)}", Content(safe_block(text)), copy=text, what="the report")
    )
