"""``ecr-tui tag``: edit repository tags, after a preview of the access that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ecr_tui.changes.tag_plans import TagPlan
from ecr_tui.cli import completing, output
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import chosen, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import (
    account_options,
    repositories_argument,
    tag_option,
    write_options,
)
from ecr_tui.config import parse_tags
from ecr_tui.errors import EcrTuiError
from ecr_tui.workspace import Workspace


@command()
@repositories_argument
@tag_option
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="K=V",
    shell_complete=completing.tags,
    help="Add a tag or change its value; repeatable.",
)
@click.option(
    "--unset", multiple=True, metavar="K", shell_complete=completing.tag_keys, help="Remove a tag; repeatable."
)
@account_options
@write_options
@click.pass_context
def tag(
    context: click.Context,
    /,
    pairs: tuple[str, ...],
    unset: tuple[str, ...],
    as_json: bool,
    **flags: Any,
) -> None:
    """Edit repository tags. A grant with a tag condition starts or ends with the tag.

    Previews who gains and who loses access, and asks for confirmation if access changes.
    """
    if not pairs and not unset:
        raise click.UsageError("Missing change: add --set K=V or --unset K.", context)
    wanted = dict(parse_tags(pairs, origin="--set", to_write=True))
    with open_workspace(context, flags) as workspace:
        rows, plans = chosen(workspace, flags), []
        with Meter("Reading policies") as meter:
            for row in rows:
                planned = workspace.changes.plan_tags(row, wanted, unset)
                plans.append(planned._replace(reason=flags["reason"]))
                meter(len(plans), len(rows))
        asking = Asking.of(workspace.settings, flags, as_json=as_json)
        context.exit(write_tags(workspace, plans, asking))


def write_tags(workspace: Workspace, plans: Sequence[TagPlan], asking: Asking) -> int:
    """Confirm if access changes, then write one by one. Returns the exit code of the worst failure."""
    as_json = asking.as_json
    workspace.settings.check_writable("tags were not written")
    for plan in plans:
        words = "; ".join(plan.lines()) if plan.changed else "tags unchanged"
        output.line(f"{plan.repository.name}: {words}", err=as_json)
    asks = any(plan.asks for plan in plans)
    if any(plan.changed for plan in plans):
        asking.confirm("Write these tags? Access changes." if asks else "Write these tags?", needed=asks)
    written, code = [], 0
    with Meter("Writing") as meter:
        for done, plan in enumerate(plans):
            meter(done, len(plans))
            name = plan.repository.name
            try:
                outcome = workspace.changes.apply_tags(plan)
            except EcrTuiError as error:
                if len(plans) == 1:
                    raise
                meter.clear()
                output.failure(error, name)
                code = max(code, error.exit_code)
                written.append(plan.to_json())
                continue
            meter.clear()
            written.append(plan.to_json(written=outcome.written))
            if outcome.written and not as_json:
                output.line(f"{name}: tags written (journal {outcome.entry_id})")
            for note in outcome.notes:
                output.line(f"{name}: {note}", err=True)
    if as_json:
        output.document(written)
    return code
