"""Edit the selected repository's tags: read live, preview the effect, confirm, write, update the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.result import Result
from ecr_tui.ui.screens.tags import TagsScreen
from ecr_tui.ui.text import MUTED, OK, safe
from ecr_tui.ui.text import write as write_text
from ecr_tui.ui.text.write import users

if TYPE_CHECKING:
    from ecr_tui.changes.tag_plans import TagPlan
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def edit(desk: Desk, selection: Selection) -> None:
    repository, changes = selection.repository, desk.workspace.changes
    if repository is None or not desk.ready():
        return
    fresh = await desk.do("reading", lambda: changes.fresh_tags(repository))
    desk.stage.show_tags(fresh.arn, fresh.tags or {})
    after = await desk.ask(TagsScreen(fresh))
    if after is not None:
        before = fresh.tags or {}
        tags = {key: value for key, value in after.items() if before.get(key) != value}
        unset = [key for key in before if key not in after]
        await change(desk, lambda: changes.plan_tags(fresh, tags, unset))


async def change(desk: Desk, make: Callable[[], TagPlan]) -> None:
    """Plan on a thread, preview, confirm and write; also to undo a change of tags."""
    if not desk.ready():
        return
    plan = await desk.do("planning", make)
    name = safe(plan.repository.name)
    if not plan.changed:
        desk.tell(Result(plan.repository, f"No change: {name} already has these tags"))
        return
    verb = {"undo": "Undo the change to", "redo": "Redo the change to"}.get(plan.kind, "Write")
    body = [*_effect(plan), *users(desk.workspace.access.workloads_known(plan.repository))]
    if await desk.confirmed(f"{verb} the tags of {name}?", body, yes="Yes, write") and desk.ready():
        await _write(desk, plan)


def _effect(plan: TagPlan) -> list[Content]:
    mark, style = ("! ", "bold $text-warning") if plan.asks else (f"{OK} ", "$text-success")
    body = write_text.labelled(write_text.place(plan.repository))
    body += [Content.assemble((mark, style), safe(line)) for line in plan.lines()]
    body.append(Content(""))
    for key in sorted({*plan.before, *plan.after}):
        sides = plan.before.get(key), plan.after.get(key)
        if sides[0] != sides[1]:
            body += [
                Content.styled(safe(f"{op} {key}={value}"), style)
                for op, value, style in (("-", sides[0], "$text-error"), ("+", sides[1], "$text-success"))
                if value is not None
            ]
    note = "Based on account A's policies; B's own policies may depend on tags too."
    return [*body, Content(""), Content.styled(note, MUTED)]


async def _write(desk: Desk, plan: TagPlan) -> None:
    pending = Result(plan.repository, "writing…")
    try:
        outcome = await desk.do("writing", lambda: desk.workspace.changes.apply_tags(plan), pending)
    except EcrTuiError as error:
        desk.stage.report(error, f"Tags of {plan.repository.name} not changed")
        return
    desk.stage.show_tags(plan.repository.arn, plan.after)
    done = {"undo": "Tags undone", "redo": "Tags redone"}.get(plan.kind, "Tags written")
    words = f"{OK} {done}, U shows it" if outcome.notes else f"{OK} {done} and read back, U shows it"
    desk.tell(Result(plan.repository, words, more=tuple(f"! {safe(note)}" for note in outcome.notes)))
