"""Plan a change of a repository's tags, with its effect on access."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from ecr_tui.access.tag_effect import TagEffect, effect_lines, tag_effects
from ecr_tui.aws.model import RegistryFacts, Repository, Role
from ecr_tui.changes.entries import REDO, TAG, UNDO, Entry
from ecr_tui.changes.plans import read_live
from ecr_tui.changes.undo import told_later
from ecr_tui.errors import ConflictError, CredentialsError, EcrTuiError, InputError

MOST, LONGEST_KEY, LONGEST_VALUE = 50, 128, 256
"""Limits of ECR's TagResource."""
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")
_OWNER = str(Role.OWNER)


class TagStore(Protocol):
    """``aws.tags.RepositoryTags`` or a test double. A write is one request, never retried."""

    def tags(self, repository: Repository, /) -> dict[str, str]:
        """The live tags."""

    def set_tags(self, repository: Repository, tags: Mapping[str, str], /) -> None: ...

    def remove_tags(self, repository: Repository, keys: Iterable[str], /) -> None: ...

    def policy_text(self, repository: Repository, /) -> str | None:
        """The live policy."""


class TagPlan(NamedTuple):
    """``repository.tags`` are the live tags, ``after`` all tags afterwards. ``doubt``: why ``effects`` may be
    incomplete. ``kind``: "tag", "undo" or "redo", the latter with the entry that it ``undoes``. ``reason`` as in
    ``plans.Plan``."""

    repository: Repository
    after: Mapping[str, str]
    effects: tuple[TagEffect, ...]
    doubt: str = ""
    policy_text: str | None = None
    kind: str = TAG
    undoes: str | None = None
    reason: str = ""

    @property
    def before(self) -> dict[str, str]:
        return self.repository.tags or {}

    @property
    def changed(self) -> bool:
        return self.before != dict(self.after)

    @property
    def asks(self) -> bool:
        """Whether it needs confirmation: access changes, or may change."""
        return self.changed and bool(self.effects or self.doubt)

    def lines(self) -> list[str]:
        found = effect_lines(self.before, self.after, self.effects)
        return [*found, f"More access may change: {self.doubt}"] if self.doubt else found

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
            "reason": self.reason or None,
        }


def check_tag(key: str, value: str) -> None:
    """Raises InputError for tags that ECR would reject."""
    if key.lower().startswith("aws:"):
        raise InputError(f"the tag {key} is reserved by AWS", hint="Use a key that does not begin with aws:.")
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InputError(f"a tag key has 1 to {LONGEST_KEY} characters, this one has {len(key)}")
    if len(value) > LONGEST_VALUE:
        raise InputError(f"a tag value has up to {LONGEST_VALUE} characters, this one has {len(value)}")
    for what, text in (("key", key), ("value", value)):
        if _ALLOWED.fullmatch(text) is None:
            raise InputError(
                f"a tag {what} cannot contain {next(c for c in text if _ALLOWED.fullmatch(c) is None)!r}",
                hint="Use only letters, digits, spaces and _ . : / = + - @",
            )


def changed_tags(before: Mapping[str, str], tags: Mapping[str, str], unset: Iterable[str]) -> dict[str, str]:
    """All tags afterwards. Raises InputError for an impossible change."""
    unset = set(unset)
    for key in unset:
        check_tag(key, "")
        if key in tags:
            raise InputError(f"the tag {key} is both set and removed")
    for key, value in tags.items():
        check_tag(key, value)
    after = {key: value for key, value in {**before, **tags}.items() if key not in unset}
    if len(after) > MOST:
        raise InputError(f"a repository has up to {MOST} tags, this would be {len(after)}")
    return after


def plan_tags(
    store: TagStore,
    repository: Repository,
    tags: Mapping[str, str],
    unset: Iterable[str] = (),
    *,
    registry: RegistryFacts | None = None,
) -> TagPlan:
    """The plan on the live tags and policy."""
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
    """The plan to restore the exact tags before ``entry``. Raises ConflictError if the live tags changed after it."""
    fresh = replace(repository, tags=store.tags(repository))
    kind = REDO if entry.record.kind == UNDO else UNDO
    if (fresh.tags or {}) != tags_of(entry.record.after_text):
        raise ConflictError(
            f"the tags of {repository.name} changed after that write; nothing was {kind}ne",
            detail="\n".join([*told_later(entry, tuple(later)), f"Current tags: {tags_text(fresh.tags or {})}"]),
            hint="Check the current tags.",
            side=_OWNER,
        )
    plan = _plan(store, fresh, tags_of(entry.record.before_text), registry)
    return plan._replace(kind=kind, undoes=entry.id)


def plan_half(
    store: TagStore,
    repository: Repository,
    entry: Entry,
    *,
    complete: bool = False,
    registry: RegistryFacts | None = None,
) -> TagPlan:
    """The plan to take back a partly executed change of tags, or to ``complete`` it; only for its own tags."""
    record = entry.record
    fresh = replace(repository, tags=store.tags(repository))
    before, after = tags_of(record.before_text), tags_of(record.after_text)
    wanted = after if complete else before
    tags = {key: value for key, value in (fresh.tags or {}).items() if before.get(key) == after.get(key)}
    tags |= {key: value for key, value in wanted.items() if before.get(key) != after.get(key)}
    plan = _plan(store, fresh, tags, registry)
    if complete:
        return plan._replace(kind=record.kind, undoes=record.undoes)
    return plan._replace(kind=REDO if record.kind == UNDO else UNDO, undoes=entry.id)


def _plan(store: TagStore, fresh: Repository, after: Mapping[str, str], registry: RegistryFacts | None) -> TagPlan:
    try:
        text = store.policy_text(fresh)
        _, document = read_live(fresh, text)
    except CredentialsError:
        raise
    except EcrTuiError as error:
        return TagPlan(fresh, after, (), f"the policy is unknown: {error.title}")
    effects, doubt = tag_effects(fresh, document, after, registry)
    return TagPlan(fresh, after, effects, doubt, text)


def tags_of(text: str | None) -> dict[str, str]:
    """The tags of a journal entry."""
    try:
        found = json.loads(text or "{}")
        return {str(key): str(value) for key, value in found.items()}
    except (ValueError, AttributeError) as exc:
        raise InputError("the journal's record of the tags is not readable", detail=repr(exc)) from exc


def tags_text(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "none"
