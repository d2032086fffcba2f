"""Use case: change who has access to a repository, safely.

read, merge, preview, compare, write, read back, journal. SetRepositoryPolicy replaces the whole document and knows
no revision, so the live policy is read again just before the write, and the write is refused when it means something
else than what was previewed. No boto3 here: a :class:`PolicyStore` reads and writes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ecr_tui.aws.model import RegistryFacts, Repository, Role
from ecr_tui.errors import (
    Cancelled,
    ConflictError,
    CredentialsError,
    DeniedError,
    EcrTuiError,
    EnvironmentFailure,
    InputError,
    Throttled,
)
from ecr_tui.journal import FAILED, UNKNOWN, WRITTEN, Journal, Record
from ecr_tui.plans import (
    Plan,
    plan_document_from,
    plan_grant_from,
    plan_revoke_from,
    read_live,
    sentences,
)
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, equivalent
from ecr_tui.policy.document import PolicyDocument

__all__ = [
    "Outcome",
    "Plan",
    "PolicyStore",
    "apply",
    "plan_document",
    "plan_document_from",
    "plan_grant",
    "plan_grant_from",
    "plan_revoke",
    "plan_revoke_from",
]

READ_BACK_PAUSES = (0.3, 1.0)
"""Seconds between looks at a policy that does not read back as written: ECR documents no consistency for it."""
_OWNER = str(Role.OWNER)


class PolicyStore(Protocol):
    """``aws.policies.RepositoryPolicies``, or a test's dictionary."""

    def read(self, repository: Repository, /) -> str | None:
        """The live text, exactly; None when there is no policy."""

    def write(self, repository: Repository, text: str, /) -> None: ...

    def delete(self, repository: Repository, /) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """``written`` False: nothing was to do. ``notes`` tell what the user should know although it worked."""

    plan: Plan
    written: bool
    entry_id: str | None = None
    notes: tuple[str, ...] = field(default=())


def plan_grant(
    store: PolicyStore, repository: Repository, grant: Grant, *, registry: RegistryFacts | None = None
) -> Plan:
    """``registry``: what else decides in the repository's region, where it was looked at."""
    return plan_grant_from(repository, store.read(repository), grant, registry=registry)


def plan_revoke(
    store: PolicyStore,
    repository: Repository,
    principals: tuple[str, ...],
    access: Access | None = None,
    *,
    foreign: bool = False,
    registry: RegistryFacts | None = None,
) -> Plan:
    """Arguments as :func:`ecr_tui.policy.change.revoke`."""
    return plan_revoke_from(repository, store.read(repository), principals, access, foreign=foreign, registry=registry)


def plan_document(
    store: PolicyStore,
    repository: Repository,
    incoming: PolicyDocument,
    *,
    registry: RegistryFacts | None = None,
    notes: Sequence[str] = (),
) -> Plan:
    return plan_document_from(repository, store.read(repository), incoming, registry=registry, notes=notes)


def apply(
    store: PolicyStore,
    journal: Journal,
    plan: Plan,
    *,
    operator: str = "",
    read_only: str = "",
    run: str = "",
) -> Outcome:
    """Write what was previewed. ``run``: the journal's id of the run that it is a part of.

    Raises InputError in read-only mode, ConflictError when the live policy means something else by now (nothing is
    written then), EnvironmentFailure when the journal cannot be written (nor the policy, then), the store's errors
    when AWS refuses, and EcrTuiError when the policy reads back differently from what was sent.
    """
    gate(read_only)
    if not plan.changed:
        return Outcome(plan, written=False)
    with journal.writing(plan.repository.arn):
        live_text, live = read_live(plan.repository, store.read(plan.repository))
        rebased = plan.on(live)
        if not equivalent(live, plan.before) or not equivalent(rebased.after, plan.after):
            raise _conflict(plan, live)
        # Onto the text as it is now: what means the same may still be spelled otherwise, and that is not ours to undo.
        plan = replace(plan, before_text=live_text, before=live, after=rebased.after)
        return write(store, journal, plan, operator, run=run)


def gate(read_only: str) -> None:
    """Raises InputError where ``read_only``, the reason, is not "": the first thing that every path to a write does."""
    if read_only:
        raise InputError("read-only: no policy is written", hint=read_only)


def _conflict(plan: Plan, live: PolicyDocument | None) -> ConflictError:
    return ConflictError(
        f"the policy of {plan.repository.name} has changed since the preview; nothing was written",
        detail="\n".join(sentences(plan.before, live)),
        hint="Look at it afresh, and decide again.",
        side=_OWNER,
    )


def write(
    store: PolicyStore, journal: Journal, plan: Plan, operator: str, *, undoes: str | None = None, run: str = ""
) -> Outcome:
    """Note, write, read back, note. The caller holds ``journal.writing``, and has read the policy under it.

    Raises as :func:`apply`.
    """
    repository, text = plan.repository, plan.after_text
    identifier = journal.begin(
        Record(
            kind=plan.kind,
            repository=repository.name,
            arn=repository.arn,
            region=repository.region,
            account=repository.account,
            principal=plan.principal,
            operator=operator,
            before_text=plan.before_text,
            after_text=text,
            undoes=undoes,
            run=run,
        )
    )
    notes: list[str] = []
    try:
        if text is None:
            store.delete(repository)
        else:
            store.write(repository, text)
    except (DeniedError, InputError, CredentialsError, Throttled, Cancelled) as exc:
        # AWS refused it, or it was never sent.
        _finish(journal, identifier, FAILED, exc.text(), notes)
        # A title that names the deleted principals already says more.
        if "principal not found" in exc.detail.lower() and plan.principal and "deleted" not in exc.title:
            raise _unknown_principal(plan.principal, exc) from exc
        raise
    except EcrTuiError as exc:
        if not _arrived(store, repository, plan.after):
            _finish(journal, identifier, UNKNOWN, exc.text(), notes)
            raise _unanswered(repository, exc) from exc
        notes.append("AWS's answer was lost, but the policy was found written")
    except Exception as exc:
        _finish(journal, identifier, UNKNOWN, repr(exc), notes)
        raise
    else:
        try:
            live = _read_back(store, repository, plan.after)
        except EcrTuiError as exc:
            notes.append(f"written, but it could not be read back: {exc.title}")
        else:
            if not equivalent(live, plan.after):
                difference = "\n".join(sentences(plan.after, live))
                _finish(journal, identifier, UNKNOWN, f"reads back differently: {difference}", notes)
                raise EcrTuiError(
                    f"the policy of {repository.name} was written, but reads back differently",
                    detail=difference,
                    hint="Someone else may have written at the same moment. Look at the policy before anything else.",
                    side=_OWNER,
                )
    _finish(journal, identifier, WRITTEN, "; ".join(notes), notes)
    return Outcome(plan, True, identifier, tuple(notes))


def _unknown_principal(principal: str, exc: EcrTuiError) -> InputError:
    """ECR's answer names nobody; whom this write was for is the likely one, but the document may hold another."""
    return InputError(
        f"ECR does not know a principal of the policy, most likely {principal}",
        detail=exc.detail,
        hint=exc.hint,
        side=exc.side,
    )


def _finish(journal: Journal, identifier: str, outcome: str, detail: str, notes: list[str]) -> None:
    """The policy is what it is by now: a journal that fails at this point is a note, not the result."""
    try:
        journal.finish(identifier, outcome, detail)
    except EnvironmentFailure as exc:
        notes.append(f"the outcome could not be noted in the journal: {exc.title}")


def _read_back(store: PolicyStore, repository: Repository, after: PolicyDocument | None) -> PolicyDocument | None:
    _, live = read_live(repository, store.read(repository))
    for pause in READ_BACK_PAUSES:
        if equivalent(live, after):
            break
        time.sleep(pause)
        _, live = read_live(repository, store.read(repository))
    return live


def _arrived(store: PolicyStore, repository: Repository, after: PolicyDocument | None) -> bool:
    try:
        _, live = read_live(repository, store.read(repository))
    except EcrTuiError:
        return False
    return equivalent(live, after)


def _unanswered(repository: Repository, exc: EcrTuiError) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"{repository.name}: {exc.title}",
        detail=exc.detail,
        hint="Whether the policy was written is not known; the journal says so. Look at it before you try again.",
        side=exc.side,
    )
