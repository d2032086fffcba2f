"""Findings about external access: trusted partners, and strangers."""

from __future__ import annotations

from collections.abc import Iterator

from ecr_tui.policy import grantees
from ecr_tui.policy.compiled import Rule, rules_of
from ecr_tui.policy.conditions import Clause, parse_operator
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.exposure import Reach, reach
from ecr_tui.policy.findings import Check, Hit, Setting, place
from ecr_tui.policy.lint_conditions import ends_at
from ecr_tui.policy.principal import account_of, describe, is_dead
from ecr_tui.policy.trusted import Trusted

_OWN, _PARTNER, _STRANGER = "own", "partner", "stranger"
_EXACT = frozenset({"stringequals", "arnequals"})
_LIKE = frozenset({"stringlike", "arnlike"})
_ACCOUNTS = frozenset({"aws:principalaccount", "aws:sourceaccount"})
_ORGANIZATIONS = frozenset({"aws:principalorgid", "aws:sourceorgid"})
_PATHS = frozenset({"aws:principalorgpaths", "aws:sourceorgpaths"})
_ARNS = frozenset({"aws:principalarn", "aws:sourcearn"})


def _trust(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    """Empty without ``[trusted]``. Public access has separate findings."""
    trusted, account = setting.trusted, setting.account
    if trusted is None or account is None:
        return
    for rule in rules_of(document):
        statement, end = rule.statement, ends_at(rule.statement)
        if rule.deny or (end is not None and end <= setting.now):
            continue
        limit = _limited_to(rule, trusted, account)
        found: dict[str, dict[str, None]] = {}
        for kind, value in statement.principals:
            if (kind, value) == ("AWS", "*"):
                if reach(rule, document.expands_variables) is Reach.LIMITED:
                    named = grantees.read("*", statement.condition)
                    who = ", ".join(map(describe, named[0])) if named else "anyone who meets its condition"
                    found.setdefault(limit, {})[who] = None
            elif not is_dead(value):
                of_name = _OWN if account_of(value) == account else _PARTNER if trusted.knows(value) else _STRANGER
                found.setdefault(of_name if limit == _STRANGER else limit, {})[describe(value)] = None
        for judged, hit in ((_STRANGER, "stranger"), (_PARTNER, "trusted-partner")):
            if judged in found:
                yield Hit(hit, place(statement, "Principal"), ", ".join(found[judged]), statement.name)


def _limited_to(rule: Rule, trusted: Trusted, account: str) -> str:
    """Who meets a condition on accounts or organizations: the same account, partners, or (also without one) anyone."""
    judged = [_judged(clause, trusted, account) for clause in rule.clauses or ()]
    return _OWN if _OWN in judged else _PARTNER if _PARTNER in judged else _STRANGER


def _judged(clause: Clause, trusted: Trusted, account: str) -> str:
    operator, key = parse_operator(clause.operator), clause.key.lower()
    if operator.if_exists or operator.quantifier == "forallvalues" or operator.base not in _EXACT | _LIKE:
        return _STRANGER
    values = {_value(key, value, operator.base in _LIKE, trusted, account) for value in clause.values}
    return _STRANGER if not values or _STRANGER in values else _PARTNER if _PARTNER in values else _OWN


def _value(key: str, value: str, like: bool, trusted: Trusted, account: str) -> str:
    if key in _PATHS:
        return _PARTNER if trusted.knows_path(value) else _STRANGER
    if key in _ORGANIZATIONS:
        return _PARTNER if value in trusted.organizations else _STRANGER
    # An ARN pattern still has its account.
    found = account_of(value) or _account_in(value) if key in _ARNS else value if key in _ACCOUNTS else ""
    return _OWN if found == account else _PARTNER if found in trusted.accounts else _STRANGER


def _account_in(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


CHECKS: tuple[Check, ...] = (_trust,)
