"""Effect of a tag change on access by account A's policies: who gains, who loses, and whose access may change, because
a variable or another open condition decides together with the tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecr_tui.access.registry_policy import OPEN_DOOR, registry_of
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.policy.actions import repository_actions
from ecr_tui.policy.answer import Answer, Verdict, all_of, may_differ, of_call
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.known import Known, before_call
from ecr_tui.policy.principal import canonical, describe, is_dead
from ecr_tui.policy.who import ACTIONS, listed_principals

_CAPABLE = frozenset(action for actions in ACTIONS.values() for action in actions)
_HARMLESS = frozenset({"ecr:BatchCheckLayerAvailability"})
"""Part of a push and of every pull; useless by itself."""


class TagEffect(NamedTuple):
    """Effect on one principal. Words: "pull", "push", "delete", "administer", "pull on a condition", and other single
    actions. ``may_change``: possible changes; ``depends_on``: what any of these depends on."""

    principal: str
    gains: tuple[str, ...]
    loses: tuple[str, ...]
    may_change: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "principal": self.principal,
            "gains": list(self.gains),
            "loses": list(self.loses),
            "may_change": list(self.may_change),
            "depends_on": list(self.depends_on),
        }


OWN_POLICIES = "its own policies"
"""Used as ``depends_on`` for account A's own principals."""


def tag_effects(
    repository: Repository,
    document: PolicyDocument | None,
    after: Mapping[str, str],
    registry: RegistryFacts | None = None,
    *,
    now: datetime | None = None,
) -> tuple[tuple[TagEffect, ...], str]:
    """Principals whose access changes, or may change, if the live tags of ``repository`` become ``after``; and why the
    list may be incomplete ("" if complete for account A's policies)."""
    now = now or datetime.now(UTC)
    decided = registry_of(registry)
    # A registry policy with an unknown state is reported in the second result.
    policies = (document, decided.candidates[0] if not decided.doubt else None)
    comparison = _Comparison(repository, after, now)
    found = [comparison.of(principal, policies) for principal in listed_principals(*policies) if not is_dead(principal)]
    effects = [effect for effect in found if effect is not None]
    if all(canonical(effect.principal) != repository.account for effect in effects):
        own = comparison.of_owner(policies)
        effects += [own] if own is not None else []
    return tuple(effects), decided.doubt


_Policies = tuple[PolicyDocument | None, PolicyDocument | None]
"""The repository policy and the registry policy."""


class _Change(NamedTuple):
    """One principal and action: the answers before and after. ``open``: both depend, possibly on different facts."""

    before: Answer
    after: Answer
    open: bool

    @property
    def gains(self) -> bool:
        return (self.before.verdict is not Verdict.YES and self.after.verdict is Verdict.YES) or self._opens

    @property
    def _opens(self) -> bool:
        return self.before.verdict is Verdict.NO and self.after.verdict is Verdict.DEPENDS

    @property
    def loses(self) -> bool:
        return self.before.verdict is not Verdict.NO and self.after.verdict is Verdict.NO

    @property
    def may_change(self) -> bool:
        return self.open or (self.before.verdict is Verdict.YES and self.after.verdict is Verdict.DEPENDS)

    @property
    def conditional(self) -> bool:
        return Verdict.DEPENDS in (self.before.verdict, self.after.verdict) and self.after.verdict is not Verdict.YES


class _Comparison:
    def __init__(self, repository: Repository, after: Mapping[str, str], now: datetime) -> None:
        self._repository = repository
        self._after = after
        self._now = now

    def of(self, principal: str, policies: _Policies) -> TagEffect | None:
        """None if nothing changes for the principal."""
        changes = self._changes(principal, policies)
        gains = _words({name: one for name, one in changes.items() if one.gains})
        loses = _words({name: one for name, one in changes.items() if one.loses})
        may_change = _words({name: one for name, one in changes.items() if one.may_change}, plain=True)
        if not (gains or loses or may_change):
            return None
        changed = (one for one in changes.values() if one.gains or one.loses or one.may_change)
        return TagEffect(principal, gains, loses, may_change, _depends_on(changed))

    def of_owner(self, policies: _Policies) -> TagEffect | None:
        """Account A's own principals, even if not named: their policies may allow what a Deny with the tag blocks, or
        no longer blocks."""
        document, registry = policies
        opened = OPEN_DOOR if document is None else document.replace((*_raw(document), *_raw(OPEN_DOOR)))
        account = self._repository.account
        changes = self._changes(f"arn:{self._repository.partition}:iam::{account}:root", (opened, registry))
        found = {name: one for name, one in changes.items() if one.gains or one.loses or one.may_change}
        words = _words(found, plain=True)
        if not words:
            return None
        return TagEffect(account, (), (), words, (*_depends_on(found.values()), OWN_POLICIES))

    def _changes(self, principal: str, policies: _Policies) -> dict[str, _Change]:
        """By "pull" and the other capabilities, and by every single action."""
        document, registry = policies
        repository = self._repository
        before, after = (self._known(principal, tags) for tags in (repository.tags or {}, self._after))
        single = {}
        for action in repository_actions():
            answers = [of_call(document, known, action, repository.arn, (registry,)) for known in (before, after)]
            differs = all(one.verdict is Verdict.DEPENDS for one in answers) and may_differ(
                policies, before, after, action, repository.arn
            )
            single[action] = _Change(answers[0], answers[1], differs)
        whole = {}
        for capability, actions in ACTIONS.items():
            parts = [single[action] for action in actions]
            was, becomes = all_of(one.before for one in parts), all_of(one.after for one in parts)
            depends = was.verdict is becomes.verdict is Verdict.DEPENDS
            whole[str(capability)] = _Change(was, becomes, depends and any(one.open for one in parts))
        return whole | single

    def _known(self, principal: str, tags: Mapping[str, str]) -> Known:
        return before_call(principal, repository_arn=self._repository.arn, tags=tags, now=self._now)


def _words(found: Mapping[str, _Change], *, plain: bool = False) -> tuple[str, ...]:
    """The changed capabilities, and other single actions. ``plain``: without conditions."""
    capabilities = {str(capability): frozenset(actions) for capability, actions in ACTIONS.items()}
    whole = [name for name in capabilities if name in found]
    covered = frozenset[str]().union(*(capabilities[name] for name in whole))
    single = frozenset(found) - capabilities.keys() - covered - _HARMLESS
    if whole:
        single &= _CAPABLE
    words = [f"{name} on a condition" if found[name].conditional and not plain else name for name in whole]
    return (*words, *sorted(single))


def _depends_on(changes: Iterable[_Change]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in changes for name in (*one.before.depends_on, *one.after.depends_on)))


def _raw(document: PolicyDocument) -> list[Mapping[str, Any]]:
    return [statement.raw for statement in document.statements]


def change_words(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """ "removing Team and adding Env=prod"."""
    parts = [f"removing {key}" for key in before if key not in after]
    parts += [f"changing {key} to {after[key]}" for key in before if key in after and after[key] != before[key]]
    parts += [f"adding {key}={value}" for key, value in after.items() if key not in before]
    return " and ".join(parts)


def effect_lines(before: Mapping[str, str], after: Mapping[str, str], effects: Iterable[TagEffect]) -> list[str]:
    """Sentences, granted access first, because that is the higher risk."""
    effects = tuple(effects)
    what = change_words(before, after)
    lines = []
    for verb, told in (
        ("GRANTS access to", [(e.principal, e.gains) for e in effects if e.gains]),
        ("revokes", [(e.principal, e.loses) for e in effects if e.loses]),
        ("may change the access of", [(e.principal, e.may_change) for e in effects if e.may_change]),
    ):
        if told:
            lines.append(f"{what} {verb} {_principals(told)}")
    names = dict.fromkeys(name for effect in effects if effect.may_change for name in effect.depends_on)
    if names:
        lines[-1] += f"; depends on {', '.join(names)}"
    return lines or [f"{what} changes no access" if what else "no change"]


def _principals(told: Sequence[tuple[str, Sequence[str]]]) -> str:
    number = f"{len(told)} principal" + ("s" if len(told) != 1 else "")
    names = ", ".join(f"{describe(principal)} ({', '.join(words)})" for principal, words in told)
    return f"{number}: {names}"
