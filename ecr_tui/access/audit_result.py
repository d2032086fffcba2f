"""Result types of an audit: each repository with its access and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from ecr_tui.access.two_sided import TwoSided
from ecr_tui.aws.model import IdentityPolicies, RegistryFacts, Replication, Repository
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Finding
from ecr_tui.policy.rules import ERROR, INFO, WARNING
from ecr_tui.policy.trusted import Trusted
from ecr_tui.policy.who import Capability, Row, Verdict

Tag = tuple[str, str]
REACHES = frozenset({Verdict.YES, Verdict.IF})
"""Verdicts that allow a principal, at least under some conditions."""
ENTRY = (Capability.PULL, Capability.PUSH)


class Ending(NamedTuple):
    """A statement that expires at ``ends``."""

    statement: str
    principals: tuple[str, ...]
    ends: datetime
    expired: bool


class Unmet(NamedTuple):
    """A grant whose condition needs a tag that the repository does not have."""

    statement: str
    principals: tuple[str, ...]
    reason: str


class RepositoryAudit(NamedTuple):
    """``rows``: all principals named in the policy (or the registry policy). ``asked``: the requested principals, named
    or not. ``unreadable`` is the reason why the policy is unknown, "" if it was read."""

    repository: Repository
    document: PolicyDocument | None = None
    unreadable: str = ""
    rows: tuple[Row, ...] = ()
    asked: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()
    endings: tuple[Ending, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    not_granted: tuple[str, ...] = ()
    """Drift: it has the tag of interest, and these principals have neither pull nor push."""


class CopyDifference(NamedTuple):
    """Access of a principal to the original and to the copy."""

    principal: str
    capability: Capability
    original: Verdict
    copy: Verdict


class CopyAudit(NamedTuple):
    """A replicated copy compared with its original. ``state``: SAME, DIFFERS, ABSENT, UNKNOWN, FOREIGN or OUTSIDE of
    :mod:`ecr_tui.access.replicas`. ``others``: differences in further actions, in words."""

    original: Repository
    region: str
    account: str
    state: str
    reason: str = ""
    differences: tuple[CopyDifference, ...] = ()
    others: tuple[str, ...] = ()


class NotPulled(NamedTuple):
    """``principals``: external ones with pull access. ``last_pull`` None: no recorded pull."""

    repository: Repository
    principals: tuple[str, ...]
    last_pull: datetime | None
    images: int


class PullAudit(NamedTuple):
    """``unknown``: repositories with unknown pulls, each with the reason."""

    days: int
    found: tuple[NotPulled, ...] = ()
    unknown: tuple[tuple[Repository, str], ...] = ()


class RegistryChange(NamedTuple):
    """A change of access by the registry policy, with the number of repositories in a region."""

    region: str
    principal: str
    capability: Capability
    without: Verdict
    now: Verdict
    repositories: int


class Interest(NamedTuple):
    """The tag to check for drift, and the principals that should have access by it. ``origin``: "given" or "most
    used"."""

    tags: tuple[Tag, ...] = ()
    origin: str = ""
    principals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    account: str
    partition: str
    regions: tuple[str, ...]
    at: datetime
    repositories: tuple[RepositoryAudit, ...]
    registries: tuple[RegistryFacts, ...] = ()
    changes: tuple[RegistryChange, ...] = ()
    interest: Interest = field(default_factory=Interest)
    failures: Mapping[str, str] = field(default_factory=dict)
    """Region -> why it (or its tags) could not be listed."""
    identities: tuple[IdentityPolicies, ...] = ()
    """Identity policies of the requested principals."""
    notes: tuple[str, ...] = ()
    replications: tuple[Replication, ...] = ()
    copies: tuple[CopyAudit, ...] = ()
    pulls: PullAudit | None = None
    """External access without recent pulls; None if not requested."""
    verdicts: Mapping[tuple[str, str], TwoSided] = field(default_factory=dict)
    """(repository ARN, principal) -> both sides, for requested principals that A's side allows."""
    trusted: Trusted | None = None
    """``[trusted]`` of the configuration; None if missing."""

    @cached_property
    def unknown(self) -> tuple[RepositoryAudit, ...]:
        return tuple(item for item in self.repositories if item.unreadable)

    @cached_property
    def severities(self) -> Mapping[str, int]:
        """Findings by severity. An unreadable policy counts as an error."""
        found = Counter(finding.severity for item in self.repositories for finding in item.findings)
        found[ERROR] += len(self.unknown)
        return {severity: found[severity] for severity in (ERROR, WARNING, INFO)}

    @cached_property
    def rows(self) -> tuple[tuple[Row, tuple[Repository, ...]], ...]:
        """Each different row with its repositories, in their order."""
        found: dict[int, tuple[Row, list[Repository]]] = {}
        for item in self.repositories:
            for row in item.rows:
                entry = found.get(id(row))
                if entry is None:
                    entry = found[id(row)] = (row, [])
                entry[1].append(item.repository)
        return tuple((row, tuple(repositories)) for row, repositories in found.values())

    def of_kind(self, *kinds: str) -> tuple[tuple[Row, tuple[Repository, ...]], ...]:
        return tuple(item for item in self.rows if item[0].kind in kinds)

    @cached_property
    def drift(self) -> tuple[RepositoryAudit, ...]:
        """Repositories whose tags and grants disagree, in either direction."""
        return tuple(item for item in self.repositories if item.not_granted or item.unmet)

    def fails(self, level: str) -> bool:
        """Whether ``--fail-on LEVEL`` fails: a finding of that severity or worse, or a policy that was not read."""
        worst = {ERROR: (ERROR,), WARNING: (ERROR, WARNING), INFO: (ERROR, WARNING, INFO)}[level]
        return bool(self.failures) or any(self.severities[severity] for severity in worst)
