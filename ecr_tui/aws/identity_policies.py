"""All identity policies of a user or role, or the reason why they are unreadable. Read-only IAM calls.

GetAccountAuthorizationDetails returns the whole account and few callers are allowed to use it, so each principal is
read separately: a few calls, and one per policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any
from urllib.parse import unquote

from ecr_tui.aws.model import IdentityPolicies, NamedPolicy
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.principal import describe

MAX_POLICIES = 300
"""Limits the calls; above IAM's quotas for one principal (10 groups, 20 attached policies each)."""

_WHOLE_ACCOUNT = "the principal is the whole account: its users and roles have separate policies"
_SESSION = "a session policy, if one was passed when the role was assumed, is not readable"


def identity_policies(session: AwsSession, principal: str, *, cancel: Event | None = None) -> IdentityPolicies:
    """Read with ``session``, which must belong to the principal's account: IAM calls use names, not ARNs.

    ``principal``: the ARN of a user, a role or a role's session; others have no readable policies. Failures are in
    ``unreadable``; raises only Cancelled.
    """
    caller = caller_of(principal)
    if caller.kind not in ("user", "role", "assumed-role"):
        return unknown(principal, not_a_holder(principal))
    try:
        reader = _Reader(session, cancel or Event())
        return reader.user(principal, caller.name) if caller.kind == "user" else reader.role(principal, caller.name)
    except Cancelled:
        raise
    except EcrTuiError as error:
        return unknown(principal, error.reason)


def exists(session: AwsSession, principal: str) -> bool | None:
    """Whether the user or role with this ARN exists; None if ``session`` cannot determine it, or it is neither."""
    caller = caller_of(principal)
    if caller.kind not in ("user", "role"):
        return None
    client: Any = session.client("iam")
    kind = caller.kind.capitalize()
    try:
        with session.calling(f"iam:Get{kind}"):
            try:
                found = getattr(client, f"get_{caller.kind}")(**{f"{kind}Name": caller.name})[kind]
            except client.exceptions.NoSuchEntityException:
                return False
    except Cancelled:
        raise
    except EcrTuiError:
        return None
    return bool(found["Arn"] == principal)


def unknown(principal: str, reason: str) -> IdentityPolicies:
    return IdentityPolicies(principal, principal, unreadable=reason)


def not_a_holder(principal: str) -> str:
    """Why the principal has no readable identity policies; "" for a user, role or session."""
    kind = caller_of(principal).kind
    if kind in ("user", "role", "assumed-role"):
        return ""
    if kind == "root":
        return _WHOLE_ACCOUNT
    return f"{describe(principal)} has no readable identity policies"


class _Reader:
    def __init__(self, session: AwsSession, cancel: Event) -> None:
        self._session = session
        self._cancel = cancel
        self._iam: Any = session.client("iam")
        self._read = 0

    def user(self, principal: str, name: str) -> IdentityPolicies:
        found = self._call("GetUser", UserName=name)["User"]
        policies = [*self._of("User", name, "")]
        for group in self._all("list_groups_for_user", "ListGroupsForUser", "Groups", UserName=name):
            policies += self._of("Group", group["GroupName"], f"group {group['GroupName']}, ")
        return self._result(principal, found, policies)

    def role(self, principal: str, name: str) -> IdentityPolicies:
        found = self._call("GetRole", RoleName=name)["Role"]
        notes = (_SESSION,) if caller_of(principal).kind == "assumed-role" else ()
        return self._result(principal, found, [*self._of("Role", name, "")], notes)

    def _result(
        self, principal: str, found: Mapping[str, Any], policies: list[NamedPolicy], notes: tuple[str, ...] = ()
    ) -> IdentityPolicies:
        limit = found.get("PermissionsBoundary") or {}
        arn = limit.get("PermissionsBoundaryArn", "")
        return IdentityPolicies(
            principal,
            found["Arn"],
            tuple(policies),
            self._managed(arn, arn.rpartition("/")[2], "permissions boundary") if arn else None,
            tuple((tag["Key"], tag["Value"]) for tag in found.get("Tags", ())),
            found.get("UserId", "") or found.get("RoleId", ""),
            notes=notes,
        )

    def _of(self, kind: str, name: str, prefix: str) -> Iterator[NamedPolicy]:
        """Inline and attached policies of a "User", "Role" or "Group"."""
        lower, owner = kind.lower(), {f"{kind}Name": name}
        for policy in self._all(f"list_{lower}_policies", f"List{kind}Policies", "PolicyNames", **owner):
            answer = self._call(f"Get{kind}Policy", PolicyName=policy, **owner)
            yield self._named(policy, f"{prefix}inline", answer["PolicyDocument"])
        attached = self._all(
            f"list_attached_{lower}_policies", f"ListAttached{kind}Policies", "AttachedPolicies", **owner
        )
        for item in attached:
            yield self._managed(item["PolicyArn"], item["PolicyName"], f"{prefix}attached")

    def _managed(self, arn: str, name: str, origin: str) -> NamedPolicy:
        version = self._call("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        answer = self._call("GetPolicyVersion", PolicyArn=arn, VersionId=version)
        return self._named(name, origin, answer["PolicyVersion"]["Document"], arn)

    def _named(self, name: str, origin: str, document: object, arn: str = "") -> NamedPolicy:
        """``document`` as returned by botocore: decoded, or the quoted text if it is not JSON."""
        self._read += 1
        if self._read > MAX_POLICIES:
            raise EcrTuiError(f"more than {MAX_POLICIES} policies")
        try:
            parsed = (
                PolicyDocument.parse(unquote(document))
                if isinstance(document, str)
                else PolicyDocument.from_json(document)
            )
        except PolicyError as error:
            raise EcrTuiError(f"the policy {name} ({origin}) is not valid", detail=error.title) from error
        return NamedPolicy(name, origin, parsed, arn)

    def _call(self, operation: str, **params: str) -> Any:
        if self._cancel.is_set():
            raise Cancelled
        method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]
        with self._session.calling(f"iam:{operation}"):
            return getattr(self._iam, method)(**params)

    def _all(self, paginator: str, operation: str, key: str, **params: str) -> list[Any]:
        found: list[Any] = []
        with self._session.calling(f"iam:{operation}"):
            for page in self._iam.get_paginator(paginator).paginate(**params):
                found += page[key]
                if self._cancel.is_set():
                    raise Cancelled
                if len(found) > MAX_POLICIES:
                    raise EcrTuiError(f"iam:{operation} returned more than {MAX_POLICIES} items")
        return found
