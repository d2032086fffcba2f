"""``ecr-tui cleanup``: the leftovers of interrupted verifications."""

from __future__ import annotations

from typing import Any

import click

from ecr_tui.cli import output
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.options import account_options, json_option, yes_option
from ecr_tui.render import common as render_common


@command()
@account_options
@yes_option
@json_option
@click.pass_context
def cleanup(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Remove probe images and restore tags that an interrupted verification left behind."""
    with open_workspace(context, flags) as workspace:
        leftovers = workspace.verification.leftovers()
        if not as_json:
            output.block(render_common.leftovers_text(leftovers))
        if leftovers:
            Asking.of(workspace.settings, flags, as_json=as_json).confirm("Clean up?")
        cleaned = workspace.verification.clean_leftovers(leftovers) if leftovers else ()
        unknown = len(workspace.changes.journal.recent().unknown)
        if unknown:
            writes = "1 write has" if unknown == 1 else f"{unknown:,} writes have"
            output.line(f"{writes} an unknown result. Run ecr-tui undo to look it up and undo it.", err=True)
        for one in cleaned:
            output.block(render_common.cleaned_line(one), err=as_json)
        if as_json:
            output.document([render_common.cleaned_json(one) for one in cleaned])
        context.exit(max((one.error.exit_code for one in cleaned if one.error is not None), default=0))
