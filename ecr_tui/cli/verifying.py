"""``ecr-tui verify``."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ecr_tui.cli.common import (
    ENGINES,
    account_options,
    chosen,
    json_option,
    open_workspace,
    print_json,
    tag_option,
)

if TYPE_CHECKING:
    from ecr_tui.report import Event


@click.command()
@click.argument("repositories", nargs=-1, metavar="[REPO]...")
@tag_option
@account_options
@click.option("--engine", type=ENGINES, help="docker, the registry protocol itself, or whichever works.")
@click.option(
    "--isolation", default="auto", show_default=True, metavar="REPO|auto|none", help="Where B must be denied."
)
@json_option
@click.pass_context
def verify(context: click.Context, /, isolation: str, as_json: bool, **flags: Any) -> None:
    """Push and pull a tiny image as account B, prove B is denied elsewhere, and clean up."""
    from ecr_tui import present

    with open_workspace(context, flags) as workspace:
        repositories = chosen(workspace, flags)
        other = isolation if isolation in ("auto", "none") else workspace.repository(isolation)
        cancel = threading.Event()
        reports = []

        def tell(event: Event) -> None:
            line = present.event_line(event)
            if line:
                click.echo(line, err=as_json)

        for repository in repositories:
            if len(repositories) > 1:
                click.echo(f"{repository.name}:", err=as_json)
            with _interruptible(cancel):
                report = workspace.verify(repository, isolation=other, on_event=tell, cancel=cancel)
            reports.append(report)
            click.echo(present.report_text(report), err=as_json)
            if cancel.is_set():
                break
        if as_json:
            documents = [r.to_json() for r in reports]
            print_json(documents[0] if len(repositories) == 1 else documents)
        context.exit(130 if cancel.is_set() else max(r.exit_code for r in reports))


@contextlib.contextmanager
def _interruptible(cancel: threading.Event) -> Iterator[None]:
    """The first Ctrl-C cancels and lets the cleanup run; a second one stops at once."""
    import signal

    def stop(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        click.echo("Cancelling; the probe image is being removed ...", err=True)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
