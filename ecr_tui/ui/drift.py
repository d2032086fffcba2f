"""Drift of account A's policies from a file of grants: read on a thread, as rows for a table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.desired.drift import compare
from ecr_tui.changes.desired.file import GrantsFile
from ecr_tui.changes.desired.planning import drift_of
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.composition import items_of
from ecr_tui.policy.desired import ended
from ecr_tui.policy.principal import canonical
from ecr_tui.ui import files

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.desired.rows import Desired
    from ecr_tui.changes.plans import Plan
    from ecr_tui.policy.ours import Own
    from ecr_tui.workspace import Workspace

LARGEST = 20_000_000
"""Maximum bytes of a file of grants; 10,000 rows have about 2 MB."""


@dataclass(frozen=True, eq=False)
class Difference:
    """A repository that differs from the file, or could not be compared.

    ``kept``: the plan without prune, ``pruned``: the plan with prune; or errors. ``given``: new grants to principals
    without a statement of ours, ``changed``: to those with different ones. ``unwanted``: grants of ecr-tui that are not
    in the file, ``over``: the expired ones of them.
    """

    place: int
    repository: Repository
    kept: Plan | EcrTuiError
    pruned: Plan | EcrTuiError
    given: tuple[Own, ...] = ()
    changed: tuple[Own, ...] = ()
    unwanted: tuple[Own, ...] = ()
    over: tuple[Own, ...] = ()

    def planned(self, prune: bool) -> Plan | EcrTuiError:
        return self.pruned if prune else self.kept

    def plan(self, prune: bool) -> Plan | None:
        """The plan, if it changes something and may be written."""
        found = self.planned(prune)
        return None if isinstance(found, EcrTuiError) or not found.changed or found.refused else found


class Comparison(NamedTuple):
    """``repositories``: number compared; ``notes``: sentences about grants that select none."""

    name: str
    repositories: int
    rows: tuple[Difference, ...]
    notes: tuple[str, ...]
    desired: Desired

    def intent(self, prune: bool) -> Intent:
        return Intent.to_apply(replace(self.desired, prune=prune))

    def differing(self, prune: bool) -> int:
        return sum(not isinstance(found := row.planned(prune), EcrTuiError) and found.changed for row in self.rows)

    @property
    def unread(self) -> int:
        return sum(isinstance(row.pruned, EcrTuiError) for row in self.rows)


def read(
    workspace: Workspace,
    path: str,
    on_listed: Callable[[int], None],
    on_progress: Callable[[int, int], None],
    cancel: threading.Event,
) -> Comparison:
    """Raises InputError with the file's invalid line, and AWS's errors."""
    text = files.read(path, LARGEST)
    file = GrantsFile(files.find(path, LARGEST).name, text)
    desired = workspace.changes.desired(file, prune=True)
    _check_regions(file, desired, workspace.accounts.regions())
    listed = 0

    def page(rows: list[Repository]) -> None:
        nonlocal listed
        listed += len(rows)
        on_listed(listed)

    found = workspace.listing.repositories(on_page=page, cancel=cancel)
    notes = workspace.changes.check_names(file, desired, found)
    rows = [row for row in found if desired.scope.takes(row)]
    compared = compare(workspace.changes.bulk(), rows, Intent.to_apply(desired), on_progress=on_progress, cancel=cancel)
    differences = [row for row in (_difference(*one, desired) for one in compared) if row is not None]
    placed = tuple(replace(row, place=place) for place, row in enumerate(differences))
    return Comparison(file.name, len(rows), placed, tuple(notes), desired)


def _check_regions(file: GrantsFile, desired: Desired, regions: Iterable[str]) -> None:
    """Every region of a grant must be listed: a grant that is not compared would look like no drift."""
    listed = frozenset(regions)
    for of_file, row in zip(file.rows, desired.rows, strict=True):
        for region in row.selector.regions:
            if region not in listed:
                raise InputError(
                    f"{file.row_at(of_file, 'regions')}: {region} is not among the regions of the list",
                    hint=f"Press A and add {region} to the regions of account A.",
                )


def _difference(repository: Repository, pruned: Plan | EcrTuiError, desired: Desired) -> Difference | None:
    """``pruned``: the plan with prune. None if neither plan has a difference."""
    if isinstance(pruned, EcrTuiError):
        return Difference(0, repository, pruned, pruned)
    if not pruned.changed:
        return None
    keeping = replace(desired, prune=False)
    kept: Plan | EcrTuiError
    try:
        kept = Intent.to_apply(keeping).plan(pruned.repository, pruned.before_text, pruned.registry)
    except EcrTuiError as error:
        kept = error
    drift = drift_of(pruned.repository, pruned.before, desired)
    now = datetime.now(UTC)
    has = {
        canonical(one)
        for _, own in items_of(pruned.before)
        if own is not None and not ended(own, now)
        for one in own.principals
    }
    return Difference(
        0,
        pruned.repository,
        kept,
        pruned,
        given=tuple(own for own in drift.missing if not any(canonical(one) in has for one in own.principals)),
        changed=tuple(own for own in drift.missing if any(canonical(one) in has for one in own.principals)),
        unwanted=tuple(own for own in drift.unwanted if not ended(own, now)),
        over=tuple(own for own in drift.unwanted if ended(own, now)),
    )
