"""Tasks that copy: a repository's names, and the previewed grant in other formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.plans import needed_of
from ecr_tui.policy.export import Format, consumer_side, owner_side
from ecr_tui.render.sides import template_warnings
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.ask import Choosable, ChooseScreen
from ecr_tui.ui.text import MUTED, safe

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Plan
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

FORMS = (Format.CLI, Format.TERRAFORM, Format.CLOUDFORMATION, Format.JSON)
SIDES = {"a": "A's side", "b": "B's side"}


async def arn(desk: Desk, selection: Selection) -> None:
    send(desk, selection.repository.arn if selection.repository else "", "the ARN")


async def uri(desk: Desk, selection: Selection) -> None:
    send(desk, selection.repository.uri if selection.repository else "", "the URI")


async def form(desk: Desk, selection: Selection) -> None:
    """Copy the previewed grant: choose side and format."""
    plan = selection.plan
    if plan is None:
        desk.say("No preview to copy yet.")
        return
    choices = [
        Choosable(Content.assemble(one.words, (f"  · {words}", MUTED)), (one, side))
        for side, words in SIDES.items()
        for one in FORMS
    ]
    question = ChooseScreen(
        f"Copy the grant on {safe(plan.repository.name)} as",
        choices,
        explanation="Account A's side is the repository policy as previewed; B's the identity policy it needs.",
    )
    chosen = await desk.ask(question)
    if chosen is not None:
        kind, side = chosen.value
        more = template_warnings([plan]) if side == "a" and kind is Format.CLOUDFORMATION else []
        words = f"{kind.words}, {SIDES[side]},"
        send(desk, _exported(plan, kind, side), words, "".join(f"  {one}" for one in more))


def _exported(plan: Plan, kind: Format, side: str) -> str:
    if side == "a":
        return owner_side(kind, plan.after, plan.repository.arn)
    return "\n".join(consumer_side(kind, needed) for needed in needed_of([plan]))


def send(desk: Desk, text: str, what: str, more: str = "") -> None:
    if text:
        desk.app.post_message(CopyWanted(text, what, more))
    else:
        desk.say("Nothing to copy here yet.")
