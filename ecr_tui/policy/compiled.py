"""A policy document compiled for repeated decisions.

Where AWS's documentation is ambiguous (a principal in another case, NotPrincipal without the account, a partial ARN),
an Allow never applies, and a Deny is reported as one that may apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from ecr_tui.policy import grantees
from ecr_tui.policy.conditions import Clause, compile_condition
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.patterns import (
    Context,
    compiled,
    has_odd_variable,
    has_variable,
    may_cover,
    resource_matcher,
    split_arn,
    variables,
)


class Grip:
    """Bits: how a document applies to a request. All but the first two say how an Allow names the caller.

    Plain integers, because an enum's ``|`` costs more than the decision itself.
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


class Caller(NamedTuple):
    """A request's principal, parsed. ``kind``: "user", "role", "assumed-role", "federated-user", "root",
    "service" or "other"; ``name`` is the role's or user's name without its path. ``role``: for a session or role, the
    role's ARN with its path from IAM, "" if unknown: a session's ARN has no path, and a typed role ARN may omit it."""

    arn: str
    kind: str
    account: str | None
    partition: str
    name: str
    role: str = ""


@lru_cache(maxsize=8192)
def caller_of(principal: str, principal_arn: str = "") -> Caller:
    """``principal_arn``: aws:PrincipalArn if known; used for sessions and roles only. A text of ``grantees`` yields the
    caller that it stands for."""
    if grantees.is_conditional(principal):
        principal = grantees.caller(principal)[0]
    found = _ARN.fullmatch(principal)
    if found is None:
        if re.fullmatch(r"[0-9]{12}", principal):
            return Caller(principal, "root", principal, "", "")
        kind = "service" if "." in principal and ":" not in principal and "/" not in principal else "other"
        return Caller(principal, kind, None, "", "")
    partition, service, account, kind, rest = found.groups()
    rest = rest or ""
    if service == "sts" and kind == "assumed-role":
        name = rest.split("/", 1)[0]
        role = _ARN.fullmatch(principal_arn)
        own = role is not None and role[2] == "iam" and role[4] == "role" and (role[5] or "").split("/")[-1] == name
        return Caller(principal, kind, account, partition, name, principal_arn if own else "")
    if service == "sts" and kind == "federated-user":
        return Caller(principal, kind, account, partition, rest)
    if service == "iam" and kind in ("user", "role"):
        own = kind == "role" and principal_arn == principal
        return Caller(principal, kind, account, partition, rest.rsplit("/", 1)[-1], principal_arn if own else "")
    if service == "iam" and kind == "root" and not rest:
        return Caller(principal, "root", account, partition, "")
    return Caller(principal, "other", account, partition, "")


def principal_grip(kind: str, value: str, caller: Caller) -> int:
    """How a statement's principal names the caller; NONE if it does not.

    Names are case-sensitive, without wildcards. If the path of a session's role is unknown, the role name decides:
    names are unique in an account regardless of path.
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
        return Grip.ROLE if caller.role in ("", value) else Grip.NONE
    if named == "user" and caller.kind == "federated-user" and rest == caller.name:
        return Grip.USER
    return Grip.NONE


def is_session_of(value: str, caller: Caller) -> bool:
    """Whether a principal is one session of the calling role."""
    if caller.kind != "role":
        return False
    session = caller_of(value)
    return session.kind == "assumed-role" and (session.account, session.name) == (caller.account, caller.name)


def is_namesake(value: str, caller: Caller) -> bool:
    """Whether a principal is the calling role written without a path, if the path is unknown."""
    if caller.kind != "role" or caller.role or caller.arn.count("/") != 1:
        return False
    named = caller_of(value)
    return named.kind == "role" and (named.account, named.name) == (caller.account, caller.name)


def may_name(kind: str, value: str, caller: Caller) -> bool:
    """Whether a Deny's principal may match the caller without naming it: AWS's documentation is ambiguous (other case,
    a wildcard), or it names a session of the calling role."""
    if compiled(value.lower()).fullmatch(caller.arn.lower()) is not None or is_session_of(value, caller):
        return True
    if kind != "AWS" or caller.account is None:
        return False
    named = caller_of(value)
    own_role = named.kind == "role" and caller.kind == "assumed-role"
    own_user = named.kind == "user" and caller.kind == "federated-user"
    same = (named.account, named.name.lower()) == (caller.account, caller.name.lower())
    return same and not caller.role and (own_role or own_user)


class Rule:
    """A compiled statement. Each ``..._matches`` evaluates one element."""

    def __init__(self, statement: Statement, expands: bool) -> None:
        self.statement = statement
        self._expands = expands
        self.deny = statement.effect == "Deny"
        attached = "Principal" in statement.raw or "NotPrincipal" in statement.raw
        self.clauses: tuple[Clause, ...] | None = compile_condition(statement.raw.get("Condition"), expands)
        self._actions = [compiled(action.lower()).fullmatch for action in statement.actions]
        self._not_actions = [compiled(action.lower()).fullmatch for action in statement.not_actions]
        self._resources = [resource_matcher(item, expands=expands, pads=not attached) for item in statement.resources]
        self._not_resources = [
            resource_matcher(item, expands=expands, pads=not attached) for item in statement.not_resources
        ]
        resources = (*statement.resources, *statement.not_resources)
        self.resource_names = tuple(name for item in resources for name in variables(item)) if expands else ()
        self.varies = expands and any(map(has_variable, resources))
        """Its resources contain variables, so the match depends on the request's context."""

    def action_matches(self, action: str) -> bool:
        """``action`` in lower case."""
        if "Action" in self.statement.raw:
            return any(match(action) for match in self._actions)
        return "NotAction" in self.statement.raw and not any(match(action) for match in self._not_actions)

    def resource_matches(self, resource: str, context: Context, required: bool) -> bool:
        if "Resource" in self.statement.raw:
            return any(match(resource, context) for match in self._resources)
        if "NotResource" in self.statement.raw:
            return not any(match(resource, context) for match in self._not_resources)
        return not required

    def may_cover(self, resource: str, context: Context, certain: Callable[[str], bool], required: bool) -> bool:
        """Whether its resources may match, given ambiguous documentation and variables that are not ``certain``."""
        if "Resource" in self.statement.raw:
            return any(
                may_cover(item, resource, context, expands=self._expands, certain=certain)
                for item in self.statement.resources
            )
        if "NotResource" in self.statement.raw:
            return not any(
                match(resource, context) and self._is_plain(item, certain)
                for item, match in zip(self.statement.not_resources, self._not_resources, strict=True)
            )
        return not required

    def _is_plain(self, item: str, certain: Callable[[str], bool]) -> bool:
        """Written as in the guide, so that it excludes what it matches."""
        named = variables(item) if self._expands else ()
        odd = self._expands and has_odd_variable(item)
        return item == "*" or (not odd and all(map(certain, named)) and len(split_arn(item, self._expands)) == 6)

    def principal_grip(self, caller: Caller, bounded: bool) -> int:
        """``bounded``: the caller has a permissions boundary, so a Deny with NotPrincipal always applies."""
        if "Principal" in self.statement.raw:
            grip = Grip.NONE
            for kind, value in self.statement.principals:
                grip |= principal_grip(kind, value, caller)
            return grip
        if "NotPrincipal" not in self.statement.raw:
            return Grip.NONE
        if self.deny and bounded:
            return Grip.OTHERS
        return Grip.NONE if self._excepted(caller) else Grip.OTHERS

    def principal_bounds(self, caller: Caller, bounded: bool | None, many: bool) -> tuple[int, int]:
        """How it certainly names the caller, and how it may. ``bounded`` None: unknown. ``many``: the caller represents
        several, such as the principals of an account."""
        if "Principal" in self.statement.raw:
            return self._named(caller)
        if "NotPrincipal" not in self.statement.raw:
            return Grip.NONE, Grip.NONE
        if self.deny and bounded:
            return Grip.OTHERS, Grip.OTHERS
        excepted = self._excepted(caller)
        within = caller.kind == "root" and any(
            caller_of(value).account == caller.account for _, value in self.statement.not_principals
        )
        if not excepted and not within:
            return Grip.OTHERS, Grip.OTHERS
        open_text = within or not self._wholly_excepted(caller, excepted, many)
        return Grip.NONE, Grip.OTHERS if open_text or (self.deny and bounded is None) else Grip.NONE

    def _named(self, caller: Caller) -> tuple[int, int]:
        must = may = Grip.NONE
        for kind, value in self.statement.principals:
            grip = principal_grip(kind, value, caller)
            may |= grip
            # The policy has the role's path, and the path of the session's role is unknown.
            if grip != Grip.ROLE or caller.role or value.count("/") == 1:
                must |= grip
            unsure = is_session_of(value, caller) or is_namesake(value, caller)
            if not grip and (unsure or (self.deny and may_name(kind, value, caller))):
                may |= Grip.EXACT
        return must, may

    def _excepted(self, caller: Caller) -> int:
        grip = Grip.NONE
        for kind, value in self.statement.not_principals:
            grip |= principal_grip(kind, value, caller)
        return grip

    def _wholly_excepted(self, caller: Caller, excepted: int, many: bool) -> bool:
        """A Deny excludes a user only if its account is listed too, and a session only with its role and account (IAM
        User Guide, "AWS JSON policy elements: NotPrincipal"). An Allow excludes every principal that it lists."""
        if excepted & Grip.ANYONE:
            return True
        if many:
            return False
        if caller.account is None or caller.kind == "root":
            return True
        if self.deny and caller.kind == "role":
            return False  # the caller is a session
        needed = Grip.EXACT
        if self.deny:
            needed |= Grip.ACCOUNT | (Grip.ROLE if caller.kind == "assumed-role" else 0)
        return excepted & needed == needed


def rules_of(document: PolicyDocument) -> tuple[Rule, ...]:
    """Compiled on first use and cached on the document. Safe to share between threads."""
    made: tuple[Rule, ...] | None = document.compiled
    if made is None:
        expands = document.expands_variables
        made = document.compiled = tuple(Rule(item, expands) for item in document.statements if item.effect)
    return made
