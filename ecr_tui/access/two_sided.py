"""Use case: predict whether both accounts allow a principal each action.

Across accounts A's side (repository policy and registry policy) and B's side (identity policies and boundary) must
each allow; within one account either is enough. Unreadable policies and facts that only the live request has make the
answer unknown.

As JSON (:meth:`TwoSided.to_json`, an element of ``plan --json``'s "verdicts")::

    {"principal": ARN, "access": "pull|push|push-pull", "response": "Allowed|Denied|Unknown",
     "identity": {"arn": ARN, "readable": true, "reason": null, "policies": [{"name", "origin", "arn"}],
                  "boundary": NAME or null},
     "actions": [{"action": "ecr:PutImage", "resource": ARN or "*", "response": "Allowed|Denied|Unknown",
                  "account_a": {"allows": true|false|null, "reason": TEXT} or null where A has no say,
                  "account_b": {"allows": true|false|null, "reason": TEXT},
                  "missing": ["account A", "account B"]}],
     "findings": [{"id", "severity", "title", "where", "fix"}], "notes": [TEXT], "not_considered": [TEXT]}

``missing`` names the sides that certainly do not allow the action; "allows": null is an unknown side. ``findings`` are
about B's side (``policy.lint_consumer``), empty if unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecr_tui.access.registry_policy import ANYTHING, OPEN_DOOR, Registry, registry_of
from ecr_tui.aws.model import IdentityPolicies, RegistryFacts, Repository, Role
from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.answer import bounds, open_keys
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Decision, Policies
from ecr_tui.policy.findings import Finding
from ecr_tui.policy.keys import is_resource_tag
from ecr_tui.policy.known import Known, before_call
from ecr_tui.policy.lint_consumer import lint_consumer
from ecr_tui.policy.principal import describe

ALLOWED, DENIED, UNKNOWN = "Allowed", "Denied", "Unknown"
NOT_CONSIDERED = (
    "service control and resource control policies of the organization",
    "VPC endpoint policies",
)
"""Policies that may still deny and are not readable with either account's credentials."""

SESSION_POLICIES = "session policies"
"""Also for roles and sessions: a session policy may be passed when a role is assumed."""


def not_considered(principal: str) -> tuple[str, ...]:
    """Policies that a verdict about the principal does not consider."""
    sessions = caller_of(principal).kind in ("role", "assumed-role", "federated-user")
    return (*NOT_CONSIDERED, SESSION_POLICIES) if sessions else NOT_CONSIDERED


def not_checked(principal: str) -> str:
    """The same as a clause."""
    sessions = ", VPC endpoint policies and session policies" if SESSION_POLICIES in not_considered(principal) else ""
    return f"SCPs, RCPs{sessions or ' and VPC endpoint policies'} are not checked"


_A, _B = str(Role.OWNER), str(Role.CONSUMER)
_UNREADABLE = "unknown, not readable: "


class Side(NamedTuple):
    """``allows`` None: unknown, with the ``reason``."""

    allows: bool | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"allows": self.allows, "reason": self.reason}


class ActionVerdict(NamedTuple):
    """``owner`` None: account A is not involved (GetAuthorizationToken has no repository)."""

    action: str
    resource: str
    response: str
    owner: Side | None
    consumer: Side
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "action": self.action,
            "resource": self.resource,
            "response": self.response,
            "account_a": self.owner.to_json() if self.owner is not None else None,
            "account_b": self.consumer.to_json(),
            "missing": list(self.missing),
        }


class TwoSided(NamedTuple):
    """The verdict of one principal on one repository. ``response``: Denied if any action is."""

    repository: str
    principal: str
    access: Access
    identity: IdentityPolicies
    actions: tuple[ActionVerdict, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def response(self) -> str:
        found = {item.response for item in self.actions}
        return next((word for word in (DENIED, UNKNOWN) if word in found), ALLOWED)

    @property
    def missing(self) -> tuple[str, ...]:
        """The sides that lack an Allow."""
        return tuple(side for side in (_A, _B) if any(side in item.missing for item in self.actions))

    def reasons(self) -> dict[tuple[str, str], list[str]]:
        """Actions that are not allowed, without "ecr:", by account ("A", "B") and shared reason."""
        found: dict[tuple[str, str], list[str]] = {}
        for item in self.actions:
            for name, side in (("A", item.owner), ("B", item.consumer)):
                if item.response != ALLOWED and side is not None and side.allows is not True:
                    # Without the action's name, so that actions with the same reason can share a line.
                    reason = side.reason.replace(f"the {item.action} action", "the action")
                    reason = reason.replace(item.action, "the action")
                    found.setdefault((name, reason), []).append(item.action.removeprefix("ecr:"))
        return found

    def to_json(self) -> dict[str, Any]:
        """See the module."""
        return {
            "principal": self.principal,
            "access": self.access.value,
            "response": self.response,
            "identity": identity_json(self.identity),
            "actions": [item.to_json() for item in self.actions],
            "findings": [finding.to_json() for finding in self.findings],
            "notes": list(self.notes),
            "not_considered": list(not_considered(self.principal)),
        }


def identity_json(identity: IdentityPolicies) -> dict[str, Any]:
    """A principal's own side; "reason" says why it is unreadable."""
    return {
        "arn": identity.arn,
        "readable": not identity.unreadable,
        "reason": identity.unreadable or None,
        "policies": [{"name": p.name, "origin": p.origin, "arn": p.arn or None} for p in identity.policies],
        "boundary": identity.boundary.name if identity.boundary is not None else None,
    }


def two_sided(
    repository: Repository,
    principal: str,
    access: Access,
    document: PolicyDocument | None,
    *,
    identity: IdentityPolicies,
    registry: RegistryFacts | None = None,
    now: datetime | None = None,
) -> TwoSided:
    """``document``: the repository policy to evaluate, such as a plan's ``after``. ``registry`` None: ignored.

    ``principal``: the ARN of a user, role or session; for an account's root, its users and roles are unknown.
    """
    known = _known(repository, principal, identity, now or datetime.now(UTC))
    case = _Case(repository, known, document, identity, registry_of(registry))
    token = (case.token(),) if access.uses_registry else ()
    actions = (*token, *(case.verdict(action) for action in access.actions))
    return TwoSided(
        repository.name,
        principal,
        access,
        identity,
        actions,
        _notes(principal, identity),
        _findings(repository, access, identity, actions),
    )


def _known(repository: Repository, principal: str, identity: IdentityPolicies, now: datetime) -> Known:
    """With IAM's data of the principal: its id and tags, its boundary, and its ARN with the path."""
    if identity.unreadable:
        return before_call(principal, repository_arn=repository.arn, tags=repository.tags, now=now)
    own = caller_of(principal).kind in ("user", "role")
    return before_call(
        identity.arn if own else principal,
        repository_arn=repository.arn,
        tags=repository.tags,
        now=now,
        principal_arn=identity.arn,
        principal_tags=dict(identity.tags),
        user_id=identity.user_id,
        bounded=bool(identity.boundaries),
    )


def _findings(
    repository: Repository, access: Access, identity: IdentityPolicies, actions: Sequence[ActionVerdict]
) -> tuple[Finding, ...]:
    """Only if B certainly lacks something; facts that depend on the request are not findings."""
    if identity.documents is None or not any(item.consumer.allows is False for item in actions):
        return ()
    return lint_consumer(
        identity.documents,
        identity.arn,
        access,
        repository_arn=repository.arn,
        tags=repository.tags,
        boundaries=identity.boundaries,
    )


def _notes(principal: str, identity: IdentityPolicies) -> tuple[str, ...]:
    notes = list(identity.notes)
    if not identity.unreadable and caller_of(principal).kind in ("user", "role") and identity.arn != principal:
        notes.append(f"its ARN is {identity.arn}; a policy that names {principal} does not match it")
    return tuple(notes)


class _Case:
    """One principal on one repository; each action is decided in the best and the worst case."""

    def __init__(
        self,
        repository: Repository,
        known: Known,
        document: PolicyDocument | None,
        identity: IdentityPolicies,
        registry: Registry,
    ) -> None:
        self._repository = repository
        self._known = known
        self._document = document
        self._identity = identity
        self._registry = registry
        self._account = known.caller.account
        self._same_account = self._account == repository.account

    def verdict(self, action: str) -> ActionVerdict:
        owner, consumer = self._owner(action), self._consumer(action)
        allows: bool | None
        if self._same_account:
            allows = self._settled(action, identity=True, resource=True)[0]
        elif False in (owner.allows, consumer.allows):
            allows = False
        else:
            allows = None if None in (owner.allows, consumer.allows) else True
        missing: tuple[str, ...] = ()
        if allows is False:
            missing = tuple(name for name, side in ((_A, owner), (_B, consumer)) if side.allows is False)
        return ActionVerdict(action, self._repository.arn, _word(allows), owner, consumer, missing)

    def token(self) -> ActionVerdict:
        """The login: decided only by identity policies, without a resource."""
        if self._identity.unreadable:
            side = Side(None, _UNREADABLE + self._identity.unreadable)
        else:
            tagless = {key: value for key, value in self._known.keys.items() if not is_resource_tag(key)}
            policies = Policies(self._identity.documents, None, self._identity.boundaries)
            known = replace(self._known, keys=tagless, tags_known=True)
            worst, best = bounds(policies, known, TOKEN_ACTION, "*", self._account or "")
            side = self._side([best], [worst], TOKEN_ACTION, "*", owner=False)
        missing = (_B,) if side.allows is False else ()
        return ActionVerdict(TOKEN_ACTION, "*", _word(side.allows), None, side, missing)

    def _owner(self, action: str) -> Side:
        allows, at_best, at_worst = self._settled(action, identity=False, resource=True)
        if allows is None and self._registry.doubt:
            return Side(None, f"unknown: {self._registry.doubt}")
        return self._side(at_best, at_worst, action, self._repository.arn, owner=True)

    def _consumer(self, action: str) -> Side:
        if self._identity.unreadable:
            return Side(None, _UNREADABLE + self._identity.unreadable)
        _, at_best, at_worst = self._settled(action, identity=True, resource=False)
        return self._side(at_best, at_worst, action, self._repository.arn, owner=False)

    def _settled(
        self, action: str, *, identity: bool, resource: bool
    ) -> tuple[bool | None, list[Decision], list[Decision]]:
        """(the answer if certain, best-case decisions, worst-case decisions), one for each registry policy.

        An omitted side has no effect: across accounts it allows, within one it neither allows nor denies.
        """
        open_identity: tuple[PolicyDocument, ...] = () if self._same_account else (ANYTHING,)
        open_resource = None if self._same_account else OPEN_DOOR
        repository = self._repository
        found = [
            bounds(
                Policies(
                    self._identity.documents if identity else open_identity,
                    self._document if resource else open_resource,
                    self._identity.boundaries if identity else (),
                    session=None if identity else ANYTHING,
                    registry=registry if resource else None,
                ),
                self._known,
                action,
                repository.arn,
                repository.account,
            )
            for registry in self._registry.candidates
        ]
        at_worst, at_best = [one.worst for one in found], [one.best for one in found]
        possible = any(decision.allowed for decision in at_best)
        certain = all(decision.allowed for decision in at_worst)
        return (certain if possible == certain else None), at_best, at_worst

    def _side(
        self, at_best: Sequence[Decision], at_worst: Sequence[Decision], action: str, resource: str, *, owner: bool
    ) -> Side:
        wheres = ("resource", "registry") if owner else ("identity", "boundary")
        if all(decision.allowed for decision in at_worst):
            return Side(True, _text(at_worst, wheres, ("allow", "root")) or "allowed")
        if not any(decision.allowed for decision in at_best):
            return Side(False, _text(at_best, wheres, ("deny", "missing", "near")) or "no policy allows it")
        documents: list[PolicyDocument | None] = (
            [self._document, *self._registry.candidates]
            if owner
            else [*(self._identity.documents or ()), *self._identity.boundaries]
        )
        found = (item for item in documents if item is not None)
        keys = open_keys(found, self._known, action, resource, attached=owner)
        return Side(None, f"unknown: depends on {', '.join(keys)}" if keys else "unknown")


def _text(decisions: Iterable[Decision], wheres: tuple[str, ...], kinds: tuple[str, ...]) -> str:
    found = dict.fromkeys(
        reason.text
        for decision in decisions
        for reason in decision.reasons
        if reason.where in wheres and reason.kind in kinds
    )
    texts = list(found)
    return "; ".join(texts[:3]) + (f"; and {len(texts) - 3} more" if len(texts) > 3 else "")


def _word(allows: bool | None) -> str:
    return UNKNOWN if allows is None else ALLOWED if allows else DENIED


def headline(found: TwoSided) -> str:
    """The verdict in one sentence."""
    who = f"{describe(found.principal)} ({found.access.words})"
    if found.response == ALLOWED:
        return f"both accounts allow {who}; {not_checked(found.principal)}"
    if found.response == DENIED:
        lacking = " and ".join(found.missing) or "a policy"
        return f"{who} is denied: {lacking} does not allow all actions"
    return f"access of {who} is unknown"
