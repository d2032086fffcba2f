"""A request to ECR, the policies that apply to it, and one reason of the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ecr_tui.policy.document import PolicyDocument, values_of
from ecr_tui.policy.patterns import Context

ALLOWED = "Allowed"
IMPLICIT = "ImplicitlyDenied"
EXPLICIT = "ExplicitlyDenied"
UNKNOWN = "Unknown"


@dataclass(eq=False)
class Request:
    """One call; must not be changed once created (not frozen, because that would cost more than a decision).

    ``action`` like "ecr:PutImage"; ``resource`` an ARN, or "*" for an action on no resource.
    ``principal`` is the caller's ARN (user, role, assumed-role session, federated user, account root) or a service
    like "lambda.amazonaws.com". ``context`` holds the condition keys as set by the service; nothing is added here (see
    ``context_for``). Key names are case-insensitive; values are text, numbers, bools or lists of them.
    """

    action: str
    resource: str
    resource_account: str
    principal: str
    context: Mapping[str, Any]

    @cached_property
    def keys(self) -> Context:
        """``context`` with lower-case keys and textual values; keys that differ only in case are merged."""
        keys: dict[str, str | tuple[str, ...]] = {}
        for key, value in self.context.items():
            lower = key.lower()
            if type(value) is str and lower not in keys:
                keys[lower] = value
            elif value is not None:
                _add(keys, lower, value)
        return keys


def _add(keys: dict[str, str | tuple[str, ...]], lower: str, value: Any) -> None:
    is_list = isinstance(value, list | tuple | set | frozenset)
    texts = values_of(list(value) if is_list else value)
    if lower in keys:
        known = keys[lower]
        keys[lower] = ((known,) if isinstance(known, str) else known) + texts
    elif is_list:
        keys[lower] = texts
    elif texts:
        keys[lower] = texts[0]


class Policies(NamedTuple):
    """All policies that apply. Order within a list does not matter.

    ``identity``: the caller's identity policies; None if unreadable. ``resource``: the repository policy.
    ``registry``: account A's registry policy, if its scope is V2 (it then applies to every request).
    ``boundaries``: permissions boundary (empty: no limit). ``scps``, ``rcps``: one sequence per level, from the
    organization's root to the account (empty: not in an organization). ``session``: the session policy.
    """

    identity: Sequence[PolicyDocument] | None
    resource: PolicyDocument | None
    boundaries: Sequence[PolicyDocument] = ()
    session: PolicyDocument | None = None
    scps: Sequence[Sequence[PolicyDocument]] = ()
    rcps: Sequence[Sequence[PolicyDocument]] = ()
    registry: PolicyDocument | None = None

    def sides(self, caller_kind: str) -> dict[str, Sequence[Sequence[PolicyDocument]]]:
        """Each kind of policy as levels that must all allow; a kind without levels does not apply. "resource" and
        "registry" come first: their statements have principals. A service has neither identity nor service control
        policies."""
        service = caller_kind == "service"
        return {
            "resource": [() if self.resource is None else (self.resource,)],
            "registry": [() if self.registry is None else (self.registry,)],
            "identity": [() if service else self.identity or ()],
            "boundary": [self.boundaries] if self.boundaries else (),
            "session": () if self.session is None else [(self.session,)],
            "scp": () if service else self.scps,
            "rcp": self.rcps,
        }


@dataclass(frozen=True)
class Reason:
    """One reason of a decision. ``text`` is a clause; the other fields have the same content for programs.

    ``where``: "identity", "resource", "registry", "boundary", "session", "scp", "rcp". ``kind``: "allow" and "deny"
    for a statement that applied; "near" for one that names the action but fails in ``element`` (and, for a condition,
    in ``key``); "missing" for a side without an Allow; "unreadable"; "root" for the account's root user. ``policy``
    counts from 0 within ``where``; ``statement`` is its Sid or "statement 1".
    """

    where: str
    kind: str
    text: str
    policy: int = 0
    statement: str = ""
    index: int | None = None
    element: str = ""
    key: str = ""

    def to_json(self) -> dict[str, Any]:
        found = {
            "where": self.where,
            "kind": self.kind,
            "text": self.text,
            "statement": self.statement,
            "element": self.element,
            "key": self.key,
        }
        return {key: value for key, value in found.items() if value}
