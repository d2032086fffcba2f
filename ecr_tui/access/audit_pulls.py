"""External access to repositories without recent pulls. Pure.

Uses lastRecordedPullTime, which ECR updates for each image at least once in 24 hours of pulls by any principal; pulls
by Amazon Inspector and by roles on the account's exclusion list are not recorded (Amazon ECR API Reference,
"ImageDetail"; Amazon ECR User Guide, "Pull-time update exclusions").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from ecr_tui.access.audit_result import REACHES, Audit, NotPulled, PullAudit, RepositoryAudit
from ecr_tui.aws.model import ImagesSummary, Repository
from ecr_tui.policy.who import Capability


def pulled_from_outside(audit: Audit) -> list[Repository]:
    """Repositories with external pull access, whose images must be read."""
    return [item.repository for item in audit.repositories if any(_pullers(item))]


def not_pulled(audit: Audit, days: int, images: Mapping[str, ImagesSummary | str]) -> PullAudit:
    """``images``: by ARN; a text is the reason why they are unknown. Younger repositories are skipped."""
    since = audit.at - timedelta(days=days)
    found: list[NotPulled] = []
    unknown: list[tuple[Repository, str]] = []
    for item in audit.repositories:
        principals, repository = tuple(_pullers(item)), item.repository
        summary = images.get(repository.arn, "not read")
        if not principals or (repository.created_at is not None and repository.created_at > since):
            continue
        if isinstance(summary, str):
            unknown.append((repository, summary))
        elif summary.last_pull is None or summary.last_pull <= since:
            if summary.complete:
                found.append(NotPulled(repository, principals, summary.last_pull, summary.count))
            else:
                unknown.append((repository, f"only {summary.count:,} of its images were read"))
    return PullAudit(days, tuple(found), tuple(unknown))


def _pullers(item: RepositoryAudit) -> Iterable[str]:
    for row in item.rows:
        if row.external and row.verdict(Capability.PULL) in REACHES:
            yield row.principal
