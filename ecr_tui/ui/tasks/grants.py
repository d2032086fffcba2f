"""Grant, revoke and repair: confirmation, messages, and reads afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.apply import Overwritten
from ecr_tui.changes.bulk import Intent
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.principal import describe_all
from ecr_tui.ui.result import Result
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.tasks import replicas, runs
from ecr_tui.ui.text import count, safe
from ecr_tui.ui.text import write as write_text

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Plan
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

PENDING_WRITE = "about to write, Esc cancels"
"""The preview's header between ``g`` and the write."""

_SOUND = "nothing to repair"


async def grant(desk: Desk, selection: Selection) -> None:
    """``g``: write the preview, after a delay in which Esc cancels."""
    plan, chosen = selection.plan, selection.grant
    if not desk.ready():
        return
    if selection.cached:
        desk.say("Grant is off: this is a cached list. Wait for the refresh, or press r.", warning=True)
    elif chosen is None:
        desk.say("Account B is unknown. Press b to choose a principal.", warning=True)
    elif selection.marked:
        if await _waited(desk, selection):
            await _change_marked(desk, selection, chosen, revoke=False)
    elif plan is None and selection.problem is not None:
        await desk.ask(ErrorScreen(selection.problem))
    elif plan is None:
        desk.say("The preview is not ready. Nothing was written.")
    elif not plan.changed:
        if not await replicas.offer(desk, selection, chosen):
            desk.tell(write_text.nothing(plan), warning=bool(plan.void))
    elif plan.refused:
        _refused(desk, plan)
    elif not desk.stage.shows_change:
        # Only a visible change may be written.
        desk.stage.show_change()
        desk.tell(Result(plan.repository, "not written yet, press g again to write it", plan.grant))
    elif await _waited(desk, selection) and not await replicas.offer(desk, selection, chosen):
        if plan.risks or desk.workspace.settings.confirms("grant"):
            name = safe(plan.repository.name)
            risks = f"{count(len(plan.risks), 'warning')}. Grant on {name} anyway?" if plan.risks else ""
            await _confirm(desk, risks or f"Grant on {name}?", write_text.one(plan), "Grant", plan)
        else:
            await write(desk, plan)


async def grant_template(desk: Desk, selection: Selection) -> None:
    """Write the grant into the creation template for new repositories, after confirmation."""
    repository, chosen = selection.repository, selection.grant
    if not desk.ready() or repository is None or chosen is None:
        return
    plan = await desk.do("planning", lambda: desk.workspace.changes.plan_in_template(repository, chosen))
    if plan is None:
        desk.say(f"No creation template applies to new repositories next to {safe(repository.name)}.")
    else:
        await _ask(
            desk, plan, "Grant", f"Grant in creation {safe(plan.repository.name)}?", "the template has this grant"
        )


async def _waited(desk: Desk, selection: Selection) -> bool:
    """Wait for the delay; returns whether the preview is still the same as at the key press."""
    preview = desk.stage.preview
    pending = Result(selection.repository, PENDING_WRITE, selection.grant) if selection.repository else None
    if pending is not None:
        preview.tell(pending)
    waited = await desk.countdown.run_out()
    preview.untell(pending)
    if not waited:
        return False
    now = desk.selection
    same = now.grant == selection.grant and now.marked == selection.marked
    if not selection.marked:
        same = now.plan is selection.plan and desk.stage.shows_change
    if not same or not desk.host.is_current:
        desk.say("Grant canceled: the preview changed before the write.", warning=True)
        return False
    return desk.ready()


async def revoke(desk: Desk, selection: Selection) -> None:
    chosen = selection.grant
    if not desk.ready():
        return
    if chosen is None:
        desk.say("Choose a principal first: press b.", warning=True)
    elif selection.marked:
        await _change_marked(desk, selection, chosen, revoke=True)
    elif selection.repository is not None and not await replicas.offer(desk, selection, chosen, revoke=True):
        await _plan(desk, selection.repository, chosen, revoke=True)


async def _change_marked(desk: Desk, selection: Selection, chosen: Grant, *, revoke: bool) -> None:
    verb, scope = "Revoke" if revoke else "Grant", selection.choice.own_tag
    marked = await replicas.with_copies(desk, selection.marked, verb, "" if revoke else scope)
    if not marked or not desk.ready():
        return
    if len(marked) == 1:
        if scope and marked[0].tags is None and not revoke:
            desk.say(f"The tags of {safe(marked[0].name)} are not read yet. Nothing was written.")
        else:
            own = selection.grant_on(marked[0]) or chosen
            await _plan(desk, marked[0], own, revoke=revoke, more=" (the marked one)")
        return
    chosen = replace(chosen, tags=()) if scope else chosen
    intent = Intent.to_revoke(chosen.principals) if revoke else Intent.to_grant(chosen, scope)
    terms = write_text.terms(chosen, revoke=revoke, scope=scope)
    await runs.change(desk, replace(selection, marked=tuple(marked)), verb, terms, intent)


async def _plan(desk: Desk, repository: Repository, chosen: Grant, *, revoke: bool, more: str = "") -> None:
    """Plan on the live policy, and ask for confirmation with all consequences."""
    changes = desk.workspace.changes
    if revoke:
        plan = await desk.do("planning", lambda: changes.plan_revoke(repository, chosen.principals))
    else:
        plan = await desk.do("planning", lambda: changes.plan(repository, chosen))
    verb = "Revoke" if revoke else "Grant"
    if not plan.changed:
        desk.tell(write_text.nothing(plan)._replace(grant=chosen), warning=bool(plan.void or plan.risks))
    elif plan.refused:
        _refused(desk, plan)
    else:
        title = f"{verb} on {safe(plan.repository.name)}{more}?"
        known = desk.workspace.access.workloads_known
        users = write_text.users(known(plan.repository)) if revoke else []
        await _confirm(desk, title, [*write_text.one(plan), *users], verb, plan)


async def repair(desk: Desk, selection: Selection) -> None:
    if not desk.ready():
        return
    marked = selection.marked
    if len(marked) > 1:
        what = "What ECR rejects is removed. No one's access changes."
        await runs.change(desk, selection, "Repair", what, Intent.to_repair())
        return
    repository = marked[0] if marked else selection.repository
    if repository is None:
        return
    plain, *others = await desk.do("planning", lambda: desk.workspace.changes.plan_repairs(repository))
    plan = others[0] if others and await _repins(desk, plain, others[0]) else plain
    await _ask(desk, plan, "Repair", f"Repair the policy of {safe(plan.repository.name)}?", _SOUND)


async def _repins(desk: Desk, plain: Plan, repinned: Plan) -> bool:
    """A deleted principal was recreated: ask whether to re-pin it or to remove its id."""
    body = [
        Content(f"The policy of {safe(plain.repository.name)} has the id of the deleted principal, so the"),
        Content("recreated one has no access. In both cases the change is previewed next."),
    ]
    title = f"Restore the access of {safe(describe_all(repinned.named))}?"
    return await desk.confirmed(title, body, yes="Yes, re-pin it", no="No, remove it")


async def plan_and_ask(
    desk: Desk, make: Callable[[], Plan], *, verb: str, title: Callable[[Plan], str], nothing: str
) -> None:
    """Run ``make()`` on a thread, show its change, and write it after confirmation. ``nothing``: text without a
    change."""
    plan = await desk.do("planning", make)
    await _ask(desk, plan, verb, title(plan), nothing)


async def _ask(desk: Desk, plan: Plan, verb: str, title: str, nothing: str) -> None:
    if not plan.changed:
        desk.tell(Result(plan.repository, f"No change: {nothing}", more=tuple(map(safe, plan.notes))))
    elif plan.refused:
        _refused(desk, plan)
    else:
        await _confirm(desk, title, write_text.one(plan), verb, plan)


def _refused(desk: Desk, plan: Plan) -> None:
    error = plan.refusal()
    if plan.repairable:
        error.hint = "Press F to repair the policy."
    desk.stage.report(error)


async def _confirm(desk: Desk, title: str, body: Sequence[Content], verb: str, plan: Plan) -> None:
    if await desk.confirmed(title, body, yes=f"Yes, {verb.lower()}") and desk.ready():
        await write(desk, plan)


async def write(desk: Desk, plan: Plan) -> None:
    # Remove the previous message, which no longer applies.
    desk.app.clear_notifications()
    pending = Result(plan.repository, "writing…", plan.grant if plan.kind == "grant" else None)
    error = None
    try:
        outcome = await desk.do("writing", lambda: desk.workspace.changes.apply(plan), pending)
    except EcrTuiError as failure:
        error = failure
    else:
        desk.made_here |= {outcome.entry_id} if outcome.entry_id else set()
        desk.stage.unmark()
        desk.tell(write_text.done(plan, outcome))
    # A failed write may still have been executed.
    desk.stage.policies_changed([plan.repository.arn], plan.kind)
    if error is not None:
        await failed(desk, error, f"{plan.kind.capitalize()} on {plan.repository.name}")


async def failed(desk: Desk, error: EcrTuiError, what: str) -> None:
    """Report a failure of ``what``. A concurrently overwritten change can be restored."""
    if isinstance(error, Overwritten) and error.restore is not None:
        body = [*(Content(safe(line)) for line in error.detail.splitlines()), Content("")]
        body += write_text.one(error.restore)
        await _confirm(desk, f"{safe(error.title)}.", body, "Restore", error.restore)
    else:
        desk.stage.report(error, f"{what} failed")
