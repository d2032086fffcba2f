"""``ecr-tui export``: a grant as commands or templates, for policies kept in code."""

from __future__ import annotations

from typing import Any

import click

from ecr_tui.changes.plans import needed_of
from ecr_tui.cli import output
from ecr_tui.cli.access import grant_options, grant_plans
from ecr_tui.cli.common import grantee_account_options, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.policy.export import Format
from ecr_tui.render.sides import export_text, needed_text, template_warnings

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
@click.pass_context
def export(context: click.Context, /, form: str, side: str, **flags: Any) -> None:
    """Export a grant: account A's repository policy and account B's identity policy. Writes nothing."""
    with open_workspace(context, flags) as workspace:
        plans = grant_plans(workspace, flags)
        output.code(export_text(plans, Format(form), side))
        if side != "b" and Format(form) is Format.CLOUDFORMATION:
            for warning in template_warnings(plans):
                output.line(f"Warning: {warning}", err=True)
        if side != "a" and Format(form) in (Format.JSON, Format.CLOUDFORMATION):
            output.block(needed_text(needed_of(plans)), err=True)
