"""What a write would do, before anything is written: pure functions from a policy's text to a :class:`Plan`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ecr_tui import registry_effect
from ecr_tui.aws.model import RegistryFacts, Repository, Role
from ecr_tui.endings import ending
from ecr_tui.errors import ConflictError, EcrTuiError, InputError, RefusedError
from ecr_tui.journal import REDO, REPAIR, UNDO, UNKNOWN, Entry
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
from ecr_tui.policy.lint import Finding, lint
from ecr_tui.policy.principal import account_of, describe, partition_of
from ecr_tui.policy.repair import FormerName, repair
from ecr_tui.policy.widening import widenings
from ecr_tui.text import block

_DOUBTFUL = {"tag-not-met", "grant-expired", "deny-shadows-grant"}
"""Warnings of lint which mean that the write would not do what its author expects."""
_OWNER = str(Role.OWNER)
_CORRECT = "Correct the policy in the AWS console, or replace it as a whole."


@dataclass(frozen=True)
class Plan:
    """One repository's policy before and after.

    ``kind``: "grant", "revoke", "repair", "undo" or "redo". ``named``: the principals that it is about, as the policy
    names them. ``after`` None: the policy is deleted. ``findings`` are those of ``after``, and what the registry policy
    means for it, where that was looked at (``registry``; None where not). ``moved`` are actions that no repository
    policy can carry, left out of a pasted document. ``risks`` are sentences; a plan without any may be written without
    asking. ``notes`` are sentences that need no answer. ``refusals`` tell why ECR will not, or may not, take ``after``.
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
    registry: RegistryFacts | None = field(default=None, repr=False, compare=False)
    effects: tuple[registry_effect.Effect, ...] = field(default=(), repr=False, compare=False)
    on: Callable[[PolicyDocument | None], Change] = field(
        default=lambda live: Change(live, live, False), repr=False, compare=False
    )
    """The same change made to another text."""
    exact_text: str | None = field(default=None, repr=False)

    @property
    def after_text(self) -> str | None:
        """What is sent: minified, since the limit counts characters; for an undo the former text exactly."""
        if self.after is None:
            return None
        # ECR hands a policy out reformatted, so a text that it keeps can be longer than one that it takes.
        exact = self.exact_text
        return exact if exact is not None and len(exact) <= LIMIT else self.after.minified()

    @property
    def refused(self) -> bool:
        """ECR very likely refuses it: such a plan is shown and not tried."""
        return any(one.likely for one in self.refusals)

    @property
    def repairable(self) -> bool:
        """What ECR will, or may, refuse stands in the policy already, and a repair takes it out."""
        if self.kind in (REPAIR, UNDO, REDO):
            return False
        return repair(self.before, self.repository.arn).change.changed

    @property
    def repair_hint(self) -> str:
        return f"Repair the policy first: ecr-tui repair {self.repository.name}"

    def refusal(self) -> EcrTuiError:
        """Why a refused plan is not tried, as the error that stands in for ECR's own."""
        reasons = [one.sentence for one in self.refusals if one.likely]
        hint = "Correct the document that is to be merged." if self.kind == "grant" else _CORRECT
        if self.kind in (UNDO, REDO):
            hint = "The former policy cannot be restored as it was. The journal keeps its text: ecr-tui history --json"
        elif self.repairable:
            hint = self.repair_hint
        return RefusedError(
            f"ECR would refuse the policy of {self.repository.name}; nothing was sent",
            detail=block(reasons),
            hint=hint,
            side=_OWNER,
        )

    @property
    def principal(self) -> str:
        """``named`` as one text, as the journal notes it."""
        return ", ".join(self.named)

    @property
    def principals(self) -> tuple[str, ...]:
        """Whom the plan is about; for a pasted document everyone whom it adds, but "*" and services."""
        if self.grant is not None or self.kind != "grant":
            return self.named
        added = (d.principal for d in self.diff if d.op == "add" and d.effect == "Allow")
        return tuple(dict.fromkeys(principal for principal in added if account_of(principal)))

    @property
    def access(self) -> Access:
        """What it is about: the grant's, else as much as the added statements hold of push and pull."""
        if self.grant is not None:
            return self.grant.access
        added = {d.action.lower() for d in self.diff if d.op == "add"}
        pull_only = self.kind == "grant" and not added & {"ecr:putimage", "ecr:*", "*"}
        return Access.PULL if pull_only else Access.PUSH_PULL

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
                None if self.registry is None else registry_effect.registry_json(self.registry, self.effects)
            ),
        }


def needed_of(plans: Iterable[Plan]) -> tuple[NeededPolicies, ...]:
    """For each principal of the grants among ``plans``, which belong to one command, the policies of its own that it
    needs for all of the repositories together."""
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
    """On a text that was read before: for a live preview. Raises InputError when ``text`` is no policy, when a
    principal is of another partition, or when the result would be longer than ECR takes."""
    for partition in map(partition_of, grant.principals):
        if partition not in (None, repository.partition):
            raise InputError(
                f"the principal is in partition {partition}, the repository in {repository.partition}",
                hint="Access never crosses partitions: accounts of one do not exist in another. Choose a principal, or "
                f"a profile of account B, in {repository.partition}.",
                side=str(Role.CONSUMER),
            )
    plan = _plan(repository, text, lambda live: merge(live, grant), kind="grant", named=grant.principals, grant=grant)
    return _with_registry(_with_end(plan, grant), registry)


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

    return _with_registry(_plan(repository, text, change, kind="revoke", named=principals), registry)


def plan_document_from(
    repository: Repository,
    text: str | None,
    incoming: PolicyDocument,
    *,
    registry: RegistryFacts | None = None,
    notes: Sequence[str] = (),
) -> Plan:
    """Merge the statements of a pasted document; ``notes`` tell how it was read.

    Raises InputError as ``policy.change.adopt`` does.
    """
    _, moved = adopt(None, incoming)
    plan = _plan(repository, text, lambda live: adopt(live, incoming)[0], kind="grant", moved=moved)
    return _with_registry(replace(plan, notes=(*notes, *plan.notes)), registry)


def plan_repair_from(
    repository: Repository,
    text: str | None,
    repins: Mapping[str, str] | None = None,
    names: Mapping[str, FormerName] | None = None,
) -> Plan:
    """Take out what ECR refuses. ``repins`` as :func:`ecr_tui.policy.repair.repair`; ``names``: who the ids of deleted
    principals were, to be offered."""

    def change(live: PolicyDocument | None) -> Change:
        return repair(live, repository.arn, repins).change

    plan = _plan(repository, text, change, kind=REPAIR)
    gone = dead_principals(plan.before)
    applied = tuple(dict.fromkeys(arn for name, arn in (repins or {}).items() if name in gone))
    notes = [*plan.notes]
    for name, former in (names or {}).items():
        if name in gone and name not in (repins or {}):
            notes.append(former.offer(name))
    standing = _lint(plan.before, repository, plan.before)
    if plan.changed:
        back = refusals(plan.before, standing, read=plan.before, standing=standing)
        if any(one.likely for one in back):
            notes.append("Undo will not be possible: ECR refuses the text that is in force now. The journal keeps it.")
        elif back:
            notes.append("Undo restores the text that is in force now, if ECR still takes it.")
    else:
        left = refusals(plan.before, standing, read=plan.before, standing=standing)
        notes += [f"Not repaired: {one.sentence}." for one in left]
    risks = (*repair(plan.before, repository.arn, repins).risks, *plan.risks)
    return replace(plan, named=applied, notes=tuple(notes), risks=tuple(dict.fromkeys(risks)))


def plan_undo_from(entry: Entry, text: str | None, later: Sequence[Entry] = ()) -> Plan:
    """Back to the text before ``entry``: a "redo" where that is an undo itself, else an "undo".

    Raises ConflictError when ``text``, the live one, is not what it wrote. ``later`` are the writes to the repository
    of which the journal knows, after ``entry``.
    """
    record = entry.record
    repository = Repository(record.repository, record.arn, "", record.region, record.account)
    _, live = read_live(repository, text)
    _, written = read_live(repository, record.after_text)
    _, former = read_live(repository, record.before_text)
    kind = REDO if record.kind == UNDO else UNDO
    if not equivalent(live, written):
        raise ConflictError(
            f"the policy of {record.repository} was changed "
            f"{'again' if later else 'by someone else'} since; nothing was {kind}ne",
            detail="\n".join([*told_later(entry, later), *sentences(written, live)]),
            hint="Look at the policy as it is now: take the access away with a revoke, or grant it again.",
            side=_OWNER,
        )
    diff, findings = differences(live, former), _lint(former, repository)
    return Plan(
        repository=repository,
        kind=kind,
        named=tuple(record.principal.split(", ")) if record.principal else (),
        grant=None,
        before_text=text,
        before=live,
        after=former,
        changed=True,
        diff=diff,
        text_diff=text_diff(live, former),
        findings=findings,
        refusals=refusals(former, findings, read=former, standing=findings),
        risks=(*_openings(diff), *widenings(live, former)),
        exact_text=record.before_text,
    )


def told_later(entry: Entry, later: Sequence[Entry]) -> list[str]:
    """Who wrote after ``entry``, as far as the journal knows, a line each, the last few of them."""
    if not later:
        return [
            f"The write of {entry.at:%Y-%m-%d %H:%M} UTC is no longer the last one. The journal knows of no later one, "
            "so it was not made with this journal: another program, another user or another machine."
        ]
    return [
        f"{one.at:%Y-%m-%d %H:%M} UTC: {one.record.kind}"
        + (f" for {describe(one.record.principal)}" if one.record.principal else "")
        + (f" by {one.record.operator}" if one.record.operator else "")
        + f" ({one.id}{', outcome unknown' if one.outcome == UNKNOWN else ''})"
        for one in later[-5:]
    ]


def sentences(before: PolicyDocument | None, after: PolicyDocument | None) -> list[str]:
    """What differs in meaning, a line each."""
    return [f"{'+' if d.op == 'add' else '-'} {d.effect} {d.principal}: {d.action}" for d in differences(before, after)]


def read_live(repository: Repository, text: str | None) -> tuple[str | None, PolicyDocument | None]:
    """(text, document). Raises InputError, with the place, for a text that is no policy: such a one is not touched."""
    if text is None:
        return None, None
    try:
        return text, PolicyDocument.parse(text)
    except PolicyError as exc:
        raise InputError(
            f"the policy of {repository.name} cannot be understood: {exc.title}",
            hint=exc.hint or "It is left as it is. Correct it in the AWS console, or replace it as a whole.",
            side=_OWNER,
        ) from exc


def _plan(
    repository: Repository,
    text: str | None,
    make: Callable[[PolicyDocument | None], Change],
    *,
    kind: str,
    named: tuple[str, ...] = (),
    grant: Grant | None = None,
    moved: tuple[str, ...] = (),
) -> Plan:
    _, before = read_live(repository, text)
    change = make(before)
    after = change.after
    diff = differences(before, after)
    findings = _lint(after, repository, before or PolicyDocument.empty())
    standing = _lint(before, repository, before)
    risks: list[str] = []
    if change.changed:
        fresh = _fresh(findings, standing)
        risks += _losses(kind, diff)
        if kind != REPAIR:  # which changes how access is said, not who has it
            risks += (*_openings(diff), *widenings(before, after))
        risks += [f"{found.title}. {found.why}" for found in fresh if found.severity == "error"]
        risks += [f"{found.title}. {found.why}" for found in findings if found.id == "managed-elsewhere"]
        doubtful = _DOUBTFUL - {"tag-not-met"} if grant is not None else _DOUBTFUL
        risks += [f"{found.title}. {found.fix}" for found in fresh if found.id in doubtful]
        risks += _unmet(grant, repository)
        if after is None:
            risks.append("Nothing is left of the policy, so it is deleted.")
    if kind == "revoke":
        risks += change.notes
    return Plan(
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
        notes=change.notes,
        refusals=refusals(after, findings, read=before, standing=standing) if change.changed else (),
        on=make,
    )


def _with_end(plan: Plan, grant: Grant) -> Plan:
    if grant.until is None:
        return plan
    return replace(plan, notes=(*plan.notes, f"It ends at {ending(grant.until)}."))


def _with_registry(plan: Plan, registry: RegistryFacts | None) -> Plan:
    """What the registry policy adds: it is decided beside the repository policy, and its Deny beats the grant."""
    if registry is None:
        return plan
    effects = tuple(
        registry_effect.effect(registry, plan.repository, principal, plan.access.actions)
        for principal in plan.principals
    )
    findings, risks, notes = list(plan.findings), list(plan.risks), list(plan.notes)
    for found in effects:
        findings += registry_effect.findings(found)
        if plan.kind == "grant" and found.denies:
            risks.append(f"The grant would be void: {registry_effect.sentence(found)}.")
        elif plan.kind == "revoke" and found.allows:
            risks.append(f"It does not end the access: {registry_effect.sentence(found)}.")
        if found.doubt:
            notes.append(f"Whether the registry policy stands in the way is not known: {found.doubt}.")
    return replace(
        plan,
        findings=tuple(findings),
        risks=tuple(dict.fromkeys(risks)) if plan.changed else plan.risks,
        notes=tuple(dict.fromkeys(notes)),
        registry=registry,
        effects=effects,
    )


def _lint(
    document: PolicyDocument | None, repository: Repository, stored: PolicyDocument | None = None
) -> tuple[Finding, ...]:
    return lint(
        document, tags=repository.tags, account=repository.account, partition=repository.partition, stored=stored
    )


def _fresh(after: Iterable[Finding], before: Iterable[Finding]) -> list[Finding]:
    """Findings that the change brings. Places shift with the statements, so kinds are counted instead."""
    known = Counter((found.id, found.title) for found in before)
    fresh = []
    for found in after:
        known[found.id, found.title] -= 1
        if known[found.id, found.title] < 0:
            fresh.append(found)
    return fresh


def _unmet(grant: Grant | None, repository: Repository) -> list[str]:
    """Tags of the condition that the repository does not carry; nothing is said while its tags are unknown."""
    if grant is None or repository.tags is None:
        return []
    wanted: dict[str, list[str]] = {}
    for key, value in grant.tags:
        wanted.setdefault(key, []).append(value)
    # IAM takes tag keys without regard to case, values with.
    carried = {key.lower(): value for key, value in repository.tags.items()}
    sentences = []
    for key, values in wanted.items():
        has = carried.get(key.lower())
        if has not in values:
            found = f"has {key}={has}" if has is not None else f"has no tag {key}"
            sentences.append(
                f"The grant would be void: it wants {key}={' or '.join(values)}, and the repository {found}."
            )
    return sentences


def _losses(kind: str, diff: tuple[Difference, ...]) -> list[str]:
    lost: dict[str, set[str]] = {}
    for item in diff:
        if kind == "revoke" and item.op == "remove" and item.effect == "Allow":
            lost.setdefault(item.principal, set()).add(item.action)
    return [
        f"{describe(principal)} loses {len(actions)} action{'s' if len(actions) != 1 else ''} at once."
        for principal, actions in lost.items()
    ]


def _openings(diff: tuple[Difference, ...]) -> list[str]:
    """Added Allows that name everybody, also when a condition narrows them."""
    wide = [d for d in diff if d.op == "add" and d.effect == "Allow" and _is_everybody(d.principal)]
    if not wide:
        return []
    limit = "whoever meets the condition" if all(d.condition for d in wide) else "everybody on AWS"
    return [f"It opens the repository to {limit}: {', '.join(dict.fromkeys(d.action for d in wide))}."]


def _is_everybody(principal: str) -> bool:
    return principal == "*" or principal.startswith("everyone but ")
