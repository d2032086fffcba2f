"""Catalogue of all keys: the source of bindings, help, palette and docs/keys.md."""

from __future__ import annotations

from textual.binding import BindingType

from ecr_tui.ui.key import CHANGE, CHOOSE, FIND, GENERAL, MOVE, PROVE, Key

# fmt: off
PAGER = Key("general.pager", "vertical_line", "app.page", "Pager", GENERAL,
    "Open the focused pane or dialog in $PAGER")

MAIN: tuple[Key, ...] = (
    Key("find.filter", "slash", "at('area', 'filter')", "Filter", FIND,
        "Filter as you type: words, tag:K=V, access:none, !not"),
    Key("find.tags", "t", "at('area', 'filter', 'tags')", "Tags", FIND, "List only repositories with these tags"),
    Key("change.grant", "g", "task('grant')", "Grant", CHANGE,
        "Write the previewed change, or plan it for all marked; Esc cancels within 0.4 s, gg goes to the top",
        writes=True),
    Key("change.revoke", "x", "task('revoke')", "Revoke", CHANGE,
        "Revoke the principal's access; asks first", writes=True),
    Key("change.repair", "F", "task('repair')", "Repair", CHANGE,
        "Remove what ECR rejects, such as deleted principals, from the policy or all marked ones; asks first",
        writes=True),
    Key("change.undo", "u", "task('undo')", "Undo", CHANGE,
        "Restore the policy as it was before the last write", writes=True),
    Key("change.runs", "R", "task('runs')", "Run", CHANGE,
        "Show the bulk run and its progress; resume an unfinished one"),
    Key("prove.verify", "v", "task('verify')", "Verify", PROVE,
        "Log in, push and pull as account B, live", writes=True),
    Key("general.copy", "y", "at('area', 'copy')", "Copy", GENERAL,
        "Copy from the focused pane: ARN and URI, document or report"),
    Key("prove.many", "V", "task('verify_many')", "Verify marked", PROVE,
        "Verify all marked repositories", writes=True),
    Key("prove.history", "h", "task('history')", "History", FIND,
        "Past verifications of the repository: date, verdict, engine, principal"),
    Key("change.tags", "e", "task('edit_tags')", "Edit tags", CHANGE,
        "Change the repository's tags; the effect on access is shown first", writes=True),
    Key("change.edit", "ctrl+e", "task('edit_policy')", "Edit policy", CHANGE,
        "Edit the whole policy in $EDITOR; the change is checked and shown first", writes=True),
    Key("change.journal", "U", "task('journal')", "Journal", FIND,
        "All writes with operator, time and state; undo or redo any of them"),
    Key("general.help", "question_mark,f1", "task('help')", "Help", GENERAL,
        "The focused pane and all keys; / searches"),
    Key("general.quit", "q", "app.quit", "Quit", GENERAL, "Quit; asks while a bulk run is in progress"),
    Key("choose.principal", "b", "task('principal')", "Principal", CHOOSE,
        "Choose the principal: user, role, account, organization (org), AWS service"),
    Key("choose.next_consumer", "right_curly_bracket", "task('next_consumer')", "Next consumer", CHOOSE,
        "Switch account B to the next consumer; access, preview and verification follow"),
    Key("choose.previous_consumer", "left_curly_bracket", "task('previous_consumer')", "Prior consumer", CHOOSE,
        "Switch account B to the previous consumer"),
    Key("choose.access", "p", "task('access')", "Access", CHOOSE,
        "Next access: read, pull, push and their combinations"),
    Key("choose.condition", "c", "task('condition')", "Condition", CHOOSE, "Choose the tag condition of the grant"),
    Key("choose.until", "w", "task('until')", "Until…", CHOOSE, "Choose when the grant ends: 2w, 30d, 12h, or a date"),
    Key("find.describe", "d", "at('repositories', 'describe')", "Describe", FIND,
        "All facts of the repository, with its tags in full"),
    Key("find.workloads", "W", "task('workloads')", "Workloads", FIND,
        "Lambda functions and ECS task definitions that use the repository's images"),
    Key("find.columns", "C", "at('repositories', 'columns')", "Columns", FIND, "Choose the columns of the list"),
    Key("find.sort", "s", "at('repositories', 'sort')", "Sort", FIND, "Sort by column; pick it again to reverse"),
    Key("find.policies", "P", "at('repositories', 'read_all')", "Read policies", FIND,
        "Load the policies of all matching repositories (needed by access: in the filter)"),
    Key("find.refresh", "r", "refresh", "Refresh", FIND, "Read accounts, repositories and policies again"),
    Key("prove.cancel", "escape", "cancel", "Cancel", PROVE, "Stop the verification, or clear the filter"),
    Key("choose.accounts", "A", "task('accounts')", "Accounts", CHOOSE,
        "Choose or swap accounts A and B: consumer or profile, region, role to assume; sign in (SSO login)"),
    Key("general.calls", "exclamation_mark", "task('calls')", "Session log", GENERAL,
        "Every call to AWS and the registry, as aws and docker commands"),
    Key("general.error", "i", "at('banner', 'show_last')", "Last error", GENERAL, "Show the last error in full"),
    Key("prove.audit", "a", "task('audit')", "Audit", FIND,
        "Access to all repositories, and findings"),
    Key("find.matrix", "M", "task('matrix')", "Matrix", FIND,
        "Read, pull and push access of each principal, and last verifications: all or marked repositories"),
    Key("general.copy_as", "Y", "task('copy_as')", "Copy as…", GENERAL,
        "Copy the previewed grant as AWS CLI commands, Terraform, CloudFormation or JSON"),
    Key("general.console", "o", "task('console')", "AWS console", GENERAL,
        "Open the repository's page of the AWS console in the browser"),
    PAGER,
    Key("general.commands", "colon", "app.command_palette", "Commands", GENERAL,
        "Find any action by name or description, as ctrl+p", palette=False),
    Key("pane.repositories", "1", "at('area', 'go_to', 'repositories')", "Repositories", MOVE,
        "Go to the list of repositories"),
    Key("pane.preview", "2", "at('area', 'go_to', 'preview')", "Policy preview", MOVE, "Go to the policy preview"),
    Key("pane.verification", "3", "at('area', 'go_to', 'verification')", "Verification", MOVE,
        "Go to the verification"),
    Key("pane.accounts", "4", "at('area', 'go_to', 'accounts')", "Accounts", MOVE, "Go to the accounts"),
    Key("pane.grow", "plus", "at('area', 'grow', 1)", "Larger", MOVE,
        "Enlarge the pane, or drag its borders with the mouse"),
    Key("pane.shrink", "minus", "at('area', 'grow', -1)", "Smaller", MOVE, "Shrink the pane"),
    Key("pane.zoom", "z", "at('area', 'zoom')", "Zoom", MOVE, "Show only this pane; press again to restore"),
)
"""The main screen's keys."""

MARKING: tuple[Key, ...] = (
    Key("table.mark", "space", "mark", "Mark", CHOOSE,
        "Mark the repository, to grant, revoke or verify several at once"),
    Key("table.mark_shown", "asterisk", "mark_shown", "Mark shown", CHOOSE,
        "Mark all repositories that the filter shows; press again to unmark"),
    Key("table.unmark", "ctrl+backslash", "unmark", "Unmark all", CHOOSE, "Remove every mark, hidden ones too"),
)
MATCHES: tuple[Key, ...] = (
    Key("table.next", "n", "match(1)", "Next match", FIND, "The next match of the filter, even after it was cleared"),
    Key("table.previous", "N", "match(-1)", "Previous match", FIND, "Previous match of the current or last filter"),
)
MOVES: tuple[Key, ...] = (
    Key("table.open", "enter", "open", "Open", MOVE, "Go to the repository's policy preview", palette=False),
    Key("table.up", "up,k", "move(-1)", "Up", MOVE, "One row up", palette=False),
    Key("table.down", "down,j", "move(1)", "Down", MOVE, "One row down", palette=False),
    Key("table.page_up", "pageup,ctrl+b", "page(-1)", "Page up", MOVE, "One page up", palette=False),
    Key("table.page_down", "pagedown,ctrl+f", "page(1)", "Page down", MOVE, "One page down", palette=False),
    Key("table.half_up", "ctrl+u", "half_page(-1)", "Half a page up", MOVE, "Half a page up", palette=False),
    Key("table.half_down", "ctrl+d", "half_page(1)", "Half a page down", MOVE, "Half a page down", palette=False),
    Key("table.top", "home", "end(-1)", "First", MOVE, "To the first row", palette=False),
    Key("table.bottom", "end,G", "end(1)", "Last", MOVE, "To the last row", palette=False),
)
OTHER: tuple[Key, ...] = (
    Key("general.palette", "ctrl+p", "command_palette", "Commands", GENERAL,
        "Find any action by name or description", palette=False),
    Key("general.focus", "tab", "focus_next", "Next pane", MOVE,
        "Focus the next pane (shift+tab: the previous one)", palette=False),
    Key("pane.tab", "left,right", "tab", "Tab", MOVE, "The previous or next tab of the preview", palette=False),
)
"""Textual's own keys: listed for help and docs/keys.md, not bound here."""
# fmt: on

SORT: tuple[Key, ...] = tuple(
    Key(
        f"table.sort_{column}",
        key,
        f"sort_column('{column}')",
        f"Sort by {words}",
        FIND,
        f"Sort by {words}; press again to reverse",
        palette=False,
    )
    for key, column, words in (
        ("S", "name", "name"),
        ("T", "tags", "tags"),
        ("B", "access", "access"),
        ("K", "mutability", "image tag mutability"),
        ("I", "images", "number of images"),
        ("L", "pushed", "last push"),
        ("O", "pulled", "last pull"),
        ("D", "findings", "findings"),
        ("E", "verified", "last verification"),
    )
)

TABLE: tuple[Key, ...] = MARKING + MATCHES + MOVES + SORT
"""The keys of a table of rows."""

CATALOGUE: tuple[Key, ...] = MAIN + TABLE + OTHER

GROUPS: tuple[str, ...] = (FIND, CHOOSE, CHANGE, PROVE, MOVE, GENERAL)

# fmt: off
PANES: dict[str, tuple[str, ...]] = {
    "repositories": (
        "change.grant", "prove.verify", "find.filter", "table.mark", "change.undo", "change.revoke",
        "choose.principal", "choose.access", "choose.condition", "find.tags", "change.tags", "prove.audit",
        "find.matrix", "change.journal", "prove.history", "choose.accounts", "table.mark_shown", "general.copy",
        "find.sort", "prove.many", "change.runs", "general.copy_as", "find.refresh", "find.policies",
        "table.open",
    ),
    "preview": (
        "change.grant", "choose.principal", "choose.access", "choose.condition", "prove.verify", "change.undo",
        "change.revoke", "pane.tab", "general.copy", "general.copy_as", "change.repair", "change.tags",
    ),
    "verification": (
        "prove.verify", "prove.history", "general.copy", "prove.many", "prove.cancel", "choose.access",
        "change.grant", "change.undo",
    ),
    "accounts": (
        "choose.accounts", "choose.next_consumer", "choose.previous_consumer", "find.refresh", "general.copy",
    ),
}
# fmt: on
"""Keys by pane, most useful first: the order in the footer and help."""


def bindings(*keys: Key) -> list[BindingType]:
    return [key.binding() for key in keys]


def by_action(action: str, parameters: tuple[object, ...] = ()) -> Key | None:
    """The key with this action; arguments may be part of the text."""
    whole = f"{action}({', '.join(map(repr, parameters))})" if parameters else action
    return next((key for key in CATALOGUE if key.action == whole), None)
