"""Offer replicated copies when granting or revoking on the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.replicas import GRANTED, LACKS
from ecr_tui.changes.bulk import Intent
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.tasks import runs
from ecr_tui.ui.text import count, safe
from ecr_tui.ui.text import write as write_text

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def offer(desk: Desk, selection: Selection, chosen: Grant, *, revoke: bool = False) -> bool:
    """Offer the copies without the grant (``revoke``: with it). False: continue with the repository only. True: handled
    by a run over all of them, or canceled."""
    repository, plan = selection.repository, selection.plan
    state = GRANTED if revoke else LACKS
    rows = [one.repository for one in selection.copies if one.state == state and one.repository is not None]
    if not rows or repository is None:
        return False
    here = revoke or plan is None or plan.changed
    verb, name, copies = "Revoke" if revoke else "Grant", safe(repository.name), count(len(rows), "copy", "copies")
    body = _body([repository], f"{name} is replicated to {_regions(rows)}.")
    title = f"{verb} on {copies} of {name} as well?" if here else f"Granted here already. Grant on {copies} as well?"
    other = "Only this one" if here else ""
    answer = await desk.ask(ConfirmScreen(title, body, yes="Yes, show", no="Cancel", other=other, writes=False))
    if answer is None:
        return False
    if answer and desk.ready():
        intent = Intent.to_revoke(chosen.principals) if revoke else Intent.to_grant(chosen)
        places = [repository, *rows] if here else rows
        await runs.change_rows(desk, places, verb, write_text.terms(chosen, revoke=revoke), intent)
    return True


async def with_copies(desk: Desk, marked: Sequence[Repository], verb: str, scope: str = "") -> Sequence[Repository]:
    """``marked``, and after a Yes their copies; () for nothing at all. With ``scope``, the tag whose own value is the
    condition, without copies that lack it: their grant would have no condition."""
    try:
        found = await desk.do("looking for copies", lambda: desk.workspace.access.copies_of(marked))
    except EcrTuiError as error:
        desk.say(f"Copies in other regions are left out: {safe(error.title)}.", warning=True)
        return marked
    rows = [one for one in found if not scope or one.own(scope)]
    if not rows:
        return marked
    of = len({one.name for one in rows})
    words = f"{of:,} of {len(marked):,} repositories {'is' if of == 1 else 'are'} replicated to {_regions(rows)}."
    body = _body(marked, words)
    if left := len(found) - len(rows):
        words = f"{count(left, 'copy', 'copies')} without the tag {safe(scope)} left out: no condition for the grant."
        body.append(Content.styled(words, "$text-warning"))
    title = f"{verb} on {count(len(rows), 'copy', 'copies')} as well?"
    screen = ConfirmScreen(title, body, yes="Yes, show", no="Cancel", other="Only the marked", writes=False)
    answer = await desk.ask(screen)
    if answer is None:
        return marked
    return [*marked, *rows] if answer else ()


def _body(originals: Sequence[Repository], where: str) -> list[Content]:
    regions = ", ".join(sorted({one.region for one in originals}))
    return [
        *write_text.labelled([("Account A", f"{originals[0].account} · {regions}")]),
        Content(where),
        Content("Replication copies images but no policy: each copy has its own."),
        Content("The changes are shown before anything is written."),
    ]


def _regions(copies: Sequence[Repository]) -> str:
    return safe(", ".join(sorted({one.region for one in copies})))
