"""``ecr-tui list``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ecr_tui.cli.common import account_options, json_option, listed, open_workspace, print_json, tag_option
from ecr_tui.errors import EcrTuiError

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.workspace import Workspace


@click.command("list")
@account_options
@tag_option
@json_option
@click.pass_context
def list_command(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """The repositories, their tags, and what account A's policies let account B do."""
    from ecr_tui import present

    with open_workspace(context, flags) as workspace:
        rows = listed(workspace)
        access = _access(workspace, rows)
        if as_json:
            print_json([present.repository_json(r, access.get(r.arn)) for r in rows])
        else:
            click.echo(present.repository_table(rows, access))


def _access(workspace: Workspace, rows: Sequence[Repository]) -> dict[str, Any]:
    """A's side of B's access for each ARN; empty where there is no account B to ask for."""
    from concurrent.futures import ThreadPoolExecutor

    if workspace.settings.profile_b is None:
        return {}
    try:
        principal = workspace.consumer().arn
    except EcrTuiError as error:
        click.echo(f"Account B's access is not shown: {error.text()}", err=True)
        return {}

    def one(repository: Repository) -> Any:
        try:
            return workspace.access(repository, principal)
        except EcrTuiError:
            return None

    with ThreadPoolExecutor(8) as pool:
        return {r.arn: found for r, found in zip(rows, pool.map(one, rows), strict=True) if found is not None}
