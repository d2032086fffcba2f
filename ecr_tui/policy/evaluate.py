"""May this principal do this action on this repository? The whole of IAM's evaluation logic, as far as ECR needs it.

Order and combination: IAM User Guide, "Determining whether a request is allowed or denied within an account" and
"Cross-account policy evaluation logic". An explicit Deny anywhere ends it. Within one account an Allow on either side
is enough; across accounts both sides must allow.

``decide`` is made for many calls: build :class:`Policies` once and reuse it; documents are compiled at first use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecr_tui.policy.compiled import ALLOW, DIRECT, Caller, Grip, caller_of, compile_policy
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.explain import explain
from ecr_tui.policy.patterns import Context
from ecr_tui.policy.request import ALLOWED, EXPLICIT, IMPLICIT, UNKNOWN, Policies, Reason, Request

__all__ = [
    "ALLOWED",
    "EXPLICIT",
    "IMPLICIT",
    "UNKNOWN",
    "Decision",
    "Policies",
    "Reason",
    "Request",
    "context_for",
    "decide",
    "resource_allows",
]


class Decision:
    """``response``: "Allowed", "ImplicitlyDenied", "ExplicitlyDenied" or "Unknown".

    ``missing``: the sides that lack an Allow ("identity", "resource", "boundary", "session", "scp"); within one
    account either of "identity" and "resource" would do. ``denied_by``: where an explicit Deny sits, of the
    documents that could be read. ``reasons`` is worked out when it is asked for.
    """

    __slots__ = ("_policies", "_reasons", "_request", "denied_by", "missing", "response")

    def __init__(
        self,
        response: str,
        request: Request,
        policies: Policies,
        missing: tuple[str, ...] = (),
        denied_by: tuple[str, ...] = (),
    ) -> None:
        self.response = response
        self.missing = missing
        self.denied_by = denied_by
        self._request = request
        self._policies = policies
        self._reasons: tuple[Reason, ...] | None = None

    @property
    def allowed(self) -> bool:
        return self.response == ALLOWED

    @property
    def reasons(self) -> tuple[Reason, ...]:
        if self._reasons is None:
            self._reasons = explain(self.response, self.missing, self._request, self._policies)
        return self._reasons

    def __repr__(self) -> str:
        return f"Decision({self.response!r}, missing={self.missing!r}, denied_by={self.denied_by!r})"


def decide(request: Request, policies: Policies) -> Decision:
    """Never raises on a policy or a request, however odd: what cannot match does not match."""
    caller = caller_of(request.principal)
    kind = caller.kind
    action = request.action
    resource = request.resource
    context = request.keys
    bounded = bool(policies.boundaries)

    on_resource = on_registry = on_identity = 0
    on_boundary = on_session = on_scps = on_rcps = ALLOW
    if policies.resource is not None:
        on_resource = compile_policy(policies.resource).as_resource_policy(caller, bounded, action, resource, context)
    if policies.registry is not None:
        on_registry = compile_policy(policies.registry).as_resource_policy(caller, bounded, action, resource, context)
    if policies.identity and kind != "service":
        on_identity = _union(policies.identity, action, resource, context)
    if bounded:
        on_boundary = _union(policies.boundaries, action, resource, context)
    if policies.session is not None:
        on_session = _union((policies.session,), action, resource, context)
    if policies.scps and kind != "service":
        on_scps = _levels(policies.scps, action, resource, context)
    if policies.rcps:
        on_rcps = _levels(policies.rcps, action, resource, context)

    if (on_resource | on_registry | on_identity | on_boundary | on_session | on_scps | on_rcps) & Grip.DENY:
        found = (
            ("resource", on_resource),
            ("registry", on_registry),
            ("identity", on_identity),
            ("boundary", on_boundary),
            ("session", on_session),
            ("scp", on_scps),
            ("rcp", on_rcps),
        )
        return Decision(EXPLICIT, request, policies, (), tuple(name for name, grip in found if grip & Grip.DENY))

    granted = on_resource | on_registry
    if kind == "service":
        return Decision(ALLOWED, request, policies) if granted & DIRECT else _denied(request, policies, ["resource"])
    # The root user needs no identity policy, and neither boundary nor session policy narrows it.
    root = kind == "root"
    readable = root or policies.identity is not None
    identity_allows = root or bool(on_identity & ALLOW)
    boundary_allows = root or bool(on_boundary & ALLOW)
    session_allows = root or bool(on_session & ALLOW)
    theirs_counts = bool(on_scps & ALLOW)
    own = identity_allows and boundary_allows and session_allows

    if caller.account is None or caller.account != request.resource_account:
        if own and theirs_counts and granted & ALLOW:
            return Decision(ALLOWED, request, policies)
        missing = [] if theirs_counts else ["scp"]
        missing += _lacking(identity_allows or not readable, boundary_allows, session_allows)
        if not granted & ALLOW:
            missing.append("resource")
        # What cannot be read matters only where everything else allows.
        return _denied(request, policies, missing) if missing else Decision(UNKNOWN, request, policies)

    alone = _resource_alone(granted, caller, boundary_allows, session_allows)
    if theirs_counts and readable and (own or alone):
        return Decision(ALLOWED, request, policies)
    missing = [] if theirs_counts else ["scp"]
    if not own and not alone:
        missing += _lacking(identity_allows or not readable, boundary_allows, session_allows)
        if not granted & DIRECT:
            missing.append("resource")
    hopeless = not theirs_counts or (not alone and not (boundary_allows and session_allows))
    if readable or hopeless:
        return _denied(request, policies, missing)
    return Decision(UNKNOWN, request, policies, tuple(missing))


def resource_allows(document: PolicyDocument | None, request: Request) -> bool:
    """A's half alone: whether the repository policy lets the caller (or the caller's account) in, and denies not."""
    if document is None:
        return False
    grip = compile_policy(document).as_resource_policy(
        caller_of(request.principal), False, request.action, request.resource, request.keys
    )
    return bool(grip & ALLOW) and not grip & Grip.DENY


def context_for(
    principal: str,
    resource_account: str,
    tags: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The keys that AWS always fills in for a call on a repository: who calls, and the repository's own tags.

    Not included, because only the live request knows them: source addresses, organisation, time. Give them in
    ``extra``.
    """
    caller = caller_of(principal)
    context: dict[str, Any] = {"aws:ResourceAccount": resource_account, "aws:SecureTransport": "true"}
    if caller.kind == "service":
        context["aws:PrincipalServiceName"] = principal
        context["aws:PrincipalIsAWSService"] = "true"
    else:
        context["aws:PrincipalArn"] = principal_arn(caller)
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


def principal_arn(caller: Caller) -> str:
    """aws:PrincipalArn: a role's ARN for its sessions (without the path, which a session's ARN does not tell)."""
    if caller.kind == "assumed-role":
        return f"arn:{caller.partition}:iam::{caller.account}:role/{caller.name}"
    return caller.arn


def _resource_alone(granted: int, caller: Caller, boundary_allows: bool, session_allows: bool) -> bool:
    """Within the account: does the resource policy suffice, given what the boundary and session policy leave?

    A policy that names a user or a session itself is not limited by an implicit deny in the boundary; one that names
    the session is not limited by the session policy either (evaluation logic, "Resource-based policies").
    """
    if not granted & DIRECT:
        return False
    itself = caller.kind in ("user", "assumed-role", "federated-user")
    # A role that calls stands for its sessions, which a policy for everybody reaches past the boundary.
    reaches = Grip.EXACT | Grip.ANYONE | Grip.OTHERS if itself else Grip.ANYONE
    past_boundary = boundary_allows or (caller.kind != "other" and bool(granted & reaches))
    past_session = session_allows or (itself and bool(granted & Grip.EXACT))
    return past_boundary and past_session


def _lacking(identity: bool, boundary: bool, session: bool) -> list[str]:
    missing = []
    if not identity:
        missing.append("identity")
    if not boundary:
        missing.append("boundary")
    if not session:
        missing.append("session")
    return missing


def _denied(request: Request, policies: Policies, missing: list[str]) -> Decision:
    return Decision(IMPLICIT, request, policies, tuple(missing))


def _union(documents: Sequence[PolicyDocument], action: str, resource: str, context: Context) -> int:
    grip = 0
    for document in documents:
        grip |= compile_policy(document).as_identity_policy(action, resource, context)
    return grip


def _levels(levels: Sequence[Sequence[PolicyDocument]], action: str, resource: str, context: Context) -> int:
    """Every level must allow; a Deny at any level is a Deny."""
    grips = [_union(level, action, resource, context) for level in levels]
    denied = Grip.DENY if any(grip & Grip.DENY for grip in grips) else 0
    return denied | (ALLOW if all(grip & ALLOW for grip in grips) else 0)
