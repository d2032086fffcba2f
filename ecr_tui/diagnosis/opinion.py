"""Compare AWS's evaluation of a denial with ecr-tui's diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ecr_tui.diagnosis.denial import IDENTITY_BASED, RESOURCE_BASED, Denial
from ecr_tui.diagnosis.failure import EITHER_POLICY, IDENTITY_POLICY, REGISTRY_POLICY, REPOSITORY_POLICY
from ecr_tui.diagnosis.troubleshooter import (
    ALLOW,
    EXPLICIT,
    IMPLICIT,
    Check,
    Details,
    EvaluatedPolicy,
    Evaluation,
    Matched,
)

CHECKS = {
    "RESOURCE_CONTROL_POLICY": "resource control policies",
    "SERVICE_CONTROL_POLICY": "service control policies",
    "VPC_ENDPOINT": "VPC endpoint policy",
    "RESOURCE": "resource's policies",
    "PRINCIPAL": "principal's policies",
    "PERMISSIONS_BOUNDARY": "permissions boundary",
    "SESSION": "session policies",
}
_EFFECTS = {ALLOW: "allowed", "NO_IMPACT": "no impact", IMPLICIT: "implicit deny", EXPLICIT: "explicit deny"}
_BY_POLICY = {
    RESOURCE_BASED: "RESOURCE",
    "RESOURCE_BASED_POLICY": "RESOURCE",
    IDENTITY_BASED: "PRINCIPAL",
    "IDENTITY_BASED_POLICY": "PRINCIPAL",
    "permissions boundary": "PERMISSIONS_BOUNDARY",
    "PERMISSIONS_BOUNDARY": "PERMISSIONS_BOUNDARY",
    "session policy": "SESSION",
    "SESSION_POLICY": "SESSION",
    "service control policy": "SERVICE_CONTROL_POLICY",
    "SERVICE_CONTROL_POLICY": "SERVICE_CONTROL_POLICY",
    "resource control policy": "RESOURCE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY": "RESOURCE_CONTROL_POLICY",
    "VPC endpoint policy": "VPC_ENDPOINT",
    "VPC_ENDPOINT_POLICY": "VPC_ENDPOINT",
}
"""The check that a policy belongs to, by its type in the words of a denial and of the API."""
_BY_SIDE = {
    EITHER_POLICY: ("RESOURCE", "PRINCIPAL"),
    IDENTITY_POLICY: ("PRINCIPAL",),
    REPOSITORY_POLICY: ("RESOURCE",),
    REGISTRY_POLICY: ("RESOURCE",),
}
_MOVING = frozenset({"aws:currenttime", "aws:epochtime", "aws:tokenissuetime"})
"""Keys that differ from one request to the next."""
_SHOWN = 8
"""Maximum evaluations in text output; JSON has all."""

Keys = Mapping[str, str | tuple[str, ...]]
"""Condition keys in lower case, as in ``policy.known``."""


@dataclass(frozen=True)
class Opinion:
    """AWS's evaluation of a denial. ``reason``: why it is missing, as one line; ``details`` is then None.

    ``ours``: condition keys as assumed by ecr-tui's diagnosis. ``agrees`` None: nothing to compare; ``remarks`` says
    why.
    """

    reason: str = ""
    details: Details | None = None
    agrees: bool | None = None
    disagreements: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    ours: Keys = field(default_factory=dict)

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """(label, text) in display order; a text may have several lines."""
        if self.details is None:
            return (("AWS", self.reason),)
        verdict = f"Disagrees. {' '.join(self.disagreements)}" if self.disagreements else ""
        verdict = verdict or ("Agrees." if self.agrees else "Nothing to compare.")
        found = [("AWS", _flat(" ".join((verdict, *self.remarks)))), ("checks", _checks_text(self.details))]
        context = self.context
        if context:
            found.append(("context", "\n".join(_context_line(*one) for one in context)))
        return tuple(found)

    @property
    def context(self) -> list[tuple[str, str, str]]:
        """(key, AWS's value, our value if different) by name, for the request and the denied evaluations."""
        if self.details is None:
            return []
        merged = dict(self.details.context)
        for one in self.details.evaluations:
            if one.effect != ALLOW:
                merged |= one.context
        return [(key, value, _other(key, value, self.ours)) for key, value in sorted(merged.items())]

    def to_json(self) -> dict[str, Any]:
        details = self.details
        return {
            "reason": self.reason or None,
            "agrees": self.agrees,
            "disagreements": list(self.disagreements),
            "remarks": list(self.remarks),
            "evaluations": [_evaluation_json(one) for one in details.evaluations] if details else [],
            "context": [{"key": key, "aws": aws, "ecr_tui": ours or None} for key, aws, ours in self.context],
            "policies": [
                {
                    "uri": one.uri,
                    "type": one.type or None,
                    "inline": one.inline,
                    "attached_to": list(one.attached_to),
                }
                for one in (details.policies if details else ())
            ],
        }


def opinion(details: Details, denial: Denial, side: str, ours: Keys) -> Opinion:
    """Compare AWS's details with the diagnosis of a denial. ``side``: the side in the diagnosis; ``ours``: see
    :class:`Opinion`."""
    found = Opinion(details=details, ours=ours)
    agrees, disagreements, remarks = _compared(details, denial, side)
    disagreements += [f"{key} was {aws}; ecr-tui assumed {own}." for key, aws, own in found.context if own]
    return replace(
        found, agrees=not disagreements and agrees, disagreements=tuple(disagreements), remarks=tuple(remarks)
    )


def _compared(details: Details, denial: Denial, side: str) -> tuple[bool | None, list[str], list[str]]:
    """(agrees, disagreements, remarks), each text a sentence; ``agrees`` None: nothing to compare."""
    about = [one for one in details.evaluations if one.action.lower() == denial.action.lower()]
    if not about:
        others = ", ".join(dict.fromkeys(one.action for one in details.evaluations if one.action))
        if not others:
            return None, [], ["AWS returned no evaluation."]
        return False, [f"AWS evaluated {others}, not {denial.action}."], []
    refused = [one for one in about if one.effect != ALLOW]
    if not refused:
        return False, [f"AWS evaluated {denial.action} as allowed."], []
    found = []
    effects = {one.effect for one in refused} & {EXPLICIT, IMPLICIT}
    if denial.policy_type and effects and (EXPLICIT in effects) != denial.explicit:
        told = "an explicit deny" if denial.explicit else "a missing Allow"
        found.append(f"The error reports {told}; AWS's evaluation resulted in {_words(effects, _EFFECTS)}.")
    blamed = _blamed(denial, side)
    if not blamed:
        return None, found, ["The diagnosis names no policy."]
    checks = [check for one in refused for check in _checks(one, details)]
    if not checks:
        return None, found, ["AWS returned no checks."]
    denying = {one.type for one in checks if one.effect == EXPLICIT}
    denying = denying or {one.type for one in checks if one.effect == IMPLICIT}
    named = f"The diagnosis names the {_words(blamed, CHECKS, ' or ')}"
    if denying & blamed:
        more = denying - blamed
        return True, found, [f"Also denied by: {_words(more, CHECKS)}."] if more else []
    if denying:
        return False, [*found, f"{named}; AWS's checks deny in the {_words(denying, CHECKS)}."], []
    if blamed & {one.type for one in checks}:
        return False, [*found, f"{named}; AWS's checks allow it there."], []
    # Callers do not see another organization's policies.
    return None, found, [f"AWS shows no check that denies, and none of the {_words(blamed, CHECKS, ' or ')}."]


def _checks(one: Evaluation, details: Details) -> Sequence[Check]:
    """Checks derived from matching Denys, for a response without checks (read by an older botocore)."""
    if one.checks is not None:
        return one.checks
    types = {policy.uri: policy.type for policy in details.policies}
    denying = [types.get(m.uri, "") for m in one.matched if any(effect == "DENY" for _, effect in m.statements)]
    return [Check(_BY_POLICY[name], EXPLICIT) for name in denying if name in _BY_POLICY]


def _blamed(denial: Denial, side: str) -> set[str]:
    if denial.policy_type:
        # A policy without a check type, such as a role's trust policy, counts as the resource's.
        return {_BY_POLICY.get(denial.policy_type, "RESOURCE")}
    return set(_BY_SIDE.get(side, ()))


def _words(names: Iterable[str], words: Mapping[str, str], joint: str = " and ") -> str:
    order = list(words)
    known = sorted(names, key=lambda name: order.index(name) if name in words else len(order))
    return joint.join(_word(name, words) for name in known)


def _word(name: str, words: Mapping[str, str]) -> str:
    return words.get(name) or name.replace("_", " ").lower() or "untold"


def _other(key: str, value: str, ours: Keys) -> str:
    """Our value of a key if different; "" if equal or unknown."""
    own = ours.get(key.lower())
    if own is None or key.lower() in _MOVING:
        return ""
    texts = [own] if isinstance(own, str) else list(own)
    return "" if sorted(texts) == sorted(_listed(value)) else ", ".join(texts)


def _listed(value: str) -> list[str]:
    """The examples of the API have lists as "[a, b]"; documents have them as JSON."""
    if not (value.startswith("[") and value.endswith("]")):
        return [value]
    return [part.strip().strip('"') for part in value[1:-1].split(",")]


def _checks_text(details: Details) -> str:
    policies = {one.uri: one for one in details.policies}
    ordered = sorted(details.evaluations, key=lambda one: one.effect == ALLOW)
    lines = []
    for one in ordered[:_SHOWN]:
        lines.append(f"{one.action} on {one.resource or '*'}: {_word(one.effect, _EFFECTS)}")
        for check in one.checks or ():
            at = f" of {check.target}" if check.target else ""
            named = "; ".join(_policy_words(matched, policies) for matched in check.matched)
            lines.append(
                f"  {_word(check.effect, _EFFECTS)}: {_word(check.type, CHECKS)}{at}{f' ({named})' if named else ''}"
            )
        if one.checks is None:
            lines += [f"  matched: {_policy_words(matched, policies)}" for matched in one.matched]
    if len(ordered) > _SHOWN:
        lines.append(f"and {len(ordered) - _SHOWN} more")
    return "\n".join(map(_flat, lines)) or "no evaluation"


def _policy_words(matched: Matched, policies: Mapping[str, EvaluatedPolicy]) -> str:
    known = policies.get(matched.uri)
    named = "inline policy" if known is not None and known.inline else matched.uri
    sids: Sequence[str] = [sid for sid, _ in matched.statements if sid]
    return f"{', '.join(sids)} in {named}" if sids else named


def _context_line(key: str, value: str, own: str) -> str:
    return _flat(f"{key} = {value}" + (f" (ecr-tui: {own})" if own else ""))


def _flat(line: str) -> str:
    """On one line, without control characters."""
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + " ".join(line.split())


def _evaluation_json(one: Evaluation) -> dict[str, Any]:
    return {
        "action": one.action,
        "resource": one.resource,
        "effect": one.effect or None,
        "checks": None
        if one.checks is None
        else [
            {
                "type": check.type,
                "effect": check.effect,
                "target": check.target or None,
                "policies": _matched_json(check.matched),
            }
            for check in one.checks
        ],
        "policies": _matched_json(one.matched),
        "context": dict(one.context),
    }


def _matched_json(matched: Sequence[Matched]) -> list[dict[str, Any]]:
    return [
        {
            "uri": one.uri,
            "statements": [{"sid": sid or None, "effect": effect or None} for sid, effect in one.statements],
        }
        for one in matched
    ]
