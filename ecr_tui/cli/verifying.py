"""``ecr-tui verify``: one repository with its stages, or many with a line each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ecr_tui.aws.model import Repository
from ecr_tui.cli import completing, output
from ecr_tui.cli.access import ACCESS
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import chosen, interruptible, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import (
    ENGINES,
    account_options,
    json_option,
    parallel_option,
    repositories_argument,
    tag_option,
    yes_option,
)
from ecr_tui.config import Settings
from ecr_tui.errors import Cancelled, EnvironmentFailure, InputError
from ecr_tui.policy.actions import Access
from ecr_tui.render import common as render_common
from ecr_tui.text import json_text
from ecr_tui.verification.batch import Batch, Result
from ecr_tui.verification.isolation import Wanted
from ecr_tui.verification.report import Event
from ecr_tui.workspace import Workspace

_WORDS = ("auto", "all", "none")


@command()
@repositories_argument
@tag_option
@account_options
@click.option(
    "--engine", type=ENGINES, help="docker, direct (the registry protocol), or auto (docker if it runs). Default: auto."
)
@click.option(
    "--access",
    type=ACCESS,
    default="push-pull",
    show_default=True,
    help="Access to verify. pull pushes nothing: it pulls an existing image, which updates its last-pull time.",
)
@click.option(
    "--image", default="", metavar="TAG", help="Image tag for --access pull. Default: the newest tagged image."
)
@click.option(
    "--isolation",
    multiple=True,
    default=("auto",),
    show_default=True,
    metavar="REPO|auto|all|none",
    shell_complete=completing.isolation,
    help="Where account B must be denied; repeatable. auto: one repository without a grant; all: up to 25 of them.",
)
@click.option(
    "--tag-switch",
    is_flag=True,
    help="Also remove the tag of the grant's condition, expect a denial, and restore it. Asks for confirmation.",
)
@parallel_option(4, "Repositories in parallel.")
@click.option(
    "--report",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a report for a ticket: FILE.md or FILE.json.",
)
@click.option("--history", is_flag=True, help="List past verifications. Makes no AWS calls.")
@yes_option
@json_option
@click.pass_context
def verify(context: click.Context, /, as_json: bool, history: bool, **flags: Any) -> None:
    """Verify access live: push and pull a 2 kB image as account B, check it is denied elsewhere, clean up."""
    file: Path | None = flags["file"]
    if file is not None:
        _check_file(file)
    with open_workspace(context, flags) as workspace:
        if history:
            _show_history(workspace, flags["repositories"], as_json=as_json)
            return
        repositories = chosen(workspace, flags)
        isolation = _isolation(workspace, flags["isolation"])
        _confirm(workspace.settings, repositories, flags, as_json=as_json)
        batch = _run(workspace, repositories, isolation, flags, as_json=as_json)
        if as_json:
            documents = [result.to_json() for result in batch.results]
            output.document(documents[0] if len(repositories) == 1 else documents)
        if file is not None:
            _write(file, batch)
            output.line(f"Report written to {file}.", err=True)
        context.exit(130 if _cancelled(batch) else batch.exit_code)


def _run(
    workspace: Workspace, repositories: list[Repository], isolation: Wanted, flags: dict[str, Any], *, as_json: bool
) -> Batch:
    alone, done = len(repositories) == 1, 0
    cancel, meter = threading.Event(), Meter("Verifying")

    def tell(_: Repository, event: Event) -> None:
        if not alone:
            meter(done, len(repositories))
        elif line := render_common.event_line(event):
            output.block(line, err=as_json)

    def end(result: Result) -> None:
        nonlocal done
        done += 1
        if not alone:
            meter.clear()
            output.block(render_common.result_line(result), err=as_json)
        elif result.report is not None:
            output.block(render_common.report_text(result.report), err=as_json)

    with interruptible(cancel, "Cancelling, removing the probe image ..."), meter:
        batch = workspace.verification.run_many(
            repositories,
            isolation=isolation,
            access=Access.parse(flags["access"]),
            image=flags["image"],
            tag_switch=flags["tag_switch"],
            pool=flags["parallel"],
            on_event=tell,
            on_result=end,
            cancel=cancel,
        )
    (first, *others) = batch.results
    if not others and first.error is not None:
        raise first.error
    if others:
        for result in batch.results:
            if result.report is not None and not result.passed:
                output.block(f"\n{render_common.report_text(result.report)}", err=as_json)
        output.block(f"\n{batch.summary()}", err=as_json)
    return batch


def _isolation(workspace: Workspace, wanted: Sequence[str]) -> Wanted:
    names = tuple(dict.fromkeys(wanted))
    if len(names) == 1 and names[0] in _WORDS:
        return names[0]
    for name in names:
        if name in _WORDS:
            raise InputError(f"--isolation {name} excludes other values", hint="Use it alone, or name repositories.")
    return [workspace.listing.repository(name) for name in names]


def _confirm(settings: Settings, repositories: list[Repository], flags: dict[str, Any], *, as_json: bool) -> None:
    """Always before removing a tag; before pushing an image only if the configuration requires it."""
    asking, names = Asking.of(settings, flags, as_json=as_json), ", ".join(one.name for one in repositories)
    if flags["tag_switch"]:
        if not (flags["yes"] or settings.read_only_reason):
            output.line(
                f"The tag that account B's access depends on is removed from {names} for some seconds. Other "
                "principals with access by this tag lose it during that time. The tag is always restored.",
                err=True,
            )
        asking.confirm("Remove the tag temporarily?", lost=" to confirm removing a tag")
    elif Access.parse(flags["access"]).writes:
        asking.confirm(f"Push a probe image to {names} and remove it?", needed=settings.confirms("verify"))


def _cancelled(batch: Batch) -> bool:
    reports = [one.report for one in batch.results if one.report is not None]
    return any(isinstance(one.error, Cancelled) for one in batch.results) or any(one.cancelled for one in reports)


def _check_file(file: Path) -> None:
    """Before anything is pushed."""
    if file.suffix.lower() not in (".md", ".json"):
        raise InputError(f"unknown report format: {file}", hint="Use a file name that ends in .md or .json.")
    if not file.absolute().parent.is_dir():
        raise InputError(f"no such folder: {file.absolute().parent}")


def _write(file: Path, batch: Batch) -> None:
    text = batch.to_markdown() if file.suffix.lower() == ".md" else json_text(batch.to_json()) + "\n"
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise EnvironmentFailure(f"cannot write {file}: {error.strerror or error}") from error


def _show_history(workspace: Workspace, names: Sequence[str], *, as_json: bool) -> None:
    past = [one for one in workspace.verification.history() if not names or one.repository in names]
    if as_json:
        output.document([{"id": one.id, "at": one.at.isoformat(), **one.report} for one in past])
    else:
        output.block(render_common.past_table(past))
