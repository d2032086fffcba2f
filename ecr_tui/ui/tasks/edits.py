"""Edit the policy in the user's editor: validate, preview, confirm, write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.plans import read_live
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.ui import terminal
from ecr_tui.ui.screens.ask import Choosable, ChooseScreen
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.tasks import grants
from ecr_tui.ui.text import NO, safe, safe_block
from ecr_tui.ui.text import write as write_text

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Plan
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

_UNTOUCHED = "No changes made."


async def edit(desk: Desk, selection: Selection) -> None:
    """The saved text replaces the whole policy, if the live one is unchanged since."""
    repository = selection.repository
    if repository is None or not desk.ready():
        return
    terminal.program_of(terminal.EDITOR)  # fails before anything is read
    text = await desk.do("reading", lambda: desk.workspace.listing.policy_text(repository))
    before = read_live(repository, text)[1] or PolicyDocument.empty()
    draft = opened = f"{before.pretty()}\n"
    while True:
        saved = terminal.edit(desk.app, draft, f"{repository.name.replace('/', '-')}.policy.json")
        if saved is None:
            desk.say("The editor exited with an error. Nothing was written.", warning=True)
            return
        if not saved.strip() or saved == opened:
            desk.say(_UNTOUCHED)
            return
        draft = saved
        try:
            plan = await _plan(desk, repository, text, saved)
        except EcrTuiError as error:
            if await _again(desk, error):
                continue
            desk.say(_UNTOUCHED)
            return
        if not plan.changed:
            desk.say(_UNTOUCHED)
            return
        title = f"{'Write' if plan.after is not None else 'Delete'} the policy of {safe(repository.name)}?"
        yes = "Yes, write" if plan.after is not None else "Yes, delete"
        answer = await desk.ask(ConfirmScreen(title, write_text.one(plan), yes=yes, other="Edit again"))
        if answer is not None:
            break
    if answer and desk.ready():
        await grants.write(desk, plan)
    else:
        desk.say(_UNTOUCHED)


async def _plan(desk: Desk, repository: Repository, text: str | None, saved: str) -> Plan:
    """Raises EcrTuiError for an invalid policy, or one that ECR would reject."""
    edited = PolicyDocument.parse(saved)
    plan = await desk.do("planning", lambda: desk.workspace.changes.plan_edit(repository, text, edited))
    if plan.changed and plan.refused:
        raise plan.refusal()
    return plan


async def _again(desk: Desk, error: EcrTuiError) -> bool:
    """Ask whether to open the editor again on the saved text."""
    words = safe_block("\n".join(part for part in (error.detail, error.hint) if part))
    choices = [Choosable(Content(one), one) for one in ("Edit again", "Discard")]
    chosen = await desk.ask(ChooseScreen(f"{NO} {safe(error.title)}", choices, explanation=words))
    return chosen is not None and chosen.value == "Edit again"
