"""Use case: change who has access to a repository, safely.

read, merge, preview, compare, write, read back, journal. SetRepositoryPolicy replaces the whole document and knows
no revision, so the live policy is read again just before the write, and the write is refused when it means something
else than what was previewed. No boto3 here: a :class:`PolicyStore` reads and writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
from ecr_tui.journal import FAILED, UNKNOWN, WRITTEN, Entry, History, Journal, Record
from ecr_tui.plans import (
    Plan,
    plan_document_from,
    plan_grant_from,
    plan_revoke_from,
    plan_undo_from,
    read_live,
)
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, differences, equivalent
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
    "settle",
    "undo",
    "undo_entry",
]

READ_BACK_PAUSES = (0.3, 1.0)
"""Seconds between looks at a policy that does not read back as written: ECR documents no consistency for it."""
NEVER_ARRIVED = "found unchanged afterwards"
"""The journal's detail of a write whose outcome was not known, and that was not done."""
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
    principal: str,
    access: Access | None = None,
    *,
    foreign: bool = False,
    registry: RegistryFacts | None = None,
) -> Plan:
    """Arguments as :func:`ecr_tui.policy.change.revoke`."""
    return plan_revoke_from(repository, store.read(repository), principal, access, foreign=foreign, registry=registry)


def plan_document(
    store: PolicyStore, repository: Repository, incoming: PolicyDocument, *, registry: RegistryFacts | None = None
) -> Plan:
    return plan_document_from(repository, store.read(repository), incoming, registry=registry)


def apply(
    store: PolicyStore,
    journal: Journal,
    plan: Plan,
    *,
    operator: str = "",
    read_only: bool = False,
    run: str = "",
) -> Outcome:
    """Write what was previewed. ``run``: the journal's id of the run that it is a part of.

    Raises InputError in read-only mode, ConflictError when the live policy means something else by now (nothing is
    written then), EnvironmentFailure when the journal cannot be written (nor the policy, then), the store's errors
    when AWS refuses, and EcrTuiError when the policy reads back differently from what was sent.
    """
    _gate(read_only)
    if not plan.changed:
        return Outcome(plan, written=False)
    with journal.writing(plan.repository.arn):
        live_text, live = read_live(plan.repository, store.read(plan.repository))
        rebased = plan.on(live)
        if not equivalent(live, plan.before) or not equivalent(rebased.after, plan.after):
            raise _conflict(plan, live)
        # Onto the text as it is now: what means the same may still be spelled otherwise, and that is not ours to undo.
        plan = replace(plan, before_text=live_text, before=live, after=rebased.after)
        return _write(store, journal, plan, operator, run=run)


def undo(
    store_for: Callable[[Entry], PolicyStore],
    journal: Journal,
    *,
    account: str | None = None,
    operator: str = "",
    read_only: bool = False,
) -> Outcome:
    """Take back the last write of ``account`` (None: of any) that is not taken back yet.

    Restores the exact text that was there before, or deletes the policy where there was none. Raises InputError when
    there is nothing to undo, ConflictError when the live policy is no longer what that write left.
    """
    _gate(read_only)
    with journal.writing():
        entry = settle(store_for, journal, account=account).last_undoable(account)
        if entry is None:
            raise InputError(
                "there is nothing to undo",
                hint=f"The journal {journal.path} holds no write{' of this account' if account else ''} that is "
                "not taken back already.",
            )
        store = store_for(entry)
        plan = plan_undo_from(entry, store.read(repository_of(entry)))
        return _write(store, journal, plan, operator, undoes=entry.id)


def undo_entry(
    store: PolicyStore, journal: Journal, entry: Entry, *, operator: str = "", read_only: bool = False, run: str = ""
) -> Outcome:
    """Take back that very write. Raises ConflictError when the live policy is no longer what it left."""
    _gate(read_only)
    with journal.writing(entry.record.arn):
        plan = plan_undo_from(entry, store.read(repository_of(entry)))
        return _write(store, journal, plan, operator, undoes=entry.id, run=run)


def settle(store_for: Callable[[Entry], PolicyStore], journal: Journal, *, account: str | None = None) -> History:
    """Find out what became of entries whose outcome is unknown (a kill, a lost answer), and note it in the journal.

    Callers hold ``journal.writing()``. Only the last entry of a repository can be told from its live policy; what
    cannot be told stays unknown.
    """
    history = journal.read()
    last = {entry.record.arn: entry for entry in history.entries}
    changed = False
    for entry in last.values():
        if entry.outcome != UNKNOWN or account not in (None, entry.record.account):
            continue
        repository = repository_of(entry)
        try:
            _, live = read_live(repository, store_for(entry).read(repository))
            _, before = read_live(repository, entry.record.before_text)
            _, after = read_live(repository, entry.record.after_text)
        except EcrTuiError:
            continue
        if equivalent(live, after):
            journal.finish(entry.id, WRITTEN, "found live afterwards")
        elif equivalent(live, before):
            journal.finish(entry.id, FAILED, NEVER_ARRIVED)
        else:
            continue
        changed = True
    return journal.read() if changed else history


def repository_of(entry: Entry) -> Repository:
    """Enough of the repository to read and write its policy; its URI and tags are not in the journal."""
    record = entry.record
    return Repository(record.repository, record.arn, "", record.region, record.account)


def _gate(read_only: bool) -> None:
    if read_only:
        raise InputError("read-only: no policy is written", hint="Start without --read-only to write.")


def _conflict(plan: Plan, live: PolicyDocument | None) -> ConflictError:
    return ConflictError(
        f"the policy of {plan.repository.name} has changed since the preview; nothing was written",
        detail="\n".join(_sentences(plan.before, live)),
        hint="Look at it afresh, and decide again.",
        side=_OWNER,
    )


def _sentences(before: PolicyDocument | None, after: PolicyDocument | None) -> list[str]:
    return [f"{'+' if d.op == 'add' else '-'} {d.effect} {d.principal}: {d.action}" for d in differences(before, after)]


def _write(
    store: PolicyStore, journal: Journal, plan: Plan, operator: str, *, undoes: str | None = None, run: str = ""
) -> Outcome:
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
                difference = "\n".join(_sentences(plan.after, live))
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
