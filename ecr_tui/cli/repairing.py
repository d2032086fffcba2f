"""``repair``: make policies that ECR rejects writable again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.plans import Plan
from ecr_tui.cli import output
from ecr_tui.cli.access import resume_run
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import chosen, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.options import (
    account_options,
    repositories_argument,
    run_options,
    tag_option,
)
from ecr_tui.cli.writing import SHOWN_IN_FULL, mention_unfinished, plan_all, write
from ecr_tui.errors import InputError
from ecr_tui.policy.acceptance import dead_principals
from ecr_tui.policy.repair import parse_repin
from ecr_tui.render import runs as render_runs
from ecr_tui.workspace import Workspace

KNOWN = "known"


@command()
@repositories_argument
@tag_option
@click.option(
    "--repin",
    "repins",
    multiple=True,
    metavar="ID=PRINCIPAL|known",
    help="Replace the id of a deleted principal with this principal, which grants it the access. known: with the "
    "recreated principal of the same name. Repeatable. Default: remove the ids.",
)
@click.option("--dry-run", is_flag=True, help="Preview only; write nothing.")
@account_options
@run_options
@click.pass_context
def repair(context: click.Context, /, as_json: bool, dry_run: bool, resume: bool, parallel: int, **flags: Any) -> None:
    """Repair policies that ECR rejects, without changing who has access.

    Removes deleted principals, actions that a repository policy cannot grant, and Resource elements. Previews the
    exact change and asks for confirmation.
    """
    with open_workspace(context, flags) as workspace:
        bulk, asking = workspace.changes.bulk(parallel), Asking.of(workspace.settings, flags, as_json=as_json)
        if resume and dry_run:
            raise InputError("--resume and --dry-run exclude each other", hint="Remove one of them.")
        if resume:
            context.exit(resume_run(bulk, flags, "repair", asking))
        mention_unfinished(bulk)
        intent = replace(_first(workspace, flags["repins"]), reason=flags["reason"])
        plans, failures = plan_all(bulk, chosen(workspace, flags), intent)
        plans, intent = _named(workspace, plans, intent, known=KNOWN in flags["repins"])
        if not dry_run:
            context.exit(write(bulk, plans, intent, failures=failures, asking=asking))
        if as_json:
            output.document([plan.to_json() for plan in plans])
        else:
            output.block(render_runs.plans_text(plans, SHOWN_IN_FULL))
        context.exit(max([int(any(plan.refused for plan in plans)), *(one.exit_code for one in failures)]))


def _first(workspace: Workspace, texts: Sequence[str]) -> Intent:
    repins: dict[str, str] = {}
    for text in texts:
        if text == KNOWN:
            continue
        name, principal = parse_repin(text)
        arn = workspace.accounts.principal(principal)
        if repins.setdefault(name, arn) != arn:
            raise InputError(f"--repin replaces {name} twice, with {repins[name]} and with {arn}")
    return Intent.to_repair(repins)


def _named(workspace: Workspace, plans: list[Plan], intent: Intent, *, known: bool) -> tuple[list[Plan], Intent]:
    """The plans with the recreated principals found: offered in a note, or with ``known`` re-pinned."""
    repins = dict(intent.repins)
    gone = {name for plan in plans for name in dead_principals(plan.before)}
    stray = sorted(repins.keys() - gone)
    if stray:
        raise InputError(
            f"no policy contains {', '.join(stray)}", hint="Run ecr-tui audit to list the ids of deleted principals."
        )
    names = workspace.changes.former_names(plans) if gone - repins.keys() else {}
    if not names:
        return plans, intent
    if known:
        repins |= {name: former.arn for name, former in names.items() if former.exists}
    intent = replace(Intent.to_repair(repins, names), reason=intent.reason)
    return [intent.plan(plan.repository, plan.before_text) for plan in plans], intent
