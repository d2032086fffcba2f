"""Use case: undo and redo of any write in the journal.

Every entry has the texts before and after it. An entry can be undone while the live policy is unchanged since; the undo
writes exactly the previous text. The undo of an undo is a redo. Each is an entry that can be undone in turn, so related
entries form a chain; only its last link is in effect.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ecr_tui.aws.model import Repository, Role, place_of
from ecr_tui.changes.apply import Outcome, PolicyStore, gate, write
from ecr_tui.changes.attempts import Pace
from ecr_tui.changes.consequences import Situation, lint_of, openings
from ecr_tui.changes.entries import (
    FAILED,
    FOUND_LIVE,
    HALF,
    NEVER_ARRIVED,
    REDO,
    TAGS,
    UNDO,
    UNKNOWN,
    WRITTEN,
    Entry,
    History,
    found_in,
    same_state,
)
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import Plan, read_live, sentences
from ecr_tui.errors import ConflictError, EcrTuiError, InputError
from ecr_tui.policy.acceptance import refusals
from ecr_tui.policy.change import differences, equivalent, text_diff
from ecr_tui.policy.principal import describe
from ecr_tui.policy.widening import widenings

TagsFor = Callable[[Entry], Mapping[str, str]]
"""The live tags of an entry's repository."""

LATE = timedelta(minutes=5)
"""How long AWS may still execute a request without a response, or whose sender was killed."""
_REVISED = timedelta(days=1)
"""How long a write journalled as not executed is looked up once more."""


def undo(
    store: PolicyStore,
    journal: Journal,
    identifier: str = "",
    *,
    account: str | None = None,
    operator: str = "",
    read_only: str = "",
    redo: bool = False,
    tags_for: TagsFor | None = None,
    reason: str = "",
) -> Outcome:
    """Undo the entry with this id ("": the last write that is not undone); ``redo``: redo it, or the last undo. Only
    entries of ``account`` (None: any). ``reason`` is for the journal.

    Restores the exact previous text, or deletes the policy if there was none. Raises InputError if there is no such
    entry or nothing to do, ConflictError if the live policy changed after that write or the last link of its chain.
    """
    gate(read_only)
    arn = entry_of(journal.read(holds(identifier)), identifier, account).record.arn if identifier else ""

    def last(history: History) -> Entry | None:
        return next((history.redoable if redo else history.undoable)(account), None)

    enough = holds(identifier) if identifier else lambda history: last(history) is not None
    with journal.writing(arn):
        history = settle(store, journal, account=account, arn=arn, tags_for=tags_for, enough=enough)
        if identifier:
            entry: Entry | None = target(history, entry_of(history, identifier, account), redo=redo)
        else:
            entry = last(history)
        if entry is None:
            raise InputError(
                f"nothing to {'redo' if redo else 'undo'}",
                hint=f"Run ecr-tui history to see past writes. The journal {journal.path} has no "
                f"{'undo' if redo else 'write'}{' of this account' if account else ''} in effect.",
            )
        if entry.record.subject == TAGS:
            raise InputError(
                f"{entry.id} changed the tags of {entry.record.repository}, not a policy",
                hint=f"Undo it in the journal (U), or with: ecr-tui undo {entry.id}",
            )
        return _take_back(store, journal, history, entry, operator, reason)


def undo_entry(
    store: PolicyStore,
    journal: Journal,
    entry: Entry,
    *,
    operator: str = "",
    read_only: str = "",
    run: str = "",
    pace: Pace | None = None,
    reason: str = "",
) -> Outcome:
    """Undo one write of a run. Raises ConflictError if the live policy changed after it."""
    gate(read_only)

    def plan_on(text: str | None) -> Plan:
        try:
            return plan_undo_from(entry, text, reason=reason)
        except ConflictError:
            # Read the journal to name the later writes.
            return plan_undo_from(entry, text, journal.read(holds(entry.id)).later(entry), reason=reason)

    with journal.writing(entry.record.arn):
        return write(store, journal, repository_of(entry), plan_on, operator, undoes=entry.id, run=run, pace=pace)


def holds(identifier: str) -> Callable[[History], bool]:
    """Whether a history has this entry."""
    return lambda history: history.find(identifier) is not None


def entry_of(history: History, identifier: str, account: str | None) -> Entry:
    """The entry with this id. Raises InputError if there is none, or it is in another account (``account`` None:
    any)."""
    entry = history.find(identifier)
    if entry is None:
        raise InputError(f"no entry {identifier!r} in the journal", hint="Run ecr-tui history to list the ids.")
    if account not in (None, entry.record.account):
        raise InputError(
            f"{entry.id} was written in account {entry.record.account}, but this profile belongs to {account}",
            hint=f"Use a profile of account {entry.record.account}.",
            side=str(Role.OWNER),
        )
    return entry


def target(history: History, entry: Entry, *, redo: bool = False, settled: bool = True) -> Entry:
    """The entry to undo so that ``entry`` is no longer in effect (``redo``: is in effect again).

    Raises InputError if there is nothing to do or nothing was written, and ConflictError if the result is unknown,
    unless it was not looked up yet (``settled`` False).
    """
    if entry.outcome == FAILED:
        raise InputError(
            f"{entry.id} was not written", detail=entry.detail, hint="Choose another write: there is nothing to undo."
        )
    tip, in_force = history.tip(entry)
    if tip.outcome == UNKNOWN:
        if settled and tip.id not in history.half:
            raise _not_known(history, tip)
        return tip
    cut = history.cut_undo(tip)
    if cut is not None:
        return cut if redo == in_force else tip
    if entry.record.kind == UNDO:
        redo = False
    if in_force == redo:
        state = "is already in effect" if in_force else "is already undone"
        by = f", by {tip.id} of {tip.at:%Y-%m-%d %H:%M} UTC" if tip is not entry else ""
        raise InputError(
            f"{entry.id} {state}{by}", hint="See what was undone in the journal: press U, or run ecr-tui history."
        )
    return tip


def _not_known(history: History, entry: Entry) -> ConflictError:
    subject = "tags" if entry.record.subject == TAGS else "policy"
    unclear = (entry.record.arn, entry.record.subject) in history.unclear
    if unclear or history.later(entry):
        title = f"it is unknown whether {entry.id} was written"
        hint = f"Check the live {subject} and edit them: they match neither the state before nor after this write."
        if subject == "policy":
            hint = (
                "Check the live policy, then grant or revoke: it matches neither the state before nor after this write."
            )
    else:
        title = f"{entry.id} is not written yet"
        hint = f"Retry in {LATE.seconds // 60} minutes: AWS did not answer and may still write it."
    return ConflictError(title, detail=entry.detail, hint=hint, side=str(Role.OWNER))


def _take_back(
    store: PolicyStore, journal: Journal, history: History, entry: Entry, operator: str, reason: str
) -> Outcome:
    later, again = history.later(entry), same_again(history, entry)

    def plan_on(text: str | None) -> Plan:
        plan = plan_undo_from(entry, text, later, reason=reason)
        if again is not None:
            raise ConflictError(
                f"a later write changed the policy of {entry.record.repository}; nothing was {plan.kind}ne",
                detail="\n".join(told_later(entry, [again])),
                hint=f"Undo that one first: ecr-tui undo {again.id}",
                side=str(Role.OWNER),
            )
        return plan

    outcome = write(store, journal, repository_of(entry), plan_on, operator, undoes=entry.id)
    open_ = [one for one in later if one.outcome == UNKNOWN]
    if not open_:
        return outcome
    late = f"AWS did not answer {open_[-1].id}; if it is still written, it replaces this one"
    return outcome._replace(notes=(*outcome.notes, late))


def plan_undo_from(entry: Entry, text: str | None, later: Sequence[Entry] = (), *, reason: str = "") -> Plan:
    """The plan to restore the text before ``entry``: a "redo" if that is an undo, else an "undo".

    Raises ConflictError if ``text``, the live one, changed after it. ``later``: later writes to the repository in the
    journal.
    """
    record = entry.record
    repository = repository_of(entry)
    _, live = read_live(repository, text)
    _, written = read_live(repository, record.after_text)
    _, former = read_live(repository, record.before_text)
    kind = REDO if record.kind == UNDO else UNDO
    if not equivalent(live, written):
        raise ConflictError(
            f"the policy of {record.repository} was changed {'by a later write' if later else 'by another writer'}; "
            f"nothing was {kind}ne",
            detail="\n".join([*told_later(entry, later), *sentences(written, live)]),
            hint="Check the current policy, then revoke or grant.",
            side=str(Role.OWNER),
        )
    diff, findings = differences(live, former), lint_of(former, repository)
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
        risks=(*openings(diff), *widenings(live, former)),
        losses=Situation(repository, None, live, former, datetime.now(UTC)).losses(diff),
        exact_text=record.before_text,
        reason=reason,
    )


def told_later(entry: Entry, later: Sequence[Entry]) -> list[str]:
    """Lines for the last few writes after ``entry`` in the journal."""
    if not later:
        return [
            f"The write of {entry.at:%Y-%m-%d %H:%M} UTC is no longer the last one. The later one is not in this "
            "journal: it came from another program, user or machine."
        ]
    return [
        f"{one.at:%Y-%m-%d %H:%M} UTC: {one.record.kind}"
        + (f" for {describe(one.record.principal)}" if one.record.principal else "")
        + (f" by {one.record.operator}" if one.record.operator else "")
        + f" ({one.id}{', result unknown' if one.outcome == UNKNOWN else ''})"
        for one in later[-5:]
    ]


def same_again(history: History, entry: Entry) -> Entry | None:
    """A later write in effect with the same text, which then owns the live policy."""
    record = entry.record
    if record.kind == UNDO:
        return None
    for one in reversed(history.later(entry)):
        stands = one.outcome == WRITTEN and one.record.kind != UNDO and one.id not in history.undone_by
        if stands and same_state(record.subject, one.record.after_text, record.after_text):
            return one
    return None


def settle(
    store: PolicyStore,
    journal: Journal,
    *,
    account: str | None = None,
    arn: str = "",
    tags_for: TagsFor | None = None,
    enough: Callable[[History], bool] | None = None,
) -> History:
    """Look up the results of entries with an unknown result (a kill, a lost response), and journal them.

    Callers hold ``journal.writing()``, with ``arn`` that repository's. The live policy decides about the last entry of
    a repository, and about an earlier one that AWS executed late. Others stay unknown, and so do recent requests that
    AWS may still execute. Changes of tags need ``tags_for``. ``enough`` as for :meth:`Journal.read`.
    """
    history = journal.read() if enough is None else journal.recent()
    told = _told(history, store, journal, account, arn, tags_for)
    if history.complete or enough is None or enough(told):
        return told
    return _told(journal.read(), store, journal, account, arn, tags_for)


def _told(
    history: History, store: PolicyStore, journal: Journal, account: str | None, arn: str, tags_for: TagsFor | None
) -> History:
    settled: dict[str, Entry] = {}
    half, unclear = set(), set()
    now = datetime.now(UTC)
    for place, entries in history.of_repository.items():
        last = entries[-1]
        if account not in (None, last.record.account) or arn not in ("", place[0]):
            continue
        cut = _perhaps_cut(history, entries)
        asked = [one for one in entries if (one.outcome == UNKNOWN and one in (last, cut)) or _may_come(one, now)]
        if not asked or (place[1] == TAGS and tags_for is None):
            continue
        try:
            live = _live(store, tags_for, last)
        except EcrTuiError:
            unclear |= {place} if last.outcome == UNKNOWN else set()
            continue
        late = next((one for one in reversed(asked) if _is_live(history, one, live)), None)
        if late is not None:
            settled[late.id] = _noted(journal, late, WRITTEN, FOUND_LIVE)
            continue
        if cut is not None and found_in(cut.record, live) == HALF:
            half.add(cut.id)
            continue
        if last.outcome != UNKNOWN:
            continue
        found = found_in(last.record, live)
        if found != FAILED:
            unclear.add(place)
        elif now - (last.finished_at or last.at) > LATE:
            settled[last.id] = _noted(journal, last, FAILED, NEVER_ARRIVED)
    entries_now = tuple(settled.get(one.id, one) for one in history.entries)
    return replace(history, entries=entries_now, half=frozenset(half), unclear=frozenset(unclear))


def _perhaps_cut(history: History, entries: Sequence[Entry]) -> Entry | None:
    """The last change of tags with an unknown result, if no later write is in effect."""
    for entry in reversed(entries):
        if entry.record.subject == TAGS and entry.outcome == UNKNOWN and entry.id not in history.undone_by:
            later = history.later(entry)
            return entry if all(one.record.kind == UNDO or one.id in history.undone_by for one in later) else None
    return None


def _may_come(entry: Entry, now: datetime) -> bool:
    """Whether it had no response, is not known to be executed, and is recent enough to look up."""
    unanswered = entry.outcome == UNKNOWN or (entry.outcome == FAILED and entry.detail == NEVER_ARRIVED)
    return unanswered and now - entry.at < _REVISED


def _is_live(history: History, entry: Entry, live: str | None) -> bool:
    """Whether the live text comes from this write and not from a later one."""
    record = entry.record
    return found_in(record, live) == WRITTEN and not any(
        same_state(record.subject, live, one.record.after_text) for one in history.later(entry)
    )


def _live(store: PolicyStore, tags_for: TagsFor | None, entry: Entry) -> str | None:
    """The live text as the journal keeps it. Raises InputError for an invalid policy."""
    if entry.record.subject == TAGS:
        return json.dumps(dict(tags_for(entry) if tags_for is not None else {}))
    return read_live(repository_of(entry), store.read(repository_of(entry)))[0]


def _noted(journal: Journal, entry: Entry, outcome: str, detail: str) -> Entry:
    journal.finish(entry.id, outcome, detail)
    return entry._replace(outcome=outcome, detail=detail, finished_at=datetime.now(UTC))


def repository_of(entry: Entry) -> Repository:
    """The repository, or creation template, as far as the journal has it: without URI and tags."""
    record = entry.record
    return place_of(record.repository, record.arn, record.region, record.account)
