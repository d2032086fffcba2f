"""Copies that replication made: offered where the original is granted, or revoked from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.replicas import GRANTED, LACKS
from ecr_tui.changes.bulk import Intent
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.tasks import runs
from ecr_tui.ui.text import count, safe
from ecr_tui.ui.text import write as write_text

if TYPE_CHECKING:
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def offer(desk: Desk, selection: Selection, chosen: Grant, *, revoke: bool = False) -> bool:
    """Offer the copies that lack the grant (``revoke``: that have it). False to go on with the repository alone: there
    are none, or it was chosen. Else the answer was a run over all of them, or nothing at all."""
    repository, plan = selection.repository, selection.plan
    state = GRANTED if revoke else LACKS
    rows = [one.repository for one in selection.copies if one.state == state and one.repository is not None]
    if not rows or repository is None:
        return False
    here = revoke or plan is None or plan.changed
    verb, name, copies = "Revoke" if revoke else "Grant", safe(repository.name), count(len(rows), "copy", "copies")
    body = [
        *write_text.labelled([("Account A", f"{repository.account} · {repository.region}")]),
        Content(f"{name} is replicated to {', '.join(safe(one.region) for one in rows)}."),
        Content("Replication copies images, and no policy: each copy has its own."),
        Content("The changes are shown before anything is written."),
    ]
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
