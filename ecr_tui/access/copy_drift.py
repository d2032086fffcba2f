"""Access differences between a repository and its replicated copies: policies and tags are not replicated. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecr_tui.access.audit_result import REACHES, CopyAudit, CopyDifference, RepositoryAudit
from ecr_tui.access.replicas import ABSENT, DIFFERS, FOREIGN, OUTSIDE, SAME, UNKNOWN, places
from ecr_tui.aws.model import Replication
from ecr_tui.policy.compare import differences
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Finding
from ecr_tui.policy.principal import describe
from ecr_tui.policy.rule import ECR, INFO, WARNING
from ecr_tui.policy.who import Capability, Row, Verdict

FINDING = "copy-differs"


def compared(
    found: Sequence[RepositoryAudit],
    replications: Sequence[Replication],
    regions: Sequence[str],
    failures: Mapping[str, str],
) -> tuple[CopyAudit, ...]:
    """Each repository with each of its copies. ``regions`` were listed, except those in ``failures``."""
    by_place = {(one.repository.region, one.repository.name): one for one in found}
    rules = {one.region: one for one in replications if one.rules}
    return tuple(
        _compared(item, by_place, region, account, regions, failures)
        for item in found
        if item.repository.region in rules
        for region, account in places(rules[item.repository.region], item.repository.name, item.repository.account)
    )


def with_findings(found: Sequence[RepositoryAudit], copies: Sequence[CopyAudit]) -> list[RepositoryAudit]:
    """The repositories, with a finding for each copy that differs."""
    drifted: dict[str, list[Finding]] = {}
    for one in copies:
        if one.state == DIFFERS:
            drifted.setdefault(one.original.arn, []).append(_finding(one))
    return [
        item._replace(findings=(*item.findings, *drifted[item.repository.arn]))
        if item.repository.arn in drifted
        else item
        for item in found
    ]


def _compared(
    item: RepositoryAudit,
    by_place: Mapping[tuple[str, str], RepositoryAudit],
    region: str,
    account: str,
    regions: Sequence[str],
    failures: Mapping[str, str],
) -> CopyAudit:
    original = item.repository
    copy = by_place.get((region, original.name))
    if account != original.account:
        return CopyAudit(original, region, account, FOREIGN)
    if region not in regions:
        return CopyAudit(original, region, account, OUTSIDE, f"add --region {region}")
    if copy is None:
        state = UNKNOWN if region in failures else ABSENT
        return CopyAudit(original, region, account, state, failures.get(region, ""))
    reason = item.unreadable or copy.unreadable
    if reason:
        return CopyAudit(original, region, account, UNKNOWN, reason)
    cells = tuple(_cells(item.rows, copy.rows))
    others = () if cells else _others(item, copy)
    return CopyAudit(original, region, account, DIFFERS if cells or others else SAME, "", cells, others)


def _cells(originals: Sequence[Row], copies: Sequence[Row]) -> Iterator[CopyDifference]:
    here, there = ({row.principal: row for row in rows} for rows in (originals, copies))
    for principal in dict.fromkeys((*here, *there)):
        for capability in Capability:
            before, after = (
                rows[principal].verdict(capability) if principal in rows else Verdict.NO for rows in (here, there)
            )
            if before is not after:
                yield CopyDifference(principal, capability, before, after)


def _others(item: RepositoryAudit, copy: RepositoryAudit) -> tuple[str, ...]:
    """Differences outside the capabilities, in words. Ignores the region within ARNs."""
    here, there = item.repository.region, copy.repository.region
    other = (
        None if copy.document is None else PolicyDocument.parse(copy.document.text.replace(f":{there}:", f":{here}:"))
    )
    found = differences(item.document, other)
    return tuple(
        f"{'only the copy' if one.op == 'add' else 'only the original'}: {one.effect} {describe(one.principal)} "
        f"{one.action}"
        for one in found
    )


def _finding(one: CopyAudit) -> Finding:
    wider = any(cell.copy in REACHES and cell.original not in REACHES for cell in one.differences)
    return Finding(
        FINDING,
        WARNING if wider else INFO,
        f"The copy in {one.region} allows {'more' if wider else 'something else'}: {words(one)}",
        "Replication copies images, but not policies and tags.",
        f"Grant or revoke with --replicas, or preview {one.original.name} in {one.region}.",
        f"copy in {one.region}",
        ECR + "Private image replication",
    )


def words(one: CopyAudit) -> str:
    """The differences on one line, grouped by principal."""
    found: dict[str, list[str]] = {}
    for cell in one.differences:
        found.setdefault(cell.principal, []).append(
            f"{cell.capability.value} {cell.original.value} becomes {cell.copy.value}"
        )
    said = [f"{describe(principal)}: {', '.join(cells)}" for principal, cells in found.items()]
    return "; ".join((*said, *one.others))


def copies_json(copies: Sequence[CopyAudit]) -> list[dict[str, Any]]:
    """ "replicas" of ``audit --json``."""
    return [
        {
            "repository": one.original.name,
            "arn": one.original.arn,
            "region": one.original.region,
            "copy_region": one.region,
            "copy_account": one.account,
            "state": one.state,
            "reason": one.reason or None,
            "differences": [
                {
                    "principal": cell.principal,
                    "capability": cell.capability.value,
                    "original": cell.original.value,
                    "copy": cell.copy.value,
                }
                for cell in one.differences
            ],
            "others": list(one.others),
        }
        for one in copies
    ]
