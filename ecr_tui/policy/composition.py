"""A policy document as a list of foreign statements and of what ours say, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import matching_actions
from ecr_tui.policy.compare import condition_key
from ecr_tui.policy.document import LIMIT, NEW_VERSION, PLAIN_ELEMENTS, PolicyDocument, Statement
from ecr_tui.policy.ours import Own, read_own
from ecr_tui.policy.principal import same_principal

Item = tuple[Mapping[str, Any], Own | None]
"""A statement, with its content when it is ours."""


def items_of(document: PolicyDocument | None) -> list[Item]:
    return [(statement.raw, read_own(statement)) for statement in (document.statements if document else ())]


def gather(items: Sequence[Item]) -> list[Item]:
    places: dict[object, int] = {}
    made: list[Item] = []
    for raw, own in items:
        if own is None:
            made.append((raw, own))
            continue
        key = (own.access, own.condition_key, grantees.group(own.principals[0]))
        if key not in places:
            places[key] = len(made)
            made.append((raw, own))
            continue
        first = made[places[key]][1]
        if first is not None:
            more = tuple(item for item in own.principals if not first.names(item))
            made[places[key]] = ({}, replace(first, principals=(*first.principals, *more)))
    return made


def fit(document: PolicyDocument | None, items: Sequence[Item]) -> tuple[PolicyDocument | None, tuple[str, ...]]:
    """The document with these statements, gathered by principal if it would not fit otherwise."""
    built = build(document, items)
    if built is None or built.size <= LIMIT:
        return built, ()
    gathered = gather(items)
    built = build(document, gathered)
    if built is not None and built.size <= LIMIT:
        return built, (f"grants with the same access were combined, to stay under {LIMIT:,} characters",)
    raise InputError(
        f"the policy would have {built.size if built else 0:,} characters; the limit is {LIMIT:,}",
        hint="Remove unused statements, or grant a whole account instead of single users.",
    )


def build(document: PolicyDocument | None, items: Sequence[Item]) -> PolicyDocument | None:
    if not items:
        return None
    taken = {str(raw["Sid"]) for raw, _ in items if raw and isinstance(raw.get("Sid"), str)}
    statements: list[Mapping[str, Any]] = []
    for raw, own in items:
        if raw or own is None:
            statements.append(raw)
            continue
        made = own.statement(taken)
        taken.add(made["Sid"])
        statements.append(made)
    if document is None:
        return PolicyDocument.from_json({"Version": NEW_VERSION, "Statement": statements})
    return document.replace(statements)


def named_by(statement: Statement, principal: str) -> bool:
    if statement.effect != "Allow":
        return False
    if grantees.is_conditional(principal):
        found = grantees.read(statement.raw.get("Principal"), statement.condition)
        return found is not None and principal in found[0]
    return any(kind == "AWS" and same_principal(value, principal) for kind, value in statement.principals)


def says(statement: Statement, principal: str, wanted: Own) -> bool:
    """Whether a foreign statement gives the principal what ``wanted`` says, under the same condition."""
    raw = statement.raw
    if not named_by(statement, principal) or not set(raw) <= PLAIN_ELEMENTS:
        return False
    covered = {action for pattern in statement.actions for action in matching_actions(pattern)}
    same = condition_key(raw.get("Condition")) == condition_key(wanted.condition())
    return same and covered.issuperset(wanted.access.actions)
