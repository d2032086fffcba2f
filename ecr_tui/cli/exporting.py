"""``ecr-tui export``: a grant as commands or templates, for policies kept in code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from ecr_tui.changes.desired.export import grants_text
from ecr_tui.changes.desired.rows import Selector
from ecr_tui.changes.plans import needed_of
from ecr_tui.cli import output
from ecr_tui.cli.access import grant_options, grant_plans
from ecr_tui.cli.common import chosen, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import grantee_account_options
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.export import Format
from ecr_tui.render.sides import export_text, needed_text, template_warnings
from ecr_tui.workspace import Workspace

_OF_A_GRANT = ("principals", "consumer_names", "access", "conditions", "until", "document")
FORMATS = click.Choice(["json", "cli", "terraform", "cloudformation"])


@command()
@grant_options
@grantee_account_options
@click.option("--format", "form", type=FORMATS, default="cli", show_default=True, help="Output format.")
@click.option(
    "--side",
    type=click.Choice(["a", "b", "both"]),
    default="both",
    show_default=True,
    help="Account A's repository policy, account B's identity policy, or both.",
)
@click.option(
    "--grants",
    "as_grants",
    is_flag=True,
    help="Export the grants of ecr-tui as a file for ecr-tui apply instead, with other statements as comments. "
    "Without REPO and --tag: of all repositories.",
)
@click.pass_context
def export(context: click.Context, /, form: str, side: str, as_grants: bool, **flags: Any) -> None:
    """Export a grant: account A's repository policy and account B's identity policy. Writes nothing."""
    if as_grants and any(flags[name] for name in _OF_A_GRANT):
        raise InputError("--grants exports current grants", hint="Remove the options of a new grant.")
    with open_workspace(context, flags) as workspace:
        if as_grants:
            context.exit(_export_grants(workspace, flags))
        plans = grant_plans(workspace, flags)
        output.code(export_text(plans, Format(form), side))
        if side != "b" and Format(form) is Format.CLOUDFORMATION:
            for warning in template_warnings(plans):
                output.line(f"Warning: {warning}", err=True)
        if side != "a" and Format(form) in (Format.JSON, Format.CLOUDFORMATION):
            output.block(needed_text(needed_of(plans)), err=True)


def _export_grants(workspace: Workspace, flags: dict[str, Any]) -> int:
    """A policy that is not readable is an error: an ``apply --prune`` of the file would take what it has."""
    names: tuple[str, ...] = flags["repositories"]
    tags = workspace.settings.tags if flags["tags"] else ()
    rows = chosen(workspace, flags) if names or tags else workspace.listing.repositories()
    with Meter("Reading policies") as meter:
        entries = workspace.changes.in_force(rows, on_progress=meter)
    scope = Selector(tuple(dict.fromkeys(names)), tags)
    output.code(grants_text(entries, scope, workspace.accounts.owner().account, datetime.now(UTC)))
    unreadable = [entry for entry in entries if entry.unreadable]
    for entry in unreadable:
        output.line(f"{entry.repository.name}: policy not readable: {entry.unreadable}", err=True)
    return EcrTuiError.exit_code if unreadable else 0
