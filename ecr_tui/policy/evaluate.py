"""IAM's policy evaluation logic for one request to ECR.

Order and combination: IAM User Guide, "Determining whether a request is allowed or denied within an account" and
"Cross-account policy evaluation logic". An explicit Deny in any policy decides. Within one account an Allow on either
side is enough; across accounts both sides must allow.

``decide`` is fast for many calls: reuse one :class:`Policies`; documents are compiled on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ecr_tui.policy.compiled import ALLOW, DIRECT, Caller, Grip, Rule, rules_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.explain import explain
from ecr_tui.policy.known import Known, Standing, context_for
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
]


@dataclass(frozen=True)
class Decision:
    """``response``: "Allowed", "ImplicitlyDenied", "ExplicitlyDenied" or "Unknown".

    ``missing``: the sides that lack an Allow ("identity", "resource", "boundary", "session", "scp"); within one account
    either of "identity" and "resource" is enough. ``denied_by``: policies with an explicit Deny, among the readable
    ones; for an unknown decision, policies with a Deny that may apply (AWS's documentation is ambiguous). ``reasons``
    is computed on demand.
    """

    response: str
    missing: tuple[str, ...]
    denied_by: tuple[str, ...]
    explain: Callable[[Decision], tuple[Reason, ...]] = field(repr=False)

    @property
    def allowed(self) -> bool:
        return self.response == ALLOWED

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        return self.explain(self)


def decide(request: Request, policies: Policies) -> Decision:
    """Never raises, also for malformed policies and requests: these do not match.

    The context must be complete; for a hypothetical call, use ``policy.answer``.
    """
    action, resource, known = request.action, request.resource, Known.all(request, bool(policies.boundaries))
    worst, best = grips_of(policies, known, action, resource)
    response, missing, denied_by = settle(known.caller, request.resource_account, policies.identity is not None, best)
    if response == ALLOWED and worst.denied_by:
        response, denied_by = UNKNOWN, worst.denied_by
    return Decision(
        response,
        missing,
        denied_by,
        lambda made: explain(made.response, made.missing, action, resource, known, policies),
    )


class Grips(NamedTuple):
    """How each kind of policy applies to a request; kinds that do not apply count as allowing."""

    resource: int
    registry: int
    identity: int
    boundary: int
    session: int
    scp: int
    rcp: int

    @property
    def denied_by(self) -> tuple[str, ...]:
        return tuple(name for name, grip in self._asdict().items() if grip & Grip.DENY)


def grips_of(policies: Policies, known: Known, action: str, resource: str) -> tuple[Grips, Grips]:
    """The worst case (open statements never allow and always deny) and the best case."""
    worst: dict[str, int] = {}
    best: dict[str, int] = {}
    for name, levels in policies.sides(known.caller.kind).items():
        low = high = ALLOW
        for level in levels:
            must, may = _level(level, known, action, resource, attached=name in ("resource", "registry"))
            low = ((low | must) & Grip.DENY) | (low & must & ALLOW)
            high = ((high | may) & Grip.DENY) | (high & may & ALLOW)
        worst[name], best[name] = low, high
    if policies.session is None and known.caller.kind == "federated-user":
        # Without a session policy it gets nothing, unless a resource policy names the session itself (STS API
        # Reference, GetFederationToken, "Policy"). Before the call it is unknown whether there is one.
        for grips in (worst, best) if known.complete else (worst,):
            grips["session"] = ALLOW if (grips["resource"] | grips["registry"]) & Grip.EXACT else Grip.NONE
    return Grips(**worst), Grips(**best)


def _level(
    documents: Iterable[PolicyDocument], known: Known, action: str, resource: str, *, attached: bool
) -> tuple[int, int]:
    """(worst case, best case)"""
    worst = best = Grip.NONE
    for rule, standing in standings(documents, known, action, resource, attached=attached):
        worst |= (Grip.DENY if standing.may else Grip.NONE) if rule.deny else standing.must
        best |= (Grip.DENY if standing.must else Grip.NONE) if rule.deny else standing.may
    return worst, best


def standings(
    documents: Iterable[PolicyDocument], known: Known, action: str, resource: str, *, attached: bool
) -> Iterator[tuple[Rule, Standing]]:
    for document in documents:
        for rule in rules_of(document):
            yield rule, known.standing(rule, action, resource, attached=attached)


def settle(
    caller: Caller, resource_account: str, readable: bool, grips: Grips
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(response, missing, denied by). ``readable``: the identity policies are known."""
    if grips.denied_by:
        return EXPLICIT, (), grips.denied_by
    response, missing = _allowed(caller, resource_account, readable, grips)
    return response, tuple(missing), ()


def _allowed(caller: Caller, resource_account: str, readable: bool, grips: Grips) -> tuple[str, list[str]]:
    """The result of the Allows, if nothing denies."""
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
        # Unreadable policies matter only if everything else allows.
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


def _resource_alone(granted: int, caller: Caller, boundary_allows: bool, session_allows: bool) -> bool:
    """Whether the resource policy alone allows a call within the account, given boundary and session policy.

    A policy that names a user or a session itself is not limited by an implicit deny in the boundary; one that names
    the session is not limited by the session policy either (evaluation logic, "Resource-based policies").
    """
    if not granted & DIRECT:
        return False
    itself = caller.kind in ("user", "assumed-role", "federated-user")
    # A calling role represents its sessions, and a policy for everyone applies to them despite the boundary.
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
