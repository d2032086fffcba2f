"""Use case: audit the access to all repositories of a registry.

Pure: from policies that were read (``audit_reading``) to an :class:`Audit`. Covers account A's side only. Equal
policies with equal tags are evaluated once, and equal statements share their rows, so the cost depends on the number of
different policies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Event
from typing import NamedTuple

from ecr_tui.access.audit_reading import Entry, parsed
from ecr_tui.access.audit_result import (
    ENTRY,
    REACHES,
    Audit,
    Ending,
    Interest,
    RegistryChange,
    RepositoryAudit,
    Tag,
    Unmet,
)
from ecr_tui.access.copy_drift import compared, with_findings
from ecr_tui.access.registry_policy import Reach
from ecr_tui.aws.model import RegistryFacts, Replication, Repository
from ecr_tui.errors import Cancelled
from ecr_tui.policy import lint_access
from ecr_tui.policy.compiled import rules_of
from ecr_tui.policy.conditions import Clause, parse_operator
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Finding, Setting, finding
from ecr_tui.policy.lint import lint
from ecr_tui.policy.lint_conditions import ends_at, tag_clauses, tag_context, tag_name
from ecr_tui.policy.patterns import has_variable
from ecr_tui.policy.principal import account_of
from ecr_tui.policy.trusted import Trusted
from ecr_tui.policy.who import Capability, Matrix, Row, Verdict


def examine(
    entries: Sequence[Entry],
    *,
    account: str,
    partition: str = "aws",
    regions: Sequence[str] = (),
    registries: Sequence[RegistryFacts] = (),
    tags: Sequence[Tag] = (),
    asked: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    failures: Mapping[str, str] | None = None,
    replications: Sequence[Replication] = (),
    now: datetime | None = None,
    cancel: Event | None = None,
    trusted: Trusted | None = None,
) -> Audit:
    """``tags``: the tag of interest for drift (all pairs); () means the most used condition.

    ``asked``: principals (ARNs) that get a row in every repository and should have access by the tag; () means those
    granted by that tag anywhere. ``roles``: role ARNs with paths for sessions among them. ``trusted`` as in ``lint``.
    Raises Cancelled.
    """
    now = now or datetime.now(UTC)
    policies = _Policies(account, partition, now, trusted)
    documents = [policies.parsed(entry) for entry in entries]
    interest = _interest(tags, asked, [item for item in documents if isinstance(item, PolicyDocument)], account)

    def make(whom: Sequence[str] | None, policy: PolicyDocument | None) -> Matrix:
        return Matrix(whom, account=account, partition=partition, registry=policy, now=now, roles=roles)

    places = dict.fromkeys((*regions, *(entry.repository.region for entry in entries)))
    known = {facts.region: facts for facts in registries}
    regional = {
        name: _Region(known.get(name, RegistryFacts(name)), make, asked, interest.principals) for name in places
    }
    found: list[RepositoryAudit] = []
    for entry, document in zip(entries, documents, strict=True):
        if cancel is not None and cancel.is_set():
            raise Cancelled
        repository = entry.repository
        if isinstance(document, str):
            by_tags = policies.of_tags(repository.tags)
            found.append(RepositoryAudit(repository, unreadable=document, findings=by_tags))
            continue
        region = regional[repository.region]
        rows, of_asked = region.rows(document, repository)
        shared = policies.shared(document, repository.tags)
        found.append(
            RepositoryAudit(
                repository,
                document,
                "",
                rows,
                of_asked,
                policies.findings(shared, repository.tags),
                shared.endings,
                shared.unmet,
                region.not_granted(document, repository, rows) if _carries(repository.tags, interest.tags) else (),
            )
        )
    changes = tuple(change for region in regional.values() for change in region.changes())
    copies = compared(found, replications, regions, failures or {})
    return Audit(
        account,
        partition,
        tuple(places),
        now,
        tuple(with_findings(found, copies)),
        tuple(registries),
        changes,
        interest,
        dict(failures or {}),
        replications=tuple(replications),
        copies=copies,
        trusted=trusted,
    )


class _Shared(NamedTuple):
    """Evaluation of a policy for the tags that it uses."""

    findings: tuple[Finding, ...]
    endings: tuple[Ending, ...]
    unmet: tuple[Unmet, ...]


class _Policies:
    """Parses and lints each different policy once."""

    def __init__(self, account: str, partition: str, now: datetime, trusted: Trusted | None) -> None:
        self._trusted = trusted
        self._account = account
        self._partition = partition
        self._now = now
        self._parsed: dict[str, PolicyDocument | str] = {}
        self._tag_keys: dict[str, frozenset[str] | None] = {}
        self._shared: dict[object, _Shared] = {}
        self._by_tags: dict[tuple[Finding, ...], tuple[Finding, ...]] = {}
        self._together: dict[tuple[int, int], tuple[Finding, ...]] = {}

    def parsed(self, entry: Entry) -> PolicyDocument | str | None:
        """The document, None without a policy, or the reason why it is unknown."""
        if entry.unreadable or entry.text is None:
            return entry.unreadable or None
        if entry.text not in self._parsed:
            self._parsed[entry.text] = parsed(entry.text)
        return self._parsed[entry.text]

    def shared(self, document: PolicyDocument | None, tags: Mapping[str, str] | None) -> _Shared:
        if document is None:
            return _NOTHING
        keys = self._keys(document)
        asked = tags if keys is None or tags is None else {k: v for k, v in tags.items() if k.lower() in keys}
        key = (document.text, _frozen(asked))
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = self._work_out(document, asked)
        return found

    def findings(self, shared: _Shared, tags: Mapping[str, str] | None) -> tuple[Finding, ...]:
        """Findings of the policy, and of the repository's tags."""
        by_tags = self.of_tags(tags)
        if not by_tags:
            return shared.findings
        key = (id(shared), id(by_tags))
        if key not in self._together:
            self._together[key] = tuple(dict.fromkeys((*shared.findings, *by_tags)))
        return self._together[key]

    def of_tags(self, tags: Mapping[str, str] | None) -> tuple[Finding, ...]:
        """As ``lint`` without a policy, but without its many checks that do not apply."""
        found = tuple(map(finding, lint_access.repository(Setting(tags, self._account, self._partition, self._now))))
        return self._by_tags.setdefault(found, found)

    def _keys(self, document: PolicyDocument) -> frozenset[str] | None:
        """The tag keys (lower case) that the policy uses; None if a variable may use any."""
        if document.text not in self._tag_keys:
            clauses = [clause for rule in rules_of(document) for clause in rule.clauses or ()]
            varies = any(has_variable(value) for clause in clauses for value in clause.values)
            names = frozenset(_lower_name(clause) for clause in clauses if "resourcetag/" in clause.key.lower())
            self._tag_keys[document.text] = None if varies else names
        return self._tag_keys[document.text]

    def _work_out(self, document: PolicyDocument, tags: Mapping[str, str] | None) -> _Shared:
        found = lint(
            document,
            tags=tags,
            account=self._account,
            partition=self._partition,
            now=self._now,
            trusted=self._trusted,
        )
        return _Shared(found, tuple(self._endings(document)), tuple(_unmet(document, tags, found)))

    def _endings(self, document: PolicyDocument) -> Iterable[Ending]:
        for statement in document.statements:
            ends = ends_at(statement) if statement.effect == "Allow" else None
            if ends is not None:
                names = tuple(value for _, value in statement.principals)
                yield Ending(statement.name, names, ends, ends <= self._now)


_NOTHING = _Shared((), (), ())


def _unmet(document: PolicyDocument, tags: Mapping[str, str] | None, findings: Sequence[Finding]) -> Iterable[Unmet]:
    if tags is None:
        return
    context = tag_context(tags)
    reasons = {found.statement: found.title for found in findings if found.id == "tag-not-met"}
    for rule in rules_of(document):
        if not rule.deny and any(not clause.test(context) for clause in tag_clauses(rule)):
            statement = rule.statement
            names = tuple(value for _, value in statement.principals)
            yield Unmet(statement.name, names, reasons.get(statement.name, "its tag condition is not met"))


class _Region:
    """The rows of one region's repositories, with and without its registry policy."""

    def __init__(self, facts: RegistryFacts, make: _MakeMatrix, asked: Sequence[str], expected: Sequence[str]) -> None:
        self._region = facts.region
        self._make = make
        self._asked = asked
        self._expected = expected
        self._registry = Reach(facts)
        self._matrices: dict[object, tuple[Matrix, Matrix]] = {}
        self._alone: dict[tuple[object, str], Matrix] = {}
        self._lacking: dict[int, tuple[str, ...]] = {}
        self._without = make(None, None)
        self._pairs: Counter[tuple[int, int]] = Counter()
        self._kept: dict[int, tuple[Row, ...]] = {}

    def rows(self, document: PolicyDocument | None, repository: Repository) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """(rows of named principals, rows of requested principals)"""
        named, asked = self._matrix(self._registry.on(repository.arn))
        rows = named.rows(document, repository.tags, repository.arn)
        if self._registry.exists:
            before = self._without.rows(document, repository.tags, repository.arn)
            self._kept[id(rows)], self._kept[id(before)] = rows, before
            self._pairs[id(before), id(rows)] += 1
        return rows, asked.rows(document, repository.tags, repository.arn) if self._asked else ()

    def not_granted(
        self, document: PolicyDocument | None, repository: Repository, rows: tuple[Row, ...]
    ) -> tuple[str, ...]:
        """Expected principals with neither pull nor push. ``rows``: the repository's own, which include most of
        them."""
        known = self._lacking.get(id(rows))
        if known is not None:
            return known
        named = {row.principal: row for row in rows}
        found = [named.get(principal) or self._row(principal, document, repository) for principal in self._expected]
        lacking = tuple(row.principal for row in found if not any(row.verdict(one) in REACHES for one in ENTRY))
        if named.keys() >= set(self._expected):
            self._lacking[id(rows)] = lacking
            self._kept[id(rows)] = rows
        return lacking

    def _row(self, principal: str, document: PolicyDocument | None, repository: Repository) -> Row:
        policy = self._registry.on(repository.arn)
        matrix = self._alone.get((id(policy), principal))
        if matrix is None:
            matrix = self._alone[id(policy), principal] = self._make([principal], policy)
        return matrix.rows(document, repository.tags, repository.arn)[0]

    def _matrix(self, policy: PolicyDocument | None) -> tuple[Matrix, Matrix]:
        found = self._matrices.get(id(policy))
        if found is None:
            found = self._matrices[id(policy)] = self._make(None, policy), self._make(self._asked, policy)
        return found

    def changes(self) -> Iterable[RegistryChange]:
        counted: Counter[tuple[str, Capability, Verdict, Verdict]] = Counter()
        for (before_id, now_id), count in self._pairs.items():
            before = {row.principal: row for row in self._kept[before_id]}
            for row in self._kept[now_id]:
                former = before.get(row.principal)
                for capability, cell in row.cells.items():
                    was = former.verdict(capability) if former is not None else Verdict.NO
                    if was is not cell.verdict:
                        counted[row.principal, capability, was, cell.verdict] += count
        for (principal, capability, was, is_now), count in counted.items():
            yield RegistryChange(self._region, principal, capability, was, is_now, count)


_MakeMatrix = Callable[[Sequence[str] | None, PolicyDocument | None], Matrix]


def _interest(tags: Sequence[Tag], asked: Sequence[str], documents: Sequence[PolicyDocument], account: str) -> Interest:
    """``documents``: one per repository, so that a condition counts once per use."""
    grantees: dict[Tag, dict[str, None]] = {}
    used: Counter[Tag] = Counter()
    for document, times in Counter(documents).items():
        for rule in rules_of(document):
            if rule.deny:
                continue
            named = [value for kind, value in rule.statement.principals if kind == "AWS" and account_of(value)]
            for pair in _pairs(tag_clauses(rule)):
                used[pair] += times
                outside = (value for value in named if account_of(value) != account)
                grantees.setdefault(pair, {}).update(dict.fromkeys(outside))
    origin = "given" if tags else ""
    if not tags and used:
        # Independent of the listing order.
        tags = (min(used, key=lambda pair: (-used[pair], pair)),)
        origin = "most used"
    expected = list(asked) or list(dict.fromkeys(name for pair in tags for name in grantees.get(pair, ())))
    return Interest(tuple(tags), origin, tuple(expected))


def _pairs(clauses: Iterable[Clause]) -> Iterable[Tag]:
    """The plain tags that a statement requires: equality, or a pattern without a wildcard."""
    for clause in clauses:
        operator = parse_operator(clause.operator)
        if operator.base in ("stringequals", "stringlike", "stringequalsignorecase") and not operator.if_exists:
            for value in clause.values:
                if not {"*", "?"} & set(value):
                    yield tag_name(clause), value


def _carries(tags: Mapping[str, str] | None, wanted: Sequence[Tag]) -> bool:
    """Keys are case-insensitive, as in IAM; values are case-sensitive."""
    if not wanted or tags is None:
        return False
    carried = {key.lower(): value for key, value in tags.items()}
    return all(carried.get(key.lower()) == value for key, value in wanted)


def _frozen(tags: Mapping[str, str] | None) -> tuple[Tag, ...] | None:
    return None if tags is None else tuple(sorted(tags.items()))


def _lower_name(clause: Clause) -> str:
    return tag_name(clause).lower()
