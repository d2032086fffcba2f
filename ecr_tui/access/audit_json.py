"""The document of ``audit --json``; its schema is in ``cli.schemas.auditing``.

Everything except "both_sides" is account A's side. "principals" describes each principal (kind, external or not).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ecr_tui.access.audit_result import ENTRY, Audit, PullAudit, RepositoryAudit
from ecr_tui.access.copy_drift import copies_json
from ecr_tui.access.creation_templates import Fit, fit
from ecr_tui.access.registry_policy import registry_json
from ecr_tui.access.two_sided import ALLOWED, DENIED, UNKNOWN, TwoSided, identity_json
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.policy.access import ESSENTIAL_PULL, ESSENTIAL_PUSH
from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.identity import NeededPolicies, needed_policies
from ecr_tui.policy.who import Capability, Row, Verdict

_ESSENTIAL = {
    "pull": (TOKEN_ACTION, *ESSENTIAL_PULL),
    "push": (TOKEN_ACTION, *ESSENTIAL_PUSH),
}


def audit_json(audit: Audit) -> dict[str, Any]:
    """The document; see the module."""
    return {
        "account": audit.account,
        "regions": list(audit.regions),
        "at": audit.at.isoformat(timespec="seconds"),
        "summary": summary(audit),
        "principals": principals(audit),
        "external_accounts": external_accounts(audit),
        "public": [_where(one) | _cells(row) for row, found in audit.of_kind("everyone") for one in found],
        "services": [
            {"principal": row.principal} | _where(one) | _cells(row)
            for row, found in audit.of_kind("service")
            for one in found
        ],
        "stale": [
            {"principal": principal, "repositories": [one.arn for one in found]}
            for principal, found in stale(audit).items()
        ],
        "drift": _drift(audit),
        "ends": [
            _where(item.repository)
            | {
                "statement": end.statement,
                "principals": list(end.principals),
                "ends": end.ends.isoformat(timespec="seconds"),
                "expired": end.expired,
            }
            for item in audit.repositories
            for end in item.endings
        ],
        "not_pulled": _not_pulled(audit.pulls),
        "registry": [_registry(audit, facts) for facts in audit.registries],
        "replicas": copies_json(audit.copies),
        "replication_unknown": [
            {"region": one.region, "reason": one.unreadable} for one in audit.replications if one.unreadable
        ],
        "asked": [
            {
                "principal": identity.principal,
                "identity": identity_json(identity),
                "needs": needs.whole.json if (needs := needed(audit, identity.principal)) is not None else None,
                "findings": [] if needs is None else [found.to_json() for found in needs.findings],
            }
            for identity in audit.identities
        ],
        "unknown": [_where(item.repository) | {"reason": item.unreadable} for item in audit.unknown],
        "failures": [{"region": region, "reason": reason} for region, reason in audit.failures.items()],
        "notes": list(audit.notes),
        "repositories": [_repository(audit, item) for item in audit.repositories],
    }


def summary(audit: Audit) -> dict[str, Any]:
    with_policy = sum(item.document is not None for item in audit.repositories)
    unreadable = len(audit.unknown)
    return {
        "repositories": len(audit.repositories),
        "with_policy": with_policy,
        "without_policy": len(audit.repositories) - with_policy - unreadable,
        "unreadable": unreadable,
        "findings": dict(audit.severities),
    }


def principals(audit: Audit) -> list[dict[str, Any]]:
    """All named principals, external first, with the number of repositories for each verdict."""
    counted: dict[str, tuple[Row, int, dict[Capability, Counter[str]]]] = {}
    for row, found in audit.rows:
        known = counted.get(row.principal)
        cells = known[2] if known is not None else {capability: Counter[str]() for capability in Capability}
        for capability, cell in row.cells.items():
            cells[capability][cell.verdict.value] += len(found)
        counted[row.principal] = (row, (known[1] if known is not None else 0) + len(found), cells)
    return [
        _person(row)
        | {"trusted": _trusted(audit, row.principal) if row.external else None, "repositories": count}
        | {capability.value: dict(cells[capability]) for capability in Capability}
        for row, count, cells in sorted(counted.values(), key=lambda item: (not item[0].external, item[0].principal))
    ]


def external_accounts(audit: Audit) -> list[dict[str, Any]]:
    """Other accounts by access: all principals of an account together, each repository counted once."""
    names: dict[str, dict[str, None]] = {}
    reached: dict[str, dict[str, set[str]]] = {}
    for row, found in audit.rows:
        if row.account is None or not row.external:
            continue
        names.setdefault(row.account, {})[row.principal] = None
        sets = reached.setdefault(row.account, {"": set(), **{capability.value: set() for capability in Capability}})
        arns = {one.arn for one in found}
        sets[""] |= arns
        for capability, cell in row.cells.items():
            if cell.verdict in (Verdict.YES, Verdict.IF):
                sets[capability.value] |= arns
    return [
        {
            "account": account,
            "trusted": _trusted(audit, account),
            "principals": list(names[account]),
            "repositories": len(sets[""]),
        }
        | {capability.value: len(sets[capability.value]) for capability in Capability}
        for account, sets in sorted(reached.items())
    ]


def _trusted(audit: Audit, grantee: str) -> bool | None:
    return None if audit.trusted is None else audit.trusted.knows(grantee)


def stale(audit: Audit) -> dict[str, list[Repository]]:
    """Deleted principals, with the repositories whose policies still contain their ids."""
    found: dict[str, list[Repository]] = {}
    for row, repositories in audit.of_kind("deleted"):
        found.setdefault(row.principal, []).extend(repositories)
    return found


def needed(audit: Audit, principal: str) -> NeededPolicies | None:
    """The identity policies that the principal needs for all its pull and push access in account A; None if none."""
    arns, push = [], False
    for item in audit.repositories:
        for row in item.asked:
            verdicts = {capability: row.verdict(capability) for capability in ENTRY}
            if row.principal == principal and {Verdict.YES, Verdict.IF} & set(verdicts.values()):
                arns.append(item.repository.arn)
                push = push or verdicts[Capability.PUSH] in (Verdict.YES, Verdict.IF)
    return needed_policies(arns, Access.PUSH_PULL if push else Access.PULL, principal) if arns else None


def both_sides(audit: Audit, item: RepositoryAudit, row: Row) -> dict[str, str] | None:
    """For pull and push, including the login; None if not evaluated."""
    if item.unreadable:
        return dict.fromkeys(_ESSENTIAL, UNKNOWN)
    verdict = audit.verdicts.get((item.repository.arn, row.principal))
    if verdict is not None:
        return {name: _all_of(verdict, actions) for name, actions in _ESSENTIAL.items()}
    if row.external and all(row.verdict(capability) is Verdict.NO for capability in ENTRY):
        return dict.fromkeys(_ESSENTIAL, DENIED)
    return None


def _all_of(verdict: TwoSided, actions: Iterable[str]) -> str:
    wanted = set(actions)
    found = {item.response for item in verdict.actions if item.action in wanted}
    return next((word for word in (DENIED, UNKNOWN) if word in found), ALLOWED)


def _repository(audit: Audit, item: RepositoryAudit) -> dict[str, Any]:
    policy = "unreadable" if item.unreadable else "yes" if item.document is not None else "none"
    return _where(item.repository) | {
        "tags": item.repository.tags,
        "policy": policy,
        "reason": item.unreadable or None,
        "access": [{"principal": row.principal} | _cells(row) for row in item.rows],
        "asked": [
            {"principal": row.principal} | _cells(row) | {"both_sides": both_sides(audit, item, row)}
            for row in item.asked
        ],
        "findings": [finding.to_json() for finding in item.findings],
    }


def _drift(audit: Audit) -> dict[str, Any]:
    interest = audit.interest
    return {
        "tag": dict(interest.tags),
        "origin": interest.origin or None,
        "principals": list(interest.principals),
        "tagged_not_granted": [
            _where(item.repository) | {"principals": list(item.not_granted)}
            for item in audit.repositories
            if item.not_granted
        ],
        "granted_not_tagged": [
            _where(item.repository)
            | {"statement": unmet.statement, "principals": list(unmet.principals), "reason": unmet.reason}
            for item in audit.repositories
            for unmet in item.unmet
        ],
    }


def _not_pulled(pulls: PullAudit | None) -> dict[str, Any] | None:
    if pulls is None:
        return None
    return {
        "days": pulls.days,
        "repositories": [
            _where(one.repository)
            | {
                "principals": list(one.principals),
                "last_pull": None if one.last_pull is None else one.last_pull.isoformat(timespec="seconds"),
                "images": one.images,
            }
            for one in pulls.found
        ],
        "unknown": [_where(repository) | {"reason": reason} for repository, reason in pulls.unknown],
    }


def _registry(audit: Audit, facts: RegistryFacts) -> dict[str, Any]:
    told = registry_json(facts)
    del told["effects"]
    return told | {
        "policy": _document(facts.policy_text),
        "changes": [
            {
                "principal": change.principal,
                "capability": change.capability.value,
                "without": change.without.value,
                "with": change.now.value,
                "repositories": change.repositories,
            }
            for change in audit.changes
            if change.region == facts.region
        ],
        "templates": [found.to_json() for found in audit_templates(audit, facts)],
        "templates_unknown": facts.templates_unreadable or None,
    }


def audit_templates(audit: Audit, facts: RegistryFacts) -> list[Fit]:
    """The region's creation templates, compared with the tag of interest and its expected principals."""
    principals = audit.interest.principals[:1]
    arn = f"arn:{audit.partition}:ecr:{facts.region}:{audit.account}:repository/new"
    place = Repository("new", arn, "", facts.region, audit.account)
    return [fit(template, place, principals, audit.interest.tags) for template in facts.templates]


def _document(text: str | None) -> Mapping[str, Any] | None:
    try:
        return None if text is None else PolicyDocument.parse(text).json
    except PolicyError:
        return None


def _where(repository: Repository) -> dict[str, Any]:
    return {"repository": repository.name, "arn": repository.arn, "region": repository.region}


def _person(row: Row) -> dict[str, Any]:
    return {
        "principal": row.principal,
        "title": row.title,
        "kind": row.kind,
        "account": row.account,
        "external": row.external,
    }


def _cells(row: Row) -> dict[str, Any]:
    return {
        capability.value: {
            "verdict": cell.verdict.value,
            "reason": cell.reason,
            "depends_on": list(cell.depends_on),
        }
        for capability, cell in row.cells.items()
    }
