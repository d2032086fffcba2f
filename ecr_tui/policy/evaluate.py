"""May this principal do this action on this repository? The whole of IAM's evaluation logic, as far as ECR needs it.

Order and combination: IAM User Guide, "Determining whether a request is allowed or denied within an account" and
"Cross-account policy evaluation logic". An explicit Deny anywhere ends it. Within one account an Allow on either side
is enough; across accounts both sides must allow.

``decide`` is made for many calls: build :class:`Policies` once and reuse it; documents are compiled at first use.
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

    ``missing``: the sides that lack an Allow ("identity", "resource", "boundary", "session", "scp"); within one
    account either of "identity" and "resource" would do. ``denied_by``: where an explicit Deny sits, of the
    documents that could be read; of an unknown decision, where a Deny sits of which AWS's text leaves open whether it
    holds. ``reasons`` is worked out when it is asked for.
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
    """Never raises on a policy or a request, however odd: what cannot match does not match.

    Every key of the request is in its context; see ``policy.answer`` for a call that has not been made.
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
    """How each kind of policy takes hold of a request; what has no say allows."""

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
    """At the worst (no open statement allows, every one denies) and at the best."""
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
        # Reference, GetFederationToken, "Policy"). Before the call nobody knows whether there is one.
        for grips in (worst, best) if known.complete else (worst,):
            grips["session"] = ALLOW if (grips["resource"] | grips["registry"]) & Grip.EXACT else Grip.NONE
    return Grips(**worst), Grips(**best)


def _level(
    documents: Iterable[PolicyDocument], known: Known, action: str, resource: str, *, attached: bool
) -> tuple[int, int]:
    """(at the worst, at the best)"""
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
    """(response, missing, denied by) of how the policies took hold. ``readable``: the identity policies are known."""
    if grips.denied_by:
        return EXPLICIT, (), grips.denied_by
    response, missing = _allowed(caller, resource_account, readable, grips)
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
