"""State of IAM Access Analyzer: analyzers, findings of repositories, and previews.

Findings are one per external principal and condition of an Allow statement, for the actions that no Deny takes away.
Conditions that Access Analyzer does not evaluate count as met, in a Deny as not met.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from ecr_tui.access.second_opinion import CONSIDERED
from ecr_tui.policy.actions import matching_actions, repository_actions
from ecr_tui.policy.document import PolicyDocument, PolicyError, Statement, strings
from ecr_tui.policy.evaluate import Policies, Request, decide
from ecr_tui.sandbox.world import ACCOUNT_A, REGION

Place = tuple[str, str]
"""(account, region)"""

_ANYBODY = "arn:aws:iam::999999999999:user/anybody"
_ALL = PolicyDocument.from_json(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


@dataclass(frozen=True)
class Finding:
    principal: str
    actions: tuple[str, ...]
    condition: tuple[tuple[str, str], ...] = ()
    public: bool = False

    def id_on(self, arn: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, repr((arn, self))))


@dataclass
class PreviewRecord:
    """``looks``: how often it will still be seen as being created. ``invalid``: its policy is none."""

    id: str
    arn: str
    analyzer: str
    found: tuple[Finding, ...]
    invalid: bool
    created: datetime
    looks: int = 1


@dataclass
class Analyzers:
    """``kinds``: name and type of the analyzers of a place. ``insisted``: by repository, findings that are reported
    whatever its policy says. Callers hold the world's lock."""

    kinds: dict[Place, dict[str, str]] = field(default_factory=dict)
    insisted: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    previews: dict[str, PreviewRecord] = field(default_factory=dict)

    def reset(self) -> None:
        """As seeded: account A has one in its first region, the other accounts none."""
        self.kinds = {(ACCOUNT_A, REGION): {"external-access": "ACCOUNT"}}
        self.insisted.clear()
        self.previews.clear()

    def insist(self, arn: str, principal: str, *actions: str, public: bool = False) -> None:
        self.insisted[arn] = (*self.insisted.get(arn, ()), Finding(principal, actions, (), public))

    def of(self, arn: str, text: str | None) -> tuple[Finding, ...]:
        """Raises PolicyError for a text that is no policy."""
        return tuple(dict.fromkeys((*_of_policy(arn, text or ""), *self.insisted.get(arn, ()))))


@lru_cache(maxsize=1024)
def _of_policy(arn: str, text: str) -> tuple[Finding, ...]:
    if not text:
        return ()
    document = PolicyDocument.parse(text)
    if not document.statements:
        raise PolicyError("no statement")
    owner = arn.split(":")[4]
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for statement in document.statements:
        if statement.effect != "Allow":
            continue
        condition = tuple(sorted(_condition(statement)))
        for kind, principal in statement.principals:
            name = principal.split(":")[4] if principal.endswith(":root") else principal
            if kind == "AWS" and name != owner and f":{owner}:" not in name:
                actions = _allowed(document, statement, principal, arn)
                found.setdefault((name, condition), []).extend(actions)
    return tuple(
        Finding(name, tuple(dict.fromkeys(actions)), condition, name == "*" and not condition)
        for (name, condition), actions in found.items()
        if actions
    )


def _condition(statement: Statement) -> Iterator[tuple[str, str]]:
    conditions: Mapping[str, Any] = statement.raw.get("Condition") or {}
    for keys in conditions.values():
        for key, values in keys.items():
            if key.lower() in CONSIDERED:
                yield key, ",".join(strings(values))


def _allowed(document: PolicyDocument, allow: Statement, principal: str, arn: str) -> list[str]:
    """The statement's actions, its conditions taken as met, that no Deny without a condition takes away."""
    plain = {key: value for key, value in allow.raw.items() if key != "Condition"}
    denies = [one.raw for one in document.statements if one.effect == "Deny" and not one.raw.get("Condition")]
    policy = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": [plain, *denies]})
    caller = _ANYBODY if principal == "*" else principal
    actions = [one for pattern in allow.actions for one in matching_actions(pattern) if one in repository_actions()]
    return [
        action
        for action in actions
        if decide(Request(action, arn, arn.split(":")[4], caller, {}), Policies((_ALL,), policy)).allowed
    ]
