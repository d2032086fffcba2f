"""A plan with both sides, and a grant in other forms, as the command line prints them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecr_tui.policy.export import Format, consumer_side, identity_policy, owner_side
from ecr_tui.present import plain, plan_text
from ecr_tui.twosided import ALLOWED, TwoSided, headline

if TYPE_CHECKING:
    from ecr_tui.grants import Plan
    from ecr_tui.policy.document import PolicyDocument
    from ecr_tui.templates import Fit


@dataclass(frozen=True)
class Seen:
    """A plan with what decides beside it."""

    plan: Plan
    verdicts: tuple[TwoSided, ...]
    template: Fit | None = None

    @property
    def needed(self) -> PolicyDocument | None:
        """The identity policy that B's principal needs; None for a revoke."""
        if self.plan.kind != "grant" or not self.plan.principals:
            return None
        return identity_policy([self.plan.repository.arn], self.plan.access)


def seen_json(seen: Seen) -> dict[str, Any]:
    """An element of ``plan --json``: ``Plan.to_json`` with "verdicts" (``twosided``), "identity_policy" (what B's
    principal needs, null for none) and "creation_template" (``templates.Fit.to_json``, null where none applies)."""
    needed = seen.needed
    return seen.plan.to_json() | {
        "verdicts": [verdict.to_json() for verdict in seen.verdicts],
        "identity_policy": needed.json if needed is not None else None,
        "creation_template": seen.template.to_json() if seen.template is not None else None,
    }


def seen_text(seen: Seen) -> str:
    lines = [plan_text(seen.plan)]
    for verdict in seen.verdicts:
        lines.append(f"  both sides: {headline(verdict)}")
        lines += _reasons(verdict)
        lines += [f"    [{one.severity}] {one.id}: {one.title}. {one.fix}" for one in verdict.findings]
        lines += [f"    note: {note}" for note in verdict.notes]
    needed = seen.needed
    if needed is not None and any(verdict.response != ALLOWED for verdict in seen.verdicts):
        lines.append(f"  account B needs this identity policy: {needed.minified()}")
    if seen.template is not None:
        lines.append(f"  to come: {seen.template.sentence()}")
    return plain("\n".join(lines))


def _reasons(verdict: TwoSided) -> list[str]:
    """For what is not allowed: the actions that share a reason in one line, a line a side."""
    found: dict[str, list[str]] = {}
    for item in verdict.actions:
        if item.response == ALLOWED:
            continue
        for name, side in (("account A", item.owner), ("account B", item.consumer)):
            if side is not None and side.allows is not True:
                reason = item.shared_reason(side)
                found.setdefault(f"{name}: {reason}", []).append(item.action.removeprefix("ecr:"))
    return [f"    {reason} ({', '.join(actions)})" for reason, actions in found.items()]


def export_text(plans: Sequence[Plan], form: Format, side: str) -> str:
    """Both sides of a grant, or one ("a", "b"), as text that can be run or kept.

    For JSON and CloudFormation both sides together are one JSON document, {"account_a": [{"repository", "arn",
    "document"}], "account_b": [{"principal", "document"}]}; one side alone is the bare document (a list of them for
    several).
    """
    owners = [(plan, owner_side(form, plan.after, plan.repository.arn)) for plan in plans]
    consumers = [(principal, consumer_side(form, document, principal)) for principal, document in _needs(plans)]
    if form in (Format.JSON, Format.CLOUDFORMATION):
        a = [
            {"repository": plan.repository.name, "arn": plan.repository.arn, "document": _parsed(text)}
            for plan, text in owners
        ]
        b = [{"principal": principal, "document": _parsed(text)} for principal, text in consumers]
        if side == "both":
            return _dumped({"account_a": a, "account_b": b})
        bare = [one["document"] for one in (a if side == "a" else b)]
        return _dumped(bare[0] if len(bare) == 1 else bare)
    parts = []
    if side in ("a", "both"):
        parts += [f"# Account A: {plan.repository.arn}\n{text}" for plan, text in owners]
    if side in ("b", "both"):
        parts += [f"# Account B: {principal}\n{text}" for principal, text in consumers]
    return "\n".join(parts).rstrip("\n")


def _needs(plans: Sequence[Plan]) -> list[tuple[str, PolicyDocument]]:
    """For each principal one identity policy for all the repositories that it is granted."""
    arns: dict[str, list[str]] = {}
    for plan in plans:
        for principal in plan.principals:
            arns.setdefault(principal, []).append(plan.repository.arn)
    return [(principal, identity_policy(found, plans[0].access)) for principal, found in arns.items()]


def _parsed(text: str) -> Any:
    return json.loads(text) if text.strip() else None


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
