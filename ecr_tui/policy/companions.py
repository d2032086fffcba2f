"""Additional principals that a grantee needs: for Lambda, the account of its functions (Lambda Developer Guide).

A grant adds to their existing access and never narrows it. A revoke removes only what was granted with the grantee.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ecr_tui.policy import grantees
from ecr_tui.policy.access import ESSENTIAL_PULL
from ecr_tui.policy.actions import Access, matching_actions
from ecr_tui.policy.document import PLAIN_ELEMENTS, PolicyDocument, Statement
from ecr_tui.policy.ours import Own, read_own
from ecr_tui.policy.principal import canonical, describe, describe_all, same_principal
from ecr_tui.policy.widening import Limits

Given = tuple[str, Access, object]
"""(a principal, access, the key of a condition)"""


def missing(
    owns: Iterable[Own], statements: Iterable[Statement], among: Collection[str] | None = None
) -> tuple[Own, ...]:
    """Access to add so that companions can pull wherever their grantees can.

    ``among``: only these companions, in canonical form; others may have been revoked on purpose.
    """
    standing = [one for one in statements if _pulls(one)]
    added: list[Own] = []
    for own in owns:
        if not _lets_pull(own):
            continue
        limits = Limits(own.tags, own.until)
        beside = [one for one in standing if limits.within(Limits.of(one))]
        lacking = tuple(
            companion
            for companion in dict.fromkeys(one for grantee in own.principals for one in grantees.companions(grantee))
            if (among is None or canonical(companion) in among)
            and not any(
                kind == "AWS" and same_principal(value, companion) for one in beside for kind, value in one.principals
            )
        )
        if lacking:
            added.append(own._replace(principals=lacking))
            standing.append(Statement(0, added[-1].statement()))
    return tuple(added)


def needed_by(owns: Iterable[Own]) -> tuple[Own, ...]:
    """Access that the companions of the statements' grantees need, including what they have."""
    pulling = filter(_lets_pull, owns)
    found = ((own, [one for grantee in own.principals for one in grantees.companions(grantee)]) for own in pulling)
    return tuple(own._replace(principals=tuple(dict.fromkeys(needed))) for own, needed in found if needed)


def words(added: Sequence[Own]) -> str:
    """A sentence about the additions of :func:`missing`."""
    names = describe_all(one for own in added for one in own.principals)
    return f"Lambda needs the account of its functions to pull as well, so {names} is granted the same."


def bereft(before: PolicyDocument | None, after: PolicyDocument | None) -> list[str]:
    """A sentence for each remaining grantee of ours whose companion loses access it needs."""
    if after is None:
        return []
    found = []
    for own in filter(None, map(read_own, after.statements)):
        for grantee in own.principals:
            one = [own._replace(principals=(grantee,))]
            lacks = missing(one, after.statements)
            if lacks and not missing(one, before.statements if before is not None else ()):
                names = describe_all(principal for item in lacks for principal in item.principals)
                found.append(f"{describe(grantee)} can no longer pull: it needs {names} to pull as well.")
    return found


def given_with(principals: Collection[str], owns: Sequence[Own]) -> frozenset[Given]:
    """Access that companions got with ``principals`` and that no other grantee needs; without ``principals``
    themselves."""
    gone: set[Given] = set()
    kept: set[Given] = set()
    for own in owns:
        for grantee in own.principals:
            revoked = any(same_principal(grantee, one) for one in principals)
            found = {(canonical(one), own.access, own.condition_key) for one in grantees.companions(grantee)}
            (gone if revoked else kept).update(found)
    named = {canonical(one) for one in principals}
    return frozenset(one for one in gone - kept if one[0] not in named)


def of(own: Own, given: Collection[Given]) -> tuple[str, ...]:
    """Principals of the statement that have exactly this access from it."""
    key = (own.access, own.condition_key)
    return tuple(one for one in own.principals if (canonical(one), *key) in given)


def _lets_pull(own: Own) -> bool:
    return set(own.access.actions).issuperset(ESSENTIAL_PULL)


def _pulls(statement: Statement) -> bool:
    covered = {action for pattern in statement.actions for action in matching_actions(pattern)}
    return statement.effect == "Allow" and set(statement.raw) <= PLAIN_ELEMENTS and covered.issuperset(ESSENTIAL_PULL)
