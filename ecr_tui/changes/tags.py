"""Use case: change a repository's tags, after a preview of the access that depends on them.

read tags and policy, determine gained and lost access, compare, write, read back, journal. Tags take effect in
conditions at once, so a plan is valid only for the tags and policy that it was computed from.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ecr_tui.aws.model import Repository, Role
from ecr_tui.changes.apply import READ_BACK_PAUSES, finish, gate
from ecr_tui.changes.attempts import Pace, Patience, refused
from ecr_tui.changes.entries import FAILED, TAGS, UNKNOWN, WRITTEN, Record
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import read_live
from ecr_tui.changes.tag_plans import TagPlan, TagStore, tags_text
from ecr_tui.errors import ConflictError, EcrTuiError, EnvironmentFailure
from ecr_tui.policy.change import equivalent

_OWNER = str(Role.OWNER)


class TagOutcome(NamedTuple):
    """As ``apply.Outcome``."""

    plan: TagPlan
    written: bool
    entry_id: str | None = None
    notes: tuple[str, ...] = ()


def apply_tags(
    store: TagStore,
    journal: Journal,
    plan: TagPlan,
    *,
    operator: str = "",
    read_only: str = "",
) -> TagOutcome:
    """Write the previewed plan.

    Raises InputError in read-only mode, ConflictError if tags or policy changed (nothing is written),
    EnvironmentFailure if the journal is not writable, and the store's errors if AWS refuses.
    """
    gate(read_only)
    if not plan.changed:
        return TagOutcome(plan, written=False)
    repository = plan.repository
    with journal.writing(repository.arn):
        _compare(store, plan)
        record = Record(
            kind=plan.kind,
            repository=repository.name,
            arn=repository.arn,
            region=repository.region,
            account=repository.account,
            operator=operator,
            before_text=_text(plan.before),
            after_text=_text(plan.after),
            undoes=plan.undoes,
            subject=TAGS,
            reason=plan.reason,
        )
        return _write(store, journal, plan, journal.begin(record), Patience())


def _compare(store: TagStore, plan: TagPlan, tags: Mapping[str, str] | None = None) -> None:
    """Raises ConflictError if tags or policy differ from the preview. Reads the tags last, unless given."""
    if tags is not None and tags != plan.before:
        raise _tags_changed(plan, tags)
    _compare_policy(store, plan)
    if tags is None:
        live = store.tags(plan.repository)
        if live != plan.before:
            raise _tags_changed(plan, live)


def _tags_changed(plan: TagPlan, live: Mapping[str, str]) -> ConflictError:
    return ConflictError(
        f"the tags of {plan.repository.name} changed after this preview; nothing was written",
        detail=f"Current tags: {tags_text(live)}",
        hint="Preview the change again.",
        side=_OWNER,
    )


def _compare_policy(store: TagStore, plan: TagPlan) -> None:
    if plan.doubt:
        return
    _, shown = read_live(plan.repository, plan.policy_text)
    _, now = read_live(plan.repository, store.policy_text(plan.repository))
    if not equivalent(shown, now):
        raise ConflictError(
            f"the policy of {plan.repository.name} changed after this preview, so the tags may have another effect; "
            "nothing was written",
            hint="Preview the change again.",
            side=_OWNER,
        )


class _Step(NamedTuple):
    """One request. ``start`` and ``end``: all tags before and after it."""

    start: Mapping[str, str]
    end: Mapping[str, str]
    send: Callable[[], None]


def _steps(store: TagStore, plan: TagPlan) -> list[_Step]:
    """The requests, those that end access first: a kill in between must not leave more access than either state."""
    repository, before, after = plan.repository, plan.before, dict(plan.after)
    gone = [key for key in before if key not in after]
    fresh = {key: value for key, value in after.items() if before.get(key) != value}
    between = {key: value for key, value in before.items() if key in after}
    steps = [_Step(before, between, lambda: store.remove_tags(repository, gone))] if gone else []
    return [*steps, _Step(between, after, lambda: store.set_tags(repository, fresh))] if fresh else steps


def _write(store: TagStore, journal: Journal, plan: TagPlan, identifier: str, pace: Pace) -> TagOutcome:
    repository, after = plan.repository, dict(plan.after)
    notes: list[str] = []
    done, unanswered = 0, False
    pace.turn()
    try:
        for step in _steps(store, plan):
            unanswered = _take(step, store, plan, pace, unanswered)
            done += 1
    except _GaveUp as given_up:
        error = given_up.error
        if not done and given_up.nothing_written:
            finish(journal, identifier, FAILED, error.text(), notes)
            raise error from given_up
        live = _seen(store, repository)
        if live != after:
            finish(journal, identifier, UNKNOWN, error.text(), notes)
            raise _in_part(plan, live, error, identifier) from given_up
        unanswered = True
    except Exception as exc:
        finish(journal, identifier, UNKNOWN, repr(exc), notes)
        raise
    if unanswered:
        notes.append("the response was lost, but the tags were written")
    live = _seen(store, repository)
    for pause in READ_BACK_PAUSES:
        if live in (None, after):
            break
        time.sleep(pause)
        live = _seen(store, repository)
    if live is None:
        notes.append("written, but reading the tags back failed")
    elif live != after:
        finish(journal, identifier, UNKNOWN, f"reads back differently: {tags_text(live)}", notes)
        raise EcrTuiError(
            f"the tags of {repository.name} were written, but read back differently",
            detail=f"Current tags: {tags_text(live)}",
            hint="Another writer may have changed them at the same time. Check the tags before you retry.",
            side=_OWNER,
        )
    finish(journal, identifier, WRITTEN, "; ".join(notes), notes)
    return TagOutcome(plan, True, identifier, tuple(notes))


class _GaveUp(Exception):
    """The retries of a step ended. ``nothing_written``: every attempt was refused."""

    def __init__(self, error: EcrTuiError, *, nothing_written: bool) -> None:
        super().__init__(error.title)
        self.error = error
        self.nothing_written = nothing_written


def _take(step: _Step, store: TagStore, plan: TagPlan, pace: Pace, unanswered: bool) -> bool:
    """Send one request, reading the tags again before each retry. Returns whether a response was lost."""
    lost_here = False
    while True:
        try:
            step.send()
            return unanswered
        except EcrTuiError as exc:
            lost_here = lost_here or not refused(exc)
            unanswered = unanswered or lost_here
            try:
                pace.again(exc)
                pace.turn()
                live = store.tags(plan.repository)
                if lost_here and live == step.end:
                    return True
                if step.start == plan.before:
                    _compare(store, plan, live)
                elif live != step.start:
                    raise _tags_changed(plan, live)
            except EcrTuiError as last:
                raise _GaveUp(last, nothing_written=not lost_here) from exc


def _in_part(plan: TagPlan, live: Mapping[str, str] | None, error: EcrTuiError, identifier: str) -> EcrTuiError:
    """The error for a write that may be partly executed."""
    name = plan.repository.name
    detail = f"{error.detail or error.title}\nCurrent tags: {'not known' if live is None else tags_text(live)}"
    hint = f"Restore the changed tags with: ecr-tui undo {identifier}"
    if isinstance(error, ConflictError):
        return ConflictError(f"the tags of {name} changed during the write", detail=detail, hint=hint)
    if live is None or live == plan.before:
        title = f"it is unknown whether the tags of {name} were written: {error.title}"
        hint = "Check the tags before you retry: AWS may still write them. The journal marks this write as unknown."
    else:
        title = f"the tags of {name} were only partly changed: {error.title}"
    return EnvironmentFailure(title, detail=detail, hint=hint, side=_OWNER)


def _seen(store: TagStore, repository: Repository) -> dict[str, str] | None:
    try:
        return store.tags(repository)
    except EcrTuiError:
        return None


def _text(tags: Mapping[str, str]) -> str:
    return json.dumps(dict(tags), sort_keys=True, ensure_ascii=False)
