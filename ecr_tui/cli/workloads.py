"""``ecr-tui workloads``."""

from __future__ import annotations

import threading
from typing import Any

import click

from ecr_tui.cli import output
from ecr_tui.cli.common import chosen, interruptible, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import account_options, json_option, repositories_argument, tag_option
from ecr_tui.errors import Cancelled
from ecr_tui.text import block


@command()
@repositories_argument
@tag_option
@account_options
@json_option
@click.pass_context
def workloads(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Show which Lambda functions and ECS task definitions use the images of repositories.

    Searches account A, and account B if profile B may read it. Reads at most 500 functions and 500 task definitions
    for each account and region, and lists what it could not read.
    """
    cancel = threading.Event()
    with open_workspace(context, flags) as workspace:
        rows = chosen(workspace, flags)
        with Meter("Reading functions and task definitions") as meter, interruptible(cancel, "Stopping ..."):
            try:
                found = [workspace.access.workloads(row, on_progress=meter, cancel=cancel) for row in rows]
            except Cancelled:
                context.exit(130)
        if as_json:
            output.document([one.to_json() for one in found])
        else:
            shown = [[one.repository.name, *(f"  {line}" for line in one.lines())] for one in found]
            output.block(block(line for lines in shown for line in lines))
