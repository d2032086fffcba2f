"""Plans with both accounts' verdicts, and grants in other formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ecr_tui.access.creation_templates import Fit
from ecr_tui.access.replicas import Copy, sentences
from ecr_tui.access.second_opinion import SecondOpinion
from ecr_tui.access.two_sided import ALLOWED, TwoSided, headline
from ecr_tui.changes.plans import Plan, needed_of
from ecr_tui.policy.export import Format, consumer_side, dynamic_references, owner_side
from ecr_tui.policy.identity import NeededPolicies
from ecr_tui.policy.principal import describe
from ecr_tui.render.common import plan_text
from ecr_tui.text import block, count, hcl_escaped, json_escaped, json_text, safe


class Seen(NamedTuple):
    """A plan with the other facts that affect access."""

    plan: Plan
    verdicts: tuple[TwoSided, ...]
    template: Fit | None = None
    needed: tuple[NeededPolicies, ...] = ()
    """For this repository only."""
    together: tuple[NeededPolicies, ...] = ()
    """For all repositories of the command."""
    copies: tuple[Copy, ...] | None = None
    """None if the replication rules are unknown."""


def seen_all(found: Sequence[tuple[Plan, tuple[TwoSided, ...], Fit | None, tuple[Copy, ...] | None]]) -> list[Seen]:
    """The plans of one command, with the verdicts, template and copies of each."""
    together = needed_of(plan for plan, *_ in found)
    return [
        Seen(plan, verdicts, template, needed_of([plan]), together, copies)
        for plan, verdicts, template, copies in found
    ]


def seen_json(seen: Seen, opinion: SecondOpinion | None = None) -> dict[str, Any]:
    """An element of ``plan --json``: ``Plan.to_json`` with "verdicts" (``TwoSided.to_json``),
    "identity_policy" (needed by account B's principals for this repository, null if none), "identity_size"
    (:func:`_size_json`, for each principal), "creation_template" (``Fit.to_json``, null if none applies), "copies"
    (``Copy.to_json``, null if unknown) and "access_analyzer" (``SecondOpinion.to_json``, null if not asked)."""
    made = seen.plan.to_json()
    large = [found.to_json() for needed in seen.together for found in needed.findings]
    return made | {
        "findings": [*made["findings"], *large],
        "verdicts": [verdict.to_json() for verdict in seen.verdicts],
        "identity_policy": seen.needed[0].whole.json if seen.needed else None,
        "identity_size": [_size_json(needed) for needed in seen.together],
        "creation_template": seen.template.to_json() if seen.template is not None else None,
        "copies": None if seen.copies is None else [one.to_json() for one in seen.copies],
        "access_analyzer": None if opinion is None else opinion.to_json(),
    }


def _size_json(needed: NeededPolicies) -> dict[str, Any]:
    """Size of account B's policy against IAM's limits, for all repositories of the command."""
    return {
        "principal": needed.principal,
        "repositories": needed.repositories,
        "scope": "tag" if needed.by_tag else "repositories",
        "attached": needed.attachment.value,
        "characters": list(needed.sizes),
        "limit": needed.attachment.limit,
        "refused": needed.refusal or None,
    }


def seen_text(seen: Seen) -> str:
    lines = plan_text(seen.plan).split("\n")
    for verdict in seen.verdicts:
        lines.append(f"  both accounts: {headline(verdict)}")
        reasons = verdict.reasons().items()
        lines += [f"    account {side}: {reason} ({', '.join(actions)})" for (side, reason), actions in reasons]
        lines += [f"    [{one.severity}] {one.id}: {one.title}. {one.fix}" for one in verdict.findings]
        lines += [f"    note: {note}" for note in verdict.notes]
    if seen.needed and any(verdict.response != ALLOWED for verdict in seen.verdicts):
        lines.append(f"  account B needs this identity policy: {seen.needed[0].whole.minified()}")
    if seen.template is not None:
        lines.append(f"  new repositories: {seen.template.sentence()}")
        if not seen.template.covers:
            lines.append(f"    fix: grant in the template too: --template {seen.template.template.prefix}")
    lines += [f"  copies: {line}" for line in sentences(seen.copies or ())]
    return block(lines)


def needed_text(found: Sequence[NeededPolicies]) -> str:
    """Size of account B's policies against IAM's limits, a line per principal and finding."""
    lines = []
    for needed in found:
        many = count(needed.repositories, "repository")
        lines.append(f"Account B policy of {describe(needed.principal)} for {many}: {needed.size_words}")
        lines += [f"  [{one.severity}] {one.id}: {one.title}. {one.fix}" for one in needed.findings]
        if needed.refusal:
            lines.append(f"  IAM would reject it: {needed.refusal}")
    return block(lines)


def export_text(plans: Sequence[Plan], form: Format, side: str) -> str:
    """Both accounts' policies of a grant, or one ("a", "b"), as text to run or keep.

    For JSON and CloudFormation both are one JSON document, {"account_a": [{"repository", "arn", "document"}],
    "account_b": [{"principal", "document", "size"}]}; a single side is the bare document, or a list of them. Raises
    InputError if account B's policies exceed IAM's limits.
    """
    owners = [(plan, owner_side(form, plan.after, plan.repository.arn)) for plan in plans] if side != "b" else []
    consumers = [(one, consumer_side(form, one)) for one in needed_of(plans)] if side != "a" else []
    if form in (Format.JSON, Format.CLOUDFORMATION):
        a = [
            {"repository": plan.repository.name, "arn": plan.repository.arn, "document": _parsed(text)}
            for plan, text in owners
        ]
        b = [
            {"principal": one.principal, "document": document, "size": _size_json(one)}
            for one, text in consumers
            for document in _listed(_parsed(text))
        ]
        if side == "both":
            return json_text({"account_a": a, "account_b": b})
        bare = [one["document"] for one in (a if side == "a" else b)]
        return json_text(bare[0] if len(bare) == 1 else bare)
    parts = [f"{safe(f'# Account A: {plan.repository.arn}')}\n{text}" for plan, text in owners]
    for needed, text in consumers:
        remarks = [f"# {line}" for line in needed_text([needed]).split("\n")]
        parts.append("\n".join([safe(f"# Account B: {needed.principal}"), *remarks, text]))
    escaped = hcl_escaped if form is Format.TERRAFORM else json_escaped
    return escaped("\n".join(parts).rstrip("\n"))


def template_warnings(plans: Sequence[Plan]) -> list[str]:
    """A sentence for each policy that CloudFormation would change on deployment."""
    found = []
    for plan in plans:
        references = dynamic_references(plan.after.json) if plan.after is not None else ()
        if references:
            found.append(
                f"{plan.repository.name}: CloudFormation replaces {', '.join(references)} in this policy with the "
                "parameter or secret that it names. Use another format: json, terraform or cli."
            )
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parsed(text: str) -> Any:
    return json.loads(text) if text.strip() else None
