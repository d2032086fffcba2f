"""A policy document made ready for many decisions.

Principal, action and resource of a statement do not depend on a request's context, so their verdict is remembered
per (caller, action, resource); what is left for each request are the conditions of the few statements that apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ecr_tui.policy.conditions import Clause, compile_condition
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.patterns import Context, compiled, has_variable, resource_matcher

_CACHE_LIMIT = 4096
"""Entries of a memory; it is emptied when full, since no real policy needs so many."""


class Grip:
    """How a document took hold of a request: bits. All but the first two are ways in which an Allow named the caller.

    Plain integers, because an enum's ``|`` costs more than the decision around it.
    """

    NONE = 0
    DENY = 1
    EXACT = 2
    """The caller's own ARN, or the service."""
    ANYONE = 4
    """``*``."""
    ROLE = 8
    """The role of the calling session."""
    USER = 16
    """The user behind a federated-user session."""
    ACCOUNT = 32
    """The caller's account: it delegates to that account's own policies."""
    OTHERS = 64
    """Not listed in NotPrincipal."""


ALLOW = Grip.EXACT | Grip.ANYONE | Grip.ROLE | Grip.USER | Grip.ACCOUNT | Grip.OTHERS
DIRECT = Grip.EXACT | Grip.ANYONE | Grip.ROLE | Grip.USER | Grip.OTHERS

_ARN = re.compile(r"arn:([a-z0-9-]+):(iam|sts)::([0-9]{12}):([^/]+)(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Caller:
    """A request's principal taken apart. ``kind``: "user", "role", "assumed-role", "federated-user", "root",
    "service" or "other"; ``name`` is the role's or user's name without its path."""

    arn: str
    kind: str
    account: str | None
    partition: str
    name: str


@lru_cache(maxsize=8192)
def caller_of(principal: str) -> Caller:
    found = _ARN.fullmatch(principal)
    if found is None:
        if re.fullmatch(r"[0-9]{12}", principal):
            return Caller(principal, "root", principal, "", "")
        kind = "service" if "." in principal and ":" not in principal and "/" not in principal else "other"
        return Caller(principal, kind, None, "", "")
    partition, service, account, kind, rest = found.groups()
    rest = rest or ""
    if service == "sts" and kind == "assumed-role":
        return Caller(principal, kind, account, partition, rest.split("/", 1)[0])
    if service == "sts" and kind == "federated-user":
        return Caller(principal, kind, account, partition, rest)
    if service == "iam" and kind in ("user", "role"):
        return Caller(principal, kind, account, partition, rest.rsplit("/", 1)[-1])
    if service == "iam" and kind == "root" and not rest:
        return Caller(principal, "root", account, partition, "")
    return Caller(principal, "other", account, partition, "")


def principal_grip(kind: str, value: str, caller: Caller) -> int:
    """How one principal of a statement names the caller; NONE where it does not.

    Names are case-sensitive and hold no wildcards. A role's ARN names its sessions whatever the role's path, because
    a session's ARN does not carry the path.
    """
    if kind != "AWS":
        return Grip.EXACT if value == caller.arn else Grip.NONE
    if value == "*":
        return Grip.ANYONE
    if value == caller.arn:
        return Grip.ACCOUNT if caller.kind == "root" else Grip.EXACT
    if caller.account is None:
        return Grip.NONE
    if value == caller.account:
        return Grip.ACCOUNT
    found = _ARN.fullmatch(value)
    if found is None or found.group(3) != caller.account or found.group(2) != "iam":
        return Grip.NONE
    partition, _, _, named, rest = found.groups()
    if caller.partition and partition != caller.partition:
        return Grip.NONE
    if named == "root" and not rest:
        return Grip.ACCOUNT
    if named == "role" and caller.kind == "assumed-role" and (rest or "").rsplit("/", 1)[-1] == caller.name:
        return Grip.ROLE
    if named == "user" and caller.kind == "federated-user" and rest == caller.name:
        return Grip.USER
    return Grip.NONE


class Rule:
    """A statement, compiled. Each ``..._matches`` is one element's verdict on its own."""

    __slots__ = (
        "_actions",
        "_known_actions",
        "_not_actions",
        "_not_resources",
        "_resources",
        "clauses",
        "deny",
        "statement",
        "varies",
    )

    def __init__(self, statement: Statement, expands: bool) -> None:
        self.statement = statement
        self.deny = statement.effect == "Deny"
        attached = "Principal" in statement.raw or "NotPrincipal" in statement.raw
        self.clauses: tuple[Clause, ...] | None = compile_condition(statement.raw.get("Condition"), expands)
        self._known_actions: dict[str, bool] = {}
        self._actions = [compiled(action.lower()).fullmatch for action in statement.actions]
        self._not_actions = [compiled(action.lower()).fullmatch for action in statement.not_actions]
        self._resources = [resource_matcher(item, expands=expands, pads=not attached) for item in statement.resources]
        self._not_resources = [
            resource_matcher(item, expands=expands, pads=not attached) for item in statement.not_resources
        ]
        self.varies = expands and any(map(has_variable, (*statement.resources, *statement.not_resources)))
        """Its resources hold variables, so whether they match depends on the request's context."""

    def action_matches(self, action: str) -> bool:
        """``action`` in lower case."""
        known = self._known_actions.get(action)
        if known is None:
            if len(self._known_actions) > _CACHE_LIMIT:
                self._known_actions.clear()
            known = self._known_actions[action] = self._matches_action(action)
        return known

    def _matches_action(self, action: str) -> bool:
        if "Action" in self.statement.raw:
            return any(match(action) for match in self._actions)
        return "NotAction" in self.statement.raw and not any(match(action) for match in self._not_actions)

    def resource_matches(self, resource: str, context: Context, required: bool) -> bool:
        if "Resource" in self.statement.raw:
            return any(match(resource, context) for match in self._resources)
        if "NotResource" in self.statement.raw:
            return not any(match(resource, context) for match in self._not_resources)
        return not required

    def principal_grip(self, caller: Caller, bounded: bool) -> int:
        """``bounded``: the caller has a permissions boundary, and then a Deny with NotPrincipal always hits it."""
        if "Principal" in self.statement.raw:
            grip = Grip.NONE
            for kind, value in self.statement.principals:
                grip |= principal_grip(kind, value, caller)
            return grip
        if "NotPrincipal" in self.statement.raw:
            if self.deny and bounded:
                return Grip.OTHERS
            if any(principal_grip(kind, value, caller) for kind, value in self.statement.not_principals):
                return Grip.NONE
            return Grip.OTHERS
        return Grip.NONE

    def condition_matches(self, context: Context) -> bool:
        return self.clauses is not None and all(clause.test(context) for clause in self.clauses)


_Pending = tuple[int, Callable[[Context], bool]]


class CompiledPolicy:
    """Use :func:`compile_policy`, which keeps it with its document. Safe to share between threads."""

    def __init__(self, document: PolicyDocument) -> None:
        expands = document.expands_variables
        self.rules = tuple(Rule(item, expands) for item in document.statements if item.effect)
        self._cache: dict[tuple[object, ...], tuple[int, tuple[_Pending, ...]]] = {}

    def as_resource_policy(self, caller: Caller, bounded: bool, action: str, resource: str, context: Context) -> int:
        """What a policy attached to a resource (or registry) says."""
        key = (caller.arn, bounded, action, resource)
        grip, pending = self._cache.get(key) or self._remember(key, caller, bounded, action, resource)
        for outcome, test in pending:
            if test(context):
                grip |= outcome
        return grip

    def as_identity_policy(self, action: str, resource: str, context: Context) -> int:
        """What an identity, boundary, session or control policy says: its principals, if any, do not count."""
        key = (action, resource)
        grip, pending = self._cache.get(key) or self._remember(key, None, False, action, resource)
        for outcome, test in pending:
            if test(context):
                grip |= outcome
        return grip

    def _remember(
        self, key: tuple[object, ...], caller: Caller | None, bounded: bool, action: str, resource: str
    ) -> tuple[int, tuple[_Pending, ...]]:
        certain = Grip.NONE
        pending: list[_Pending] = []
        action = action.lower()
        for rule in self.rules:
            grip = Grip.ANYONE if caller is None else rule.principal_grip(caller, bounded)
            if not grip or not rule.action_matches(action) or rule.clauses is None:
                continue
            required = caller is None
            if not rule.varies and not rule.resource_matches(resource, {}, required):
                continue
            outcome = Grip.DENY if rule.deny else grip
            if rule.varies:
                pending.append((outcome, _with_resource(rule, resource, required)))
            elif not rule.clauses:
                certain |= outcome
            elif len(rule.clauses) == 1:
                pending.append((outcome, rule.clauses[0].test))
            else:
                pending.append((outcome, rule.condition_matches))
        if certain & Grip.DENY:
            pending = []
        if len(self._cache) >= _CACHE_LIMIT:
            self._cache.clear()
        made = (certain, tuple(pending))
        self._cache[key] = made
        return made


def _with_resource(rule: Rule, resource: str, required: bool) -> Callable[[Context], bool]:
    return lambda context: rule.resource_matches(resource, context, required) and rule.condition_matches(context)


def compile_policy(document: PolicyDocument) -> CompiledPolicy:
    """Compiled at the first use and kept with the document, so equal requests never compile twice."""
    made: CompiledPolicy | None = document.compiled
    if made is None:
        made = document.compiled = CompiledPolicy(document)
    return made
