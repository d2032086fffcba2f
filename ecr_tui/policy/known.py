"""Known facts of a call: complete for an actual request, partial for a hypothetical one.

Before a call some condition keys are certain (who calls, the repository's tags, the time), others are not (source
address, organization, MFA). Treating those as absent would be a guess. So each statement gets a :class:`Standing`: how
it certainly applies, and how it may apply. ``policy.answer`` derives three-valued answers from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from ecr_tui.policy import grantees
from ecr_tui.policy.compiled import Caller, Grip, Rule, caller_of, is_session_of
from ecr_tui.policy.conditions import Clause
from ecr_tui.policy.keys import is_resource_tag
from ecr_tui.policy.patterns import Context, witnesses
from ecr_tui.policy.request import Request

EVERYONE = "*"
"""The principal that represents anyone."""

_ABSENT = frozenset(
    {
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:calledvia",
        "aws:calledviafirst",
        "aws:calledvialast",
        "ecr:accountsetting",
    }
)
"""Keys that a direct call of a user or role never has; services set them."""

_ABSENT_OF_SERVICE = frozenset({"aws:principalarn", "aws:username", "aws:principalorgid", "aws:principalaccount"})

_OF_TAGGING = ("aws:requesttag/", "aws:tagkeys")
_TAGGING = frozenset({"ecr:tagresource", "ecr:untagresource", "ecr:createrepository"})
"""Only these actions have the keys of :data:`_OF_TAGGING`."""

BOUNDARY, NOT_PRINCIPAL, PRINCIPAL = "permissions boundary", "NotPrincipal", "principal"
"""Other values of ``depends_on`` besides condition keys: whether the caller has a boundary, how AWS evaluates
NotPrincipal, and which of the principals represented by the caller is calling."""


class Standing(NamedTuple):
    """How a statement applies to a call: ``must`` certainly, ``may`` at most (bits of ``compiled.Grip``).

    ``opens``: what the difference depends on. ``element`` and ``clause``: what certainly fails if ``may`` is empty; ""
    for a statement about other actions.
    """

    must: int
    may: int
    opens: tuple[str, ...] = ()
    element: str = ""
    clause: Clause | None = None


_ELSEWHERE = Standing(Grip.NONE, Grip.NONE)


@dataclass(frozen=True, eq=False)
class Known:
    """A call with its known facts.

    ``keys``: the condition keys with certain values. Other keys are certainly absent if they are in ``absent``, begin
    with one of ``absent_prefixes``, or ``complete`` is set. ``many``: the caller represents several, such as the
    principals of an account. ``bounded`` None: unknown whether the caller has a permissions boundary.
    """

    caller: Caller
    keys: Context
    complete: bool = False
    tags_known: bool = True
    many: bool = False
    bounded: bool | None = None
    absent: frozenset[str] = frozenset()
    absent_prefixes: tuple[str, ...] = ()

    @classmethod
    def all(cls, request: Request, bounded: bool = False) -> Known:
        """An actual call, whose context is complete."""
        return cls(calling(request), request.keys, complete=True, bounded=bounded)

    def certain(self, name: str, action: str = "") -> bool:
        """Whether the value or the absence of a condition key is certain. ``action`` in lower case."""
        lower = name.lower()
        if self.complete or lower in self.keys:
            return True
        if is_resource_tag(lower):
            return self.tags_known
        if lower.startswith(_OF_TAGGING):
            return action not in _TAGGING
        return lower in self.absent or lower.startswith(self.absent_prefixes)

    def standing(self, rule: Rule, action: str, resource: str, *, attached: bool) -> Standing:
        """``attached``: a resource-based policy, so principals are evaluated."""
        action = action.lower()
        if not rule.action_matches(action):
            return _ELSEWHERE
        must = may = Grip.ANYONE
        opens: dict[str, None] = {}
        if attached:
            must, may = rule.principal_bounds(self.caller, self.bounded, self.many)
            if self.complete:
                # AWS accepts only existing principals, and role names are unique: the name decides.
                must = rule.principal_grip(self.caller, bool(self.bounded))
                may = may if rule.deny else must
            if not may:
                return Standing(must, may, (), "NotPrincipal" if rule.statement.not_principals else "Principal")
            if not must:
                opens[self._of_principal(rule)] = None
        open_names = [name for name in rule.resource_names if not self.certain(name, action)]
        covers = not open_names and rule.resource_matches(resource, self.keys, not attached)
        if not covers:
            element = "NotResource" if rule.statement.not_resources else "Resource"
            must = Grip.NONE
            if not (rule.deny or open_names) or not rule.may_cover(
                resource, self.keys, lambda name: self.certain(name, action), not attached
            ):
                return Standing(Grip.NONE, Grip.NONE, (), element)
            opens |= dict.fromkeys(open_names or [element])
        if rule.clauses is None:
            if not rule.deny:
                return Standing(Grip.NONE, Grip.NONE, (), "Condition")
            return Standing(Grip.NONE, may, (*opens, "Condition"))
        for clause in rule.clauses:
            holds, may_hold = self.clause(clause, rule.deny, action)
            if not may_hold:
                return Standing(Grip.NONE, Grip.NONE, (), "Condition", clause)
            if not holds:
                must = Grip.NONE
                names = [name for name in clause.names if not self.certain(name, action)]
                opens |= dict.fromkeys(names or [clause.key])
        return Standing(must, may, tuple(opens))

    def _of_principal(self, rule: Rule) -> str:
        if rule.statement.not_principals:
            whole = rule.principal_bounds(self.caller, False, self.many)[1] == Grip.NONE
            return BOUNDARY if whole else NOT_PRINCIPAL
        if any(is_session_of(value, self.caller) for _, value in rule.statement.principals):
            return PRINCIPAL
        return "aws:PrincipalArn" if self.caller.kind in ("assumed-role", "role") else PRINCIPAL

    def clause(self, clause: Clause, deny: bool, action: str) -> tuple[bool, bool]:
        """Whether it certainly holds, and whether it may."""
        open_names = [name for name in clause.names if not self.certain(name, action)]
        # Without the key, its values and their variables make no difference.
        missing = clause.key.lower() not in self.keys and self.certain(clause.key, action)
        if not open_names or missing:
            holds = clause.test(self.keys)
            return holds, holds or (deny and clause.may(self.keys))
        if not clause.is_known:
            return False, deny
        only_arn = [name.lower() for name in open_names] == ["aws:principalarn"] == [clause.key.lower()]
        if only_arn and path_unknown(self.caller):
            found = [(clause.test(keys), clause.may(keys)) for keys in self._with_paths(clause)]
            return all(test for test, _ in found), any(test or (deny and may) for test, may in found)
        return False, True

    def _with_paths(self, clause: Clause) -> Iterator[Context]:
        """Variants of the keys, one for each role path that makes a difference in a session's aws:PrincipalArn."""
        caller = self.caller
        head, tail = f"arn:{caller.partition}:iam::{caller.account}:role/", f"/{caller.name}"
        arns = [head + caller.name]
        for value in clause.values:
            if "ignorecase" in clause.operator.lower():
                arns += witnesses(value.lower(), head.lower(), tail.lower())
            else:
                arns += witnesses(value, head, tail)
        return ({**self.keys, "aws:principalarn": arn} for arn in dict.fromkeys(arns))


def stands_for_many(caller: Caller) -> bool:
    """Whether it is an account or everyone. (A role's sessions are handled where principals are matched.)"""
    return caller.kind == "root" or caller.arn == EVERYONE


def path_unknown(caller: Caller) -> bool:
    """Whether the path is unknown: a session without its role's ARN, or an Identity Center role without its path."""
    if caller.role:
        return False
    left_out = caller.name.startswith("AWSReservedSSO_") and caller.arn.count("/") == 1
    return caller.kind == "assumed-role" or (caller.kind == "role" and left_out)


def calling(request: Request) -> Caller:
    """The caller; for a session with its role, if the request has it."""
    caller = caller_of(request.principal)
    if caller.kind != "assumed-role":
        return caller
    role = request.keys.get("aws:principalarn")
    return caller_of(request.principal, role) if isinstance(role, str) else caller


def before_call(
    principal: str,
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
    now: datetime,
    principal_arn: str = "",
    principal_tags: Mapping[str, str] | None = None,
    user_id: str = "",
    bounded: bool | None = None,
) -> Known:
    """The certain facts of a principal's hypothetical direct call on a repository.

    ``principal``: an ARN, a service, "*" or a text of ``grantees``; an account's id or root ARN represents the
    account's principals, a role its sessions. ``tags`` None: the repository's tags are unknown. ``principal_arn``: a
    session's role with its path. ``principal_tags`` and ``user_id``: for a user; a session may have tags of its own.
    """
    _, partition, _, region, account, _ = repository_arn.split(":", 5)
    principal, given = grantees.caller(principal) if grantees.is_conditional(principal) else (principal, {})
    if principal.isdigit() and len(principal) == 12:
        principal = f"arn:{partition}:iam::{principal}:root"
    caller = caller_of(principal, principal_arn)
    context: dict[str, Any] = context_for(principal, account, tags)
    context |= {
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": int(now.timestamp()),
        "aws:RequestedRegion": region,
    }
    absent, prefixes = set(_ABSENT), []
    if caller.kind == "service":
        absent = set(_ABSENT_OF_SERVICE)
        prefixes.append("aws:principaltag/")
    elif principal == EVERYONE:
        absent = set()
    else:
        context["aws:ViaAWSService"] = "false"
        if caller.kind not in ("user", "root"):
            absent.add("aws:username")
    if path_unknown(caller):
        context.pop("aws:PrincipalArn", None)
    elif caller.role:
        context["aws:PrincipalArn"] = caller.role
    if user_id and caller.kind == "user":
        context["aws:userid"] = user_id
    if principal_tags is not None and caller.kind == "user":
        context |= {f"aws:PrincipalTag/{key}": value for key, value in principal_tags.items()}
        prefixes.append("aws:principaltag/")
    if caller.kind == "root" or principal == EVERYONE:
        # Some principal of the account, or anyone: not the root user.
        unsaid = ("aws:PrincipalArn", "aws:PrincipalType", "aws:PrincipalIsAWSService")
        context = {key: value for key, value in context.items() if key not in unsaid}
    context |= given
    keys = Request("", repository_arn, account, principal, context).keys
    return Known(
        caller,
        keys,
        tags_known=tags is not None,
        many=stands_for_many(caller),
        bounded=False if caller.kind == "service" else bounded,
        absent=frozenset(absent),
        absent_prefixes=tuple(prefixes),
    )


def context_for(
    principal: str,
    resource_account: str,
    tags: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The keys that AWS always sets for a call on a repository: the caller, and the repository's tags.

    Not included, because only a live request has them: source addresses, organization, time, and a session's
    aws:PrincipalArn (its ARN has no path). Pass them in ``extra``.
    """
    caller = caller_of(principal)
    context: dict[str, Any] = {"aws:ResourceAccount": resource_account, "aws:SecureTransport": "true"}
    if caller.kind == "service":
        context["aws:PrincipalServiceName"] = principal
        context["aws:PrincipalIsAWSService"] = "true"
    else:
        if caller.kind != "assumed-role":
            context["aws:PrincipalArn"] = principal
        context["aws:PrincipalIsAWSService"] = "false"
        context["aws:PrincipalType"] = _TYPES.get(caller.kind, "Anonymous")
        if caller.account is not None:
            context["aws:PrincipalAccount"] = caller.account
        if caller.kind == "user":
            context["aws:username"] = caller.name
    for key, value in (tags or {}).items():
        context[f"aws:ResourceTag/{key}"] = value
        context[f"ecr:ResourceTag/{key}"] = value
    context.update(extra or {})
    return context


_TYPES = {
    "root": "Account",
    "user": "User",
    "federated-user": "FederatedUser",
    "assumed-role": "AssumedRole",
    "role": "AssumedRole",
}
