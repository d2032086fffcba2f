"""A repository's policy before and after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ecr_tui.access import registry_policy
from ecr_tui.aws.model import RegistryFacts, Repository, Role, TemplatePlace
from ecr_tui.changes.consequences import remaining_json
from ecr_tui.changes.entries import APPLY, REDO, REPAIR, UNDO
from ecr_tui.changes.losses import Loss
from ecr_tui.errors import EcrTuiError, RefusedError
from ecr_tui.policy.acceptance import Refusal
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Change, Difference, Grant
from ecr_tui.policy.document import LIMIT, PolicyDocument
from ecr_tui.policy.findings import Finding
from ecr_tui.policy.identity import NeededPolicies, needed_policies
from ecr_tui.policy.principal import account_of
from ecr_tui.policy.remaining import Remaining
from ecr_tui.policy.repair import repair
from ecr_tui.text import block

_OWNER = str(Role.OWNER)
_CORRECT = "Correct the policy in the AWS console, or replace it."
_GIVING = ("grant", APPLY)


@dataclass(frozen=True)
class Plan:
    """One repository's policy before and after.

    ``kind``: "grant", "revoke", "repair", "edit", "apply", "undo" or "redo". ``named``: its principals, as in the
    policy. ``after`` None: the policy is deleted. ``findings``: of ``after``, including those of the registry policy if
    evaluated (``registry``; None if not). ``moved``: actions left out of a pasted document, because no repository
    policy can contain them. ``risks``: sentences; a plan without risks may be written without confirmation. ``notes``:
    sentences that need no confirmation. ``refusals``: why ECR will or may reject ``after``. ``void``: "no effect: " or
    "no effect on push: " and the reason, for a grant that is not in effect after the write. ``remaining``: other
    statements that give the principals the revoked access, or access beyond the grant. ``losses``: principals that lose
    access. ``reason``: the operator's, for the journal.
    """

    repository: Repository
    kind: str
    named: tuple[str, ...]
    grant: Grant | None
    before_text: str | None
    before: PolicyDocument | None
    after: PolicyDocument | None
    changed: bool
    diff: tuple[Difference, ...]
    text_diff: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    moved: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    void: str = ""
    remaining: tuple[Remaining, ...] = ()
    losses: tuple[Loss, ...] = ()
    registry: RegistryFacts | None = field(default=None, repr=False, compare=False)
    effects: tuple[registry_policy.Effect, ...] = field(default=(), repr=False, compare=False)
    on: Callable[[PolicyDocument | None], Change] = field(
        default=lambda live: Change(live, live, False), repr=False, compare=False
    )
    """The same change, planned on another text."""
    exact_text: str | None = field(default=None, repr=False)
    reason: str = ""

    @property
    def after_text(self) -> str | None:
        """The text to send: minified, since the limit counts characters; for an undo the exact previous text."""
        if self.after is None:
            return None
        # ECR returns a reformatted policy, which can exceed the limit for writes.
        exact = self.exact_text
        return exact if exact is not None and len(exact) <= LIMIT else self.after.minified()

    @property
    def refused(self) -> bool:
        """ECR very likely rejects it: such a plan is shown but not sent."""
        return any(one.likely for one in self.refusals)

    @property
    def repairable(self) -> bool:
        """The policy already has what ECR rejects, and a repair removes it."""
        if self.kind in (REPAIR, UNDO, REDO) or isinstance(self.repository, TemplatePlace):
            return False
        return repair(self.before, self.repository.arn).change.changed

    @property
    def repair_hint(self) -> str:
        return f"Repair the policy first: ecr-tui repair {self.repository.name}"

    def refusal(self) -> EcrTuiError:
        """The error for a plan that is not sent."""
        reasons = [one.sentence for one in self.refusals if one.likely]
        hint = "Correct the document to merge." if self.kind == "grant" else _CORRECT
        if self.kind in (UNDO, REDO):
            hint = "Restore it by hand: ecr-tui history --json has its text. The exact previous policy is not writable."
        elif self.repairable:
            hint = self.repair_hint
        return RefusedError(
            f"ECR would reject the policy of {self.repository.name}; nothing was sent",
            detail=block(reasons),
            hint=hint,
            side=_OWNER,
        )

    @property
    def principal(self) -> str:
        """``named`` as one text, for the journal."""
        return ", ".join(self.named)

    @property
    def principals(self) -> tuple[str, ...]:
        """The principals of the plan, a grant's with companions; for a pasted document or a file of grants those that
        it adds, without "*" and services."""
        if self.grant is not None:
            return (*self.named, *self.grant.companions)
        if self.kind not in _GIVING:
            return self.named
        added = (d.principal for d in self.diff if d.op == "add" and d.effect == "Allow")
        return tuple(dict.fromkeys(principal for principal in added if account_of(principal)))

    @property
    def access(self) -> Access:
        """The grant's, else the read, push and pull access of the added statements."""
        if self.grant is not None:
            return self.grant.access
        added = Access.touched(d.action for d in self.diff if d.op == "add") if self.kind in _GIVING else None
        return added or Access.PUSH_PULL

    def to_json(self, written: bool = False) -> dict[str, Any]:
        """An element of ``plan --json``."""
        return {
            "repository": self.repository.name,
            "arn": self.repository.arn,
            "changed": self.changed,
            "written": written,
            "before": self.before.json if self.before is not None else None,
            "after": self.after.json if self.after is not None else None,
            "diff": [difference.to_json() for difference in self.diff],
            "findings": [finding.to_json() for finding in self.findings],
            "risks": list(self.risks),
            "notes": list(self.notes),
            "refused": self.refused,
            "refusals": [refusal.to_json() for refusal in self.refusals],
            "registry_policy": (
                None if self.registry is None else registry_policy.registry_json(self.registry, self.effects)
            ),
            "void": self.void or None,
            "remaining": [remaining_json(row, self.repository) for row in self.remaining],
            "affected": [loss.to_json() for loss in self.losses],
            "reason": self.reason or None,
        }


def needed_of(plans: Iterable[Plan]) -> tuple[NeededPolicies, ...]:
    """The identity policies that each principal of the grants among ``plans`` needs for all repositories together."""
    arns: dict[str, list[str]] = {}
    grants = [plan for plan in plans if plan.kind == "grant"]
    for plan in grants:
        for principal in plan.principals:
            arns.setdefault(principal, []).append(plan.repository.arn)
    tags = grants[0].grant.tags if grants and grants[0].grant is not None else ()
    return tuple(needed_policies(found, grants[0].access, principal, tags) for principal, found in arns.items())
