"""Use case: take back any write of the journal, and take that back again.

Every entry keeps the texts before and after it, so there is one rule for all: an entry may be taken back while the live
policy still is what it left, and then exactly the former text is written. Taking back an undo is a redo. Each is an
entry of its own, which in turn may be taken back; so the entries that belong together are a chain, of which only the
last link is in force.
"""

from __future__ import annotations

from collections.abc import Callable

from ecr_tui.attempts import Pace
from ecr_tui.aws.model import Repository, Role
from ecr_tui.errors import ConflictError, EcrTuiError, InputError
from ecr_tui.grants import Outcome, PolicyStore, gate, write
from ecr_tui.journal import (
    FAILED,
    NEVER_ARRIVED,
    POLICY,
    TAGS,
    UNDO,
    UNKNOWN,
    WRITTEN,
    Entry,
    History,
    Journal,
    same_state,
)
from ecr_tui.plans import Plan, plan_undo_from, read_live, told_later
from ecr_tui.policy.change import equivalent

StoreFor = Callable[[Entry], PolicyStore]


def undo(
    store_for: StoreFor,
    journal: Journal,
    *,
    account: str | None = None,
    operator: str = "",
    read_only: str = "",
    redo: bool = False,
) -> Outcome:
    """Take back the last write of ``account`` (None: of any) that is not taken back yet; ``redo``: the last undo.

    Restores the exact text that was there before, or deletes the policy where there was none. Raises InputError when
    there is nothing to take back, ConflictError when the live policy is no longer what that write left.
    """
    gate(read_only)
    with journal.writing():
        history = settle(store_for, journal, account=account)
        entry = next((history.redoable if redo else history.undoable)(account), None)
        if entry is None:
            raise InputError(
                f"there is nothing to {'redo' if redo else 'undo'}",
                hint=f"The journal {journal.path} holds no {'undo' if redo else 'write'}"
                f"{' of this account' if account else ''} that is not taken back already.",
            )
        if entry.record.subject == TAGS:
            raise InputError(
                f"the last write changed the tags of {entry.record.repository}, not a policy",
                hint=f"See its effect and take it back in the journal (U), or with: ecr-tui undo {entry.id}",
            )
        return _take_back(store_for(entry), journal, history, entry, operator)


def undo_entry(
    store: PolicyStore,
    journal: Journal,
    entry: Entry,
    *,
    operator: str = "",
    read_only: str = "",
    run: str = "",
    pace: Pace | None = None,
) -> Outcome:
    """Take back that very write, as one of a run. Raises ConflictError when the live policy is not what it left."""
    gate(read_only)

    def plan_on(text: str | None) -> Plan:
        try:
            return plan_undo_from(entry, text)
        except ConflictError:
            # Who wrote since is worth reading the journal for.
            return plan_undo_from(entry, text, journal.read().later(entry))

    with journal.writing(entry.record.arn):
        return write(store, journal, repository_of(entry), plan_on, operator, undoes=entry.id, run=run, pace=pace)


def take_back(
    store_for: StoreFor,
    journal: Journal,
    identifier: str,
    *,
    account: str,
    redo: bool = False,
    operator: str = "",
    read_only: str = "",
) -> Outcome:
    """Undo the entry with this id, or ``redo`` it.

    Raises InputError where there is none, or when that is so already, ConflictError when the live policy is not what
    the last link of its chain left.
    """
    gate(read_only)
    found = entry_of(journal.read(), identifier, account)
    with journal.writing(found.record.arn):
        history = settle(store_for, journal, account=account, arn=found.record.arn)
        entry = target(history, entry_of(history, identifier, account), redo=redo)
        if entry.record.subject == TAGS:
            raise InputError(f"{entry.id} changed tags, not a policy")
        return _take_back(store_for(entry), journal, history, entry, operator)


def entry_of(history: History, identifier: str, account: str) -> Entry:
    """The entry with this id. Raises InputError where ``account`` has none."""
    entry = history.find(identifier)
    if entry is None:
        raise InputError(f"the journal has no entry {identifier!r}", hint="ecr-tui history lists them with their ids.")
    if entry.record.account != account:
        raise InputError(
            f"{entry.id} was written in account {entry.record.account}, and this profile belongs to {account}",
            hint="Use the profile of that account.",
            side=str(Role.OWNER),
        )
    return entry


def target(history: History, entry: Entry, *, redo: bool = False) -> Entry:
    """Which entry is to be taken back, so that ``entry`` is no longer in force (``redo``: is in force again).

    To redo an undo is to take it back. Raises InputError when there is nothing to do, or nothing was ever written.
    """
    if entry.outcome == FAILED:
        raise InputError(f"{entry.id} was never written", detail=entry.detail, hint="There is nothing to take back.")
    tip, in_force = history.tip(entry)
    if entry.record.kind == UNDO:
        redo = False
    if in_force == redo:
        state = "is in force already" if in_force else "is taken back already"
        by = f", by {tip.id} of {tip.at:%Y-%m-%d %H:%M} UTC" if tip is not entry else ""
        raise InputError(f"{entry.id} {state}{by}", hint="ecr-tui history shows what was taken back.")
    if tip.outcome == UNKNOWN:
        raise ConflictError(
            f"nobody knows whether {tip.id} was written, and the live policy does not tell",
            detail=tip.detail,
            hint="Look at the policy as it is now.",
            side=str(Role.OWNER),
        )
    return tip


def _take_back(store: PolicyStore, journal: Journal, history: History, entry: Entry, operator: str) -> Outcome:
    later, again = history.later(entry), same_again(history, entry)

    def plan_on(text: str | None) -> Plan:
        plan = plan_undo_from(entry, text, later)
        if again is not None:
            raise ConflictError(
                f"the policy of {entry.record.repository} is what a later write made of it; nothing was {plan.kind}ne",
                detail="\n".join(told_later(entry, [again])),
                hint=f"Take that one back: ecr-tui undo {again.id}",
                side=str(Role.OWNER),
            )
        return plan

    return write(store, journal, repository_of(entry), plan_on, operator, undoes=entry.id)


def same_again(history: History, entry: Entry) -> Entry | None:
    """A later write that stands and left the same: then the live policy is that one's, and not the entry's."""
    record = entry.record
    if record.kind == UNDO:
        return None
    for one in reversed(history.later(entry)):
        stands = one.record.kind != UNDO and one.id not in history.undone_by
        if stands and same_state(record.subject, one.record.after_text, record.after_text):
            return one
    return None


def settle(store_for: StoreFor, journal: Journal, *, account: str | None = None, arn: str = "") -> History:
    """Find out what became of entries whose outcome is unknown (a kill, a lost answer), and note it in the journal.

    Callers hold ``journal.writing()``, with ``arn`` that repository's. Only the last entry of a repository can be told
    from its live policy; what cannot be told stays unknown.
    """
    history = journal.read()
    changed = False
    for (where, subject), entries in history.of_repository.items():
        entry = entries[-1]
        if subject != POLICY or entry.outcome != UNKNOWN or account not in (None, entry.record.account):
            continue
        if arn and arn != where:
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
