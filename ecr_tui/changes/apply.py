"""Use case: change who has access to a repository, safely.

read, merge, preview, compare, write, read back, journal. SetRepositoryPolicy replaces the whole document and has no
revision, so the live policy is read again just before each attempt, and nothing is written if its meaning differs
from the preview. No boto3 here: a :class:`PolicyStore` reads and writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from ecr_tui.aws.model import Repository, Role, TemplatePlace
from ecr_tui.changes.attempts import Pace, Patience, refused
from ecr_tui.changes.entries import FAILED, POLICY, TEMPLATE, UNKNOWN, WRITTEN, Record
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import Plan, plan_document_from, read_live, sentences
from ecr_tui.errors import ConflictError, EcrTuiError, EnvironmentFailure, InputError, UnknownPrincipal
from ecr_tui.policy.change import differences, equivalent, text_diff
from ecr_tui.policy.document import PolicyDocument

__all__ = ["Outcome", "Overwritten", "Plan", "PolicyStore", "apply"]

READ_BACK_PAUSES = (0.3, 1.0)
"""Seconds between reads of a policy that does not read back as written; ECR documents no consistency."""
LOOK_AGAIN = 0.5
"""Seconds after a write until the policy is read once more, to detect a concurrent writer who compared before this
write and wrote after it."""
_OWNER = str(Role.OWNER)


class Overwritten(ConflictError):
    """A concurrent write was lost, or overwrote this one. ``restore`` re-applies it on the live policy; None if that
    needs a new decision."""

    def __init__(self, title: str, *, detail: str, hint: str, restore: Plan | None) -> None:
        super().__init__(title, detail=detail, hint=hint, side=_OWNER)
        self.restore = restore


class PolicyStore(Protocol):
    """``aws.template_policies.PlacePolicies`` or a test double. A write is one request, never retried.

    A policy belongs to a repository, or to a creation template (``aws.model.TemplatePlace``).
    """

    def read(self, repository: Repository, /) -> str | None:
        """The exact live text; None without a policy."""

    def write(self, repository: Repository, text: str, /) -> None: ...

    def delete(self, repository: Repository, /) -> None: ...


class Outcome(NamedTuple):
    """``written`` False: no change. ``notes``: warnings about a successful write."""

    plan: Plan
    written: bool
    entry_id: str | None = None
    notes: tuple[str, ...] = ()


def apply(
    store: PolicyStore,
    journal: Journal,
    plan: Plan,
    *,
    operator: str = "",
    read_only: str = "",
    run: str = "",
    pace: Pace | None = None,
) -> Outcome:
    """Write the previewed plan. ``run``: the journal's id of its run.

    Raises InputError in read-only mode, RefusedError for a policy that ECR would reject, ConflictError if the live
    policy changed, EnvironmentFailure if the journal is not writable (in all these cases nothing is written), the
    store's errors if AWS refuses, and Overwritten after a concurrent write.
    """
    gate(read_only)
    if not plan.changed:
        return Outcome(plan, written=False)
    with journal.writing(plan.repository.arn):
        try:
            return write(store, journal, plan.repository, lambda text: _onto(plan, text), operator, run=run, pace=pace)
        except InputError as exc:
            if plan.refusals and plan.repairable:
                exc.hint = f"{plan.repair_hint} {exc.hint}".rstrip()
            raise


def _onto(plan: Plan, text: str | None) -> Plan:
    """The plan on the live text, which may be formatted differently from the previewed one.

    Raises ConflictError if its meaning differs from the preview.
    """
    live_text, live = read_live(plan.repository, text)
    rebased = plan.on(live)
    if not equivalent(live, plan.before) or not equivalent(rebased.after, plan.after):
        raise _conflict(plan, live)
    return replace(plan, before_text=live_text, before=live, after=rebased.after)


def gate(read_only: str) -> None:
    """Raises InputError if ``read_only``, the reason, is not "". Every write path calls it first."""
    if read_only:
        raise InputError("read-only: no policy was written", hint=read_only)


def check_account(repository: Repository, account: str) -> None:
    """Requests name the repository alone: in another account it would be another one. Raises InputError."""
    if repository.account != account:
        raise InputError(
            f"{repository.name} was listed in account {repository.account}, and this profile belongs to {account}; "
            "nothing was written",
            hint="List the repositories again.",
            side=_OWNER,
        )


def _conflict(plan: Plan, live: PolicyDocument | None) -> ConflictError:
    return ConflictError(
        f"the policy of {plan.repository.name} changed after this preview; nothing was written",
        detail="\n".join(sentences(plan.before, live)),
        hint="Preview it again.",
        side=_OWNER,
    )


def write(
    store: PolicyStore,
    journal: Journal,
    repository: Repository,
    plan_on: Callable[[str | None], Plan],
    operator: str,
    *,
    undoes: str | None = None,
    run: str = "",
    pace: Pace | None = None,
) -> Outcome:
    """Read, journal, write, read back, journal. The caller holds ``journal.writing``.

    ``plan_on`` makes the plan on a live text before each attempt, and raises ConflictError if it differs from the
    preview. Raises as :func:`apply`.
    """
    pace = pace or Patience()
    notes: list[str] = []
    plan: Plan | None = None
    identifier = ""
    unanswered: EcrTuiError | None = None
    """The response of an earlier attempt was lost: AWS may have executed it, or may still."""

    def failed(exc: EcrTuiError) -> EcrTuiError:
        """Journal the end of the last attempt; returns the error to raise."""
        if not identifier:
            return exc
        lost = unanswered or (None if refused(exc) or isinstance(exc, ConflictError) else exc)
        finish(journal, identifier, FAILED if lost is None else UNKNOWN, (lost or exc).text(), notes)
        return exc if lost is None or isinstance(exc, ConflictError) else _unanswered(repository, lost)

    while True:
        try:
            pace.turn()
            text, live = read_live(repository, store.read(repository))
        except EcrTuiError as exc:
            try:
                pace.again(exc)
            except EcrTuiError as last:
                raise failed(last) from exc
            continue
        if unanswered is not None and plan is not None and equivalent(live, plan.after):
            notes.append(_ANSWER_LOST)
            break
        try:
            fresh = plan_on(text)
            if fresh.refused:
                raise fresh.refusal()
        except EcrTuiError as exc:
            raise failed(exc) from exc
        if plan is None or fresh.before_text != plan.before_text:
            if identifier:
                spelled = "the text of the policy changed before the retry"
                finish(journal, identifier, FAILED if unanswered is None else UNKNOWN, spelled, notes)
            identifier = _begin(journal, fresh, operator, undoes, run)
        plan = fresh
        try:
            _send(store, plan)
            break
        except EcrTuiError as exc:
            if not refused(exc):
                unanswered = exc
            try:
                pace.again(exc)
            except EcrTuiError as last:
                if unanswered is not None and _arrived(store, repository, plan.after):
                    notes.append(_ANSWER_LOST)
                    break
                error = failed(last)
                # A title with the deleted principals is more specific.
                if error is last and isinstance(last, UnknownPrincipal) and plan.principal:
                    raise _unknown_principal(plan.principal, last) from exc
                raise error from exc
        except Exception as exc:
            finish(journal, identifier, UNKNOWN, repr(exc), notes)
            raise
    _check(store, journal, plan, identifier, notes)
    finish(journal, identifier, WRITTEN, "; ".join(notes), notes)
    return Outcome(plan, True, identifier, tuple(notes))


_ANSWER_LOST = "the response was lost, but the policy was written"


def _begin(journal: Journal, plan: Plan, operator: str, undoes: str | None, run: str) -> str:
    repository = plan.repository
    return journal.begin(
        Record(
            kind=plan.kind,
            repository=repository.name,
            arn=repository.arn,
            region=repository.region,
            account=repository.account,
            principal=plan.principal,
            operator=operator,
            before_text=plan.before_text,
            after_text=plan.after_text,
            undoes=undoes,
            run=run,
            reason=plan.reason,
            subject=TEMPLATE if isinstance(repository, TemplatePlace) else POLICY,
        )
    )


def _send(store: PolicyStore, plan: Plan) -> None:
    text = plan.after_text
    if text is None:
        store.delete(plan.repository)
    else:
        store.write(plan.repository, text)


def _check(store: PolicyStore, journal: Journal, plan: Plan, identifier: str, notes: list[str]) -> None:
    """Read back what was written. Journals and raises Overwritten after a concurrent write."""
    try:
        looks = _read_back(store, plan.repository, plan.after)
    except EcrTuiError as exc:
        notes.append(f"written, but reading it back failed: {exc.title}")
        return
    text, live = looks[-1]
    if not equivalent(live, plan.after):
        error = _overwritten(plan, text, live)
        if error is None:
            notes.append("another writer changed the policy right after this write, and kept its statements")
            return
        finish(journal, identifier, UNKNOWN, f"the policy read back differs: {error.detail}", notes)
        raise error
    # A policy seen in between came from a concurrent writer, and this write replaced it.
    foreign = _foreign(plan, [seen for _, seen in looks[:-1]])
    if foreign is not None:
        error = _replaced(plan, text, foreign)
        finish(journal, identifier, WRITTEN, error.title, notes)
        raise error


def look_again(store: PolicyStore, journal: Journal, outcome: Outcome) -> Overwritten | None:
    """Read the policy :data:`LOOK_AGAIN` after a write, and journal it if a concurrent writer replaced it.

    A failed read is ignored: the write was already confirmed.
    """
    plan = outcome.plan
    try:
        text, live = read_live(plan.repository, store.read(plan.repository))
    except EcrTuiError:
        return None
    error = None if equivalent(live, plan.after) else _overwritten(plan, text, live)
    if error is not None and outcome.entry_id is not None:
        finish(journal, outcome.entry_id, WRITTEN, f"overwritten concurrently: {error.detail}", [])
    return error


def _overwritten(plan: Plan, text: str | None, live: PolicyDocument | None) -> Overwritten | None:
    """None if the plan's change is in place, whatever else changed."""
    wanted = differences(plan.before, plan.after)
    gone = [one for one in differences(live, plan.after) if one in wanted]
    if not gone:
        return None
    name, change = plan.repository.name, plan.on(live)
    return Overwritten(
        f"a concurrent write to the policy of {name} overwrote this {plan.kind}",
        detail="\n".join(sentences(plan.after, live)),
        hint=f"Check the policy, then repeat the {plan.kind}.",
        restore=_restoring(plan, text, live, change.after) if change.changed else None,
    )


def _replaced(plan: Plan, text: str | None, foreign: PolicyDocument) -> Overwritten:
    name = plan.repository.name
    back = plan_document_from(plan.repository, text, foreign)
    return Overwritten(
        f"this {plan.kind} overwrote a concurrent write to the policy of {name}",
        detail=f"These statements were lost:\n{foreign.pretty()}",
        hint=f"Save them to a file and restore them with: ecr-tui grant {name} --from FILE",
        restore=back if back.changed else None,
    )


def _foreign(plan: Plan, seen: Sequence[PolicyDocument | None]) -> PolicyDocument | None:
    """Statements of the policies read that are neither in the plan's before nor after."""
    ours = [one for side in (plan.before, plan.after) if side is not None for one in _statements(side)]
    found: list[Any] = []
    for document in seen:
        if document is not None and not equivalent(document, plan.before):
            found += [one for one in _statements(document) if one not in ours and one not in found]
    return PolicyDocument.from_json({"Version": "2012-10-17", "Statement": found}) if found else None


def _statements(document: PolicyDocument) -> list[dict[str, Any]]:
    return [dict(one.raw) for one in document.statements]


def _restoring(plan: Plan, text: str | None, live: PolicyDocument | None, after: PolicyDocument | None) -> Plan:
    return replace(
        plan,
        before_text=text,
        before=live,
        after=after,
        diff=differences(live, after),
        text_diff=text_diff(live, after),
    )


def _unknown_principal(principal: str, exc: EcrTuiError) -> InputError:
    """ECR does not name the principal; the one of this write is likely, but the document may have others."""
    return InputError(
        f"ECR does not know a principal in the policy, most likely {principal}",
        detail=exc.detail,
        hint=exc.hint,
        side=exc.side,
    )


def finish(journal: Journal, identifier: str, outcome: str, detail: str, notes: list[str]) -> None:
    """Journal the result; a failure here becomes a note, since the policy is already written."""
    try:
        journal.finish(identifier, outcome, detail)
    except EnvironmentFailure as exc:
        notes.append(f"the journal was not updated with the result: {exc.title}")


_Look = tuple[str | None, PolicyDocument | None]


def _read_back(store: PolicyStore, repository: Repository, after: PolicyDocument | None) -> list[_Look]:
    """Read the policy until it is the one written."""
    looks = [read_live(repository, store.read(repository))]
    for pause in READ_BACK_PAUSES:
        if equivalent(looks[-1][1], after):
            break
        time.sleep(pause)
        looks.append(read_live(repository, store.read(repository)))
    return looks


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
        hint="Check the policy before you retry: it is unknown whether it was written, and AWS may still write it. "
        "The journal marks this write as unknown.",
        side=exc.side,
    )
