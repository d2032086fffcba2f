"""Drift from a file of grants: choose the file, and apply selected rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ecr_tui.errors import InputError
from ecr_tui.ui import files
from ecr_tui.ui.bulk import Job
from ecr_tui.ui.drift import LARGEST
from ecr_tui.ui.screens.ask import AskScreen
from ecr_tui.ui.tasks import runs
from ecr_tui.ui.text import OK, count, safe, size
from ecr_tui.ui.text.drift import terms

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.drift import Comparison, Difference


async def file_of_grants(desk: Desk) -> str | None:
    """The path of an existing file; None if canceled."""

    def check(path: str) -> str:
        if not path.strip():
            raise InputError("enter a file name")
        return f"{OK} {size(files.find(path, LARGEST).stat().st_size)}"

    question = AskScreen(
        "Compare with a grants file",
        "A TOML file with [[grants]], as for ecr-tui apply. The comparison reads all policies and writes nothing.",
        placeholder="~/grants.toml",
        check=check,
    )
    return await desk.ask(question)


async def apply(
    desk: Desk,
    found: Comparison,
    rows: Sequence[Difference],
    hidden: frozenset[str],
    begun: Callable[[], None],
    *,
    prune: bool,
) -> None:
    """Apply as one run, after confirmation. ``hidden``: ARNs hidden by the filter. ``begun``: removes the marks."""
    if not desk.ready():
        return
    plans = [plan for plan in (row.plan(prune) for row in rows) if plan is not None]
    if not plans:
        desk.say(
            "Nothing to apply here." if prune else "Nothing to apply here. Press P to revoke what is not in the file."
        )
        return
    if len(plans) < len(rows):
        desk.say(f"Skipped: {count(len(rows) - len(plans), 'row')} without changes.")
    repositories = [plan.repository for plan in plans]
    await runs.ask(
        desk, Job("Apply", safe(terms(found.name, prune)), repositories, found.intent(prune), hidden, begun=begun)
    )
