"""Plans of writes: pure functions from a policy's text to a :class:`Plan`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ecr_tui.access import registry_policy
from ecr_tui.access.creation_templates import extent
from ecr_tui.access.expiry import ending
from ecr_tui.aws.model import RegistryFacts, Repository, Role
from ecr_tui.changes.consequences import Situation, fix_of, lint_of, within_account
from ecr_tui.changes.entries import APPLY, EDIT, REPAIR
from ecr_tui.changes.plan import Plan, needed_of
from ecr_tui.errors import InputError
from ecr_tui.policy.acceptance import dead_principals, refusals
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import (
    Change,
    Grant,
    adopt,
    differences,
    equivalent,
    merge,
    revoke,
    text_diff,
)
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.lint import lint_trust_of
from ecr_tui.policy.principal import partition_of
from ecr_tui.policy.remaining import Remaining
from ecr_tui.policy.repair import FormerName, repair
from ecr_tui.policy.trusted import Trusted

__all__ = [
    "Plan",
    "check_partition",
    "needed_of",
    "plan_change",
    "plan_document_from",
    "plan_edit_from",
    "plan_grant_from",
    "plan_repair_from",
    "plan_revoke_from",
    "read_live",
    "sentences",
    "with_trust",
]

_OWNER = str(Role.OWNER)


def plan_grant_from(
    repository: Repository, text: str | None, grant: Grant, *, registry: RegistryFacts | None = None
) -> Plan:
    """The plan of a grant on this text. Raises InputError if ``text`` is not a policy, a principal is in another
    partition, or the result exceeds ECR's limit."""
    check_partition(grant.principals, repository)
    return plan_change(
        repository,
        text,
        lambda live: merge(live, grant),
        kind="grant",
        named=grant.principals,
        grant=grant,
        registry=registry,
    )


def check_partition(principals: Iterable[str], repository: Repository) -> None:
    """Raises InputError for a principal of another one."""
    for partition in map(partition_of, principals):
        if partition not in (None, repository.partition):
            raise InputError(
                f"the principal is in partition {partition}, the repository in {repository.partition}",
                hint=f"Choose a principal, or a profile of account B, in {repository.partition}. Access never crosses "
                "partitions.",
                side=str(Role.CONSUMER),
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

    plan = plan_change(repository, text, change, kind="revoke", named=principals, access=access, registry=registry)
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
    plan = plan_change(
        repository, text, lambda live: adopt(live, incoming)[0], kind="grant", moved=moved, registry=registry
    )
    return replace(plan, notes=(*notes, *plan.notes))


def plan_edit_from(
    repository: Repository, text: str | None, edited: PolicyDocument, *, registry: RegistryFacts | None = None
) -> Plan:
    """Replace the whole policy by ``edited``; one without statements deletes it."""
    _, before = read_live(repository, text)
    after = edited if edited.statements else None

    def change(live: PolicyDocument | None) -> Change:
        """Plan an edit only on the policy that was edited."""
        if not equivalent(live, before):
            return Change(live, live, False)
        return Change(live, after, (live and live.minified()) != (after and after.minified()))

    plan = plan_change(repository, text, change, kind=EDIT, registry=registry)
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

    plan = plan_change(repository, text, change, kind=REPAIR)
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


def plan_change(
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


def with_trust(plan: Plan, trusted: Trusted | None) -> Plan:
    """The plan with partners and strangers (``[trusted]``) among its findings; access for a new stranger is a risk."""
    if trusted is None:
        return plan
    before, after = (
        lint_trust_of(document, trusted, account=plan.repository.account) for document in (plan.before, plan.after)
    )
    known = {one.title for one in before}
    fresh = [one for one in after if one.id == "stranger" and one.title not in known] if plan.changed else []
    return replace(
        plan,
        findings=(*plan.findings, *after),
        risks=tuple(dict.fromkeys((*plan.risks, *(f"{one.title}. {one.why}" for one in fresh)))),
    )


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
    if plan.kind not in ("grant", APPLY) or plan.grant is not None or not plan.changed:
        return []
    return [f"The grant would have no effect: {registry_policy.sentence(one)}." for one in effects if one.denies]
