"""Every key of the app, in one catalogue: bindings, help, palette and README's table are made from it."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType


class Key(NamedTuple):
    """One action. ``keys`` as Textual spells them, comma-separated; ``shown`` as the user reads them.

    ``writes``: changes something at AWS (a verification pushes an image), so read-only mode takes it away.
    ``palette``: an action by name, in the palette and the footer; what only moves is not.
    """

    id: str
    keys: str
    action: str
    label: str
    tooltip: str
    group: str
    shown: str = ""
    writes: bool = False
    palette: bool = True

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.palette,
            key_display=self.shown.partition(" ")[0] or None,
            tooltip=self.tooltip,
            id=self.id,
        )


FIND, CHOOSE, CHANGE, PROVE, MOVE, GENERAL = "Inspect", "Choose", "Change", "Verify", "Navigate", "General"

MAIN: tuple[Key, ...] = (
    Key(
        "find.filter",
        "slash",
        "filter",
        "Filter",
        "Filter as you type: words, tag:K=V, access:none, !not",
        FIND,
        "/",
    ),
    Key("find.tags", "t", "tag_filter", "Tags", "List only repositories with these tags", FIND, "t"),
    Key(
        "change.grant",
        "g",
        "task('grant')",
        "Grant",
        "Write the previewed change, or plan it for all marked; Esc cancels within 0.4 s, gg goes to the top",
        CHANGE,
        "g",
        writes=True,
    ),
    Key(
        "change.revoke",
        "x",
        "task('revoke')",
        "Revoke",
        "Revoke the principal's access; asks first",
        CHANGE,
        "x",
        writes=True,
    ),
    Key(
        "change.repair",
        "F",
        "task('repair')",
        "Repair",
        "Remove from the policy what ECR rejects, such as deleted principals; with marks, in all marked; asks first",
        CHANGE,
        "F",
        writes=True,
    ),
    Key(
        "change.undo",
        "u",
        "task('undo')",
        "Undo",
        "Restore the policy as it was before the last write",
        CHANGE,
        "u",
        writes=True,
    ),
    Key(
        "change.runs",
        "R",
        "task('runs')",
        "Run",
        "Show the bulk run and its progress; resume an unfinished one",
        CHANGE,
        "R",
    ),
    Key(
        "prove.verify",
        "v",
        "task('verify')",
        "Verify",
        "Log in, push and pull as account B, live",
        PROVE,
        "v",
        writes=True,
    ),
    Key(
        "general.copy",
        "y",
        "copy",
        "Copy",
        "Copy what has the focus: repository URI, document or report",
        GENERAL,
        "y",
    ),
    Key(
        "prove.many",
        "V",
        "task('verify_many')",
        "Verify marked",
        "Verify all marked repositories",
        PROVE,
        "V",
        writes=True,
    ),
    Key(
        "prove.history",
        "h",
        "task('history')",
        "History",
        "Past verifications of the repository: date, verdict, engine, principal",
        FIND,
        "h",
    ),
    Key(
        "change.tags",
        "e",
        "task('edit_tags')",
        "Edit tags",
        "Change the repository's tags; who gains and loses access is shown first",
        CHANGE,
        "e",
        writes=True,
    ),
    Key(
        "change.edit",
        "ctrl+e",
        "task('edit_policy')",
        "Edit policy",
        "Edit the whole policy in $EDITOR; what changes is checked and shown first",
        CHANGE,
        "ctrl+e",
        writes=True,
    ),
    Key(
        "change.journal",
        "U",
        "task('journal')",
        "Journal",
        "Every write: who, when, what and its state; undo or redo any of them",
        FIND,
        "U",
    ),
    Key(
        "general.help",
        "question_mark,f1",
        "help",
        "Help",
        "The focused pane and all keys; / searches",
        GENERAL,
        "? F1",
    ),
    Key("general.quit", "q", "quit_app", "Quit", "Quit; asks while a bulk run is in progress", GENERAL, "q"),
    Key(
        "choose.principal",
        "b",
        "task('principal')",
        "Principal",
        "Choose who is granted access: user, role, account, organization (org), AWS service",
        CHOOSE,
        "b",
    ),
    Key(
        "choose.access",
        "p",
        "task('access')",
        "Access",
        "Next access: read, pull, push and their combinations",
        CHOOSE,
        "p",
    ),
    Key(
        "choose.condition",
        "c",
        "task('condition')",
        "Condition",
        "Choose the tag condition of the grant",
        CHOOSE,
        "c",
    ),
    Key(
        "choose.until",
        "w",
        "task('until')",
        "Until…",
        "Choose when the grant ends: 2w, 30d, 12h, or a date",
        CHOOSE,
        "w",
    ),
    Key(
        "find.describe",
        "d",
        "describe",
        "Describe",
        "All facts of the repository, with its tags in full",
        FIND,
        "d",
    ),
    Key("find.columns", "C", "columns", "Columns", "Choose the columns of the list", FIND, "C"),
    Key("find.sort", "s", "sort", "Sort", "Sort by column; pick it again to reverse", FIND, "s"),
    Key(
        "find.policies",
        "P",
        "read_policies",
        "Read policies",
        "Load the policies of all matching repositories (needed by access: in the filter)",
        FIND,
        "P",
    ),
    Key("find.refresh", "r", "refresh", "Refresh", "Read accounts, repositories and policies again", FIND, "r"),
    Key("prove.cancel", "escape", "cancel", "Cancel", "Stop the verification, or clear the filter", PROVE, "esc"),
    Key(
        "choose.accounts",
        "A",
        "task('accounts')",
        "Accounts",
        "Choose or swap accounts A and B: profile, region, role to assume; sign in (SSO login)",
        CHOOSE,
        "A",
    ),
    Key(
        "general.calls",
        "exclamation_mark",
        "calls",
        "Session log",
        "Every call to AWS and the registry, as aws and docker commands",
        GENERAL,
        "!",
    ),
    Key("general.error", "i", "last_error", "Last error", "Show the last error in full", GENERAL, "i"),
    Key(
        "prove.audit",
        "a",
        "audit",
        "Audit",
        "Who has access to which repositories, and anything suspicious",
        FIND,
        "a",
    ),
    Key(
        "find.matrix",
        "M",
        "matrix",
        "Matrix",
        "Who can read, pull and push what, and when that was verified: all repositories, or the marked ones",
        FIND,
        "M",
    ),
    Key(
        "general.copy_as",
        "Y",
        "task('copy_as')",
        "Copy as…",
        "Copy the previewed grant as AWS CLI commands, Terraform, CloudFormation or JSON",
        GENERAL,
        "Y",
    ),
    Key(
        "general.console",
        "o",
        "task('console')",
        "AWS console",
        "Open the repository's page of the AWS console in the browser",
        GENERAL,
        "o",
    ),
    Key("general.pager", "vertical_line", "page", "Pager", "Open what has the focus in $PAGER", GENERAL, "|"),
    Key(
        "general.commands",
        "colon",
        "app.command_palette",
        "Commands",
        "Find any action by name or description, as ctrl+p",
        GENERAL,
        ":",
        palette=False,
    ),
    Key("pane.repositories", "1", "pane('repositories')", "Repositories", "Go to the list of repositories", MOVE, "1"),
    Key("pane.preview", "2", "pane('preview')", "Policy preview", "Go to the policy preview", MOVE, "2"),
    Key("pane.verification", "3", "pane('verification')", "Verification", "Go to the verification", MOVE, "3"),
    Key("pane.accounts", "4", "pane('accounts')", "Accounts", "Go to the accounts", MOVE, "4"),
    Key("pane.grow", "plus", "resize_pane(1)", "Larger", "Make the pane larger; a mouse drags its borders", MOVE, "+"),
    Key("pane.shrink", "minus", "resize_pane(-1)", "Smaller", "Make the pane smaller", MOVE, "-"),
    Key("pane.zoom", "z", "zoom", "Zoom", "Show the pane alone; press again to restore", MOVE, "z"),
)
"""The main screen's keys."""

SORT: tuple[Key, ...] = tuple(
    Key(
        f"table.sort_{column}",
        key,
        f"sort_column('{column}')",
        f"Sort by {words}",
        f"Sort by {words}; again reverses the order",
        FIND,
        key,
        palette=False,
    )
    for key, column, words in (
        ("S", "name", "name"),
        ("T", "tags", "tags"),
        ("B", "access", "access"),
        ("X", "mutability", "image tag mutability"),
        ("I", "images", "number of images"),
        ("L", "pushed", "last push"),
        ("O", "pulled", "last pull"),
        ("D", "findings", "findings"),
        ("E", "verified", "last verification"),
    )
)

TABLE: tuple[Key, ...] = (
    Key(
        "table.mark",
        "space",
        "mark",
        "Mark",
        "Mark the repository, to grant, revoke or verify several at once",
        CHOOSE,
        "space",
    ),
    Key(
        "table.mark_shown",
        "asterisk",
        "mark_shown",
        "Mark shown",
        "Mark all repositories that the filter shows; press again to unmark",
        CHOOSE,
        "*",
    ),
    Key("table.next", "n", "match(1)", "Next match", "The next match of the filter, also of a cleared one", FIND, "n"),
    Key("table.previous", "N", "match(-1)", "Previous match", "The previous match of the filter", FIND, "N"),
    Key("table.open", "enter", "open", "Open", "Go to the repository's policy preview", MOVE, "enter", palette=False),
    Key("table.up", "up,k", "move(-1)", "Up", "One row up", MOVE, "↑ k", palette=False),
    Key("table.down", "down,j", "move(1)", "Down", "One row down", MOVE, "↓ j", palette=False),
    Key("table.page_up", "pageup,ctrl+b", "page(-1)", "Page up", "One page up", MOVE, "PgUp ctrl+b", palette=False),
    Key(
        "table.page_down",
        "pagedown,ctrl+f",
        "page(1)",
        "Page down",
        "One page down",
        MOVE,
        "PgDn ctrl+f",
        palette=False,
    ),
    Key("table.half_up", "ctrl+u", "half_page(-1)", "Half a page up", "Half a page up", MOVE, "ctrl+u", palette=False),
    Key(
        "table.half_down",
        "ctrl+d",
        "half_page(1)",
        "Half a page down",
        "Half a page down",
        MOVE,
        "ctrl+d",
        palette=False,
    ),
    Key("table.top", "home", "end(-1)", "First", "To the first row", MOVE, "Home", palette=False),
    Key("table.bottom", "end,G", "end(1)", "Last", "To the last row", MOVE, "End G", palette=False),
    *SORT,
)
"""The keys of a table."""

OTHER: tuple[Key, ...] = (
    Key(
        "general.palette",
        "ctrl+p",
        "command_palette",
        "Commands",
        "Find any action by name or description",
        GENERAL,
        "ctrl+p",
        palette=False,
    ),
    Key(
        "general.focus",
        "tab",
        "focus_next",
        "Next pane",
        "Focus the next pane (shift+tab: the previous one)",
        MOVE,
        "tab",
        palette=False,
    ),
    Key("pane.tab", "left", "tab", "Tab", "The previous or next tab of the preview", MOVE, "← →", palette=False),
)
"""Keys that Textual binds itself: listed for help and README, never bound by us."""

CATALOGUE: tuple[Key, ...] = MAIN + TABLE + OTHER

PANES: dict[str, tuple[str, ...]] = {
    "repositories": (
        "change.grant",
        "prove.verify",
        "find.filter",
        "table.mark",
        "change.undo",
        "change.revoke",
        "choose.principal",
        "choose.access",
        "choose.condition",
        "find.tags",
        "change.tags",
        "prove.audit",
        "find.matrix",
        "change.journal",
        "prove.history",
        "choose.accounts",
        "table.mark_shown",
        "general.copy",
        "find.sort",
        "prove.many",
        "change.runs",
        "general.copy_as",
        "find.refresh",
        "find.policies",
        "table.open",
    ),
    "preview": (
        "change.grant",
        "choose.principal",
        "choose.access",
        "choose.condition",
        "prove.verify",
        "change.undo",
        "change.revoke",
        "pane.tab",
        "general.copy",
        "general.copy_as",
        "change.repair",
        "change.tags",
    ),
    "verification": (
        "prove.verify",
        "prove.history",
        "general.copy",
        "prove.many",
        "prove.cancel",
        "choose.access",
        "change.grant",
        "change.undo",
    ),
    "accounts": ("choose.accounts", "find.refresh", "general.copy"),
}
"""By pane, the keys that are for it, the most useful first: the footer's order, and the help's."""

GROUPS: tuple[str, ...] = (FIND, CHOOSE, CHANGE, PROVE, MOVE, GENERAL)

BINDINGS: list[BindingType] = [key.binding() for key in MAIN]
TABLE_BINDINGS: list[BindingType] = [key.binding() for key in TABLE]


def markdown_table() -> str:
    """The README's table of keys; a test compares it."""
    rows = [
        f"| `{key.shown}` | {key.label} | {key.tooltip} |".replace("`|`", r"`\|`")
        for group in GROUPS
        for key in CATALOGUE
        if key.group == group
    ]
    return "\n".join(["| Key | Action | What it does |", "|---|---|---|", *rows])


def by_action(action: str, parameters: tuple[object, ...] = ()) -> Key | None:
    """The key with this action, whose arguments may be part of the text."""
    whole = f"{action}({', '.join(map(repr, parameters))})" if parameters else action
    return next((key for key in CATALOGUE if key.action == whole), None)
