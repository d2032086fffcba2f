"""``ecr-tui usage``."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import click

from ecr_tui.access.usage_reading import PAGES
from ecr_tui.aws.trail import HISTORY_DAYS, PAGE
from ecr_tui.cli import output
from ecr_tui.cli.common import chosen_or_all, interruptible, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import account_options, json_option, repositories_argument, tag_option
from ecr_tui.errors import Cancelled, InputError
from ecr_tui.render.usage import usage_json, usage_text

_DAYS = click.IntRange(1, HISTORY_DAYS)


@command()
@repositories_argument
@account_options
@tag_option
@click.option(
    "--days",
    type=_DAYS,
    default=HISTORY_DAYS,
    metavar="N",
    show_default=True,
    help="Days of events to read. CloudTrail looks up 90 at most.",
)
@click.option(
    "--unused",
    type=_DAYS,
    metavar="DAYS",
    help="Report grants without an event for DAYS days. Default: as --days.",
)
@click.option(
    "--max-pages",
    type=click.IntRange(1),
    default=PAGES,
    metavar="N",
    show_default=True,
    help=f"Pages of {PAGE} events to read for each region, two a second. The next call reads further back.",
)
@json_option
@click.pass_context
def usage(
    context: click.Context, /, days: int, unused: int | None, max_pages: int, as_json: bool, **flags: Any
) -> None:
    """Show who used which repositories, grants without use, and denied attempts, from CloudTrail's event history.

    Without REPO and --tag, reports all repositories. The state folder keeps the events that were read. The next call
    reads new events, and continues where this one was interrupted or reached its limit.
    """
    if unused is not None and unused > days:
        raise InputError(f"--unused {unused} is longer than --days {days}", hint="Read as many days as that, or more.")
    with open_workspace(context, flags) as workspace:
        repositories = chosen_or_all(workspace, flags)
        cancel = threading.Event()
        events = 0
        with (
            interruptible(cancel, "Stopping ..."),
            Meter("Reading events") as reading,
            Meter("Reading policies", after=reading) as policies,
        ):

            def page(count: int, back_to: datetime) -> None:
                nonlocal events
                events = count
                reading(count, more=f", back to {back_to:%Y-%m-%d %H:%M} UTC")

            try:
                report = workspace.access.usage.report(
                    repositories,
                    days=days,
                    unused_days=unused,
                    pages=max_pages,
                    on_page=page,
                    on_policies=policies,
                    cancel=cancel,
                )
            except Cancelled:
                reading.clear()
                output.line(
                    f"Interrupted. {events:,} events were read and are kept; the next call continues.", err=True
                )
                context.exit(130)
        if as_json:
            output.document(usage_json(report))
        else:
            output.block(usage_text(report))
        context.exit(3 if report.failures else 0)
