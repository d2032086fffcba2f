"""Resolve a file of grants for the current accounts: its principals and repositories."""

from __future__ import annotations

from collections.abc import Iterable

from ecr_tui.aws.model import Repository
from ecr_tui.changes.desired.file import FileRow, GrantsFile
from ecr_tui.changes.desired.rows import Desired, Row, Selector, is_glob
from ecr_tui.config import close_match, consumer_named
from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.change import Grant
from ecr_tui.workspace.accounts import Accounts


def desired_of(file: GrantsFile, accounts: Accounts, *, prune: bool = False) -> Desired:
    """Raises InputError with the line of a value that does not match these accounts."""
    rows = tuple(Row(_selector(row, accounts), _grant(file, row, accounts), row.reason) for row in file.rows)
    return Desired(rows, file.scope, prune)


def _selector(row: FileRow, accounts: Accounts) -> Selector:
    return Selector(row.repositories, row.tags, row.regions or accounts.regions())


def _grant(file: GrantsFile, row: FileRow, accounts: Accounts) -> Grant:
    owner = accounts.owner()
    if row.account not in ("", owner.account):
        raise InputError(
            f"{file.row_at(row, 'account')}: the grant is for account {row.account}, but this profile belongs to "
            f"{owner.account}; nothing was written",
            hint=f"Use a profile of account {row.account}, or a file for each account.",
        )
    try:
        found = [*accounts.principals(row.to)]
    except InputError as error:
        raise InputError(f"{file.row_at(row, 'to')}: {error.title}", detail=error.detail, hint=error.hint) from error
    where = f"{file.row_at(row, 'consumer')}: consumer" if row.consumers else ""
    for name in row.consumers:
        found += accounts.consumer_principals(consumer_named(accounts.settings.consumers, name, where))
    if grantees.only_pulls(found) and row.access.writes:
        raise InputError(f"{file.row_at(row, 'access')}: Lambda only pulls images", hint='Use access = "pull".')
    return Grant(tuple(dict.fromkeys(found)), row.access, row.conditions, row.until)


def check_names(file: GrantsFile, desired: Desired, repositories: Iterable[Repository]) -> list[str]:
    """Sentences about grants that select no repository. Raises InputError for a name that no repository has."""
    rows = list(repositories)
    names = {(one.region, one.name) for one in rows}
    notes = []
    for row, of_file in zip(desired.rows, file.rows, strict=True):
        for name in row.selector.repositories:
            if not is_glob(name) and not any((region, name) in names for region in row.selector.regions):
                near = sorted({one.name for one in rows if one.region in row.selector.regions})
                raise InputError(
                    f"{file.row_at(of_file, 'repositories')}: no repository {name!r} in "
                    f"{', '.join(row.selector.regions)}; nothing was written",
                    hint=close_match(name, near) or "Create it first, or remove it from the file.",
                )
        if row.selector.literal and not row.selector.tags:
            continue
        if not any(row.selector.takes(one) and desired.scope.takes(one) for one in rows):
            notes.append(f"{file.row_at(of_file)}: selects no repository")
    return notes
