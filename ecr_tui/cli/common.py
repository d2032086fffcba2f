"""Shared parts of the commands: the workspace, repository selection, interruption."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ecr_tui.aws.model import MfaPrompt, Repository
from ecr_tui.cli import output
from ecr_tui.cli.meter import Meter
from ecr_tui.config import FLAGS, Settings, locate, read, resolve
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.incoming import decoded
from ecr_tui.workspace import Workspace

_OF_ACCOUNTS = ("profile_a", "profile_b", "consumers", "regions", "tags", "condition", "state_dir", "cache_dir")


def settings_of(context: click.Context, flags: dict[str, Any] | None = None, *, demo: bool = False) -> Settings:
    """Settings by precedence: command flags, program flags, environment, file. Prints the file's warnings.

    ``demo``: ignore the accounts, regions, tags and folders of the file.
    """
    given = flags or {}
    program = context.find_root().obj or {}
    file = read(*locate(given.get("config_file") or program.get("config_file")))
    for warning in file.warnings:
        output.line(f"Warning: {warning}", err=True)
    if demo:
        file = file.without(*_OF_ACCOUNTS)
    found = {name: given.get(name) or program.get(name) for name in FLAGS}
    # Of several owners the first is account A, of several consumers the first acts as account B.
    found["profile_a"] = next(iter(given.get("profiles_a", ())), found["profile_a"])
    found["consumer_name"] = next(iter(given.get("consumer_names", ())), found["consumer_name"])
    return resolve(found, file=file)


@contextlib.contextmanager
def open_workspace(
    context: click.Context,
    flags: dict[str, Any] | None = None,
    prepare: Callable[[], None] | None = None,
    *,
    demo: bool = False,
    change: Callable[[Settings], Settings] | None = None,
) -> Iterator[Workspace]:
    """The workspace with the settings of :func:`settings_of`; closed at the end."""
    settings = settings_of(context, flags, demo=demo)
    with working(settings if change is None else change(settings), prepare) as workspace:
        yield workspace


@contextlib.contextmanager
def working(settings: Settings, prepare: Callable[[], None] | None = None) -> Iterator[Workspace]:
    """The workspace with these settings; closed at the end."""
    workspace = Workspace(settings, _ask_mfa if sys.stdin.isatty() else None, prepare)
    try:
        yield workspace
    finally:
        if workspace.busy():
            output.line("Removing the probe image ...", err=True)
        if not workspace.close():
            output.line("The probe image was not removed in time. Run ecr-tui cleanup.", err=True)


def _ask_mfa(prompt: MfaPrompt) -> str:
    """Prompt on the terminal. The interface replaces it with a dialog."""
    question = f"MFA code of {prompt.device} for profile {prompt.profile}"
    return output.ask(question, hidden=True)


def listed(workspace: Workspace) -> list[Repository]:
    """Repositories with the tags of this run. Prints regions that fail while others succeed."""
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
    """The repositories named, without duplicates and in order, or all with the tags."""
    names: Sequence[str] = tuple(dict.fromkeys(flags["repositories"]))
    if bool(names) == bool(workspace.settings.tags):
        raise InputError(
            "repository names and --tag exclude each other" if names else "missing repository names or --tag",
            hint="Name repositories (see ecr-tui list), or select by tag with --tag Team=Payments.",
        )
    if names:
        return [workspace.listing.repository(name) for name in names]
    found = listed(workspace)
    if not found:
        wanted = ", ".join(f"{k}={v}" for k, v in workspace.settings.tags)
        raise InputError(
            f"no repository has the tag {wanted}", hint="Check the case: tag keys and values are case-sensitive."
        )
    return found


def chosen_or_all(workspace: Workspace, flags: dict[str, Any]) -> list[Repository]:
    """As :func:`chosen`; without names and tags all repositories."""
    return chosen(workspace, flags) if flags["repositories"] or workspace.settings.tags else listed(workspace)


def read_text(source: Path) -> str:
    """Of a file, or of stdin for "-"."""
    try:
        return decoded(sys.stdin.buffer.read() if str(source) == "-" else source.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {source}", detail=str(error)) from error


@contextlib.contextmanager
def interruptible(cancel: threading.Event, words: str) -> Iterator[None]:
    """The first Ctrl+C or SIGTERM sets ``cancel`` and prints ``words``; a second one stops immediately."""

    def stop(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        # A signal handler that interrupts a blocked write to stderr must not write there itself.
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
