"""Access matrix of repositories and grantees, by account A's policies.

Pure: evaluates policies that were read before. Cells are computed on demand. Repositories with equal policies, and
without relevant tag differences, share cells, so the cost depends on the number of different policies. Account B's
policies are not included; see ``two_sided``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ecr_tui.access.audit_reading import parsed
from ecr_tui.access.registry_policy import Decided, registry_of
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.policy import grantees
from ecr_tui.policy.answer import Verdict
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.known import EVERYONE
from ecr_tui.policy.principal import account_of, canonical, describe
from ecr_tui.policy.who import Answers, Capability, Cell, Row, kind_of, named_principals

PARTS = (Capability.READ, Capability.PULL, Capability.PUSH)
"""The parts of a cell, in this order."""

_ANSWERS = {True: Verdict.YES, False: Verdict.NO, None: Verdict.DEPENDS}


def answer_of(cell: Cell) -> Verdict:
    """Three-valued, as in ``policy.answer``."""
    return _ANSWERS[cell.allowed]


class Proof(NamedTuple):
    """The last live verification of a principal on a repository.

    ``can``: certain results. ``stale``: the later change of access, "grant of 2030-01-31 18:50 UTC"; "" if none is
    known.
    """

    at: datetime
    can: Mapping[Capability, bool]
    stale: str = ""

    def stale_by(self, row: Row) -> str:
        """As ``stale``; also if account A's policies no longer allow the proven access."""
        lost = [part.value for part, can in self.can.items() if can and row.cells[part].allowed is False]
        return self.stale or (f"policy no longer allows {' and '.join(lost)}" if lost else "")


ProofKey = tuple[str, str]
"""Repository ARN and principal, from :func:`proof_key`."""


def proof_key(arn: str, principal: str) -> ProofKey:
    """A role's session counts for the role: names are unique in an account, and a session's ARN lacks the role's
    path."""
    caller = caller_of(principal)
    if caller.kind in ("role", "assumed-role"):
        return arn, f"{caller.account} {caller.name}"
    return arn, principal


class Grantee(NamedTuple):
    """A column of the matrix. ``kind`` and ``external`` as in ``who.Row``."""

    principal: str
    kind: str
    account: str | None
    external: bool

    @classmethod
    def of(cls, principal: str, owner: str) -> Grantee:
        """``owner``: account A."""
        account = account_of(principal)
        return cls(principal, kind_of(principal), account, account != owner)

    @property
    def title(self) -> str:
        return describe(self.principal)

    @property
    def order(self) -> tuple[object, ...]:
        """Other accounts before account A's own principals."""
        return not self.external, self.account or "", self.kind, self.title


def grantees_of(document: PolicyDocument | None) -> tuple[str, ...]:
    """Principals named in an Allow; by its condition also the organization, unit, or service with its source."""
    found: dict[str, str] = {}
    for statement in document.statements if document is not None else ():
        if statement.effect != "Allow":
            continue
        names = [value for _, value in statement.principals]
        if not statement.not_principals:
            whole = EVERYONE if names == [EVERYONE] else statement.raw.get("Principal")
            known = grantees.read(whole, statement.raw.get("Condition") or {})
            names = list(known[0]) if known is not None else names
        else:
            names = [EVERYONE]
        for name in names:
            found.setdefault(canonical(name), name)
    return tuple(found.values())


class Policy(NamedTuple):
    """A repository with its policy: None without one, or if unknown (``unreadable`` has the reason)."""

    repository: Repository
    document: PolicyDocument | None = None
    unreadable: str = ""


class AccessMatrix:
    """``registries``: those read so far. As in the list, a registry policy with an unknown state is ignored, and
    :attr:`notes` mentions it. ``roles``: role ARNs with paths for sessions."""

    def __init__(
        self,
        account: str,
        *,
        registries: Sequence[RegistryFacts] = (),
        proofs: Mapping[ProofKey, Proof] | None = None,
        roles: Mapping[str, str] | None = None,
        now: datetime,
    ) -> None:
        self.account = account
        self.now = now
        self.notes = tuple(
            f"registry policy in {facts.region} not evaluated: {doubt}"
            for facts in registries
            if (doubt := registry_of(facts).doubt)
        )
        self.proofs = proofs or {}
        self._decided = Decided({facts.region: facts for facts in registries}, now=now, roles=roles)
        self._documents: dict[str, PolicyDocument | str] = {}
        self._policies: dict[str, Policy] = {}
        self._answers: dict[str, Answers] = {}
        self._named: Counter[str] = Counter()
        self._grantees: dict[int, tuple[str, ...]] = {}
        self._columns: tuple[int, tuple[Grantee, ...]] = (0, ())
        for facts in registries:
            for policy in registry_of(facts).candidates:
                if policy is not None and not registry_of(facts).doubt:
                    self._named.update(dict.fromkeys(named_principals(policy), 0))

    # -- policies ------------------------------------------------------------------------------------------------

    def read(self, repository: Repository, text: str | None, unreadable: str = "") -> Policy:
        """Set or replace the policy of a repository."""
        found: PolicyDocument | str | None = None
        if not unreadable and text is not None:
            found = self._documents.get(text)
            if found is None:
                found = self._documents[text] = parsed(text)
        unreadable = found if isinstance(found, str) else unreadable
        policy = Policy(repository, found if isinstance(found, PolicyDocument) else None, unreadable)
        before = self._policies.get(repository.arn)
        if before is not None:
            self._named.subtract(self._grantees_of(before.document))
        self._named.update(self._grantees_of(policy.document))
        self._policies[repository.arn] = policy
        self._answers.pop(repository.arn, None)
        return policy

    def policy(self, repository: Repository) -> Policy | None:
        """None if not read yet."""
        return self._policies.get(repository.arn)

    def _grantees_of(self, document: PolicyDocument | None) -> tuple[str, ...]:
        """Documents are cached, so that their identity is a key."""
        found = self._grantees.get(id(document))
        if found is None:
            found = self._grantees[id(document)] = grantees_of(document)
        return found

    # -- columns -------------------------------------------------------------------------------------------------

    def named(self) -> tuple[Grantee, ...]:
        """Principals named in the policies read so far, including replaced ones; the same object until one is added."""
        if len(self._named) != self._columns[0]:
            names: dict[str, str] = {}
            for name in self._named:
                names.setdefault(canonical(name), name)
            self._columns = len(self._named), self.columns(names.values())
        return self._columns[1]

    def columns(self, principals: Iterable[str]) -> tuple[Grantee, ...]:
        """These as columns, in order, without duplicates."""
        once = {canonical(one): one for one in principals}
        return tuple(sorted((Grantee.of(one, self.account) for one in once.values()), key=lambda one: one.order))

    def count(self, principal: str) -> int:
        """The number of repositories whose own policies name it."""
        return sum(number for name, number in self._named.items() if canonical(name) == canonical(principal))

    # -- cells ---------------------------------------------------------------------------------------------------

    def row(self, repository: Repository, principal: str) -> Row | None:
        """The answers of a cell; None if the policy was not read or is unreadable."""
        answers = self._answers_on(repository.arn)
        return None if answers is None else answers.row(principal)

    def proof(self, repository: Repository, principal: str) -> Proof | None:
        return self.proofs.get(proof_key(repository.arn, principal)) if self.proofs else None

    def _answers_on(self, arn: str) -> Answers | None:
        found = self._answers.get(arn)
        if found is None:
            policy = self._policies.get(arn)
            if policy is None or policy.unreadable:
                return None
            found = self._answers[arn] = self._decided.on(policy.repository, policy.document)
        return found
