"""Bulk changes: plan, confirm, execute, resume, undo. One run at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecr_tui.changes.bulk import Intent, undo_preview
from ecr_tui.changes.undo import target
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.ui import jobs
from ecr_tui.ui.bulk import TICK, Job, Planning, Running
from ecr_tui.ui.plain import pace
from ecr_tui.ui.screens.bulk_plan import BulkPlanScreen
from ecr_tui.ui.screens.bulk_run import BulkRunScreen
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import NO, OK, count, utc
from ecr_tui.ui.text import write as write_text
from ecr_tui.ui.text.bulk import unfinished_body

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.bulk import Summary, Unfinished
    from ecr_tui.changes.entries import Entry
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

REREAD = 10
"""Ticks between updates of changed rows in the main table."""


async def change(desk: Desk, selection: Selection, verb: str, terms: str, intent: Intent) -> None:
    """For all marked repositories."""
    await ask(desk, Job(verb, terms, selection.marked, intent, selection.hidden, begun=desk.stage.unmark))


async def change_rows(desk: Desk, rows: Sequence[Repository], verb: str, terms: str, intent: Intent) -> None:
    """For these, regardless of marks."""
    await ask(desk, Job(verb, terms, rows, intent, begun=desk.stage.unmark))


async def take_back(desk: Desk, entries: Sequence[Entry]) -> None:
    """Undo all writes of a run that are in effect."""
    plans = undo_preview(entries)
    rows = [plan.repository for plan in plans]
    terms = "Each policy is restored exactly as it was before, unless someone has changed it since."
    kind = plans[0].kind
    await ask(desk, Job(kind.capitalize(), terms, rows, Intent(kind, principals=plans[0].named), entries=entries))


async def ask(desk: Desk, job: Job) -> None:
    """Plan, confirm and execute."""
    if desk.running:
        desk.say("A run is in progress. Press R to see it.", warning=True)
        return
    planning = desk.planning = Planning(desk.workspace, job)
    yes = await desk.ask(BulkPlanScreen(planning))
    if planning.error is not None and not planning.cancel.is_set():
        desk.stage.report(planning.error, f"{job.verb} not planned")
    elif yes and planning.bulk is not None and desk.ready() and not desk.running:
        if job.begun is not None:
            # Clear the marks: new ones are for the next run.
            job.begun()
        await _carry_out(desk, Running(planning, planning.bulk))


async def _carry_out(desk: Desk, run: Running) -> None:
    desk.run, written, ticks = run, list[str](), 0
    desk.stage.preview.untell(arns={row.repository.arn for row in run.rows})
    work = asyncio.create_task(run.carry_out(desk.workspace))
    desk.host.work_changed()
    desk.start(_show(desk, run))
    while not (await asyncio.wait({work}, timeout=pace(desk.app, TICK)))[0]:
        written += [row.repository.arn for row in run.take()]
        ticks += 1
        if ticks % REREAD == 0 and written:
            desk.stage.policies_changed(written)
            written = []
        desk.host.work_changed()
    written += [row.repository.arn for row in run.rows if row.result is not None]
    if written:
        desk.stage.policies_changed(written)
    desk.host.work_changed()
    if run.summary is not None and not desk.shows(run):
        fine = run.summary.complete
        more = "Press u to undo it." if fine and not run.job.entries else "Press R to see it."
        desk.say(f"{run.summary.headline()}. {more}", title=f"{OK if fine else NO} Run ended", warning=not fine)
    if run.error is not None:
        desk.stage.report(run.error, f"{run.job.verb} stopped")


async def _show(desk: Desk, run: Running) -> None:
    """Show the run's screen, and execute its result: undo, or retry of failed and untried repositories."""
    wanted = await desk.ask(BulkRunScreen(run))
    if not wanted or run.summary is None or not desk.ready():
        return
    if wanted == "undo":
        await _take_back_run(desk, run.summary)
        return
    undone, job = {row.repository.arn for row in run.undone()}, run.job
    if job.entries:
        await take_back(desk, [entry for entry in job.entries if entry.record.arn in undone])
    else:
        rows = [row.repository for row in run.rows if row.repository.arn in undone]
        await ask(desk, Job(job.verb, job.terms, rows, job.intent, again=run.summary.run))


async def _take_back_run(desk: Desk, summary: Summary) -> None:
    """Undo all its writes that are in effect."""
    changes, name = desk.workspace.changes, summary.run
    written = {one.outcome.entry_id for one in summary.results if one.outcome is not None}

    def find() -> Sequence[Entry]:
        if name:
            return changes.bulk().of_run(name)
        history = changes.journal.read()  # a single write is not a run
        return [target(history, one) for one in history.entries if one.id in written]

    try:
        entries = await desk.do("looking", find)
    except InputError:
        entries = ()
    if entries:
        await take_back(desk, entries)
    else:
        desk.say("Nothing to undo.")


async def show(desk: Desk, selection: Selection) -> None:
    """The current or last run; else the rest of an earlier one."""
    if desk.run is None:
        await unfinished(desk, selection)
    else:
        await _show(desk, desk.run)


# -- unfinished runs --------------------------------------------------------------------------------------


async def unfinished(desk: Desk, selection: Selection) -> None:
    """Reads the journal; ignores runs of other running instances."""
    found = await jobs.on_thread(lambda: desk.workspace.changes.bulk().unfinished())
    if desk.running:
        return
    if not found:
        desk.say("No unfinished run. Mark repositories with Space or *, then press g to grant on all of them.")
    elif desk.workspace.settings.read_only_reason:
        desk.say("Read-only: the unfinished run was left as it is.", warning=True)
    else:
        await _offer(desk, found[0])


async def offer_unfinished(desk: Desk) -> None:
    """At startup, unrequested."""
    try:
        found = await jobs.on_thread(lambda: desk.workspace.changes.bulk().unfinished())
    except EcrTuiError:
        return  # the next write reports it
    if found and not desk.running and not desk.workspace.settings.read_only_reason:
        await _offer(desk, found[0])


async def _offer(desk: Desk, left: Unfinished) -> None:
    """Resume, dismiss, or postpone it."""
    intent, problem = None, None
    try:
        intent = Intent.from_json(left.run.intent)
        words = intent.words()
    except EcrTuiError as error:  # of another version
        problem, words = error, error.title
    body = unfinished_body(left, f"{words[:1].upper()}{words[1:]}", utc(left.run.at))
    answer = await desk.ask(
        ConfirmScreen("Unfinished bulk run", body, yes="Resume", no="Later", other="Dismiss", writes=False)
    )
    if answer and problem is not None:
        await desk.ask(ErrorScreen(problem))
    elif answer and intent is not None and desk.ready():
        verb, terms = intent.kind.capitalize(), f"{words[:1].upper()}{words[1:]}."
        if intent.grant is not None:
            who = intent.who if intent.each else ""
            verb, terms = "Grant", write_text.terms(intent.grant, revoke=False, scope=intent.scope, who=who)
        await ask(desk, Job(verb, terms, left.rest, intent, left=left))
    elif answer is None:
        await jobs.on_thread(lambda: desk.workspace.changes.bulk().dismiss(left))
        desk.say(f"Run dismissed; {count(len(left.rest), 'repository', 'repositories')} unchanged.")
