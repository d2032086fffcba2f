"""What an audit finds: values only, each repository with who may do what, and what is odd about it."""

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
"""Verdicts of a cell that let a principal do it, at least under some circumstances."""
ENTRY = (Capability.PULL, Capability.PUSH)


class Ending(NamedTuple):
    """A statement that stops to apply at ``ends``."""

    statement: str
    principals: tuple[str, ...]
    ends: datetime
    expired: bool


class Unmet(NamedTuple):
    """A grant that waits for a tag which the repository does not carry."""

    statement: str
    principals: tuple[str, ...]
    reason: str


class RepositoryAudit(NamedTuple):
    """``rows``: everyone that the policy (or the registry policy) names. ``asked``: the principals asked about, named
    or not. ``unreadable`` is the reason why nothing is known of the policy, "" where it was read."""

    repository: Repository
    document: PolicyDocument | None = None
    unreadable: str = ""
    rows: tuple[Row, ...] = ()
    asked: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()
    endings: tuple[Ending, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    not_granted: tuple[str, ...] = ()
    """Drift: it carries the tag of interest, and these principals have neither pull nor push."""


class CopyDifference(NamedTuple):
    """What a principal may do on the original, and on the copy."""

    principal: str
    capability: Capability
    original: Verdict
    copy: Verdict


class CopyAudit(NamedTuple):
    """A replicated copy beside its original. ``state``: SAME, DIFFERS, ABSENT, UNKNOWN, FOREIGN or OUTSIDE of
    :mod:`ecr_tui.access.replicas`. ``others``: differences in further actions, in words."""

    original: Repository
    region: str
    account: str
    state: str
    reason: str = ""
    differences: tuple[CopyDifference, ...] = ()
    others: tuple[str, ...] = ()


class NotPulled(NamedTuple):
    """``principals``: those outside the account who may pull. ``last_pull`` None: no pull is recorded."""

    repository: Repository
    principals: tuple[str, ...]
    last_pull: datetime | None
    images: int


class PullAudit(NamedTuple):
    """``unknown``: repositories whose pulls are not known, each with the reason."""

    days: int
    found: tuple[NotPulled, ...] = ()
    unknown: tuple[tuple[Repository, str], ...] = ()


class RegistryChange(NamedTuple):
    """What the registry policy makes of a cell, in so many repositories of a region."""

    region: str
    principal: str
    capability: Capability
    without: Verdict
    now: Verdict
    repositories: int


class Interest(NamedTuple):
    """The tag that drift is looked for, and who should have access by it. ``origin``: "given" or "most used"."""

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
    """The asked principals' own side."""
    notes: tuple[str, ...] = ()
    replications: tuple[Replication, ...] = ()
    copies: tuple[CopyAudit, ...] = ()
    pulls: PullAudit | None = None
    """Access from outside to what nobody pulls; None where that was not asked for."""
    verdicts: Mapping[tuple[str, str], TwoSided] = field(default_factory=dict)
    """(repository ARN, principal) -> both sides, for asked principals that A's side lets in."""
    trusted: Trusted | None = None
    """Whom the configuration trusts; None: it does not say."""

    @cached_property
    def unknown(self) -> tuple[RepositoryAudit, ...]:
        return tuple(item for item in self.repositories if item.unreadable)

    @cached_property
    def severities(self) -> Mapping[str, int]:
        """Findings by severity. A policy that could not be read counts as an error: nothing is known of it."""
        found = Counter(finding.severity for item in self.repositories for finding in item.findings)
        found[ERROR] += len(self.unknown)
        return {severity: found[severity] for severity in (ERROR, WARNING, INFO)}

    @cached_property
    def rows(self) -> tuple[tuple[Row, tuple[Repository, ...]], ...]:
        """Each different row with the repositories it is about, as the repositories come."""
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
        """Repositories whose tags and grants disagree, either way."""
        return tuple(item for item in self.repositories if item.not_granted or item.unmet)

    def fails(self, level: str) -> bool:
        """Whether ``--fail-on LEVEL`` fails: a finding of that severity or worse, or a policy that was not read."""
        worst = {ERROR: (ERROR,), WARNING: (ERROR, WARNING), INFO: (ERROR, WARNING, INFO)}[level]
        return bool(self.failures) or any(self.severities[severity] for severity in worst)
