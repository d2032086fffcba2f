"""Changes to a repository policy: grant, revoke, adopt, group. Pure functions from a document to a :class:`Change`.

Only ecr-tui's own statements (see ``ours``) are edited, except on request; others keep their text, order and unknown
elements. A document keeps its Version.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ecr_tui.errors import InputError
from ecr_tui.policy import companions, grantees
from ecr_tui.policy.actions import Access, canonical_action, is_registry_level
from ecr_tui.policy.compare import (
    Difference,
    differences,
    equivalent,
    statement_keys,
    text_diff,
)
from ecr_tui.policy.composition import Item, build, fit, gather, items_of, named_by, says
from ecr_tui.policy.document import (
    NEW_VERSION,
    PolicyDocument,
    Statement,
    condition_strings,
    strings,
)
from ecr_tui.policy.ours import (
    SID_PREFIX,
    Grant,
    Own,
    TagCondition,
)
from ecr_tui.policy.principal import canonical, describe, same_principal

__all__ = [
    "SID_PREFIX",
    "Change",
    "Difference",
    "Grant",
    "TagCondition",
    "adopt",
    "differences",
    "equivalent",
    "group",
    "merge",
    "revoke",
    "text_diff",
]


class Change(NamedTuple):
    """``after`` None: no statement remains, so the policy must be deleted.

    ``notes``: sentences about what the diff does not show clearly, such as a foreign statement that also names the
    principal, or grants combined to stay under the size limit.
    """

    before: PolicyDocument | None
    after: PolicyDocument | None
    changed: bool
    notes: tuple[str, ...] = ()


def merge(document: PolicyDocument | None, grant: Grant) -> Change:
    """Give each principal exactly the access of ``grant`` through our statements.

    Replaces all our statements for these principals with one; other principals of those statements keep them. No change
    if each principal already has exactly this access, from our statements or, without any, from a foreign one.
    Companions of the grantees get access in addition to what they have (``companions``). Raises InputError if the
    result exceeds ECR's limit.
    """
    items = items_of(document)
    given = companions.given_with(grant.principals, _ours(items))
    changed = False
    for wanted in Own.of_grant(grant):
        if not all(_granted_already(items, wanted, principal) for principal in wanted.principals):
            items, changed = _merged(items, wanted), True
    taken = _without(items, given) if changed else items
    among = {*map(canonical, grant.companions), *(principal for principal, _, _ in given)}
    beside = _lacking(taken, among, Own.of_grant(grant) if taken == items else None)
    if not (changed or beside):
        return Change(document, document, False)
    after, notes = fit(document, [*taken, *(({}, own) for own in beside)])
    return Change(document, after, True, (*notes, *([companions.words(beside)] if beside else [])))


def _without(items: Sequence[Item], given: Collection[companions.Given]) -> list[Item]:
    kept: list[Item] = []
    for raw, own in items:
        theirs = companions.of(own, given) if own is not None else ()
        if own is None or not theirs:
            kept.append((raw, own))
        elif left := own.without(theirs):
            kept.append(({}, left))
    return kept


def _lacking(items: Sequence[Item], among: Collection[str], owns: Sequence[Own] | None = None) -> tuple[Own, ...]:
    """Access that companions ``among`` these lack for ``owns`` (None: all our statements)."""
    standing = [Statement(0, raw or (own.statement() if own else {})) for raw, own in items]
    return companions.missing(_ours(items) if owns is None else owns, standing, among)


def _ours(items: Sequence[Item]) -> list[Own]:
    return [own for _, own in items if own is not None]


def _merged(items: Sequence[Item], wanted: Own) -> list[Item]:
    place: int | None = None
    kept: list[Item] = []
    for raw, own in items:
        if own is None or not any(map(own.names, wanted.principals)):
            kept.append((raw, own))
            continue
        left = own.without(wanted.principals)
        if left is not None:
            kept.append(({}, left))
        elif place is None:
            place = len(kept)
    kept.insert(len(kept) if place is None else place, ({}, wanted))
    return kept


def _granted_already(items: Sequence[Item], wanted: Own, principal: str) -> bool:
    ours = [own for _, own in items if own is not None and own.names(principal)]
    if ours:
        return all(own.access is wanted.access and own.condition_key == wanted.condition_key for own in ours)
    # A foreign statement already grants exactly this.
    return any(own is None and says(Statement(0, raw), principal, wanted) for raw, own in items)


def revoke(
    document: PolicyDocument | None,
    principals: tuple[str, ...],
    access: Access | None = None,
    *,
    foreign: bool = False,
) -> Change:
    """Revoke ``access`` (None: all) from each of ``principals``, under any condition.

    Other principals of our statements keep their access. Access that companions got with a principal is revoked with
    it. Foreign statements that name a principal are kept and mentioned in ``notes``. With ``foreign``, the principal is
    removed from foreign Allow statements instead, emptied statements are dropped, and ``notes`` lists them. With
    ``access``, foreign statements are always kept, as are those that name a grantee by a condition.
    """
    kept: list[Item] = []
    notes: list[str] = []
    changed = False
    items = items_of(document)
    with_them = companions.given_with(principals, _ours(items))
    for index, (raw, own) in enumerate(items):
        if own is None:
            edited: Mapping[str, Any] = raw
            statement = Statement(index, raw)
            for principal in principals:
                if named_by(statement, principal):
                    take = foreign and access is None and not grantees.is_conditional(principal)
                    edited = _without_principal(edited, principal) if take else edited
                    notes.append(
                        f"{describe(principal)} was removed from {statement.name}, which ecr-tui did not write"
                        if take
                        else f"{statement.name}, which ecr-tui did not write, also names {describe(principal)} and "
                        "was kept"
                    )
            changed = changed or edited is not raw
            if edited:
                kept.append((edited, None))
            continue
        named = tuple(item for item in own.principals if any(same_principal(item, one) for one in principals))
        theirs = (*named, *companions.of(own, with_them))
        rest = own.access.without(access) if access is not None else None
        if not theirs or rest is own.access:
            kept.append((raw, own))
            continue
        changed = True
        left = own.without(theirs)
        if left is not None:
            kept.append(({}, left))
        if rest is not None:
            kept.append(({}, own._replace(principals=theirs, access=rest)))
    if not changed:
        return Change(document, document, False, tuple(notes))
    # If two grantees shared a companion, the remaining one needs it under its own condition.
    needed = _lacking(kept, {principal for principal, _, _ in with_them})
    after, more = fit(document, [*kept, *(({}, own) for own in needed)])
    return Change(document, after, True, (*notes, *more))


def adopt(document: PolicyDocument | None, incoming: PolicyDocument) -> tuple[Change, tuple[str, ...]]:
    """Add the statements of a pasted document that a repository policy can contain.

    Returns the change, and the registry-level actions that were left out (like "ecr:GetAuthorizationToken"), which
    belong in B's identity policy on Resource "*". A ``Resource`` of "*" is dropped, because a repository policy has
    none; ``notes`` mentions it. ``${...}`` keeps the meaning that it has in its source document. Raises InputError for
    any other Resource, and if no Version fits both documents.
    """
    moved: list[str] = []
    notes: list[str] = []
    present = {statement_keys(statement) for statement in (document.statements if document else ())}
    added: list[Item] = []
    for statement in incoming.statements:
        raw = _adoptable(statement, moved, notes)
        if raw is None:
            continue
        if document is not None and document.expands_variables and not incoming.expands_variables:
            raw = _literal(raw, statement.name, notes)
        keys = statement_keys(Statement(0, raw))
        if keys in present:
            continue
        present.add(keys)
        added.append((raw, None))
    if not added:
        return Change(document, document, False, tuple(notes)), tuple(moved)
    if document is None:
        after, more = fit(incoming, added)
    else:
        base = document
        if incoming.expands_variables and any("${" in text for raw, _ in added for text in condition_strings(raw)):
            base = _expanding(document, notes)
        after, more = fit(base, [*items_of(document), *added])
    return Change(document, after, True, (*notes, *more)), tuple(moved)


def _adoptable(statement: Statement, moved: list[str], notes: list[str]) -> dict[str, Any] | None:
    raw = dict(statement.raw)
    for element in ("Resource", "NotResource"):
        if element not in raw:
            continue
        if element == "NotResource" or set(strings(raw[element])) != {"*"}:
            raise InputError(
                f"{statement.name} has a {element}, which a repository policy cannot restrict",
                hint=f"Remove the {element}: a repository policy applies to its own repository only.",
            )
        del raw[element]
        notes.append(
            f'{statement.name}: Resource "*" was removed; a repository policy applies to its own repository only.'
        )
    if "Action" in raw:
        kept = []
        for action in statement.actions:
            if is_registry_level(action):
                name = canonical_action(action) or action
                if name not in moved:
                    moved.append(name)
            else:
                kept.append(action)
        if not kept and statement.actions:
            return None
        if len(kept) != len(statement.actions):
            raw["Action"] = kept
    return raw


def _literal(raw: dict[str, Any], name: str, notes: list[str]) -> dict[str, Any]:
    """Escape a statement from a document without variables for one with variables: ``${$}`` is a literal "$"."""
    if not any("${" in text for text in condition_strings(raw)):
        return raw
    notes.append(f"{name}: ${{...}} is literal text in its document, and is written as ${{$}}{{...}} to stay literal.")
    escaped: dict[str, Any] = {}
    for operator, block in raw["Condition"].items():
        escaped[operator] = (
            {key: _escaped(value) for key, value in block.items()} if isinstance(block, Mapping) else block
        )
    return {**raw, "Condition": escaped}


def _escaped(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value.replace("${", "${$}{") if isinstance(value, str) else value


def _expanding(document: PolicyDocument, notes: list[str]) -> PolicyDocument:
    """The document under the Version that variables need. Raises InputError if that changes its meaning."""
    if document.expands_variables:
        return document
    literal = next((s.name for s in document.statements if any("${" in text for text in _variable_places(s))), "")
    if literal:
        raise InputError(
            f"the new statements use policy variables, but {literal} of the policy has literal ${{...}}",
            hint=f'Correct {literal} first, or replace the variables with values. Variables need "Version": '
            f'"{NEW_VERSION}", which would change the meaning of {literal}.',
        )
    notes.append(
        f"The policy's Version {document.version or 'is missing and'} becomes {NEW_VERSION}, because the "
        "new statements use policy variables; no other statement has any."
    )
    return PolicyDocument.from_json({"Version": NEW_VERSION, **dict(document.raw), **{"Version": NEW_VERSION}})


def _variable_places(statement: Statement) -> tuple[str, ...]:
    return (*condition_strings(statement.raw), *statement.resources, *statement.not_resources)


def group(document: PolicyDocument) -> Change:
    """Combine our statements that differ only in their principals."""
    items = items_of(document)
    gathered = gather(items)
    if len(gathered) == len(items):
        return Change(document, document, False)
    return Change(document, build(document, gathered), True)


def _without_principal(raw: Mapping[str, Any], principal: str) -> Mapping[str, Any]:
    """The statement without that principal; empty if it was the only one."""
    element = raw.get("Principal")
    if not isinstance(element, Mapping) or "AWS" not in element:
        return raw
    named = element["AWS"]
    left = [item for item in strings(named) if not same_principal(item, principal)]
    if len(left) == len(strings(named)):
        return raw
    principals = {key: value for key, value in element.items() if key != "AWS"}
    if left:
        principals = {key: left if key == "AWS" else value for key, value in element.items()}
    return {**raw, "Principal": principals} if principals else {}
