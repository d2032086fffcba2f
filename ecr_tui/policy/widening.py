"""Detect changes that widen an existing grant: longer, on other tags, or more actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ecr_tui.policy.actions import action_words, matching_actions
from ecr_tui.policy.compare import Difference, differences
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.keys import is_resource_tag
from ecr_tui.policy.ours import TIME_KEY, Own, TagCondition, is_pattern, read_end, read_own, tag_covers, tag_words
from ecr_tui.policy.principal import canonical, describe_all, same_principal

_OPERATORS = {False: ("stringequals", "stringlike"), True: ("stringlike",)}
"""Operators with which a grant writes tags: without and with wildcards."""
_SHOWN = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True)
class Limits:
    """Requirements of a Condition on the repository's tags and the time.

    ``tags`` as in a grant: a repeated key means either value. ``others``: the Condition has other requirements.
    """

    tags: tuple[TagCondition, ...] = ()
    until: datetime | None = None
    others: bool = False

    @classmethod
    def of(cls, statement: Statement) -> Limits:
        tags: list[TagCondition] = []
        until: datetime | None = None
        others = False
        for operator, block in statement.condition.items():
            for key, values in block.items():
                plain = not any("$" in value for value in values)
                like = any(map(is_pattern, values))
                end = read_end(values) if key.lower() == TIME_KEY.lower() else None
                if is_resource_tag(key) and plain and operator.lower() in _OPERATORS[like]:
                    tags += [(key.partition("/")[2], value) for value in values]
                elif end is not None and operator.lower() in ("datelessthan", "datelessthanequals"):
                    until = end
                else:
                    others = True
        return cls(tuple(tags), until, others)

    @cached_property
    def _values(self) -> Mapping[str, set[str]]:
        """Tag keys are case-insensitive in IAM, values are case-sensitive."""
        found: dict[str, set[str]] = {}
        for key, value in self.tags:
            found.setdefault(key.lower(), set()).add(value)
        return found

    def within(self, wider: Limits) -> bool:
        """Whether this implies ``wider``; False if unknown."""
        return not wider.others and self.tagged_within(wider) and self.ends_within(wider)

    def tagged_within(self, wider: Limits) -> bool:
        return all(
            key in self._values and all(any(tag_covers(one, value) for one in values) for value in self._values[key])
            for key, values in wider._values.items()
        )

    def ends_within(self, wider: Limits) -> bool:
        return wider.until is None or (self.until is not None and self.until <= wider.until)


def widenings(before: PolicyDocument | None, after: PolicyDocument | None) -> tuple[str, ...]:
    """A sentence for each way in which ``after`` gives more to a principal than our statements of ``before`` did.

    Principals without a previous grant of ours are skipped: a first grant widens nothing.
    """
    ours: dict[str, tuple[str, list[Own]]] = {}
    for statement in before.statements if before is not None else ():
        if (own := read_own(statement)) is not None:
            for principal in own.principals:
                ours.setdefault(canonical(principal), (principal, []))[1].append(own)
    gains = [item for item in differences(before, after) if item.op == "add" and item.effect == "Allow"]
    found: dict[str, list[str]] = {}
    for principal, owns in ours.values():
        gained = [item for item in gains if same_principal(item.principal, principal)]
        for sentence in _sentences(owns, gained):
            found.setdefault(sentence, []).append(principal)
    return tuple(sentence.replace(_WHO, describe_all(principals)) for sentence, principals in found.items())


_WHO = "\0"
"""Placeholder for the principals until those with equal sentences are combined."""


def _sentences(owns: Sequence[Own], gained: Sequence[Difference]) -> list[str]:
    limits = {own: Limits(own.tags, own.until) for own in owns}
    found: dict[str, None] = {}
    more: dict[str, None] = {}
    for item in gained:
        now = Limits.of(Statement(0, {"Condition": item.condition}))
        for action in matching_actions(item.action):
            before = [own for own in owns if action in own.access.actions]
            if not before:
                more[action] = None
            elif not any(now.within(limits[own]) for own in before):
                found |= dict.fromkeys(_longer(before, now) + _elsewhere(before, now, limits) or [_TOGETHER])
    if more:
        found[f"{_WHO} also gets {action_words(more)}."] = None
    return list(found)


_TOGETHER = f"{_WHO} gets more access than the replaced statements granted."


def _longer(before: Sequence[Own], now: Limits) -> list[str]:
    ends = [own.until for own in before if own.until is not None]
    if len(ends) < len(before) or (now.until is not None and now.until <= max(ends)):
        return []
    end = f"it ends at {now.until.strftime(_SHOWN)}" if now.until is not None else "it has no end"
    return [f"The grant to {_WHO} has the end {max(ends).strftime(_SHOWN)}; after this change {end}."]


def _elsewhere(before: Sequence[Own], now: Limits, limits: Mapping[Own, Limits]) -> list[str]:
    if any(now.tagged_within(limits[own]) for own in before):
        return []
    wanted = " or ".join(dict.fromkeys(tag_words(own.tags) for own in before))
    requires = f"it requires {tag_words(now.tags)}" if now.tags else "it requires no tag"
    return [f"The grant to {_WHO} requires {wanted}; after this change {requires}."]
