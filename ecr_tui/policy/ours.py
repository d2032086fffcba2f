"""Statements written by ecr-tui, and how they are recognized.

A statement is ours only if its Sid starts with :data:`SID_PREFIX` *and* its content has a form that we write: Sids need
not be unique in ECR, and a statement may have been edited. All others are foreign.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.conditions import parse_date
from ecr_tui.policy.document import PLAIN_ELEMENTS, Statement, strings, values_of
from ecr_tui.policy.patterns import compiled
from ecr_tui.policy.principal import canonical, same_principal

SID_PREFIX = "EcrTui"
TAG_KEY = "aws:ResourceTag/"
TIME_KEY = "aws:CurrentTime"

TagCondition = tuple[str, str]
"""(tag key, tag value) that the repository must have."""


@dataclass(frozen=True)
class Grant:
    """The same access for each of ``principals`` (see ``parse_grantee``) while the repository has all ``tags``.

    A repeated key means either value; two spellings of one key are rejected. ``until`` is the end, with a time zone.
    Raises InputError without a principal, and for an invalid tag or time.
    """

    principals: tuple[str, ...]
    access: Access
    tags: tuple[TagCondition, ...] = ()
    until: datetime | None = None

    def __post_init__(self) -> None:
        if not self.principals:
            raise InputError("a grant needs a principal")
        for key, value in self.tags:
            if not key or len(key) > 128 or len(value) > 256:
                raise InputError(
                    f"not a tag: {key}={value}", hint="Use a key of 1 to 128 characters and a value of at most 256."
                )
            if "${" in key + value:
                raise InputError(f"a tag cannot contain a policy variable: {key}={value}")
        spelled: dict[str, str] = {}
        for key, _ in self.tags:
            if spelled.setdefault(key.lower(), key) != key:
                raise InputError(
                    f"the tag keys {spelled[key.lower()]!r} and {key!r} differ only in case and can never both match",
                    hint="Use the key of the repositories. IAM ignores case in tag keys.",
                )
        if self.until is not None and self.until.tzinfo is None:
            raise InputError("the end of a grant needs a time zone", hint="Write it like 2030-01-31T18:00:00Z.")

    @property
    def companions(self) -> tuple[str, ...]:
        """Additional principals that the grant needs (``grantees.companions``), without its own."""
        found = dict.fromkeys(one for principal in self.principals for one in grantees.companions(principal))
        return tuple(one for one in found if not any(same_principal(one, named) for named in self.principals))


class Own(NamedTuple):
    """One of our statements. ``principals`` as written; ``tags`` sorted; ``until`` in whole seconds of UTC."""

    principals: tuple[str, ...]
    access: Access
    tags: tuple[TagCondition, ...] = ()
    until: datetime | None = None

    @classmethod
    def of_grant(cls, grant: Grant) -> tuple[Own, ...]:
        """One statement for each group of grantees that can share one."""
        until = grant.until.astimezone(UTC).replace(microsecond=0) if grant.until else None
        groups: dict[str, dict[str, str]] = {}
        for principal in grant.principals:
            groups.setdefault(grantees.group(principal), {}).setdefault(canonical(principal), principal)
        tags = tuple(sorted(set(grant.tags)))
        return tuple(cls(tuple(of_group.values()), grant.access, tags, until) for of_group in groups.values())

    @property
    def condition_key(self) -> tuple[tuple[TagCondition, ...], datetime | None]:
        """Equal for statements with equal conditions; tag keys are case-insensitive in IAM."""
        return tuple(sorted((key.lower(), value) for key, value in self.tags)), self.until

    def names(self, principal: str) -> bool:
        return any(same_principal(item, principal) for item in self.principals)

    def without(self, principals: Collection[str]) -> Own | None:
        left = tuple(item for item in self.principals if not any(same_principal(item, one) for one in principals))
        return self._replace(principals=left) if left else None

    def condition(self) -> dict[str, Any] | None:
        made: dict[str, Any] = grantees.condition(self.principals)
        values: dict[str, list[str]] = {}
        for key, value in self.tags:
            values.setdefault(TAG_KEY + key, []).append(value)
        for key, found in values.items():
            operator = "StringLike" if any(map(is_pattern, found)) else "StringEquals"
            made.setdefault(operator, {})[key] = found[0] if len(found) == 1 else found
        if self.until is not None:
            made["DateLessThan"] = {TIME_KEY: self.until.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return made or None

    def sid(self, taken: Collection[str] = ()) -> str:
        """A deterministic Sid. Letters and digits only, which every AWS service accepts."""
        title = self.access.value.title().replace("-", "")
        content = repr((sorted(self.principals), self.access.value, self.condition_key))
        for salt in range(len(taken) + 1):
            digest = hashlib.sha256(f"{salt or ''}{content}".encode()).hexdigest()[:10]
            sid = f"{SID_PREFIX}{title}{digest}"
            if sid not in taken:
                break
        return sid

    def statement(self, taken: Collection[str] = ()) -> dict[str, Any]:
        made: dict[str, Any] = {
            "Sid": self.sid(taken),
            "Effect": "Allow",
            "Principal": grantees.element(self.principals),
            "Action": list(self.access.actions),
        }
        condition = self.condition()
        if condition:
            made["Condition"] = condition
        return made


def read_own(statement: Statement) -> Own | None:
    """The parsed statement if it is ours, else None."""
    raw = statement.raw
    if not (statement.sid or "").startswith(SID_PREFIX) or statement.effect != "Allow":
        return None
    if not set(raw) <= PLAIN_ELEMENTS:
        return None
    principal, limits = raw.get("Principal"), raw.get("Condition", {})
    if not isinstance(limits, Mapping) or not all(isinstance(block, Mapping) for block in limits.values()):
        return None
    if isinstance(principal, Mapping) and set(principal) == {"AWS"}:
        principals = strings(principal["AWS"])
    else:
        principals, limits = grantees.read(principal, limits) or ((), limits)
    if not principals or "*" in principals:
        return None
    actions = {action.lower() for action in statement.actions}
    access = next((item for item in Access if {action.lower() for action in item.actions} == actions), None)
    condition = _read_condition(limits)
    if access is None or condition is None:
        return None
    return Own(principals, access, *condition)


def _read_condition(raw: object) -> tuple[tuple[TagCondition, ...], datetime | None] | None:
    """(tags, until) of a Condition in the form that we write, else None."""
    if not isinstance(raw, Mapping) or not set(raw) <= {"StringEquals", "StringLike", "DateLessThan"}:
        return None
    if not all(isinstance(block, Mapping) and block for block in raw.values()):
        return None
    tags: list[TagCondition] = []
    seen: set[str] = set()
    for operator in ("StringEquals", "StringLike"):
        for key, value in raw.get(operator, {}).items():
            values = values_of(value)
            if not key.startswith(TAG_KEY) or not values or any("${" in text for text in (key, *values)):
                return None
            # StringEquals compares a wildcard literally, and a key under both operators must meet both.
            if any(map(is_pattern, values)) != (operator == "StringLike") or key.lower() in seen:
                return None
            seen.add(key.lower())
            tags.extend((key.removeprefix(TAG_KEY), text) for text in values)
    until = None
    if "DateLessThan" in raw:
        if set(raw["DateLessThan"]) != {TIME_KEY}:
            return None
        until = read_end(values_of(raw["DateLessThan"][TIME_KEY]))
        if until is None:
            return None
    return tuple(sorted(set(tags))), until


def is_pattern(value: str) -> bool:
    """Whether a condition's tag value has a wildcard. ECR tags cannot contain "*" or "?"."""
    return "*" in value or "?" in value


def tag_covers(wanted: str, value: str) -> bool:
    """Whether a condition on ``wanted`` matches the tag value, or all values of a pattern."""
    if not is_pattern(wanted) or wanted == value:
        return wanted == value
    # A "?" of ``wanted`` would match a wildcard of ``value`` as one character.
    return not (is_pattern(value) and "?" in wanted) and compiled(wanted).fullmatch(value) is not None


def read_end(values: Sequence[str]) -> datetime | None:
    """The end in a time condition, in whole seconds of UTC; None unless it is one date."""
    seconds = parse_date(values[0]) if len(values) == 1 else None
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0) if seconds is not None else None
    except (OverflowError, OSError, ValueError):
        return None


def tag_words(tags: Iterable[TagCondition]) -> str:
    """ "Team=Payments and Env=dev or prod"; "" for none."""
    values: dict[str, list[str]] = {}
    for key, value in tags:
        values.setdefault(key, []).append(value)
    return " and ".join(f"{key}={' or '.join(of_key)}" for key, of_key in values.items())
