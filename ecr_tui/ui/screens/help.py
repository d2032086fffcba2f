"""Help: the focused pane and its keys, all keys from the catalogue, and a summary."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from textual.content import Content

from ecr_tui.ui.key import Key
from ecr_tui.ui.keys import CATALOGUE, GROUPS, PANES
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED

STORY = (
    "Grant principals of account B push and pull access to account A's repositories, and verify it live. "
    "Select a repository. The policy preview shows the exact document that {change.grant} would write for the "
    "principal ({choose.principal}), the access ({choose.access}) and the tag condition ({choose.condition}). "
    "{prove.verify} logs in, pushes and pulls as account B. {change.undo} restores the policy exactly as it was."
)

SAFETY = (
    "Before each write ecr-tui reads the policy again, and refuses if it is not the one shown; afterwards it reads it "
    "back. Foreign statements are never changed. Risky writes ask first."
)

PURPOSES: dict[str, tuple[str, str]] = {
    "repositories": (
        "Repositories",
        "Account A's repositories, with the access of the chosen principal. The other panes show the "
        "selected one. With marks, {change.grant}, {change.revoke} and {prove.many} apply to the marked ones. Click "
        "a column title to sort.",
    ),
    "preview": (
        "Policy preview",
        "What {change.grant} would write: the difference to the current policy, the document, the resulting access, "
        "its findings, and the policy that account B needs.",
    ),
    "verification": (
        "Verification",
        "Live verification, as account B, of the access chosen with {choose.access}, with stages, and for a denial "
        "its side, action, cause and fix. Pull alone pulls the newest existing image and pushes nothing.",
    ),
    "accounts": (
        "Accounts",
        "Account A owns the repositories; account B gets access to them. Press Enter for the details of an account, "
        "or why it could not be read; click its title to choose another.",
    ),
}
"""Title and purpose by pane."""

KEY, LABEL = 12, 16
"""Columns of a key and of its label."""


def named(text: str, keys: Sequence[Key]) -> str:
    """``text`` with the current keys instead of ids in braces."""
    shown = {key.id: key.shown.partition(" ")[0] for key in keys}
    return re.sub(r"\{([a-z_.]+)\}", lambda found: shown[found[1]] or "(no key)", text)


def _lines(keys: Iterable[Key], width: int) -> list[Content]:
    """A line per key, with a hanging indent."""
    indent = 2 + KEY + LABEL
    lines = []
    for key in keys:
        words = textwrap.wrap(key.tooltip, max(width - indent, 16))
        lines.append(
            Content.assemble(
                (f"  {key.shown or '–':<{KEY}}", "$text-accent bold"),
                (f"{key.label:<{LABEL}}", "bold"),
                (("\n" + " " * indent).join(words), MUTED),
            )
        )
    return lines


def help_content(keys: Sequence[Key] = CATALOGUE, pane: str = "repositories", width: int = 80) -> Content:
    by_id = {key.id: key for key in keys}
    title, purpose = PURPOSES[pane]
    lines = [
        Content.styled(title, "bold $text-primary"),
        Content(named(purpose, keys)),
        Content(""),
        *_lines((by_id[one] for one in PANES[pane]), width),
        Content(""),
        Content.styled("How it works", "bold $text-primary"),
        Content(named(STORY, keys)),
        Content(""),
    ]
    for group in GROUPS:
        lines.append(Content.styled(group, "bold $text-primary"))
        lines += _lines((key for key in keys if key.group == group), width)
        lines.append(Content(""))
    lines.append(Content.styled(SAFETY, MUTED))
    return Content("\n").join(lines)


class HelpScreen(TextScreen):
    def __init__(self, keys: Sequence[Key], pane: str, width: int) -> None:
        """``width``: columns of the terminal."""
        body = help_content(keys, pane, min(int(width * 0.9), 100) - 7)
        super().__init__("ecr-tui help", body, copy=body.plain, what="the help")
