"""What changing a repository's tags does to the access that its policy gives: who gains, who loses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.policy import answer
from ecr_tui.policy.actions import repository_actions
from ecr_tui.policy.answer import of_call
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.known import before_call
from ecr_tui.policy.principal import describe
from ecr_tui.policy.who import ACTIONS, Capability, Cell, Verdict, who_can
from ecr_tui.registry_effect import Reach, registry_of

_RANK = {Verdict.PARTLY: 1, Verdict.IF: 2, Verdict.YES: 3}
_CAPABLE = frozenset(action for actions in ACTIONS.values() for action in actions)
_HARMLESS = frozenset({"ecr:BatchCheckLayerAvailability"})
"""Part of a push, and beside every pull; nothing by itself."""


@dataclass(frozen=True)
class TagEffect:
    """Of one principal. Words: "pull", "push", "delete", "administer", "some of push", "pull on a condition", and
    single actions that make none of those."""

    principal: str
    gains: tuple[str, ...]
    loses: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"principal": self.principal, "gains": list(self.gains), "loses": list(self.loses)}


def tag_effects(
    repository: Repository,
    document: PolicyDocument | None,
    after: Mapping[str, str],
    registry: RegistryFacts | None = None,
    *,
    now: datetime | None = None,
) -> tuple[tuple[TagEffect, ...], str]:
    """Everyone whose access changes when the tags of ``repository``, known and live, become ``after``; and why that
    may not be all, "" where it is all that account A's policies say."""
    now = now or datetime.now(UTC)
    deciding = _with_registry(document, repository, registry)
    sides = [_access(deciding, replace(repository, tags=dict(tags)), now) for tags in (repository.tags or {}, after)]
    found = []
    for principal, (cells, actions) in sides[0].items():
        then_cells, then_actions = sides[1][principal]
        gains = _more(cells, then_cells, then_actions - actions)
        loses = _more(then_cells, cells, actions - then_actions)
        if gains or loses:
            found.append(TagEffect(principal, gains, loses))
    return tuple(found), registry_of(registry).doubt


_Cells = Mapping[Capability, Cell]


def _access(
    document: PolicyDocument | None, repository: Repository, now: datetime
) -> dict[str, tuple[_Cells, frozenset[str]]]:
    """By principal: what it can do, and every single action that it may be allowed."""
    rows = who_can(document, repository_arn=repository.arn, tags=repository.tags, now=now)
    return {row.principal: (row.cells, _actions(document, repository, row.principal, now)) for row in rows}


def _more(less: _Cells, more: _Cells, actions: frozenset[str]) -> tuple[str, ...]:
    """In words what ``more`` has beyond ``less``; ``actions`` are those that it has beyond it."""
    gained = [one for one in more if _RANK.get(more[one].verdict, 0) > _RANK.get(less[one].verdict, 0)]
    words = [_word(str(one), more[one]) for one in gained]
    covered = {action for one in gained for action in ACTIONS[one]}
    rest = actions - covered - _HARMLESS if not gained else (actions & _CAPABLE) - covered - _HARMLESS
    return (*words, *sorted(rest))


def _with_registry(
    document: PolicyDocument | None, repository: Repository, facts: RegistryFacts | None
) -> PolicyDocument | None:
    """Both policies of account A as one: they are decided together."""
    share = Reach(facts).on(repository.arn) if facts is not None else None
    if share is None:
        return document
    if document is None:
        return share
    return document.replace(statement.raw for statement in (*document.statements, *share.statements))


def _word(capability: str, cell: Cell) -> str:
    if cell.verdict is Verdict.PARTLY:
        return f"some of {capability}"
    return f"{capability} on a condition" if cell.verdict is Verdict.IF else capability


def _actions(document: PolicyDocument | None, repository: Repository, principal: str, now: datetime) -> frozenset[str]:
    if document is None:
        return frozenset()
    known = before_call(principal, repository_arn=repository.arn, tags=repository.tags, now=now)

    def allowed(action: str) -> bool:
        return of_call(document, known, action, repository.arn).verdict is not answer.Verdict.NO

    return frozenset(filter(allowed, repository_actions()))


def change_words(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """ "removing Team and adding Env=prod"."""
    parts = [f"removing {key}" for key in before if key not in after]
    parts += [f"changing {key} to {after[key]}" for key in before if key in after and after[key] != before[key]]
    parts += [f"adding {key}={value}" for key, value in after.items() if key not in before]
    return " and ".join(parts)


def effect_lines(before: Mapping[str, str], after: Mapping[str, str], effects: Iterable[TagEffect]) -> list[str]:
    """Sentences, what opens access first: that is the riskier direction."""
    effects = tuple(effects)
    what = change_words(before, after)
    lines = []
    for verb, told in (
        ("GIVES access to", [(e.principal, e.gains) for e in effects if e.gains]),
        ("revokes", [(e.principal, e.loses) for e in effects if e.loses]),
    ):
        if told:
            number = f"{len(told)} principal" + ("s" if len(told) != 1 else "")
            whom = ", ".join(f"{describe(principal)} ({', '.join(words)})" for principal, words in told)
            lines.append(f"{what} {verb} {number}: {whom}")
    return lines or [f"{what} changes nobody's access" if what else "nothing changes"]
