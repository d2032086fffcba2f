"""What the commands share: options, the workspace of a run, choosing repositories, printing."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ecr_tui import config
from ecr_tui.aws.model import MfaPrompt, Repository
from ecr_tui.cli import completing, output
from ecr_tui.cli.meter import Meter
from ecr_tui.config import FLAGS, Settings, locate, read, resolve
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

ENGINES = click.Choice(config.ENGINES)


def all_of(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """One decorator for several options, in the order of the help."""
    return lambda command: functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


account_options = all_of(
    click.option(
        "--profile-a", metavar="P", shell_complete=completing.profiles, help="AWS profile of the owner, account A."
    ),
    click.option(
        "--profile-b",
        metavar="P",
        shell_complete=completing.profiles,
        help="AWS profile of the consumer, account B.",
    ),
    click.option(
        "--region",
        "regions",
        multiple=True,
        metavar="R",
        shell_complete=completing.regions,
        help="Region; may be repeated.",
    ),
    click.option("--read-only", is_flag=True, help="Refuse every write."),
    click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The configuration file; ecr-tui config path tells which is read without it.",
    ),
)
"""Which accounts and regions; accepted before and after the command's name."""


json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on stdout, as ecr-tui schema tells."
)


yes_option = all_of(
    click.option("--yes", "-y", is_flag=True, help="Do not ask."),
    click.option(
        "--production",
        metavar="PROFILE",
        shell_complete=completing.profiles,
        help="With --yes, where a profile in use is a production one: that profile's name.",
    ),
)
"""The flags that stand for an answer (``asking.Asking``)."""


tag_option = click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="K=V",
    shell_complete=completing.tags,
    help="Repositories with this tag; may be repeated.",
)
repositories_argument = click.argument(
    "repositories", nargs=-1, metavar="[REPO]...", shell_complete=completing.repositories
)


def settings_of(context: click.Context, flags: dict[str, Any] | None = None, *, demo: bool = False) -> Settings:
    """Flags of the command over flags of the program over the environment over the file, whose warnings are told.

    ``demo``: what the file says of accounts is about others than the demo's.
    """
    given = {**(flags or {})}
    program = context.find_root().obj or {}
    file = read(*locate(given.get("config_file") or program.get("config_file")))
    for warning in file.warnings:
        output.line(f"Warning: {warning}", err=True)
    if demo:
        file = file.without("profile_a", "profile_b", "regions", "tags", "condition", "state_dir", "cache_dir")
    return resolve({name: given.get(name) or program.get(name) for name in FLAGS}, file=file)


@contextlib.contextmanager
def open_workspace(
    context: click.Context,
    flags: dict[str, Any] | None = None,
    prepare: Callable[[], None] | None = None,
    *,
    demo: bool = False,
    change: Callable[[Settings], Settings] | None = None,
) -> Iterator[Workspace]:
    """The workspace of this run (:func:`settings_of`)."""
    settings, ask = settings_of(context, flags, demo=demo), _ask_mfa if sys.stdin.isatty() else None
    settings = settings if change is None else change(settings)
    workspace = Workspace(settings, ask, prepare)
    try:
        yield workspace
    finally:
        if workspace.busy():
            output.line("Removing the probe image ...", err=True)
        if not workspace.close():
            output.line("The probe image could not be removed in time; look for the tag ecr-tui-verify-*.", err=True)


def _ask_mfa(prompt: MfaPrompt) -> str:
    """Under the interface never called: it puts a question of its own in this one's place."""
    question = f"MFA code of {prompt.device} for profile {prompt.profile}"
    return output.ask(question, hidden=True)


def listed(workspace: Workspace) -> list[Repository]:
    """All with the tags of this run. A region that fails beside others that do not is told on stderr."""
    failures: dict[str, EcrTuiError] = {}

    def failed(region: str, error: EcrTuiError) -> None:
        failures.setdefault(region, error)

    arns: set[str] = set()
    with Meter("Listing repositories") as meter:

        def page(rows: list[Repository]) -> None:
            arns.update(row.arn for row in rows)
            meter(len(arns))

        rows = workspace.listing.repositories(dict(workspace.settings.tags) or None, on_page=page, on_failure=failed)
    for region, error in failures.items():
        output.failure(error, region)
    return rows


def chosen(workspace: Workspace, flags: dict[str, Any]) -> list[Repository]:
    """The repositories named, or all with the tags; each once, in the order given."""
    names: Sequence[str] = tuple(dict.fromkeys(flags["repositories"]))
    if bool(names) == bool(workspace.settings.tags):
        raise InputError(
            "name the repositories or give --tag, not both" if names else "no repository was named",
            hint="ecr-tui list shows them; --tag Team=Payments takes all with that tag.",
        )
    if names:
        return [workspace.listing.repository(name) for name in names]
    found = listed(workspace)
    if not found:
        wanted = ", ".join(f"{k}={v}" for k, v in workspace.settings.tags)
        raise InputError(f"no repository is tagged {wanted}", hint="Tag keys and values are case-sensitive.")
    return found


@contextlib.contextmanager
def interruptible(cancel: threading.Event, words: str) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM sets ``cancel`` and says ``words``; a second one stops at once."""

    def stop(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        # A handler that interrupts a write to stderr, of a terminal that is held, must not write there itself.
        with contextlib.suppress(RuntimeError):
            output.block(f"\n{words}", err=True)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
