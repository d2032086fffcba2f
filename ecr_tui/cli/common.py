"""What the commands share: options, the workspace of a run, choosing repositories, printing."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecr_tui.errors import EcrTuiError, InputError

if TYPE_CHECKING:
    from ecr_tui.aws.model import MfaPrompt, Repository
    from ecr_tui.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

ENGINES = click.Choice(["auto", "docker", "direct"])


def account_options(command: F) -> F:
    """Which accounts and regions; accepted before and after the command's name."""
    options = [
        click.option("--profile-a", metavar="P", help="AWS profile of the owner, account A."),
        click.option("--profile-b", metavar="P", help="AWS profile of the consumer, account B."),
        click.option("--region", "regions", multiple=True, metavar="R", help="Region; may be repeated."),
        click.option("--read-only", is_flag=True, help="Refuse every write."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
tag_option = click.option(
    "--tag", "tags", multiple=True, metavar="K=V", help="Repositories with this tag; may be repeated."
)


@contextlib.contextmanager
def open_workspace(
    context: click.Context, flags: dict[str, Any] | None = None, prepare: Callable[[], None] | None = None
) -> Iterator[Workspace]:
    """The workspace of this run: flags of the command over flags of the program over the environment."""
    from ecr_tui.config import resolve
    from ecr_tui.workspace import Workspace

    known = ("profile_a", "profile_b", "regions", "tags", "read_only", "engine")
    merged = {name: (flags or {}).get(name) or context.obj.get(name) for name in known}
    workspace = Workspace(resolve(merged), _ask_mfa if sys.stdin.isatty() else None, prepare)
    try:
        yield workspace
    finally:
        if workspace.busy():
            click.echo("Removing the probe image ...", err=True)
        if not workspace.close():
            click.echo("The probe image could not be removed in time; look for the tag ecr-tui-verify-*.", err=True)


def _ask_mfa(prompt: MfaPrompt) -> str:
    """Under the interface never called: it puts a question of its own in this one's place."""
    question = f"MFA code of {prompt.device} for profile {prompt.profile}"
    return str(click.prompt(question, err=True, hide_input=True, default="", show_default=False))


def listed(workspace: Workspace) -> list[Repository]:
    """All with the tags of this run. A region that fails beside others that do not is told on stderr."""
    failures: dict[str, EcrTuiError] = {}

    def failed(region: str, error: EcrTuiError) -> None:
        failures.setdefault(region, error)

    rows = workspace.repositories(dict(workspace.settings.tags) or None, on_failure=failed)
    for region, error in failures.items():
        click.echo(f"{region}: {error.text()}", err=True)
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
        return [workspace.repository(name) for name in names]
    found = listed(workspace)
    if not found:
        wanted = ", ".join(f"{k}={v}" for k, v in workspace.settings.tags)
        raise InputError(f"no repository is tagged {wanted}", hint="Tag keys and values are case-sensitive.")
    return found


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
