"""Every key of the app, in one catalogue: bindings, help, palette and README's table are made from it."""

from __future__ import annotations

from textual.binding import BindingType

from ecr_tui.ui.key import CHANGE, CHOOSE, FIND, GENERAL, MOVE, PROVE, Key
from ecr_tui.ui.table_keys import TABLE

PAGER = Key(
    "general.pager",
    "vertical_line",
    "app.page",
    "Pager",
    "Open what has the focus in $PAGER; in dialogs too",
    GENERAL,
    "|",
)

MAIN: tuple[Key, ...] = (
    Key(
        "find.filter",
        "slash",
        "at('area', 'filter')",
        "Filter",
        "Filter as you type: words, tag:K=V, access:none, !not",
        FIND,
        "/",
    ),
    Key("find.tags", "t", "at('area', 'filter', 'tags')", "Tags", "List only repositories with these tags", FIND, "t"),
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
        "at('area', 'copy')",
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
        "task('help')",
        "Help",
        "The focused pane and all keys; / searches",
        GENERAL,
        "? F1",
    ),
    Key("general.quit", "q", "app.quit", "Quit", "Quit; asks while a bulk run is in progress", GENERAL, "q"),
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
        "choose.next_consumer",
        "right_curly_bracket",
        "task('next_consumer')",
        "Next consumer",
        "The next consumer as account B: access, preview and verification are its own",
        CHOOSE,
        "}",
    ),
    Key(
        "choose.previous_consumer",
        "left_curly_bracket",
        "task('previous_consumer')",
        "Prior consumer",
        "The consumer before it as account B",
        CHOOSE,
        "{",
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
        "at('repositories', 'describe')",
        "Describe",
        "All facts of the repository, with its tags in full",
        FIND,
        "d",
    ),
    Key(
        "find.workloads",
        "W",
        "task('workloads')",
        "Workloads",
        "Which Lambda functions and ECS task definitions use the repository's images",
        FIND,
        "W",
    ),
    Key("find.columns", "C", "at('repositories', 'columns')", "Columns", "Choose the columns of the list", FIND, "C"),
    Key("find.sort", "s", "at('repositories', 'sort')", "Sort", "Sort by column; pick it again to reverse", FIND, "s"),
    Key(
        "find.policies",
        "P",
        "at('repositories', 'read_all')",
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
        "Choose or swap accounts A and B: consumer or profile, region, role to assume; sign in (SSO login)",
        CHOOSE,
        "A",
    ),
    Key(
        "general.calls",
        "exclamation_mark",
        "task('calls')",
        "Session log",
        "Every call to AWS and the registry, as aws and docker commands",
        GENERAL,
        "!",
    ),
    Key("general.error", "i", "at('banner', 'show_last')", "Last error", "Show the last error in full", GENERAL, "i"),
    Key(
        "prove.audit",
        "a",
        "task('audit')",
        "Audit",
        "Who has access to which repositories, and anything suspicious",
        FIND,
        "a",
    ),
    Key(
        "find.matrix",
        "M",
        "task('matrix')",
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
    PAGER,
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
    Key(
        "pane.repositories",
        "1",
        "at('area', 'go_to', 'repositories')",
        "Repositories",
        "Go to the list of repositories",
        MOVE,
        "1",
    ),
    Key("pane.preview", "2", "at('area', 'go_to', 'preview')", "Policy preview", "Go to the policy preview", MOVE, "2"),
    Key(
        "pane.verification",
        "3",
        "at('area', 'go_to', 'verification')",
        "Verification",
        "Go to the verification",
        MOVE,
        "3",
    ),
    Key("pane.accounts", "4", "at('area', 'go_to', 'accounts')", "Accounts", "Go to the accounts", MOVE, "4"),
    Key(
        "pane.grow",
        "plus",
        "at('area', 'grow', 1)",
        "Larger",
        "Make the pane larger; a mouse drags its borders",
        MOVE,
        "+",
    ),
    Key("pane.shrink", "minus", "at('area', 'grow', -1)", "Smaller", "Make the pane smaller", MOVE, "-"),
    Key("pane.zoom", "z", "at('area', 'zoom')", "Zoom", "Show the pane alone; press again to restore", MOVE, "z"),
)
"""The main screen's keys."""

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

GROUPS: tuple[str, ...] = (FIND, CHOOSE, CHANGE, PROVE, MOVE, GENERAL)

BINDINGS: list[BindingType] = [key.binding() for key in MAIN]


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
