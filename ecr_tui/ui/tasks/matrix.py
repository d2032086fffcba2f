"""Grant, revoke and verify cells of the matrix, each as one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ecr_tui.access.matrix import PARTS
from ecr_tui.changes.bulk import Intent
from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.principal import describe_all, parse_grantee
from ecr_tui.ui.batch import Target
from ecr_tui.ui.bulk import Job
from ecr_tui.ui.tasks import runs, verification
from ecr_tui.ui.text import count, safe
from ecr_tui.ui.text import write as write_text

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.matrix import MatrixReading
    from ecr_tui.ui.selection import Selection

Cells = Sequence[tuple["Repository", str]]
"""(repository, principal) pairs."""
Then = Callable[[], None]


async def change(
    desk: Desk, selection: Selection, cells: Cells, hidden: frozenset[str], begun: Then, ended: Then, *, revoke: bool
) -> None:
    """Grant or revoke after confirmation. ``hidden``: ARNs of repositories that the filter hides."""
    choice, verb = selection.choice, "Revoke" if revoke else "Grant"
    if not desk.ready():
        return
    if selection.cached:
        desk.say(f"{verb} is off: this is a cached list. Wait for the refresh, or press r.", warning=True)
        return
    usable = [cell for cell in cells if grantable(cell[1])]
    if not usable:
        desk.say("ecr-tui cannot grant to this principal.", warning=True)
        return
    principals = tuple(dict.fromkeys(principal for _, principal in usable))
    if not revoke and grantees.only_pulls(principals) and choice.access.writes:
        desk.say("Lambda only pulls images. Press p to choose pull.", warning=True)
        return
    rows = {row.arn: row for row, _ in usable}
    found: dict[str, list[str]] = {arn: [] for arn in rows}
    for row, principal in usable:
        found[row.arn].append(principal)
    each = {arn: tuple(some) for arn, some in found.items()}
    same = all(len(one) == len(principals) for one in each.values())
    chosen = Grant(principals, choice.access, choice.condition or (), choice.until)
    if revoke:
        intent = Intent.to_revoke(principals, each=None if same else each)
    else:
        intent = Intent.to_grant(chosen, choice.own_tag, None if same else each)
    left_out = tuple(dict.fromkeys(principal for _, principal in cells if not grantable(principal)))
    if left_out:
        desk.say(f"Skipped: {safe(describe_all(left_out))}. ecr-tui cannot grant to them.", warning=True)
    terms = write_text.terms(chosen, revoke=revoke, scope=intent.scope, who=intent.who)
    await runs.ask(desk, Job(verb, terms, list(rows.values()), intent, hidden, begun=begun))
    ended()


def grantable(principal: str) -> bool:
    """Whether it can be granted to: not everyone, nor a deleted principal."""
    try:
        parse_grantee(principal)
    except InputError:
        return False
    return True


async def verify(
    desk: Desk, selection: Selection, reading: MatrixReading, cells: Cells, begun: Then, ended: Then
) -> None:
    """Cells with a known profile, with the cell's access, or the selected access if the cell has none."""
    if desk.batch is not None and desk.batch.running:
        await verification.show_many(desk, selection)
        return
    targets = [
        Target(row, shown_access(reading, row, principal) or selection.choice.access, reading.acting[principal])
        for row, principal in cells
        if principal in reading.acting
    ]
    if not targets:
        some = describe_all(tuple(dict.fromkeys(principal for _, principal in cells))[:3])
        desk.say(f"No profile is configured for {safe(some)}, so it cannot be verified.", warning=True)
        return
    reason = desk.workspace.settings.read_only_reason
    if reason and any(one.access.writes for one in targets):
        desk.say(f"Read-only: a verification of push pushes an image. {safe(reason)}", warning=True)
        return
    rest = len(cells) - len(targets)
    names = dict.fromkeys(one.consumer.name for one in targets if one.consumer is not None)
    note = f"{count(rest, 'cell')} skipped: no profile is configured for the principal." if rest else ""
    if await verification.confirmed(desk, targets, count(len(targets), "cell"), ", ".join(names), note):
        begun()
        await verification.verify_many(desk, selection, targets)
        ended()


def shown_access(reading: MatrixReading, repository: Repository, principal: str) -> Access | None:
    """The access in the cell, including possible access; None if none."""
    row = reading.cell(repository, principal)
    parts = [part.value for part in PARTS if row is not None and row.cells[part].allowed is not False]
    return Access.parse("-".join(parts)) if parts else None
