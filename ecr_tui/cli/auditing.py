"""``ecr-tui audit``."""

from __future__ import annotations

from typing import Any

import click

from ecr_tui.access.audit_json import audit_json
from ecr_tui.cli import completing, output
from ecr_tui.cli.common import account_options, json_option, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.render.audit import audit_text


@command()
@account_options
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="K=V",
    shell_complete=completing.tags,
    help="Look for drift of this tag; may be repeated. Default: the condition most used. All repositories are audited.",
)
@click.option(
    "--principal",
    "--to",
    "principals",
    multiple=True,
    metavar="PRINCIPAL",
    shell_complete=completing.principals,
    help="Whom to ask about in every repository, and on both sides; may be repeated. Default: who profile B is.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    help="Exit with 1 for findings of this severity or worse, and for policies that could not be read.",
)
@json_option
@click.pass_context
def audit(
    context: click.Context, /, principals: tuple[str, ...], fail_on: str | None, as_json: bool, **flags: Any
) -> None:
    """Who has access to what, over all repositories: other accounts, public ones, drift, and what is not known."""
    with open_workspace(context, flags) as workspace:
        with Meter("Listing repositories") as listing, Meter("Reading policies") as reading:

            def read(done: int, total: int) -> None:
                listing.clear()
                reading(done, total)

            found = workspace.access.audit(
                tags=workspace.settings.tags,
                principals=[workspace.accounts.principal(one) for one in principals],
                on_listed=listing,
                on_progress=read,
            )
        if as_json:
            output.document(audit_json(found))
        else:
            output.block(audit_text(found))
        context.exit(1 if fail_on is not None and found.fails(fail_on) else 0)
