"""May this principal do this action on this repository? The whole of IAM's evaluation logic, as far as ECR needs it.

Order and combination: IAM User Guide, "Determining whether a request is allowed or denied within an account" and
"Cross-account policy evaluation logic". An explicit Deny anywhere ends it. Within one account an Allow on either side
is enough; across accounts both sides must allow.

``decide`` is made for many calls: build :class:`Policies` once and reuse it; documents are compiled at first use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ecr_tui.policy.compiled import ALLOW, DIRECT, Caller, Grip, compile_policy
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.explain import explain
from ecr_tui.policy.known import Known, calling, context_for
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
    "principal_arn",
]


class Decision:
    """``response``: "Allowed", "ImplicitlyDenied", "ExplicitlyDenied" or "Unknown".

    ``missing``: the sides that lack an Allow ("identity", "resource", "boundary", "session", "scp"); within one
    account either of "identity" and "resource" would do. ``denied_by``: where an explicit Deny sits, of the
    documents that could be read; of an unknown decision, where a Deny sits of which AWS's text leaves open whether it
    holds. ``reasons`` is worked out when it is asked for.
    """

    __slots__ = ("_explain", "_reasons", "denied_by", "missing", "response")

    def __init__(
        self,
        response: str,
        missing: tuple[str, ...],
        denied_by: tuple[str, ...],
        explain: Callable[[Decision], tuple[Reason, ...]],
    ) -> None:
        self.response = response
        self.missing = missing
        self.denied_by = denied_by
        self._explain = explain
        self._reasons: tuple[Reason, ...] | None = None

    @property
    def allowed(self) -> bool:
        return self.response == ALLOWED

    @property
    def reasons(self) -> tuple[Reason, ...]:
        if self._reasons is None:
            self._reasons = self._explain(self)
        return self._reasons

    def __repr__(self) -> str:
        return f"Decision({self.response!r}, missing={self.missing!r}, denied_by={self.denied_by!r})"


def decide(request: Request, policies: Policies) -> Decision:
    """Never raises on a policy or a request, however odd: what cannot match does not match.

    Every key of the request is in its context; see ``policy.answer`` for a call that has not been made.
    """
    action, resource, context = request.action, request.resource, request.keys
    caller = calling(request)
    bounded = bool(policies.boundaries)
    grips = Grips()
    if policies.resource is not None:
        grips.resource = compile_policy(policies.resource).as_resource_policy(
            caller, bounded, action, resource, context
        )
    if policies.registry is not None:
        grips.registry = compile_policy(policies.registry).as_resource_policy(
            caller, bounded, action, resource, context
        )
    if policies.identity and caller.kind != "service":
        grips.identity = _union(policies.identity, action, resource, context)
    if bounded:
        grips.boundary = _union(policies.boundaries, action, resource, context)
    if policies.session is not None:
        grips.session = _union((policies.session,), action, resource, context)
    elif caller.kind == "federated-user":
        grips.session = session_of_federated_user(grips)
    if policies.scps and caller.kind != "service":
        grips.scp = _levels(policies.scps, action, resource, context)
    if policies.rcps:
        grips.rcp = _levels(policies.rcps, action, resource, context)
    response, missing, denied_by = settle(caller, request.resource_account, policies.identity is not None, grips)

    def reasons(made: Decision) -> tuple[Reason, ...]:
        return explain(made.response, made.missing, action, resource, Known.all(request, bounded), policies)

    return Decision(response, missing, denied_by, reasons)


class Grips:
    """How each kind of policy took hold of a request; what has no say allows."""

    __slots__ = ("boundary", "identity", "rcp", "registry", "resource", "scp", "session")

    def __init__(self) -> None:
        self.resource = self.registry = self.identity = 0
        self.boundary = self.session = self.scp = self.rcp = ALLOW

    def places(self, bit: int) -> tuple[str, ...]:
        names = ("resource", "registry", "identity", "boundary", "session", "scp", "rcp")
        return tuple(name for name in names if getattr(self, name) & bit)


def session_of_federated_user(grips: Grips) -> int:
    """Without a session policy: nothing, unless a resource policy names the session itself (STS API Reference,
    GetFederationToken, "Policy")."""
    return ALLOW if (grips.resource | grips.registry) & Grip.EXACT else Grip.NONE


def settle(
    caller: Caller, resource_account: str, readable: bool, grips: Grips
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(response, missing, denied by) of how the policies took hold. ``readable``: the identity policies are known."""
    every = grips.resource | grips.registry | grips.identity | grips.boundary | grips.session | grips.scp | grips.rcp
    if every & Grip.DENY:
        return EXPLICIT, (), grips.places(Grip.DENY)
    response, missing = _allowed(caller, resource_account, readable, grips)
    if response == ALLOWED and every & Grip.MAY_DENY:
        return UNKNOWN, (), grips.places(Grip.MAY_DENY)
    return response, tuple(missing), ()


def _allowed(caller: Caller, resource_account: str, readable: bool, grips: Grips) -> tuple[str, list[str]]:
    """What the Allows come to, where nothing denies."""
    granted = grips.resource | grips.registry
    if caller.kind == "service":
        return (ALLOWED, []) if granted & DIRECT else (IMPLICIT, ["resource"])
    # The root user needs no identity policy, and neither boundary nor session policy narrows it.
    root = caller.kind == "root"
    readable = root or readable
    identity_allows = root or bool(grips.identity & ALLOW)
    boundary_allows = root or bool(grips.boundary & ALLOW)
    session_allows = root or bool(grips.session & ALLOW)
    theirs_counts = bool(grips.scp & ALLOW)
    own = identity_allows and boundary_allows and session_allows

    if caller.account is None or caller.account != resource_account:
        if own and theirs_counts and granted & ALLOW:
            return ALLOWED, []
        missing = [] if theirs_counts else ["scp"]
        missing += _lacking(identity_allows or not readable, boundary_allows, session_allows)
        if not granted & ALLOW:
            missing.append("resource")
        # What cannot be read matters only where everything else allows.
        return (IMPLICIT, missing) if missing else (UNKNOWN, [])

    alone = _resource_alone(granted, caller, boundary_allows, session_allows)
    if theirs_counts and readable and (own or alone):
        return ALLOWED, []
    missing = [] if theirs_counts else ["scp"]
    if not own and not alone:
        missing += _lacking(identity_allows or not readable, boundary_allows, session_allows)
        if not granted & DIRECT:
            missing.append("resource")
    hopeless = not theirs_counts or (not alone and not (boundary_allows and session_allows))
    return (IMPLICIT if readable or hopeless else UNKNOWN), missing


def principal_arn(caller: Caller) -> str:
    """Whom a grant to a caller names: a session's role, without the path, which a session's ARN does not tell."""
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


def _union(documents: Sequence[PolicyDocument], action: str, resource: str, context: Context) -> int:
    grip = 0
    for document in documents:
        grip |= compile_policy(document).as_identity_policy(action, resource, context)
    return grip


def _levels(levels: Sequence[Sequence[PolicyDocument]], action: str, resource: str, context: Context) -> int:
    """Every level must allow; a Deny at any level is a Deny."""
    grips = [_union(level, action, resource, context) for level in levels]
    denied = 0
    for grip in grips:
        denied |= grip & (Grip.DENY | Grip.MAY_DENY)
    return denied | (ALLOW if all(grip & ALLOW for grip in grips) else 0)
