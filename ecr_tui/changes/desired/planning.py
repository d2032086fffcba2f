"""Plan one write that brings a repository's policy in line with the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ecr_tui.access.expiry import ending
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes.consequences import Situation, fix_of
from ecr_tui.changes.desired.rows import Desired, Row, wanted_of
from ecr_tui.changes.entries import APPLY
from ecr_tui.changes.plans import Plan, check_partition, plan_change, read_live
from ecr_tui.policy.change import Change
from ecr_tui.policy.desired import Reconciled, reconcile
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.ours import Grant, Own, tag_words
from ecr_tui.policy.principal import describe, describe_all


def drift_of(repository: Repository, document: PolicyDocument | None, desired: Desired) -> Reconciled:
    """Missing and unwanted grants of the policy. Raises as ``policy.desired.reconcile``."""
    return _drift(repository, document, desired, desired.of(repository))


def _drift(
    repository: Repository, document: PolicyDocument | None, desired: Desired, rows: tuple[Row, ...]
) -> Reconciled:
    if not (rows or desired.scope.takes(repository)):
        return Reconciled(Change(document, document, False))
    return reconcile(document, wanted_of(rows), datetime.now(UTC), prune=desired.prune)


def plan_apply_from(
    repository: Repository, text: str | None, desired: Desired, *, registry: RegistryFacts | None = None
) -> Plan:
    """Raises InputError as ``plans.plan_grant_from``."""
    _, before = read_live(repository, text)
    rows, now = desired.of(repository), datetime.now(UTC)
    wanted = wanted_of(rows)
    drift = _drift(repository, before, desired, rows)
    if not drift.change.changed:
        return Plan(repository, APPLY, (), None, text, before, before, False, (), (), ())
    for own in drift.missing:
        check_partition(own.principals, repository)

    def change(live: PolicyDocument | None) -> Change:
        return reconcile(live, wanted, now, prune=desired.prune).change

    taken = drift.unwanted if desired.prune else ()
    named = tuple(dict.fromkeys(one for own in (*drift.missing, *taken) for one in own.principals))
    plan = plan_change(repository, text, change, kind=APPLY, named=named, registry=registry)
    situation = Situation(repository, registry, plan.before, plan.after, now)
    risks, notes = [], []
    for own in drift.missing:
        grant = Grant(own.principals, own.access, own.tags, own.until)
        void = situation.void(grant)
        risks += [f"The grant to {describe_all(own.principals)} would have {void}."] if void else []
        beside = [row for row in situation.beside(grant) if not row.ours]
        notes += situation.open_questions(grant)
        notes += [f"{row.sentence()}. This grant does not limit that." for row in beside]
        notes += [f"The grant to {describe_all(own.principals)} ends at {ending(own.until)}."] if own.until else []
    gone = tuple(dict.fromkeys(one for own in taken for one in own.principals))
    still = [row for row in situation.left(gone, None, plan.diff) if not row.ours]
    risks += [f"{row.sentence()}. {fix_of(row, repository)}." for row in still]
    return replace(
        plan,
        risks=tuple(dict.fromkeys((*risks, *plan.risks))),
        notes=tuple(dict.fromkeys((*plan.notes, *notes))),
        reason="; ".join(_reasons(rows, drift.missing)),
    )


def _reasons(rows: tuple[Row, ...], missing: tuple[Own, ...]) -> list[str]:
    """The reasons of the rows with changes."""
    found = (row.reason for row in rows if any(own.names(one) for own in missing for one in row.grant.principals))
    return list(dict.fromkeys(reason for reason in found if reason))


def words_of(own: Own) -> str:
    """ "pull of user devusr2 in 222222222222 if Team=Payments until 2030-01-31 00:00 UTC"."""
    condition = f" if {tag_words(own.tags)}" if own.tags else ""
    until = f" until {own.until:%Y-%m-%d %H:%M} UTC" if own.until is not None else ""
    return f"{own.access} of {', '.join(map(describe, own.principals))}{condition}{until}"
