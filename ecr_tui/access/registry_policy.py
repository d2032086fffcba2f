"""Effect of account A's registry policy for one principal and repository.

With scope V2, the default, the registry policy is evaluated with the repository policy on every request: its Deny
overrides any grant, and its Allow remains after a revoke (ECR User Guide, "Private registry permissions in Amazon
ECR"). With scope V1 it applies to replication and pull through cache only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.policy.access import AccessSummary
from ecr_tui.policy.answer import Verdict, of_call
from ecr_tui.policy.compiled import rules_of
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.findings import Finding
from ecr_tui.policy.known import before_call
from ecr_tui.policy.principal import describe
from ecr_tui.policy.who import Answers, Matrix

ANYTHING = PolicyDocument.from_json(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
"""An identity policy that allows everything, to evaluate account A's side only."""
OPEN_DOOR = PolicyDocument.from_json({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
LOCKED_DOOR = PolicyDocument.from_json({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]})

_NEVER = "Never"
"""An invalid Effect: disables the statement and keeps the numbers of the others."""

SOURCE = "ECR User Guide, Private registry permissions in Amazon ECR"


class Registry(NamedTuple):
    """Candidates for the registry policy: one, or several if unknown which applies. None: no policy.

    ``doubt`` is the reason why it is unknown, "" if known.
    """

    candidates: tuple[PolicyDocument | None, ...] = (None,)
    doubt: str = ""


def registry_of(facts: RegistryFacts | None) -> Registry:
    """``facts`` None: not read, so the registry policy is ignored."""
    if facts is None:
        return Registry()
    if facts.scope == "V1":
        return Registry()
    if facts.policy_unreadable:
        return Registry((OPEN_DOOR, LOCKED_DOOR), f"the registry policy is not readable: {facts.policy_unreadable}")
    if facts.policy_text is None:
        return Registry()
    try:
        policy = PolicyDocument.parse(facts.policy_text)
    except PolicyError as error:
        return Registry((OPEN_DOOR, LOCKED_DOOR), f"the registry policy is not valid: {error.title}")
    if facts.scope:
        return Registry((policy,))
    return Registry((None, policy), f"the scope of the registry policy is not readable: {facts.scope_unreadable}")


class Reach:
    """The registry policy, prepared for many repositories.

    Its statements have resources, so each repository has its own subset; there are few different subsets.
    """

    def __init__(self, facts: RegistryFacts) -> None:
        candidates = registry_of(facts).candidates
        self._policy = candidates[0] if len(candidates) == 1 else None
        self._shares: dict[tuple[bool, ...], PolicyDocument] = {}
        self.exists = self._policy is not None
        """Also False if it is unknown which policy applies."""

    def on(self, arn: str) -> PolicyDocument | None:
        """The statements for that repository, without their Resource; the same object for equal subsets."""
        policy = self._policy
        if policy is None:
            return None
        rules = rules_of(policy)
        if any(rule.varies for rule in rules):
            return policy
        key = tuple(rule.resource_matches(arn, {}, required=False) for rule in rules)
        share = self._shares.get(key)
        if share is None:
            about = {rule.statement.index for rule, matches in zip(rules, key, strict=True) if matches}
            share = self._shares[key] = policy.replace(
                {name: value for name, value in item.raw.items() if name not in ("Resource", "NotResource")}
                if item.index in about
                else {**item.raw, "Effect": _NEVER}
                for item in policy.statements
            )
        return share


class Decided:
    """What account A's policies say of anybody, repository by repository. Equal policies are worked out once.

    ``registries``: by region, as far as somebody looked when its first repository is asked about. As in the audit, a
    registry policy of which it is not known whether it is in force is left aside. ``roles``: of sessions, their roles'
    ARNs with the path.
    """

    def __init__(
        self,
        registries: Mapping[str, RegistryFacts | None],
        *,
        now: datetime | None = None,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        self._registries = registries
        self._now = now or datetime.now(UTC)
        self._roles = roles
        self._reaches: dict[str, Reach] = {}
        self._matrices: dict[int, Matrix] = {}

    def on(self, repository: Repository, document: PolicyDocument | None) -> Answers:
        region = repository.region
        facts = self._registries.get(region)
        if facts is not None and region not in self._reaches:
            self._reaches[region] = Reach(facts)
        policy = self._reaches[region].on(repository.arn) if region in self._reaches else None
        matrix = self._matrices.get(id(policy))
        if matrix is None:
            matrix = self._matrices[id(policy)] = Matrix(
                (),
                account=repository.account,
                partition=repository.partition,
                registry=policy,
                now=self._now,
                roles=self._roles,
            )
        return matrix.answers(document, repository.tags, repository.arn)


class Accesses:
    """As :class:`Decided`, in short and for one principal. ``role``: of a session, its role's ARN with the path."""

    def __init__(
        self,
        principal: str,
        registries: Mapping[str, RegistryFacts | None],
        *,
        now: datetime | None = None,
        role: str = "",
    ) -> None:
        self._principal = principal
        self._decided = Decided(registries, now=now, roles={principal: role} if role else None)

    def of(self, repository: Repository, document: PolicyDocument | None) -> AccessSummary:
        return self._decided.on(repository, document).row(self._principal).summary


class Effect(NamedTuple):
    """Of the requested actions: those that the registry policy denies, may deny (a condition that only the live request
    decides), and allows by itself. ``doubt`` as in :class:`Registry`."""

    facts: RegistryFacts
    principal: str
    denies: tuple[str, ...] = ()
    may_deny: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    statement: str = ""
    doubt: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "principal": self.principal,
            "denies": list(self.denies),
            "may_deny": list(self.may_deny),
            "allows": list(self.allows),
            "statement": self.statement or None,
        }


def effect(
    facts: RegistryFacts,
    repository: Repository,
    principal: str,
    actions: Sequence[str],
    *,
    now: datetime | None = None,
) -> Effect:
    """``principal``: an ARN; an account's root ARN means the account."""
    registry = registry_of(facts)
    if registry.candidates == (None,) or registry.doubt:
        return Effect(facts, principal, doubt=registry.doubt)
    (policy,) = registry.candidates
    if policy is None:
        return Effect(facts, principal)
    known = before_call(principal, repository_arn=repository.arn, tags=repository.tags, now=now or datetime.now(UTC))
    denies, may_deny, allows = [], [], []
    statement = ""
    for action in actions:
        found = of_call(OPEN_DOOR, known, action, repository.arn, (policy,))
        if found.verdict is Verdict.NO:
            denies.append(action)
        elif found.verdict is Verdict.DEPENDS:
            may_deny.append(action)
        else:
            found = of_call(None, known, action, repository.arn, (policy,))
            if found.verdict is not Verdict.YES:
                continue
            allows.append(action)
        statement = statement or next(one.statement.name for one in found.sources if one.where == "registry")
    return Effect(facts, principal, tuple(denies), tuple(may_deny), tuple(allows), statement)


def registry_json(facts: RegistryFacts, effects: Sequence[Effect] = ()) -> dict[str, Any]:
    """``plan --json``'s "registry_policy". "exists" is null if unreadable; "unknown" has the reason."""
    return {
        "region": facts.region,
        "exists": None if facts.policy_unreadable else facts.policy_text is not None,
        "scope": facts.scope or None,
        "unknown": registry_of(facts).doubt or None,
        "effects": [found.to_json() for found in effects],
    }


def findings(found: Effect) -> tuple[Finding, ...]:
    """Findings for a plan, in the form of ``policy.lint``."""
    name = describe(found.principal)
    where = f"registry policy, {found.statement}" if found.statement else "registry policy"

    def of(actions: Sequence[str], rule: str, severity: str, what: str, why: str, fix: str) -> tuple[Finding, ...]:
        title = f"The registry policy {what}: {_names(actions)}"
        return (Finding(rule, severity, title, why, fix, where, SOURCE, found.statement),) if actions else ()

    return (
        *of(
            found.denies,
            "registry-deny",
            "error",
            f"denies {name}",
            "It is evaluated on every request with the repository policy, and its Deny overrides every grant.",
            "Change the registry policy (aws ecr get-registry-policy), or skip this grant.",
        ),
        *of(
            found.may_deny,
            "registry-may-deny",
            "warning",
            f"may deny {name}",
            "Its Deny has a condition that only the live request decides.",
            "Check the condition, and verify live.",
        ),
        *of(
            found.allows,
            "registry-allow",
            "info",
            f"allows {name} as well",
            "It applies to the whole registry, and stays when the repository policy changes.",
            "To end that access, change the registry policy as well.",
        ),
    )


def sentence(found: Effect) -> str:
    """Its strongest effect, without a period; "" for none."""
    name = describe(found.principal)
    if found.denies:
        return f"the registry policy denies {name} {_names(found.denies)}"
    return f"the registry policy allows {name} {_names(found.allows)}, too" if found.allows else ""


def _names(actions: Sequence[str]) -> str:
    names = [action.removeprefix("ecr:") for action in actions]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
