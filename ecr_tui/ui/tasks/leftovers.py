"""Offer to clean up leftovers of killed verifications at the next start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.text import MUTED, OK, count, safe, utc

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection
    from ecr_tui.verification.records import Leftover
    from ecr_tui.workspace.verification import Cleaned


async def clean(desk: Desk, selection: Selection) -> None:
    """Asked for; says so where there is nothing."""
    if not await _offered(desk):
        desk.say("Nothing to clean up: no verification was interrupted.")


async def offer(desk: Desk) -> None:
    """At the start, where nobody has asked for it."""
    await _offered(desk)


async def _offered(desk: Desk) -> bool:
    """Whether there is anything, or that is unknown. Reads a file; makes no AWS calls."""
    verification, read_only = desk.workspace.verification, desk.workspace.settings.read_only_reason
    try:
        found = await jobs.on_thread(verification.leftovers)
    except EcrTuiError as error:
        desk.say(safe(error.title), warning=True)
        return True
    if not found:
        return False
    if read_only:
        some = "\n".join(safe(one.what) for one in found)
        words = f"Not cleaned up in read-only mode:\n{some}\n{safe(read_only)}"
        desk.say(words, title="A verification was interrupted", warning=True)
        return True
    title = f"Clean up {count(len(found), 'leftover')}?"
    if not await desk.confirmed(title, _body(found), yes="Clean up", no="Later"):
        return True
    try:
        cleaned = await jobs.on_thread(lambda: verification.clean_leftovers(found))
    except EcrTuiError as error:
        desk.stage.report(error, "Nothing was cleaned up")
    else:
        _told(desk, cleaned)
    return True


def _body(found: Sequence[Leftover]) -> list[Content]:
    body = [
        Content("A verification was interrupted before its cleanup. As account A:"),
        Content(),
    ]
    for one in found:
        todo = "remove" if one.kind == "probe" else "restore"
        place = f"\n  {one.place.region} · {utc(one.at)}"
        body.append(Content.assemble((f"{todo} ", "bold"), safe(one.what), (place, MUTED)))
    return body


def _told(desk: Desk, cleaned: Sequence[Cleaned]) -> None:
    good = [one for one in cleaned if one.error is None]
    bad = [one.error for one in cleaned if one.error is not None]
    if good:
        lines = "\n".join(f"{safe(one.leftover.what)}: {safe(one.message)}" for one in good)
        desk.say(lines, title=f"{OK} {count(len(good), 'leftover')} cleaned up")
    if bad:
        desk.stage.report(bad[0], f"{count(len(bad), 'leftover')} could not be cleaned up; the next start asks again")
