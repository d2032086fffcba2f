"""The reasons of a decision: statements that applied, near misses, and missing Allows."""

from __future__ import annotations

from collections.abc import Sequence

from ecr_tui.policy.compiled import Grip, Rule, rules_of
from ecr_tui.policy.conditions import Clause
from ecr_tui.policy.known import Known, Standing
from ecr_tui.policy.patterns import Context
from ecr_tui.policy.principal import describe
from ecr_tui.policy.request import UNKNOWN, Policies, Reason

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


def explain(
    response: str, missing: Sequence[str], action: str, resource: str, known: Known, policies: Policies
) -> tuple[Reason, ...]:
    """Denials first, then missing Allows (each with its near misses), then Allows.

    Omits statements that may apply, except Denys that make the decision unknown.
    """
    caller = known.caller
    denies: list[Reason] = []
    may_deny: list[Reason] = []
    allows: list[Reason] = []
    nears: dict[str, list[Reason]] = {}
    kinds = {"deny": denies, "may-deny": may_deny, "allow": allows}
    for where, levels in policies.sides(caller.kind).items():
        for number, document in enumerate(document for level in levels for document in level):
            for rule in rules_of(document):
                reason = _of_rule(rule, where, number, action, resource, known)
                if reason is not None:
                    kinds.get(reason.kind, nears.setdefault(where, [])).append(reason)
    if denies:
        return tuple(denies)
    found: list[Reason] = may_deny if response == UNKNOWN else []
    for side in missing:
        found.append(_missing(side, action, policies))
        found.extend(nears.get(side, ()))
        if side == "resource":
            found.extend(nears.get("registry", ()))
    if response == UNKNOWN and policies.identity is None:
        found.append(
            Reason("identity", "unreadable", f"the identity policies of {describe(caller.arn)} are not readable")
        )
    if caller.kind == "root":
        found.append(Reason("identity", "root", "an account's root user needs no identity policy"))
    return (*found, *allows)


def _missing(side: str, action: str, policies: Policies) -> Reason:
    text = _AWS_WORDS[side].format(action=action)
    if side == "resource" and policies.resource is None:
        text += " (the repository has no policy)"
    return Reason(side, "missing", text)


def _of_rule(rule: Rule, where: str, number: int, action: str, resource: str, known: Known) -> Reason | None:
    """None for a statement about other actions, a Deny that does not apply, and an Allow that may apply."""
    standing = known.standing(rule, action, resource, attached=where in ("resource", "registry"))
    statement, caller = rule.statement, known.caller
    place = f"{statement.name} of the {NAMES[where]}"
    if standing.must:
        text = f"{place} {'denies' if rule.deny else 'allows'} it"
        if standing.must == Grip.ACCOUNT and not rule.deny and caller.kind != "root":
            text += f" for account {caller.account}, whose own policies decide for its principals"
        return Reason(where, "deny" if rule.deny else "allow", text, number, statement.name, statement.index)
    if standing.may:
        if not rule.deny:
            return None
        what = ", ".join(standing.opens)
        open_text = f"AWS does not document the effect of its {what}"
        text = f"{place} may deny it: {open_text if known.complete else f'it depends on {what}'}"
        return Reason(where, "may-deny", text, number, statement.name, statement.index)
    if rule.deny or not standing.element:
        return None
    why, key = _failure(rule, standing, resource, known)
    text = f"{place} does not apply: {why}"
    return Reason(where, "near", text, number, statement.name, statement.index, standing.element, key)


def _failure(rule: Rule, standing: Standing, resource: str, known: Known) -> tuple[str, str]:
    """(why, the condition key)"""
    if standing.clause is not None:
        return clause_failure(standing.clause, known.keys), standing.clause.key
    if standing.element == "Condition":
        return "its Condition is malformed and never matches", ""
    if "Principal" in standing.element:
        return _principal_failure(rule, known.caller.arn), ""
    return f"its {standing.element} does not cover {resource}", ""


def _principal_failure(rule: Rule, principal: str) -> str:
    if rule.statement.not_principals:
        return f"its NotPrincipal excludes {describe(principal)}"
    named = [describe(value) for _, value in rule.statement.principals]
    if not named:
        return "it names no principal"
    shown = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    return f"it names {shown}, not {describe(principal)}"


def clause_failure(clause: Clause, context: Context) -> str:
    """Describe a clause that does not hold: the required and the actual value."""
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
