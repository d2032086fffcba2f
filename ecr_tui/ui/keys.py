"""Every key of the app, in one catalogue: bindings, help, palette and README's table are made from it."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType


class Key(NamedTuple):
    """One action. ``keys`` as Textual spells them, comma-separated; ``shown`` as the user reads them.

    ``writes``: changes something at AWS (a verification pushes an image), so read-only mode takes it away.
    ``footer``: worth its place there.
    """

    id: str
    keys: str
    action: str
    label: str
    tooltip: str
    group: str
    shown: str = ""
    footer: bool = False
    writes: bool = False
    palette: bool = True

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.footer,
            key_display=self.shown.partition(" ")[0] or None,
            tooltip=self.tooltip,
            id=self.id,
        )


FIND, CHOOSE, CHANGE, PROVE, MOVE, GENERAL = "Find", "Choose", "Change", "Prove", "Move", "General"

MAIN: tuple[Key, ...] = (
    Key(
        "find.filter",
        "slash",
        "filter",
        "Filter",
        "Filter as you type: words, tag:K=V, access:none, !not",
        FIND,
        "/",
        footer=True,
    ),
    Key("find.tags", "t", "tag_filter", "Tags", "List only repositories with these tags", FIND, "t", footer=True),
    Key(
        "change.grant",
        "g",
        "task('grant')",
        "Grant",
        "Write the previewed change, or plan it for all marked; Esc cancels within 0.4 s, gg goes to the top",
        CHANGE,
        "g",
        footer=True,
        writes=True,
    ),
    Key(
        "change.revoke",
        "x",
        "task('revoke')",
        "Revoke",
        "Take the principal's access away; asks first",
        CHANGE,
        "x",
        footer=True,
        writes=True,
    ),
    Key(
        "change.repair",
        "F",
        "task('repair')",
        "Repair",
        "Take out of the policy what ECR refuses; with marks, of all marked; asks first",
        CHANGE,
        "F",
        writes=True,
    ),
    Key(
        "change.undo",
        "u",
        "task('undo')",
        "Undo",
        "Put back the policy as it was before the last write",
        CHANGE,
        "u",
        footer=True,
        writes=True,
    ),
    Key(
        "change.runs",
        "R",
        "task('runs')",
        "Run",
        "The run over many repositories: how far it is; resume what is left of one",
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
        footer=True,
        writes=True,
    ),
    Key(
        "general.copy",
        "y",
        "copy",
        "Copy",
        "Copy what has the focus: repository, document or report",
        GENERAL,
        "y",
        footer=True,
    ),
    Key(
        "prove.many",
        "V",
        "task('verify_many')",
        "Verify marked",
        "Verify all marked repositories, some at a time",
        PROVE,
        "V",
        writes=True,
    ),
    Key(
        "prove.history",
        "h",
        "task('history')",
        "History",
        "Past verifications of the repository: date, verdict, engine, who",
        PROVE,
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
        "Every write with who, when and what; undo any that is still in force, redo",
        CHANGE,
        "U",
    ),
    Key(
        "general.help",
        "question_mark,f1",
        "help",
        "Help",
        "What the focused pane is for, all keys, how it works",
        GENERAL,
        "? F1",
        footer=True,
    ),
    Key("general.quit", "q", "quit_app", "Quit", "Leave at once", GENERAL, "q", footer=True),
    Key(
        "choose.principal",
        "b",
        "task('principal')",
        "To whom",
        "Choose the principal that is granted access",
        CHOOSE,
        "b",
        footer=True,
    ),
    Key(
        "choose.access",
        "p",
        "task('access')",
        "Access",
        "Change between pull, push and push + pull",
        CHOOSE,
        "p",
        footer=True,
    ),
    Key(
        "choose.condition",
        "c",
        "task('condition')",
        "If tag",
        "Choose the tag that the grant depends on",
        CHOOSE,
        "c",
        footer=True,
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
    Key("find.sort", "s", "sort", "Sort", "Sort by a column; the same one again turns the order", FIND, "s"),
    Key(
        "find.policies",
        "P",
        "read_policies",
        "Read policies",
        "Read the policies of all repositories that the filter lets through, for access: in it",
        FIND,
        "P",
    ),
    Key("find.refresh", "r", "refresh", "Refresh", "Read accounts, repositories and policies again", FIND, "r"),
    Key("prove.cancel", "escape", "cancel", "Cancel", "Stop the verification; else clear the filter", PROVE, "esc"),
    Key(
        "choose.accounts",
        "A",
        "task('accounts')",
        "Accounts",
        "Choose or swap accounts A and B, assume a role, sign in",
        CHOOSE,
        "A",
    ),
    Key(
        "general.calls",
        "exclamation_mark",
        "calls",
        "Session log",
        "Every call to AWS and registries, as commands",
        GENERAL,
        "!",
    ),
    Key("general.error", "i", "last_error", "Last error", "Show the last error in full", GENERAL, "i"),
    Key("prove.audit", "a", "audit", "Audit", "Who can do what in all repositories, and what is odd", PROVE, "a"),
    Key(
        "general.copy_as",
        "Y",
        "task('copy_as')",
        "Copy as…",
        "Copy the previewed grant as commands, Terraform, CloudFormation or JSON",
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
        "Every action by name, as ctrl+p",
        GENERAL,
        ":",
        palette=False,
    ),
    Key("pane.repositories", "1", "pane('repositories')", "Repositories", "Go to the repositories", MOVE, "1"),
    Key("pane.preview", "2", "pane('preview')", "Policy preview", "Go to the policy preview", MOVE, "2"),
    Key("pane.verification", "3", "pane('verification')", "Verification", "Go to the verification", MOVE, "3"),
    Key("pane.accounts", "4", "pane('accounts')", "Accounts", "Go to the accounts", MOVE, "4"),
    Key("pane.grow", "plus", "resize_pane(1)", "Larger", "Make the pane larger; a mouse drags its borders", MOVE, "+"),
    Key("pane.shrink", "minus", "resize_pane(-1)", "Smaller", "Make the pane smaller", MOVE, "-"),
    Key("pane.zoom", "z", "zoom", "Zoom", "The pane alone on the screen; once more: all again", MOVE, "z"),
)
"""The main screen's keys, in the order of the footer: what is cut off in a narrow one is named in its pane anyway."""

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
        ("M", "mutability", "image tag mutability"),
        ("I", "images", "number of images"),
        ("L", "pushed", "last push"),
        ("O", "pulled", "last pull"),
        ("D", "findings", "findings"),
        ("E", "verified", "last verification"),
    )
)

TABLE: tuple[Key, ...] = (
    Key("table.mark", "space", "mark", "Mark", "Mark the repository for a grant or revoke of several", CHOOSE, "space"),
    Key(
        "table.mark_shown",
        "asterisk",
        "mark_shown",
        "Mark shown",
        "Mark all repositories that the filter shows; once more unmarks them",
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
        "Every action by name",
        GENERAL,
        "ctrl+p",
        palette=False,
    ),
    Key(
        "general.focus",
        "tab",
        "focus_next",
        "Next pane",
        "Move the focus on (shift+tab: back)",
        MOVE,
        "tab",
        palette=False,
    ),
    Key("pane.tab", "left", "tab", "Tab", "The previous or next tab of the preview", MOVE, "← →", palette=False),
)
"""Keys that Textual binds itself: listed for help and README, never bound by us."""

CATALOGUE: tuple[Key, ...] = MAIN + TABLE + OTHER

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
