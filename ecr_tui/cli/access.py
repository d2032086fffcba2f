"""``plan``, ``grant``, ``revoke`` and ``undo``: changing who has access."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecr_tui.cli.common import (
    account_options,
    chosen,
    json_option,
    open_workspace,
    print_json,
    tag_option,
    yes_option,
)
from ecr_tui.errors import InputError

if TYPE_CHECKING:
    from ecr_tui.grants import Plan
    from ecr_tui.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

ACCESS = click.Choice(["pull", "push", "push-pull"])


def grant_options(command: F) -> F:
    options = [
        click.argument("repositories", nargs=-1, metavar="[REPO]..."),
        tag_option,
        click.option(
            "--to",
            "principal",
            metavar="PRINCIPAL",
            help="An ARN, a 12-digit account id, user/NAME or role/NAME of account B. Default: who profile B is.",
        ),
        click.option("--access", type=ACCESS, default="push-pull", show_default=True),
        click.option("--if-tag", "conditions", multiple=True, metavar="K=V", help="Only while the repository has it."),
        click.option(
            "--until",
            metavar="DATE",
            help="The grant ends: 2030-01-31 (that day's end in UTC) or 2030-01-31T18:00:00Z.",
        ),
        click.option(
            "--from",
            "document",
            type=click.Path(path_type=Path, allow_dash=True),
            metavar="FILE",
            help="Merge the statements of a policy file (- for stdin) instead of --to, --access, --if-tag and --until.",
        ),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


@click.command()
@grant_options
@account_options
@json_option
@click.pass_context
def plan(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Show what a grant would write, and whether both sides would then allow it. Writes nothing."""
    from ecr_tui import present_sides

    with open_workspace(context, flags) as workspace:
        seen = [
            present_sides.Seen(
                item, workspace.verdicts(item.repository, item), workspace.new_repositories(item.repository, item)
            )
            for item in grant_plans(workspace, flags)
        ]
        if as_json:
            print_json([present_sides.seen_json(item) for item in seen])
        else:
            for item in seen:
                click.echo(present_sides.seen_text(item))


@click.command()
@grant_options
@account_options
@yes_option
@json_option
@click.pass_context
def grant(context: click.Context, /, yes: bool, as_json: bool, **flags: Any) -> None:
    """Grant access: merge one statement into each repository's policy, and read it back."""
    with open_workspace(context, flags) as workspace:
        _write(workspace, grant_plans(workspace, flags), yes=yes, as_json=as_json)


@click.command()
@click.argument("repositories", nargs=-1, metavar="[REPO]...")
@tag_option
@click.option("--to", "principal", required=True, metavar="PRINCIPAL", help="Whose access ends.")
@account_options
@yes_option
@json_option
@click.pass_context
def revoke(context: click.Context, /, yes: bool, as_json: bool, **flags: Any) -> None:
    """Take back what ecr-tui granted a principal; statements of others are left alone, and said."""
    with open_workspace(context, flags) as workspace:
        principal = workspace.principal(flags["principal"])
        plans = [workspace.plan_revoke(r, principal) for r in chosen(workspace, flags)]
        _write(workspace, plans, yes=yes, as_json=as_json)


@click.command()
@account_options
@yes_option
@json_option
@click.pass_context
def undo(context: click.Context, /, yes: bool, as_json: bool, **flags: Any) -> None:
    """Take back the last write: restore the exact previous policy, unless someone else has written since."""
    from ecr_tui import present

    with open_workspace(context, flags) as workspace:
        outcome = workspace.undo()
        if as_json:
            print_json([outcome.plan.to_json(written=outcome.written)])
        else:
            click.echo(present.outcome_text(outcome))


def grant_plans(workspace: Workspace, flags: dict[str, Any]) -> list[Plan]:
    from ecr_tui.config import parse_tags
    from ecr_tui.endings import parse_until
    from ecr_tui.policy.actions import Access
    from ecr_tui.policy.change import Grant
    from ecr_tui.policy.document import PolicyDocument

    source: Path | None = flags["document"]
    if source is not None:
        if flags["principal"] or flags["conditions"] or flags["until"]:
            raise InputError(
                "--from brings its own principals and conditions", hint="Leave out --to, --if-tag and --until."
            )
        incoming = PolicyDocument.parse(_read(source))
        return [workspace.plan_document(r, incoming) for r in chosen(workspace, flags)]
    until = parse_until(flags["until"]) if flags["until"] else None
    repositories = chosen(workspace, flags)
    given = flags["principal"]
    principal = workspace.principal(given) if given else workspace.consumer_principal()
    wanted = Grant(principal, Access(flags["access"]), parse_tags(flags["conditions"], origin="--if-tag"), until)
    return [workspace.plan(r, wanted) for r in repositories]


def _read(source: Path) -> str:
    try:
        return sys.stdin.read() if str(source) == "-" else source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {source}", detail=str(error)) from error


def _write(workspace: Workspace, plans: Sequence[Plan], *, yes: bool, as_json: bool) -> None:
    """Ask once for all, then write one by one. A failure stops there: what was written is told, and undoable."""
    from ecr_tui import present

    if not as_json:
        for item in plans:
            click.echo(present.plan_text(item))
    changing = [p for p in plans if p.changed]
    if changing and not yes:
        if as_json or not sys.stdin.isatty():
            raise InputError("nobody is here to confirm", hint="Add --yes to write without asking.")
        noun = "policy" if len(changing) == 1 else "policies"
        if not click.confirm(f"Write {len(changing)} {noun}?", default=False):
            raise click.Abort
    written: set[str] = set()
    try:
        for item in changing:
            outcome = workspace.apply(item)
            if outcome.written:
                written.add(item.repository.arn)
            if not as_json:
                click.echo(present.outcome_text(outcome))
    finally:
        if as_json:
            print_json([p.to_json(written=p.repository.arn in written) for p in plans])
        elif len(written) < len(changing):
            click.echo(f"Written: {len(written)} of {len(changing)}.", err=True)
