"""Compare the statements of ours that a policy should have with those it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ecr_tui.policy import companions, grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Change
from ecr_tui.policy.composition import Item, fit, items_of, says
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.ours import Own, TagCondition
from ecr_tui.policy.principal import canonical

_Held = tuple[Access, tuple[tuple[TagCondition, ...], datetime | None]]
"""Access and condition that one statement gives a principal."""


class Reconciled(NamedTuple):
    """``missing``: wanted grants for principals that do not have exactly that access. ``unwanted``: expired grants, and
    grants of ours to principals without a wanted grant; ``change`` removes them only with ``prune``."""

    change: Change
    missing: tuple[Own, ...] = ()
    unwanted: tuple[Own, ...] = ()


def ended(own: Own, now: datetime) -> bool:
    return own.until is not None and own.until <= now


def reconcile(
    document: PolicyDocument | None, wanted: Iterable[Own], now: datetime, *, prune: bool = False
) -> Reconciled:
    """Give each principal of ``wanted`` exactly that access through our statements. ``prune``: remove our other grants.

    Expired grants are not wanted. A principal without a statement of ours is skipped if foreign statements give the
    same access. Companions of grantees get access in addition to what they have (``companions``). Raises InputError if
    the result exceeds ECR's limit.
    """
    items = items_of(document)
    current = [own for own in wanted if not ended(own, now)]
    wants = _held_by(current)
    needs = _held_by(companions.needed_by(current))
    has = _held_by(own for _, own in items if own is not None and not ended(own, now))
    to_write = set()
    for principal, held in wants.items():
        # Access that came with a grantee is not a grant to the companion itself.
        theirs = has.get(principal, set()) - (needs.get(principal, set()) - held)
        if theirs != held and (theirs or not _said_by_others(items, principal, current)):
            to_write.add(principal)
    kept: list[Item] = []
    unwanted: list[Own] = []
    place: int | None = None
    for raw, own in items:
        if own is None:
            kept.append((raw, own))
            continue
        extra = [
            one
            for one in own.principals
            if canonical(one) not in to_write and not (_holds(wants, one, own) or _holds(needs, one, own))
        ]
        if extra:
            unwanted.append(own._replace(principals=tuple(extra)))
        gone = [one for one in own.principals if canonical(one) in to_write] + (extra if prune else [])
        left = own.without(gone) if gone else own
        if left is own:
            kept.append((raw, own))
        elif left is not None:
            kept.append(({}, left))
        elif place is None:
            place = len(kept)
    missing = _gathered(current, to_write)
    standing = [*kept, *(({}, own) for own in missing)]
    raws = [raw or (own.statement() if own else {}) for raw, own in standing]
    beside = companions.missing(current, [Statement(index, raw) for index, raw in enumerate(raws)])
    missing = (*missing, *beside)
    if not missing and not (prune and unwanted):
        return Reconciled(Change(document, document, False), (), tuple(unwanted))
    at = len(kept) if place is None else place
    after, notes = fit(document, [*kept[:at], *(({}, own) for own in missing), *kept[at:]])
    told = (companions.words(beside),) if beside else ()
    return Reconciled(Change(document, after, True, (*notes, *told)), missing, tuple(unwanted))


def _held_by(owns: Iterable[Own]) -> dict[str, set[_Held]]:
    found: dict[str, set[_Held]] = {}
    for own in owns:
        for principal in own.principals:
            found.setdefault(canonical(principal), set()).add((own.access, own.condition_key))
    return found


def _holds(held: dict[str, set[_Held]], principal: str, own: Own) -> bool:
    return (own.access, own.condition_key) in held.get(canonical(principal), ())


def _said_by_others(items: Sequence[Item], principal: str, wanted: Iterable[Own]) -> bool:
    """Whether foreign statements give the principal exactly the wanted access."""
    return all(
        any(own is None and says(Statement(0, raw), principal, one) for raw, own in items)
        for one in wanted
        if one.names(principal)
    )


def _gathered(wanted: Iterable[Own], to_write: set[str]) -> tuple[Own, ...]:
    """Statements for these principals, one for each group that can share one."""
    found: dict[object, Own] = {}
    for own in wanted:
        theirs = tuple(one for one in own.principals if canonical(one) in to_write)
        if not theirs:
            continue
        key = (own.access, own.condition_key, grantees.group(theirs[0]))
        first = found.get(key)
        more = theirs if first is None else tuple(one for one in theirs if not first.names(one))
        found[key] = own._replace(principals=more if first is None else (*first.principals, *more))
    return tuple(found.values())
