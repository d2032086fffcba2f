"""``ecr-tui apply``: make the access what a file says, or tell where it differs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk import Bulk, Intent
from ecr_tui.changes.desired.drift import compare
from ecr_tui.changes.desired.file import GrantsFile
from ecr_tui.changes.desired.planning import drift_of
from ecr_tui.changes.desired.rows import Desired
from ecr_tui.changes.entries import APPLY
from ecr_tui.changes.plans import Plan
from ecr_tui.cli import completing, output
from ecr_tui.cli.access import resume_run
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import open_workspace, read_text
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import account_options, run_options
from ecr_tui.cli.writing import SHOWN_IN_FULL, mention_unfinished, write
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.ours import Own
from ecr_tui.render import runs as render_runs
from ecr_tui.render.desired import Drift, drift_json, headline, unwanted_text
from ecr_tui.workspace import Workspace


@command("apply")
@click.argument(
    "source",
    required=False,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    shell_complete=completing.files,
)
@click.option("--check", is_flag=True, help="Compare only; exit with 1 if anything differs. For CI and cron.")
@click.option("--plan", "plan_only", is_flag=True, help="Show the changes by repository; write nothing.")
@click.option(
    "--prune",
    is_flag=True,
    help="Also revoke grants of ecr-tui that the file does not have. Default: list them. Other statements are never "
    "changed.",
)
@account_options
@run_options
@click.pass_context
def apply(
    context: click.Context,
    /,
    source: Path | None,
    check: bool,
    plan_only: bool,
    prune: bool,
    resume: bool,
    parallel: int,
    as_json: bool,
    **flags: Any,
) -> None:
    """Apply a file of grants: one write for each repository that differs.

    Resume an interrupted run with --resume.
    """
    if resume and (source or check or plan_only or prune):
        raise InputError("--resume repeats the interrupted run", hint="Remove FILE, --check, --plan and --prune.")
    if check and plan_only:
        raise InputError("--check and --plan exclude each other", hint="Remove one of them.")
    if source is None and not resume:
        raise click.UsageError("Missing argument 'FILE'.", context)
    name = "stdin" if str(source) == "-" else source.name if source is not None else ""
    file = None if source is None else GrantsFile(name, read_text(source))
    with open_workspace(context, flags) as workspace:
        bulk, asking = workspace.changes.bulk(parallel), Asking.of(workspace.settings, flags, as_json=as_json)
        if file is None:
            context.exit(resume_run(bulk, flags, APPLY, asking))
        desired = workspace.changes.desired(file, prune=prune)
        rows = _listed(workspace, file, desired)
        intent = Intent.to_apply(desired, flags["reason"])
        drift = _drift(bulk, file, rows, intent, desired)
        if check or plan_only:
            context.exit(_shown(drift, as_json=as_json, check=check))
        mention_unfinished(bulk)
        if not as_json:
            output.block(unwanted_text(drift), err=True)
        context.exit(
            write(
                bulk,
                drift.plans,
                intent,
                failures=[error for _, error in drift.failures],
                asking=asking,
                document=lambda plans: drift_json(drift, plans),
            )
            if drift.plans
            else _shown(drift, as_json=as_json, check=True)
        )


def _listed(workspace: Workspace, file: GrantsFile, desired: Desired) -> list[Repository]:
    """The repositories that the file decides about, of its regions. Raises the error of a region that fails."""
    regions = workspace.accounts.regions()
    all_of = dict.fromkeys((*regions, *(region for row in desired.rows for region in row.selector.regions)))
    if len(all_of) > len(regions):
        workspace.use(regions=tuple(all_of))
    with Meter("Listing repositories") as meter:
        found = workspace.listing.repositories(on_page=lambda page: meter(len(page)))
    for note in workspace.changes.check_names(file, desired, found):
        output.line(f"Warning: {note}", err=True)
    return [row for row in found if desired.scope.takes(row)]


def _drift(bulk: Bulk, file: GrantsFile, rows: Sequence[Repository], intent: Intent, desired: Desired) -> Drift:
    with Meter("Reading policies") as meter:
        compared = compare(bulk, rows, intent, on_progress=meter)
    plans: list[Plan] = []
    unwanted: list[tuple[Repository, Own]] = []
    failures: list[tuple[Repository, EcrTuiError]] = []
    for row, one in compared:
        if not isinstance(one, Plan):
            output.failure(one, row.name)
            failures += [(row, one)] if desired.concerns(row) else []
            continue
        unwanted += [(row, own) for own in drift_of(one.repository, one.before, desired).unwanted]
        plans += [one] if one.changed else []
    return Drift(file.name, len(rows), tuple(plans), tuple(unwanted), desired.prune, tuple(failures))


def _shown(drift: Drift, *, as_json: bool, check: bool) -> int:
    """``check``: drift is an error."""
    if as_json:
        output.document(drift_json(drift, [plan.to_json() for plan in drift.plans]))
    else:
        if drift.plans:
            output.block(render_runs.plans_text(drift.plans, SHOWN_IN_FULL))
        if drift.unwanted and not drift.pruned:
            output.block(unwanted_text(drift))
        output.line(headline(drift))
    if check:
        return drift.exit_code
    return max([int(any(plan.refused for plan in drift.plans)), *(error.exit_code for _, error in drift.failures)])
