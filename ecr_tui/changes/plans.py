"""Plans of writes: pure functions from a policy's text to a :class:`Plan`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ecr_tui.access import registry_policy
from ecr_tui.access.creation_templates import extent
from ecr_tui.access.expiry import ending
from ecr_tui.aws.model import RegistryFacts, Repository, Role, TemplatePlace
from ecr_tui.changes.consequences import Situation, fix_of, lint_of, remaining_json, within_account
from ecr_tui.changes.entries import EDIT, REDO, REPAIR, UNDO
from ecr_tui.changes.losses import Loss
from ecr_tui.errors import EcrTuiError, InputError, RefusedError
from ecr_tui.policy.acceptance import Refusal, dead_principals, refusals
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import (
    Change,
    Difference,
    Grant,
    adopt,
    differences,
    equivalent,
    merge,
    revoke,
    text_diff,
)
from ecr_tui.policy.document import LIMIT, PolicyDocument, PolicyError
from ecr_tui.policy.identity import NeededPolicies, needed_policies
from ecr_tui.policy.lint import Finding
from ecr_tui.policy.principal import account_of, partition_of
from ecr_tui.policy.remaining import Remaining
from ecr_tui.policy.repair import FormerName, repair
from ecr_tui.text import block

_OWNER = str(Role.OWNER)
_CORRECT = "Correct the policy in the AWS console, or replace it."


@dataclass(frozen=True)
class Plan:
    """One repository's policy before and after.

    ``kind``: "grant", "revoke", "repair", "edit", "undo" or "redo". ``named``: the principals that it is about, as the
    policy names them. ``after`` None: the policy is deleted. ``findings`` are those of ``after``, and what the registry
    policy means for it, where that was looked at (``registry``; None where not). ``moved`` are actions that no
    repository policy can carry, left out of a pasted document. ``risks`` are sentences; a plan without any may be
    written without asking. ``notes`` are sentences that need no answer. ``refusals`` tell why ECR will not, or may not,
    take ``after``. ``void``: "no effect: " or "no effect on push: ", and why, of a grant that is not in effect once it
    stands in the policy. ``remaining``: through what the principals have access that a revoke was to take, or beyond
    the grant. ``losses``: everybody who loses something by it. ``reason``: the operator's, for the journal.
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
    """The same change to another text."""
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
        """The principals of the plan, a grant's with companions; for a pasted document those that it adds, without "*"
        and services."""
        if self.grant is not None:
            return (*self.named, *self.grant.companions)
        if self.kind != "grant":
            return self.named
        added = (d.principal for d in self.diff if d.op == "add" and d.effect == "Allow")
        return tuple(dict.fromkeys(principal for principal in added if account_of(principal)))

    @property
    def access(self) -> Access:
        """The grant's, else what the added statements hold of read, push and pull."""
        if self.grant is not None:
            return self.grant.access
        added = Access.touched(d.action for d in self.diff if d.op == "add") if self.kind == "grant" else None
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


def plan_grant_from(
    repository: Repository, text: str | None, grant: Grant, *, registry: RegistryFacts | None = None
) -> Plan:
    """The plan of a grant on this text. Raises InputError if ``text`` is not a policy, a principal is in another
    partition, or the result exceeds ECR's limit."""
    for partition in map(partition_of, grant.principals):
        if partition not in (None, repository.partition):
            raise InputError(
                f"the principal is in partition {partition}, the repository in {repository.partition}",
                hint=f"Choose a principal, or a profile of account B, in {repository.partition}. Access never crosses "
                "partitions.",
                side=str(Role.CONSUMER),
            )
    return _plan(
        repository,
        text,
        lambda live: merge(live, grant),
        kind="grant",
        named=grant.principals,
        grant=grant,
        registry=registry,
    )


def plan_revoke_from(
    repository: Repository,
    text: str | None,
    principals: tuple[str, ...],
    access: Access | None = None,
    *,
    foreign: bool = False,
    registry: RegistryFacts | None = None,
) -> Plan:
    def change(live: PolicyDocument | None) -> Change:
        return revoke(live, principals, access, foreign=foreign)

    plan = _plan(repository, text, change, kind="revoke", named=principals, access=access, registry=registry)
    # Editing statements that ecr-tui did not write needs confirmation.
    return replace(plan, risks=tuple(dict.fromkeys((*change(plan.before).notes, *plan.risks)))) if foreign else plan


def plan_document_from(
    repository: Repository,
    text: str | None,
    incoming: PolicyDocument,
    *,
    registry: RegistryFacts | None = None,
    notes: Sequence[str] = (),
) -> Plan:
    """Merge the statements of a pasted document, read with ``notes``. Raises InputError as ``policy.change.adopt``."""
    _, moved = adopt(None, incoming)
    plan = _plan(repository, text, lambda live: adopt(live, incoming)[0], kind="grant", moved=moved, registry=registry)
    return replace(plan, notes=(*notes, *plan.notes))


def plan_edit_from(
    repository: Repository, text: str | None, edited: PolicyDocument, *, registry: RegistryFacts | None = None
) -> Plan:
    """Replace the whole policy by ``edited``; one without statements deletes it."""
    _, before = read_live(repository, text)
    after = edited if edited.statements else None

    def change(live: PolicyDocument | None) -> Change:
        """Of no other policy than the one that was edited."""
        if not equivalent(live, before):
            return Change(live, live, False)
        return Change(live, after, (live and live.minified()) != (after and after.minified()))

    plan = _plan(repository, text, change, kind=EDIT, registry=registry)
    return replace(plan, named=tuple(dict.fromkeys(one.principal for one in plan.diff)))


def plan_repair_from(
    repository: Repository,
    text: str | None,
    repins: Mapping[str, str] | None = None,
    names: Mapping[str, FormerName] | None = None,
) -> Plan:
    """Remove what ECR rejects. ``repins`` as :func:`ecr_tui.policy.repair.repair`; ``names``: the former names of
    deleted principals, for offers."""

    def change(live: PolicyDocument | None) -> Change:
        return repair(live, repository.arn, repins).change

    plan = _plan(repository, text, change, kind=REPAIR)
    gone = dead_principals(plan.before)
    applied = tuple(dict.fromkeys(arn for name, arn in (repins or {}).items() if name in gone))
    notes = [*plan.notes]
    for name, former in (names or {}).items():
        if name in gone and name not in (repins or {}):
            notes.append(former.offer(name))
    standing = lint_of(plan.before, repository, plan.before)
    if plan.changed:
        back = refusals(plan.before, standing, read=plan.before, standing=standing)
        if any(one.likely for one in back):
            notes.append("Undo will not be possible: ECR rejects the current text. The journal keeps it.")
        elif back:
            notes.append("Undo restores the current text, if ECR still accepts it.")
    else:
        left = refusals(plan.before, standing, read=plan.before, standing=standing)
        notes += [f"Not repaired: {one.sentence}." for one in left]
    risks = (*repair(plan.before, repository.arn, repins).risks, *plan.risks)
    return replace(plan, named=applied, notes=tuple(notes), risks=tuple(dict.fromkeys(risks)))


def sentences(before: PolicyDocument | None, after: PolicyDocument | None) -> list[str]:
    """Lines for the differences in meaning."""
    return [f"{'+' if d.op == 'add' else '-'} {d.effect} {d.principal}: {d.action}" for d in differences(before, after)]


def read_live(repository: Repository, text: str | None) -> tuple[str | None, PolicyDocument | None]:
    """(text, document). Raises InputError with the place for an invalid policy, which is never changed."""
    if text is None:
        return None, None
    try:
        return text, PolicyDocument.parse(text)
    except PolicyError as exc:
        raise InputError(
            f"cannot parse the policy of {repository.name}: {exc.title}",
            hint=exc.hint or "Correct it in the AWS console, or replace it. ecr-tui does not change it.",
            side=_OWNER,
        ) from exc


def _plan(
    repository: Repository,
    text: str | None,
    make: Callable[[PolicyDocument | None], Change],
    *,
    kind: str,
    named: tuple[str, ...] = (),
    access: Access | None = None,
    grant: Grant | None = None,
    moved: tuple[str, ...] = (),
    registry: RegistryFacts | None = None,
) -> Plan:
    """``access``: the part to revoke; None: all of it."""
    _, before = read_live(repository, text)
    change = make(before)
    after = change.after
    situation = Situation(repository, registry, before, after, datetime.now(UTC))
    diff = differences(before, after)
    findings = lint_of(after, repository, before or PolicyDocument.empty())
    standing = lint_of(before, repository, before)
    lost = situation.losses(diff) if change.changed else ()
    risks = situation.risks(diff, findings, standing, grant, kind, lost) if change.changed else []
    notes = [*extent(repository), *change.notes]
    remaining: tuple[Remaining, ...] = ()
    if grant is not None:
        remaining = situation.beside(grant)
        notes += situation.open_questions(grant)
        notes += [f"{row.sentence()}. This grant does not limit that." for row in remaining]
        notes += [f"It ends at {ending(grant.until)}."] if grant.until is not None else []
    elif kind == "revoke":
        remaining = situation.left(named, access, diff)
        # First, since a table shows only one line.
        risks = [*(f"{row.sentence()}. {fix_of(row, repository)}." for row in remaining), *risks]
        notes += within_account(named, repository)
    plan = Plan(
        repository=repository,
        kind=kind,
        named=named or tuple(dict.fromkeys(d.principal for d in diff if d.op == "add")),
        grant=grant,
        before_text=text,
        before=before,
        after=after,
        changed=change.changed,
        diff=diff,
        text_diff=text_diff(before, after),
        findings=findings,
        moved=moved,
        risks=tuple(dict.fromkeys(risks)),
        notes=tuple(dict.fromkeys(notes)),
        refusals=refusals(after, findings, read=before, standing=standing) if change.changed else (),
        void=situation.void(grant) if grant is not None else "",
        remaining=remaining,
        losses=lost,
        on=make,
    )
    return plan if registry is None else _with_registry(plan, registry)


def _with_registry(plan: Plan, registry: RegistryFacts) -> Plan:
    """The plan with the registry policy, which is evaluated as well and whose Deny overrides the grant."""
    effects = tuple(
        registry_policy.effect(registry, plan.repository, principal, plan.access.actions)
        for principal in plan.principals
    )
    doubts = [one.doubt for one in effects if one.doubt]
    open_question = (
        "access remains through the registry policy" if plan.kind == "revoke" else "the registry policy denies it"
    )
    return replace(
        plan,
        findings=(*plan.findings, *(finding for one in effects for finding in registry_policy.findings(one))),
        risks=tuple(dict.fromkeys((*plan.risks, *_denied_by_registry(plan, effects)))),
        notes=tuple(
            dict.fromkeys((*plan.notes, *(f"It is unknown whether {open_question}: {doubt}." for doubt in doubts)))
        ),
        registry=registry,
        effects=effects,
    )


def _denied_by_registry(plan: Plan, effects: Sequence[registry_policy.Effect]) -> list[str]:
    """Risks of a policy file by the registry policy; for a grant see ``Plan.void``."""
    if plan.kind != "grant" or plan.grant is not None or not plan.changed:
        return []
    return [f"The grant would have no effect: {registry_policy.sentence(one)}." for one in effects if one.denies]
