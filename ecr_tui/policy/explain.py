"""Why a decision came out as it did: the statements that applied, those that nearly did, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from ecr_tui.policy.compiled import Caller, Grip, Rule, caller_of, compile_policy
from ecr_tui.policy.conditions import Clause
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.patterns import Context
from ecr_tui.policy.principal import describe
from ecr_tui.policy.request import UNKNOWN, Policies, Reason, Request

NAMES = {
    "identity": "identity policy",
    "resource": "repository policy",
    "registry": "registry policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "scp": "service control policy",
    "rcp": "resource control policy",
}

_AWS_WORDS = {
    "identity": "no identity-based policy allows the {action} action",
    "resource": "no resource-based policy allows the {action} action",
    "boundary": "no permissions boundary allows the {action} action",
    "session": "no session policy allows the {action} action",
    "scp": "no service control policy allows the {action} action",
}


def explain(response: str, missing: Sequence[str], request: Request, policies: Policies) -> tuple[Reason, ...]:
    """Denials first, then what lacks an Allow (each with its near misses), then what allowed."""
    caller = caller_of(request.principal)
    bounded = bool(policies.boundaries)
    denies: list[Reason] = []
    allows: list[Reason] = []
    nears: dict[str, list[Reason]] = {}
    for where, documents in _sources(policies, caller):
        for number, document in enumerate(documents):
            for rule in compile_policy(document).rules:
                reason = _of_rule(rule, where, number, request, caller, bounded)
                if reason is None:
                    continue
                if reason.kind == "deny":
                    denies.append(reason)
                elif reason.kind == "allow":
                    allows.append(reason)
                else:
                    nears.setdefault(where, []).append(reason)
    if denies:
        return tuple(denies)
    found: list[Reason] = []
    for side in missing:
        found.append(_missing(side, request, policies))
        found.extend(nears.get(side, ()))
        if side == "resource":
            found.extend(nears.get("registry", ()))
    if response == UNKNOWN and policies.identity is None:
        found.append(
            Reason("identity", "unreadable", f"the identity policies of {describe(request.principal)} cannot be read")
        )
    if caller.kind == "root":
        found.append(Reason("identity", "root", "an account's root user needs no identity policy"))
    return (*found, *allows)


def _sources(policies: Policies, caller: Caller) -> list[tuple[str, Sequence[PolicyDocument]]]:
    return [
        ("resource", () if policies.resource is None else (policies.resource,)),
        ("registry", () if policies.registry is None else (policies.registry,)),
        ("identity", () if caller.kind in ("root", "service") else policies.identity or ()),
        ("boundary", policies.boundaries),
        ("session", () if policies.session is None else (policies.session,)),
        ("scp", () if caller.kind == "service" else [item for level in policies.scps for item in level]),
        ("rcp", [item for level in policies.rcps for item in level]),
    ]


def _missing(side: str, request: Request, policies: Policies) -> Reason:
    text = _AWS_WORDS[side].format(action=request.action)
    if side == "resource" and policies.resource is None:
        text += " (the repository has no policy)"
    return Reason(side, "missing", text)


def _of_rule(rule: Rule, where: str, number: int, request: Request, caller: Caller, bounded: bool) -> Reason | None:
    """None for a statement about other actions, and for a Deny that does not apply."""
    context = request.keys
    attached = where in ("resource", "registry")
    if not rule.action_matches(request.action.lower()):
        return None
    element, key, why = "", "", ""
    grip = rule.principal_grip(caller, bounded) if attached else Grip.ANYONE
    if not grip:
        element, why = _principal_failure(rule, request.principal)
    elif not rule.resource_matches(request.resource, context, required=not attached):
        element = "NotResource" if rule.statement.not_resources else "Resource"
        why = f"its {element} does not cover {request.resource}"
    else:
        failed = _failed_clause(rule, context)
        if rule.clauses is None:
            element, why = "Condition", "its Condition is malformed and never matches"
        elif failed is not None:
            element, key = "Condition", failed.key
            why = clause_failure(failed, context)
    statement = rule.statement
    place = f"{statement.name} of the {NAMES[where]}"
    effect = "denies" if rule.deny else "allows"
    if not element:
        kind = "deny" if rule.deny else "allow"
        text = f"{place} {effect} it"
        if grip == Grip.ACCOUNT and not rule.deny and caller.kind != "root":
            text += f" for account {caller.account}, which lets its principals by its own policies"
        return Reason(where, kind, text, number, statement.name, statement.index)
    if rule.deny:
        return None
    return Reason(
        where, "near", f"{place} does not apply: {why}", number, statement.name, statement.index, element, key
    )


def _principal_failure(rule: Rule, principal: str) -> tuple[str, str]:
    if rule.statement.not_principals:
        return "NotPrincipal", f"its NotPrincipal excepts {describe(principal)}"
    named = [describe(value) for _, value in rule.statement.principals]
    if not named:
        return "Principal", "it names no principal"
    shown = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    return "Principal", f"it names {shown}, not {describe(principal)}"


def _failed_clause(rule: Rule, context: Context) -> Clause | None:
    return next((clause for clause in rule.clauses or () if not clause.test(context)), None)


def clause_failure(clause: Clause, context: Context) -> str:
    """A clause that does not hold, in words: what it wants, and what the request has."""
    value = context.get(clause.key.lower())
    wanted = " or ".join(f'"{item}"' for item in clause.values) or "(no value)"
    if value is None:
        had = "the request has no such key"
        if clause.key.lower().startswith(("aws:resourcetag/", "ecr:resourcetag/")):
            had = "the repository has no such tag"
    elif isinstance(value, str):
        had = f'it is "{value}"'
    else:
        had = "it is " + ", ".join(f'"{item}"' for item in value)
    return f"{clause.operator} {clause.key} {wanted}: {had}"
