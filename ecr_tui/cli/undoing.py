"""``history``, ``undo`` and ``redo``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ecr_tui.changes.apply import Outcome
from ecr_tui.changes.bulk import undo_preview
from ecr_tui.changes.entries import TAGS
from ecr_tui.changes.plans import Plan
from ecr_tui.changes.undo import holds
from ecr_tui.cli import completing, output
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.options import account_options, json_option, write_options
from ecr_tui.cli.tagging import write_tags
from ecr_tui.cli.writing import SHOWN_IN_FULL, carried_out, report
from ecr_tui.errors import InputError
from ecr_tui.render import common as render_common
from ecr_tui.render import history as history_text
from ecr_tui.render import runs as render_runs
from ecr_tui.render import second_opinion
from ecr_tui.workspace import Workspace


@command()
@click.option(
    "--repository",
    metavar="NAME",
    default="",
    shell_complete=completing.repositories,
    help="Only writes to this repository.",
)
@click.option(
    "--account", metavar="ID", default="", shell_complete=completing.accounts, help="Only writes in this account A."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N writes.")
@click.option(
    "--disagreements",
    is_flag=True,
    help="List the differences between ecr-tui and IAM Access Analyzer instead (plan --aws-preview).",
)
@account_options
@json_option
@click.pass_context
def history(
    context: click.Context,
    /,
    repository: str,
    account: str,
    limit: int | None,
    disagreements: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """List past writes, newest first: when, who, what, where, and their state.

    Reads the journal and makes no AWS calls. Pass an id to undo or redo.
    """
    with open_workspace(context, flags) as workspace:
        if disagreements:
            _show_disagreements(workspace, repository, account, limit, as_json=as_json)
            return
        past = workspace.changes.past_writes()
        for damage in past.damaged:
            output.line(f"{workspace.changes.journal.path}: line {damage.line} skipped: {damage.why}", err=True)
        rows = past.chosen(repository=repository, account=account, limit=limit)
        if as_json:
            output.document([row.to_json() for row in rows])
        else:
            output.block(history_text.history_text(rows))


def _show_disagreements(
    workspace: Workspace, repository: str, account: str, limit: int | None, *, as_json: bool
) -> None:
    found, damaged = workspace.second_opinions.records.read()
    for damage in damaged:
        output.line(f"{workspace.second_opinions.records.path}: line {damage.line} skipped: {damage.why}", err=True)
    chosen = [one for one in found if repository in ("", one.repository, one.arn) and account in ("", one.account)][
        :limit
    ]
    if as_json:
        output.document([one.to_json() for one in chosen])
    else:
        output.block(second_opinion.disagreements_text(chosen))


@command()
@click.argument("identifier", required=False, metavar="[ID]", shell_complete=completing.writes)
@click.option("--one", is_flag=True, help="Undo only the last write, even if it was part of a run.")
@account_options
@write_options
@click.pass_context
def undo(context: click.Context, /, identifier: str | None, **flags: Any) -> None:
    """Undo the last write, or the write or run with this ID: restore the exact previous policy.

    Refused if the policy changed after that write. If the last write was part of a run over several repositories,
    the whole run is undone after a confirmation.
    """
    _take_back(context, identifier, flags, redo=False)


@command()
@click.argument("identifier", required=False, metavar="[ID]", shell_complete=completing.writes)
@click.option("--one", is_flag=True, help="Redo only the last undo, even if it was part of a run.")
@account_options
@write_options
@click.pass_context
def redo(context: click.Context, /, identifier: str | None, **flags: Any) -> None:
    """Redo the last undo, or the undone write with this ID.

    Refused if the policy changed after the undo.
    """
    _take_back(context, identifier, flags, redo=True)


def _take_back(context: click.Context, identifier: str | None, flags: dict[str, Any], *, redo: bool) -> None:
    one, as_json, reason = bool(flags.pop("one")), bool(flags.pop("as_json")), flags["reason"]
    with open_workspace(context, flags) as workspace:
        asking, verb = Asking.of(workspace.settings, flags, as_json=as_json), "Redo" if redo else "Undo"
        always = workspace.settings.confirms("undo")
        take = workspace.changes.redo if redo else workspace.changes.undo
        if identifier is not None and not identifier.startswith("run-"):
            history = workspace.changes.journal.read(holds(identifier))
            if history.about_tags(identifier):
                context.exit(_take_tags_back(workspace, identifier, asking, reason, redo=redo))
            entry = history.find(identifier)
            plans = undo_preview([history.tip(entry)[0]]) if entry is not None else []
            _ask(asking, plans, f"{verb} {identifier}?", always=always)
            return _told(take(identifier, reason), as_json)
        bulk = workspace.changes.bulk()
        entries = bulk.of_run(identifier, redo=redo) if identifier else bulk.last_action(redo=redo)
        if identifier and not entries:
            raise InputError(f"no write of {identifier} is {'undone' if redo else 'in effect'}")
        if len(entries) == 1 and entries[0].record.subject == TAGS:
            # A redo is the undo of the undo's own entry.
            context.exit(_take_tags_back(workspace, entries[0].id, asking, reason, redo=False))
        if not identifier and (one or len(entries) < 2):
            what = f"{verb} the last {'undo' if redo else 'write'}?"
            if entries:
                _ask(asking, undo_preview(entries[:1]), what, always=always)
            # The write that was shown, and not another that came in the meantime.
            return _told(take(entries[0].id if entries else "", reason), as_json)
        if not as_json:
            output.block(render_runs.plans_text(undo_preview(entries), SHOWN_IN_FULL))
        if entries:
            what = "This is a run." if identifier else f"The last {'undo' if redo else 'write'} was part of a run."
            asking.confirm(f"{what} {verb} all {len(entries):,} policies?")
        summary = carried_out(lambda cancel, told: bulk.undo(entries, reason=reason, on_progress=told, cancel=cancel))
        context.exit(report(summary, as_json=as_json))


def _ask(asking: Asking, plans: Sequence[Plan], question: str, *, always: bool) -> None:
    """Confirm if the settings require it, or if it gives more access than now."""
    needed = always or any(plan.risks for plan in plans)
    if needed and plans and not asking.as_json:
        output.block(render_runs.plans_text(plans, SHOWN_IN_FULL))
    asking.confirm(question, needed=needed)


def _take_tags_back(workspace: Workspace, identifier: str, asking: Asking, reason: str, *, redo: bool) -> int:
    """Undo of tags changes access as well, which depends on the current policy."""
    plan = workspace.changes.plan_tags_back(identifier, redo=redo)
    return write_tags(workspace, [plan._replace(reason=reason)], asking)


def _told(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        output.document([outcome.plan.to_json(written=outcome.written)])
    else:
        output.block(render_common.outcome_text(outcome))
