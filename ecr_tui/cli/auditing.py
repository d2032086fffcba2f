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
    help="Report drift against this tag; repeatable. Default: the most used condition. Does not limit the audit.",
)
@click.option(
    "--principal",
    "--to",
    "principals",
    multiple=True,
    metavar="PRINCIPAL",
    shell_complete=completing.principals,
    help="Principal to check on every repository and in both accounts; repeatable. Default: the caller of profile B.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    help="Exit with 1 on findings of this severity or worse, and on unreadable policies.",
)
@click.option(
    "--not-pulled",
    type=click.IntRange(1),
    metavar="DAYS",
    help="Report access of others to repositories without a recorded pull in so many days. Reads their images.",
)
@json_option
@click.pass_context
def audit(
    context: click.Context,
    /,
    principals: tuple[str, ...],
    fail_on: str | None,
    not_pulled: int | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Audit who has access to which repositories: other accounts, public access, drift, findings and unknowns."""
    with open_workspace(context, flags) as workspace:
        with (
            Meter("Listing repositories") as listing,
            Meter("Reading policies") as reading,
            Meter("Reading images") as images,
        ):

            def read(done: int, total: int) -> None:
                listing.clear()
                reading(done, total)

            def read_images(done: int, total: int) -> None:
                reading.clear()
                images(done, total)

            found = workspace.access.audit(
                tags=workspace.settings.tags,
                principals=[workspace.accounts.principal(one) for one in principals],
                on_listed=listing,
                on_progress=read,
                not_pulled_days=not_pulled,
                on_images=read_images,
            )
        if as_json:
            output.document(audit_json(found))
        else:
            output.block(audit_text(found))
        context.exit(1 if fail_on is not None and found.fails(fail_on) else 0)
