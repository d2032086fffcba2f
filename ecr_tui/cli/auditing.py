"""``ecr-tui audit``."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from ecr_tui.cli import completing
from ecr_tui.cli.common import account_options, json_option, open_workspace, print_json

TICK, LOG_TICK = 0.5, 10.0
"""Seconds between two words of progress, on a terminal and in a log."""


@click.command()
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
    from ecr_tui.audit_json import audit_json
    from ecr_tui.present_audit import audit_text

    with open_workspace(context, flags) as workspace:
        progress = _Progress()
        found = workspace.audit(
            tags=workspace.settings.tags,
            principals=[workspace.principal(one) for one in principals],
            on_listed=progress.listed,
            on_progress=progress.read,
        )
        progress.done()
        if as_json:
            print_json(audit_json(found))
        else:
            click.echo(audit_text(found))
        context.exit(1 if fail_on is not None and found.fails(fail_on) else 0)


class _Progress:
    """On stderr: a line that is written over where that is a terminal, now and then a whole line elsewhere."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._last = 0.0 if self._on_terminal else time.monotonic()
        self._shown = False

    def listed(self, count: int) -> None:
        self._say(f"Listing repositories: {count:,}")

    def read(self, done: int, total: int) -> None:
        self._say(f"Reading policies: {done:,} of {total:,}")

    def done(self) -> None:
        if self._shown and self._on_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)

    def _say(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last < (TICK if self._on_terminal else LOG_TICK):
            return
        self._last, self._shown = now, True
        if self._on_terminal:
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
        else:
            click.echo(text, err=True)
