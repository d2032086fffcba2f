"""Compare two documents by meaning (per principal, action and condition) and by text.

Equal in meaning: an account id and its root ARN, a string and a list of it, any order, the case of actions, operators
and condition keys, the splitting of statements, Sids. Not compared: whether one pattern covers another.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecr_tui.policy import _json
from ecr_tui.policy.actions import canonical_action
from ecr_tui.policy.document import PolicyDocument, Statement, strings, values_of
from ecr_tui.policy.principal import canonical

_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"})


class Difference(NamedTuple):
    """One addition or removal; ``principal`` and ``action`` as written in their document.

    A NotPrincipal reads "everyone but ...", a NotAction "everything but ..."; ``extra``: other elements of the
    statement (Resource, or unknown ones).
    """

    op: str
    effect: str
    principal: str
    action: str
    condition: dict[str, Any] | None
    extra: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "op": self.op,
            "effect": self.effect,
            "principal": self.principal,
            "action": self.action,
            "condition": self.condition,
        }


def differences(before: PolicyDocument | None, after: PolicyDocument | None) -> tuple[Difference, ...]:
    """Removals first, in document order. Empty if the meaning is the same."""
    old, new = _atoms(before), _atoms(after)
    removed = [_difference("remove", *shown) for key, shown in old.items() if key not in new]
    added = [_difference("add", *shown) for key, shown in new.items() if key not in old]
    return (*removed, *added)


def equivalent(a: PolicyDocument | None, b: PolicyDocument | None) -> bool:
    """Whether both have the same meaning; no policy equals one without statements."""
    if a is None or b is None:
        return not _atoms(a) and not _atoms(b)
    if a.text == b.text:
        return True
    if a.expands_variables != b.expands_variables and "${" in a.text + b.text:
        return False
    return _rest(a) == _rest(b) and _atoms(a).keys() == _atoms(b).keys()


def text_diff(before: PolicyDocument | None, after: PolicyDocument | None) -> tuple[tuple[str, str], ...]:
    """(op, line) pairs over the pretty texts; op is " ", "+" or "-"."""
    old = before.pretty().splitlines() if before is not None else []
    new = after.pretty().splitlines() if after is not None else []
    rows: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            rows.extend((" ", line) for line in old[i1:i2])
            continue
        rows.extend(("-", line) for line in old[i1:i2])
        rows.extend(("+", line) for line in new[j1:j2])
    return tuple(rows)


_CONTEXT = 3


def shortened(lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """A :func:`text_diff` with unchanged lines only near changes; "⋯" rows count the omitted lines."""
    near = {place + by for place, (op, _) in enumerate(lines) if op != " " for by in range(-_CONTEXT, _CONTEXT + 1)}
    shown: list[tuple[str, str]] = []
    left_out = 0
    for place, line in enumerate([*lines, ("", "")]):
        wanted = place in near and place < len(lines)
        if left_out and (wanted or place == len(lines)):
            shown.append(("⋯", f"{left_out:,} unchanged line{'' if left_out == 1 else 's'}"))
            left_out = 0
        if wanted:
            shown.append(line)
        elif place < len(lines):
            left_out += 1
    return shown


def condition_key(condition: object) -> str:
    """A text that is equal for conditions of equal meaning.

    ArnEquals and ArnLike behave identically; StringLike without a wildcard is StringEquals.
    """
    if not isinstance(condition, Mapping):
        return "" if condition is None else _json.dumps(condition)
    clauses: set[str] = set()
    for name, block in condition.items():
        if not isinstance(block, Mapping):
            clauses.add(_json.dumps([name, block]))
            continue
        for key, value in block.items():
            values = sorted(set(values_of(value)))
            operator = name.lower().replace("arnequals", "arnlike").replace("arnnotequals", "arnnotlike")
            if not any("*" in text or "?" in text or "${" in text for text in values):
                operator = operator.replace("stringlike", "stringequals").replace("stringnotlike", "stringnotequals")
            clauses.add(_json.dumps([operator, key.lower(), values]))
    return "\n".join(sorted(clauses))


def statement_keys(statement: Statement) -> frozenset[tuple[str, ...]]:
    """The statement's facts, one key for each principal and action."""
    return frozenset(_statement_atoms(statement))


_Key = tuple[str, ...]
_Shown = tuple[str, str, str, Any, dict[str, Any]]


def _atoms(document: PolicyDocument | None) -> dict[_Key, _Shown]:
    found: dict[_Key, _Shown] = {}
    for statement in document.statements if document is not None else ():
        for key, shown in _statement_atoms(statement).items():
            found.setdefault(key, shown)
    return found


def _statement_atoms(statement: Statement) -> dict[_Key, _Shown]:
    raw = statement.raw
    condition = raw.get("Condition")
    extra = {key: value for key, value in raw.items() if key not in _ELEMENTS}
    common = (_effect(raw), condition_key(condition), _extra_key(extra))
    return {
        (*common, who_key, what_key): (_effect(raw), who, what, condition, extra)
        for who_key, who in _who(statement)
        for what_key, what in _what(statement)
    }


def _effect(raw: Mapping[str, Any]) -> str:
    effect = raw.get("Effect")
    return effect if isinstance(effect, str) else _json.dumps(effect)


def _extra_key(extra: Mapping[str, Any]) -> str:
    known = {key: sorted(set(strings(value))) for key, value in extra.items() if key in ("Resource", "NotResource")}
    rest = {key: value for key, value in extra.items() if key not in known}
    return _json.dumps([sorted(known.items()), sorted(rest.items(), key=lambda item: item[0])]) if extra else ""


def _who(statement: Statement) -> list[tuple[str, str]]:
    """(key, shown) for each principal; a NotPrincipal is one entry."""
    raw = statement.raw
    if "NotPrincipal" in raw:
        pairs = statement.not_principals
        key = "not " + _json.dumps(sorted(f"{kind}:{canonical(value)}" for kind, value in set(pairs)))
        return [(key, "everyone but " + ", ".join(value for _, value in pairs))]
    if statement.principals:
        return [(f"{kind}:{canonical(value)}", value) for kind, value in statement.principals]
    return [("none " + _json.dumps(raw.get("Principal")), "(nobody)")]


def _what(statement: Statement) -> list[tuple[str, str]]:
    raw = statement.raw
    if "NotAction" in raw and "Action" not in raw:
        names = statement.not_actions
        key = "not " + _json.dumps(sorted({name.lower() for name in names}))
        return [(key, "everything but " + ", ".join(names))]
    if statement.actions:
        return [(name.lower(), canonical_action(name) or name) for name in statement.actions]
    return [("none " + _json.dumps(raw.get("Action")), "(nothing)")]


def _difference(op: str, effect: str, who: str, what: str, condition: object, extra: dict[str, Any]) -> Difference:
    shown = _json.copy(condition) if isinstance(condition, Mapping) and condition else None
    return Difference(op, effect, who, what, shown, _json.copy(extra) or None)


def _rest(document: PolicyDocument) -> str:
    """Top-level elements other than Version and Statement: an Id, or unknown ones."""
    found = {key: value for key, value in document.raw.items() if key not in ("Version", "Statement")}
    return _json.dumps(dict(sorted(found.items())))
