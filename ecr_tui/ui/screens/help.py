"""What the focused pane is for and its keys, then all keys from the catalogue, and how it works in a few lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from textual.content import Content

from ecr_tui.ui.keys import CATALOGUE, GROUPS, Key
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED

STORY = (
    "The owner of account A lets principals of account B push to and pull from A's repositories, and proves it. "
    "Choose a repository; the policy preview shows the exact document that {change.grant} would write for the "
    "principal ({choose.principal}), the access ({choose.access}) and the tag condition ({choose.condition}) chosen. "
    "{prove.verify} then logs in, pushes and pulls as account B. {change.undo} puts the policy back exactly as it was."
)

SAFETY = (
    "Before each write the policy is read again, and the write is refused when it is not the one shown; afterwards it "
    "is read back. Statements of others are never touched. Risky writes ask first."
)

PANES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "repositories": (
        "Repositories",
        "Account A's repositories, with what account B may do in each. The other panes are about the one under the "
        "cursor; while some are marked, {change.grant}, {change.revoke} and {prove.many} are about those. A click on a "
        "column's title sorts.",
        (
            "find.filter",
            "find.tags",
            "find.sort",
            "find.policies",
            "find.refresh",
            "table.mark",
            "table.mark_shown",
            "table.open",
            "change.grant",
            "change.revoke",
            "change.tags",
            "prove.verify",
            "general.copy",
        ),
    ),
    "preview": (
        "Policy preview",
        "What {change.grant} would write: the difference to the policy as it is, the document, who may do what with "
        "it, what is odd about it, and what account B needs on its side.",
        (
            "pane.tab",
            "choose.principal",
            "choose.access",
            "choose.condition",
            "change.grant",
            "general.copy",
            "general.copy_as",
        ),
    ),
    "verification": (
        "Verification",
        "Proof, live, as account B, of the access chosen with {choose.access}: a row for each stage, and of a denial "
        "whose side it is, which action, why, and what to do. Pull alone pulls the newest image that is there, and "
        "pushes nothing.",
        ("prove.verify", "prove.many", "prove.cancel", "prove.history", "choose.access", "general.copy"),
    ),
    "accounts": (
        "Accounts",
        "Who owns the repositories (A), and to whom they are opened (B). enter shows everything about an account, or "
        "why there is nothing; a click on its title chooses another.",
        ("choose.accounts", "find.refresh", "general.copy"),
    ),
}
"""By pane: its title, what it is for, and the ids of its keys."""


def named(text: str, keys: Sequence[Key]) -> str:
    """``text`` with the keys in force in place of ids in braces."""
    shown = {key.id: key.shown.partition(" ")[0] for key in keys}
    return re.sub(r"\{([a-z_.]+)\}", lambda found: shown[found[1]] or "(no key)", text)


def _lines(keys: Iterable[Key]) -> list[Content]:
    return [
        Content.assemble(
            (f"  {key.shown or '–':<8}", "$text-accent bold"),
            (f"{key.label:<16}", "bold"),
            (key.tooltip, MUTED),
        )
        for key in keys
    ]


def help_content(keys: Sequence[Key] = CATALOGUE, pane: str = "repositories") -> Content:
    by_id = {key.id: key for key in keys}
    title, purpose, own = PANES[pane]
    lines = [
        Content.styled(f"Here: {title}", "bold $text-primary"),
        Content(named(purpose, keys)),
        Content(""),
        *_lines(by_id[one] for one in own),
        Content(""),
        Content.styled("How it works", "bold $text-primary"),
        Content(named(STORY, keys)),
        Content(""),
    ]
    for group in GROUPS:
        lines.append(Content.styled(group, "bold $text-primary"))
        lines += _lines(key for key in keys if key.group == group)
        lines.append(Content(""))
    lines.append(Content.styled(SAFETY, MUTED))
    return Content("\n").join(lines)


class HelpScreen(TextScreen):
    def __init__(self, keys: Sequence[Key], pane: str) -> None:
        body = help_content(keys, pane)
        super().__init__("ecr-tui", body, copy=body.plain, what="the help")
