"""Use case: change a repository's tags, with what that does to the access that hangs on them shown first.

read tags and policy, work out who gains and who loses, compare, write, read back, journal. Tags decide in conditions at
the moment they are written, so a plan holds only for the tags and the policy that it was made on.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ecr_tui.access.tag_effect import TagEffect, effect_lines, tag_effects
from ecr_tui.aws.model import RegistryFacts, Repository, Role
from ecr_tui.changes.apply import READ_BACK_PAUSES, gate
from ecr_tui.changes.attempts import Pace, Patience, refused
from ecr_tui.changes.entries import FAILED, REDO, TAG, TAGS, UNDO, UNKNOWN, WRITTEN, Entry, Record
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import read_live, told_later
from ecr_tui.errors import ConflictError, CredentialsError, EcrTuiError, EnvironmentFailure, InputError
from ecr_tui.policy.change import equivalent

MOST, LONGEST_KEY, LONGEST_VALUE = 50, 128, 256
"""Limits of ECR's TagResource."""
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")
_OWNER = str(Role.OWNER)


class TagStore(Protocol):
    """``aws.tags.RepositoryTags``, or a test's dictionary. A write is one request, never sent again."""

    def tags(self, repository: Repository, /) -> dict[str, str]:
        """Live."""

    def set_tags(self, repository: Repository, tags: Mapping[str, str], /) -> None: ...

    def remove_tags(self, repository: Repository, keys: Iterable[str], /) -> None: ...

    def policy_text(self, repository: Repository, /) -> str | None:
        """The live policy: it decides what a tag does."""


@dataclass(frozen=True)
class TagPlan:
    """``repository.tags`` are the live ones, ``after`` all that there will be. ``doubt``: why ``effects`` may not be
    all. ``kind``: "tag", "undo" or "redo", then with the entry that it ``undoes``."""

    repository: Repository
    after: Mapping[str, str]
    effects: tuple[TagEffect, ...]
    doubt: str = ""
    policy_text: str | None = None
    kind: str = TAG
    undoes: str | None = None

    @property
    def before(self) -> dict[str, str]:
        return self.repository.tags or {}

    @property
    def changed(self) -> bool:
        return self.before != dict(self.after)

    @property
    def asks(self) -> bool:
        """Whether somebody must agree first: access changes, or it is not known whether it does."""
        return self.changed and bool(self.effects or self.doubt)

    def lines(self) -> list[str]:
        found = effect_lines(self.before, self.after, self.effects)
        return [*found, f"It may be more than that: {self.doubt}"] if self.doubt else found

    def to_json(self, written: bool = False) -> dict[str, Any]:
        """An element of ``tag --json``."""
        return {
            "repository": self.repository.name,
            "arn": self.repository.arn,
            "changed": self.changed,
            "written": written,
            "before": self.before,
            "after": dict(self.after),
            "effects": [one.to_json() for one in self.effects],
            "doubt": self.doubt or None,
        }


@dataclass(frozen=True)
class TagOutcome:
    """As ``grants.Outcome``."""

    plan: TagPlan
    written: bool
    entry_id: str | None = None
    notes: tuple[str, ...] = field(default=())


def check_tag(key: str, value: str) -> None:
    """Raises InputError for what ECR would refuse."""
    if key.lower().startswith("aws:"):
        raise InputError(f"the tag {key} is AWS's own", hint="Keys that begin with aws: cannot be changed.")
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InputError(f"a tag's key has 1 to {LONGEST_KEY} characters, this one {len(key)}")
    if len(value) > LONGEST_VALUE:
        raise InputError(f"a tag's value has up to {LONGEST_VALUE} characters, this one {len(value)}")
    for what, text in (("key", key), ("value", value)):
        if _ALLOWED.fullmatch(text) is None:
            raise InputError(
                f"a tag's {what} cannot hold {next(c for c in text if _ALLOWED.fullmatch(c) is None)!r}",
                hint="Allowed are letters, digits, spaces and _ . : / = + - @",
            )


def changed_tags(before: Mapping[str, str], tags: Mapping[str, str], unset: Iterable[str]) -> dict[str, str]:
    """All tags afterwards. Raises InputError for what cannot be."""
    unset = set(unset)
    for key in unset:
        check_tag(key, "")
        if key in tags:
            raise InputError(f"the tag {key} is both to be set and to be removed")
    for key, value in tags.items():
        check_tag(key, value)
    after = {key: value for key, value in {**before, **tags}.items() if key not in unset}
    if len(after) > MOST:
        raise InputError(f"a repository has up to {MOST} tags, these would be {len(after)}")
    return after


def plan_tags(
    store: TagStore,
    repository: Repository,
    tags: Mapping[str, str],
    unset: Iterable[str] = (),
    *,
    registry: RegistryFacts | None = None,
) -> TagPlan:
    """On the live tags and the live policy."""
    fresh = replace(repository, tags=store.tags(repository))
    return _plan(store, fresh, changed_tags(fresh.tags or {}, tags, unset), registry)


def plan_back(
    store: TagStore,
    repository: Repository,
    entry: Entry,
    *,
    later: Iterable[Entry] = (),
    registry: RegistryFacts | None = None,
) -> TagPlan:
    """Exactly the tags from before ``entry``. Raises ConflictError when the live ones are not what it wrote."""
    fresh = replace(repository, tags=store.tags(repository))
    kind = REDO if entry.record.kind == UNDO else UNDO
    if (fresh.tags or {}) != tags_of(entry.record.after_text):
        raise ConflictError(
            f"the tags of {repository.name} were changed since; nothing was {kind}ne",
            detail="\n".join([*told_later(entry, tuple(later)), f"They are: {_shown(fresh.tags or {})}"]),
            hint="Look at the tags as they are now.",
            side=_OWNER,
        )
    plan = _plan(store, fresh, tags_of(entry.record.before_text), registry)
    return replace(plan, kind=kind, undoes=entry.id)


def plan_half(
    store: TagStore,
    repository: Repository,
    entry: Entry,
    *,
    complete: bool = False,
    registry: RegistryFacts | None = None,
) -> TagPlan:
    """From what a change of tags left that was carried out in part: back to before it, or to its end (``complete``).

    Only the tags that it was about.
    """
    record = entry.record
    fresh = replace(repository, tags=store.tags(repository))
    before, after = tags_of(record.before_text), tags_of(record.after_text)
    wanted = after if complete else before
    tags = {key: value for key, value in (fresh.tags or {}).items() if before.get(key) == after.get(key)}
    tags |= {key: value for key, value in wanted.items() if before.get(key) != after.get(key)}
    plan = _plan(store, fresh, tags, registry)
    if complete:
        return replace(plan, kind=record.kind, undoes=record.undoes)
    return replace(plan, kind=REDO if record.kind == UNDO else UNDO, undoes=entry.id)


def _plan(store: TagStore, fresh: Repository, after: Mapping[str, str], registry: RegistryFacts | None) -> TagPlan:
    try:
        text = store.policy_text(fresh)
        _, document = read_live(fresh, text)
    except CredentialsError:
        raise
    except EcrTuiError as error:
        return TagPlan(fresh, after, (), f"the policy is not known: {error.title}")
    effects, doubt = tag_effects(fresh, document, after, registry)
    return TagPlan(fresh, after, effects, doubt, text)


def apply_tags(
    store: TagStore,
    journal: Journal,
    plan: TagPlan,
    *,
    operator: str = "",
    read_only: str = "",
    pace: Pace | None = None,
) -> TagOutcome:
    """Write what was previewed.

    Raises InputError in read-only mode, ConflictError when tags or policy are others by now (nothing is written then),
    EnvironmentFailure when the journal cannot be written, and the store's errors when AWS refuses.
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
        )
        return _write(store, journal, plan, journal.begin(record), Patience())


def _compare(store: TagStore, plan: TagPlan, tags: Mapping[str, str] | None = None) -> None:
    """Raises ConflictError where tags or policy are not what was shown. The tags, which are what is written, are
    looked at last unless they are given."""
    if tags is not None and tags != plan.before:
        raise _tags_changed(plan, tags)
    _compare_policy(store, plan)
    if tags is None:
        live = store.tags(plan.repository)
        if live != plan.before:
            raise _tags_changed(plan, live)


def _tags_changed(plan: TagPlan, live: Mapping[str, str]) -> ConflictError:
    return ConflictError(
        f"the tags of {plan.repository.name} have changed since they were shown; nothing was written",
        detail=f"They are: {_shown(live)}",
        hint="Look at them afresh, and decide again.",
        side=_OWNER,
    )


def _compare_policy(store: TagStore, plan: TagPlan) -> None:
    if plan.doubt:
        return
    _, shown = read_live(plan.repository, plan.policy_text)
    _, now = read_live(plan.repository, store.policy_text(plan.repository))
    if not equivalent(shown, now):
        raise ConflictError(
            f"the policy of {plan.repository.name} has changed since; the tags may do something else now, so nothing "
            "was written",
            hint="Look at the effect afresh, and decide again.",
            side=_OWNER,
        )


@dataclass(frozen=True)
class _Step:
    """One request. ``start`` and ``end``: all tags before and after it."""

    start: Mapping[str, str]
    end: Mapping[str, str]
    send: Callable[[], None]


def _steps(store: TagStore, plan: TagPlan) -> list[_Step]:
    """What ends access first: a kill in between must not leave more than either state."""
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
            _finish(journal, identifier, FAILED, error.text(), notes)
            raise error from given_up
        live = _seen(store, repository)
        if live != after:
            _finish(journal, identifier, UNKNOWN, error.text(), notes)
            raise _in_part(plan, live, error, identifier) from given_up
        unanswered = True
    except Exception as exc:
        _finish(journal, identifier, UNKNOWN, repr(exc), notes)
        raise
    if unanswered:
        notes.append("AWS's response was lost, but the tags were written")
    live = _seen(store, repository)
    for pause in READ_BACK_PAUSES:
        if live in (None, after):
            break
        time.sleep(pause)
        live = _seen(store, repository)
    if live is None:
        notes.append("written, but the tags could not be read back")
    elif live != after:
        _finish(journal, identifier, UNKNOWN, f"reads back differently: {_shown(live)}", notes)
        raise EcrTuiError(
            f"the tags of {repository.name} were written, but read back differently",
            detail=f"They are: {_shown(live)}",
            hint="Someone else may have written at the same moment. Look at them before anything else.",
            side=_OWNER,
        )
    _finish(journal, identifier, WRITTEN, "; ".join(notes), notes)
    return TagOutcome(plan, True, identifier, tuple(notes))


class _GaveUp(Exception):
    """No further attempt at a step. ``nothing_written``: every attempt was refused."""

    def __init__(self, error: EcrTuiError, *, nothing_written: bool) -> None:
        super().__init__(error.title)
        self.error = error
        self.nothing_written = nothing_written


def _take(step: _Step, store: TagStore, plan: TagPlan, pace: Pace, unanswered: bool) -> bool:
    """Carry out one request, looking again before each further attempt; returns whether a response was lost so far.

    Raises _GaveUp.
    """
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
    """What to tell where some of the write may be there."""
    name = plan.repository.name
    detail = f"{error.detail or error.title}\nThey are: {'not known' if live is None else _shown(live)}"
    hint = f"The journal says so. To put the changed tags back: ecr-tui undo {identifier}"
    if isinstance(error, ConflictError):
        return ConflictError(f"someone else changed the tags of {name} during the write", detail=detail, hint=hint)
    if live is None or live == plan.before:
        title = f"it is not known whether the tags of {name} were written: {error.title}"
        hint = "AWS may still carry it out. The journal says so. Look at the tags before you try again."
    else:
        title = f"the tags of {name} were changed only in part: {error.title}"
    return EnvironmentFailure(title, detail=detail, hint=hint, side=_OWNER)


def _seen(store: TagStore, repository: Repository) -> dict[str, str] | None:
    try:
        return store.tags(repository)
    except EcrTuiError:
        return None


def _finish(journal: Journal, identifier: str, outcome: str, detail: str, notes: list[str]) -> None:
    try:
        journal.finish(identifier, outcome, detail)
    except EnvironmentFailure as exc:
        notes.append(f"the outcome could not be noted in the journal: {exc.title}")


def tags_of(text: str | None) -> dict[str, str]:
    """From an entry of the journal."""
    try:
        found = json.loads(text or "{}")
        return {str(key): str(value) for key, value in found.items()}
    except (ValueError, AttributeError) as exc:
        raise InputError("the journal's note of the tags cannot be understood", detail=repr(exc)) from exc


def _text(tags: Mapping[str, str]) -> str:
    return json.dumps(dict(tags), sort_keys=True, ensure_ascii=False)


def _shown(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "none"
