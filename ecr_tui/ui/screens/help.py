"""All keys, from the catalogue, and how it works in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from ecr_tui.ui.keys import CATALOGUE, GROUPS, Key
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED

STORY = (
    "The owner of account A lets principals of account B push to and pull from A's repositories, and proves it. "
    "Choose a repository; the policy preview shows the exact document that g would write for the principal (b), the "
    "access (p) and the tag condition (c) chosen. v then logs in, pushes and pulls as account B. u puts the policy "
    "back exactly as it was."
)

SAFETY = (
    "Before each write the policy is read again, and the write is refused when it is not the one shown; afterwards it "
    "is read back. Statements of others are never touched. Risky writes ask first."
)


def help_content(keys: Sequence[Key] = CATALOGUE) -> Content:
    lines: list[Content] = [Content(STORY), Content("")]
    for group in GROUPS:
        lines.append(Content.styled(group, "bold $text-primary"))
        lines += [
            Content.assemble(
                (f"  {key.shown or '–':<8}", "$text-accent bold"),
                (f"{key.label:<16}", "bold"),
                (key.tooltip, MUTED),
            )
            for key in keys
            if key.group == group
        ]
        lines.append(Content(""))
    lines.append(Content.styled(SAFETY, MUTED))
    return Content("\n").join(lines)


class HelpScreen(TextScreen):
    def __init__(self, keys: Sequence[Key]) -> None:
        body = help_content(keys)
        super().__init__("ecr-tui", body, copy=body.plain, what="the help")
