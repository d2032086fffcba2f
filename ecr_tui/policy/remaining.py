"""Statements through which a principal still has access, besides ecr-tui's own grants to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ecr_tui.policy.actions import action_words
from ecr_tui.policy.answer import Verdict, of_rules
from ecr_tui.policy.compiled import Rule, caller_of, principal_grip, rules_of
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.known import PRINCIPAL, before_call
from ecr_tui.policy.ours import read_own
from ecr_tui.policy.principal import describe, same_principal

_Sourced = tuple[str, Rule]
"""A statement, and "resource" or "registry"."""


@dataclass(frozen=True)
class Remaining:
    """``principal``: the one with access, which is the requested one or one that it represents. ``named``: the
    principal in the statement; "everyone but ..." for a NotPrincipal. ``where``: "resource" (the repository policy) or
    "registry". ``depends_on``: () if the access is certain; see ``policy.answer.Answer``."""

    principal: str
    where: str
    statement: Statement = field(compare=False)
    named: str
    actions: tuple[str, ...]
    depends_on: tuple[str, ...]

    @property
    def ours(self) -> bool:
        return self.where == "resource" and read_own(self.statement) is not None

    @property
    def place(self) -> str:
        return self.statement.name + (" of the registry policy" if self.where == "registry" else "")

    def sentence(self) -> str:
        """One clause without a period: "Access remains through X: user bob in 222222222222 can pull"."""
        may, can = ("may remain", "may be able to") if self.depends_on else ("remains", "can")
        named = "" if same_principal(self.named, self.principal) else f" (it names {describe(self.named)})"
        on = f", depending on {', '.join(self.depends_on)}" if self.depends_on else ""
        words = action_words(self.actions)
        use = words if words.islower() else f"use {words}"
        return f"Access {may} through {self.place}{named}: {describe(self.principal)} {can} {use}{on}"


def remaining(
    document: PolicyDocument | None,
    principal: str,
    actions: Iterable[str],
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
    now: datetime,
    registry: PolicyDocument | None = None,
) -> tuple[Remaining, ...]:
    """A row for each statement that allows ``principal`` any of ``actions``, except our statements that name it; two
    rows if only some of the actions are certain.

    Includes named principals that it represents: the users and roles of an account, the sessions of a role.
    """
    rules: list[_Sourced] = [("resource", rule) for rule in rules_of(document)] if document else []
    rules = [item for item in rules if not _grants(item[1], principal)]
    rules += [("registry", rule) for rule in rules_of(registry)] if registry else []
    asked = tuple(actions)
    found: list[Remaining] = []
    for one in (principal, *_parts(rules, principal)):
        found += _through(rules, one, asked, repository_arn, tags, now)
    return tuple(found)


def _grants(rule: Rule, principal: str) -> bool:
    own = read_own(rule.statement)
    return own is not None and own.names(principal)


def _parts(rules: Iterable[_Sourced], principal: str) -> Iterator[str]:
    """Other principals named in a statement that ``principal`` represents."""
    seen: set[str] = set()
    for _, rule in rules:
        for kind, value in rule.statement.principals if not rule.deny else ():
            if kind == "AWS" and value not in seen and not same_principal(value, principal):
                seen.add(value)
                if principal_grip("AWS", principal, caller_of(value)):
                    yield value


def _through(
    rules: Sequence[_Sourced],
    principal: str,
    actions: Sequence[str],
    repository_arn: str,
    tags: Mapping[str, str] | None,
    now: datetime,
) -> list[Remaining]:
    known = before_call(principal, repository_arn=repository_arn, tags=tags, now=now)
    found: dict[tuple[str, int, tuple[str, ...]], tuple[Statement, list[str]]] = {}
    for action in actions:
        answer = of_rules(rules, known, action, repository_arn)
        if answer.verdict is Verdict.NO:
            continue
        for where, rule in rules:
            standing = known.standing(rule, action, repository_arn, attached=True)
            # Principals named in such a statement get their own rows.
            if rule.deny or not standing.may or PRINCIPAL in standing.opens:
                continue
            opens = answer.depends_on if standing.must else standing.opens
            key = (where, rule.statement.index, tuple(opens))
            found.setdefault(key, (rule.statement, []))[1].append(action)
    return [
        Remaining(principal, where, statement, _named(statement, principal), tuple(given), opens)
        for (where, _, opens), (statement, given) in found.items()
    ]


def _named(statement: Statement, principal: str) -> str:
    """The statement's principal that matches ``principal``, most specific first."""
    if statement.not_principals:
        return "everyone but " + ", ".join(value for _, value in statement.not_principals)
    caller = caller_of(principal)
    values = [value for kind, value in statement.principals if principal_grip(kind, value, caller)]
    return min(values, key=lambda value: (value == "*", not same_principal(value, principal)), default=principal)
