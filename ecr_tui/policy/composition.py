"""Convert between a policy document and a list of foreign statements and our grants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ecr_tui.errors import InputError
from ecr_tui.policy import _json, grantees
from ecr_tui.policy.actions import matching_actions
from ecr_tui.policy.compare import condition_key
from ecr_tui.policy.document import LIMIT, NEW_VERSION, PLAIN_ELEMENTS, PolicyDocument, Statement
from ecr_tui.policy.ours import Own, read_own
from ecr_tui.policy.principal import account_of, same_principal

Item = tuple[Mapping[str, Any], Own | None]
"""A statement, with its content when it is ours."""
_SOME_ORGANIZATION = f"{grantees.ORGANIZATION}o-a1b2c3d4e5"


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
            made[places[key]] = ({}, first._replace(principals=(*first.principals, *more)))
    return made


def fit(document: PolicyDocument | None, items: Sequence[Item]) -> tuple[PolicyDocument | None, tuple[str, ...]]:
    """The document with these statements, combined by principal only if needed to fit."""
    built = build(document, items)
    if built is None or built.size <= LIMIT:
        return built, ()
    gathered = gather(items)
    built = build(document, gathered)
    if built is not None and built.size <= LIMIT:
        return built, (f"grants with the same access were combined, to stay under {LIMIT:,} characters",)
    raise InputError(
        f"the policy would have {built.size if built else 0:,} characters; the limit is {LIMIT:,}",
        hint=_what_fits(document, gathered),
    )


def _what_fits(document: PolicyDocument | None, items: Sequence[Item]) -> str:
    """Suggestions that were tried and fit: an account for its principals, an organization, one condition for all, or
    fewer grants."""
    ours = [own for _, own in items if own is not None]
    principals = [one for own in ours for one in own.principals if not grantees.is_conditional(one)]
    found = []

    def fits(change: Callable[[Own], Own]) -> bool:
        built = build(document, gather([(raw, None) if own is None else ({}, change(own)) for raw, own in items]))
        return built is not None and built.size <= LIMIT

    account, number = _most_frequent(principals)
    if number > 1 and fits(lambda own: _in_place(own, account, lambda one: account_of(one) == account)):
        found.append(f"grant account {account} in place of its {number} principals")
    if len(principals) > 1 and fits(lambda own: _in_place(own, _SOME_ORGANIZATION, lambda one: one in principals)):
        found.append("grant their organization (org/o-ID)")
    if len({own.condition_key for own in ours}) > 1 and fits(lambda own: own._replace(tags=ours[0].tags, until=None)):
        found.append("use one tag condition for all: equal grants share a statement")
    found.append("revoke those that are not needed")
    foreign = sum(len(_json.dumps(raw)) for raw, own in items if own is None)
    others = f" Statements that are not ecr-tui's have {foreign:,} characters." if foreign else ""
    return f"To fit: {'; or '.join(found)}.{others}"


def _most_frequent(principals: Sequence[str]) -> tuple[str, int]:
    accounts = Counter(account for one in principals if (account := account_of(one)) is not None)
    return next(iter(accounts.most_common(1)), ("", 0))


def _in_place(own: Own, whole: str, replaced: Callable[[str], bool]) -> Own:
    named = (whole if replaced(one) else one for one in own.principals)
    return own._replace(principals=tuple(dict.fromkeys(named)))


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
    """Whether a foreign statement gives the principal the access of ``wanted`` under the same condition."""
    raw = statement.raw
    if not named_by(statement, principal) or not set(raw) <= PLAIN_ELEMENTS:
        return False
    covered = {action for pattern in statement.actions for action in matching_actions(pattern)}
    same = condition_key(raw.get("Condition")) == condition_key(wanted.condition())
    return same and covered.issuperset(wanted.access.actions)
