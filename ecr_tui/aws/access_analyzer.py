"""IAM Access Analyzer in account A: findings of a repository's policy and of a proposed policy.

Shapes are those of botocore's service model (accessanalyzer, 2019-11-01). An access preview needs an active analyzer of
type ACCOUNT in the repository's account and region, changes no access, and expires by itself after about 24 hours (IAM
User Guide, "Previewing access with IAM Access Analyzer APIs"). ListFindings, unlike ListFindingsV2, returns principal,
actions and condition without a call per finding.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ecr_tui.aws.model import Repository
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, EnvironmentFailure

ACCOUNT, ORGANIZATION = "ACCOUNT", "ORGANIZATION"
"""Analyzer types for external access, by zone of trust; access from within it is not a finding."""
ACTIVE, ARCHIVED, RESOLVED = "ACTIVE", "ARCHIVED", "RESOLVED"

PATIENCE = 90.0
"""Maximum seconds to wait for a preview."""
PAUSES = (0.3, 0.7, 1.0, 2.0)
"""Seconds before each poll of a preview; the last one repeats."""
PAGES = 20
_RESOURCE_TYPE = "AWS::ECR::Repository"

OnWait = Callable[[float], None]
"""Called before each poll of a preview with the seconds waited so far."""


@dataclass(frozen=True)
class Analyzer:
    """``kind``: :data:`ACCOUNT` or :data:`ORGANIZATION`. ``status``: only an "ACTIVE" one analyzes."""

    arn: str
    name: str
    kind: str
    status: str = ACTIVE

    def to_json(self) -> dict[str, Any]:
        return {"arn": self.arn, "name": self.name, "type": self.kind}


@dataclass(frozen=True)
class Finding:
    """Access from outside the analyzer's zone of trust.

    ``principals``: (kind, value) pairs such as ("AWS", "222222222222"); () for one with an ``error``. ``condition``:
    condition keys with their values as one text. ``status``: ACTIVE, ARCHIVED, or RESOLVED for access that has ended;
    in a preview, the status under the proposed policy. ``change``: in a preview NEW, CHANGED or UNCHANGED, else "".
    """

    id: str
    principals: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    condition: Mapping[str, str] = field(default_factory=dict)
    public: bool = False
    status: str = ACTIVE
    change: str = ""
    existing_id: str = ""
    existing_status: str = ""
    error: str = ""
    analyzed_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether the access exists, archived or not."""
        return self.status != RESOLVED

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "principals": [value for _, value in self.principals],
            "actions": list(self.actions),
            "condition": dict(self.condition),
            "public": self.public,
            "status": self.status,
            "change": self.change or None,
            "existing_id": self.existing_id or None,
            "existing_status": self.existing_status or None,
            "error": self.error or None,
            "analyzed_at": None if self.analyzed_at is None else self.analyzed_at.isoformat(),
        }


class Preview(NamedTuple):
    id: str
    findings: tuple[Finding, ...]


def analyzers(session: AwsSession, region: str) -> tuple[Analyzer, ...]:
    """The analyzers of external access, of any status. Raises EcrTuiError."""
    client = session.client("accessanalyzer", region)
    with session.calling("access-analyzer:ListAnalyzers"):
        found = _pages(client.list_analyzers, "analyzers")
        return tuple(
            Analyzer(one["arn"], one["name"], one["type"], one["status"])
            for one in found
            if one["type"] in (ACCOUNT, ORGANIZATION)
        )


def preview(
    session: AwsSession,
    analyzer: Analyzer,
    repository: Repository,
    text: str | None,
    *,
    on_wait: OnWait = lambda _: None,
    cancel: threading.Event | None = None,
) -> Preview:
    """The findings of ``analyzer`` if ``text`` were the repository's policy (None: no policy).

    Raises Cancelled after the current call; EnvironmentFailure if the preview fails or is not complete after
    :data:`PATIENCE`; EcrTuiError.
    """
    client = session.client("accessanalyzer", repository.region)
    with session.calling("access-analyzer:CreateAccessPreview"):
        created = client.create_access_preview(
            analyzerArn=analyzer.arn,
            configurations={repository.arn: {"ecrRepository": {"repositoryPolicy": text or ""}}},
        )
        identifier = str(created["id"])
    about = {"accessPreviewId": identifier, "analyzerArn": analyzer.arn}
    _wait(session, client, about, on_wait, cancel or threading.Event())
    with session.calling("access-analyzer:ListAccessPreviewFindings"):
        found = _pages(client.list_access_preview_findings, "findings", **about)
        return Preview(identifier, tuple(map(_finding, found)))


def _wait(session: AwsSession, client: Any, about: Mapping[str, str], on_wait: OnWait, cancel: threading.Event) -> None:
    started, looks = time.monotonic(), 0
    while True:
        passed = time.monotonic() - started
        if passed >= PATIENCE:
            raise EnvironmentFailure(
                f"the access preview is not complete after {PATIENCE:.0f} s",
                hint="Check later: aws accessanalyzer get-access-preview"
                f" --access-preview-id {about['accessPreviewId']} --analyzer-arn {about['analyzerArn']}",
            )
        on_wait(passed)
        if cancel.wait(PAUSES[min(looks, len(PAUSES) - 1)]):
            raise Cancelled
        looks += 1
        with session.calling("access-analyzer:GetAccessPreview"):
            found = client.get_access_preview(**about)["accessPreview"]
            status = found["status"]
        if status == "COMPLETED":
            return
        if status == "FAILED":
            raise _failure(str((found.get("statusReason") or {}).get("code") or ""))


def _failure(code: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the access preview failed ({code or 'no reason given'})",
        hint="Check the policy: Access Analyzer rejects it." if code == "INVALID_CONFIGURATION" else "Retry later.",
    )


def findings(session: AwsSession, analyzer: Analyzer, repository: Repository) -> tuple[Finding, ...]:
    """Unresolved findings of the repository's current policy, up to 30 minutes old. Raises EcrTuiError."""
    client = session.client("accessanalyzer", repository.region)
    wanted = {"resource": {"eq": [repository.arn]}, "resourceType": {"eq": [_RESOURCE_TYPE]}}
    with session.calling("access-analyzer:ListFindings"):
        found = _pages(client.list_findings, "findings", analyzerArn=analyzer.arn, filter=wanted)
        return tuple(one for one in map(_finding, found) if one.open)


def _pages(ask: Callable[..., Any], key: str, **asked: Any) -> list[Any]:
    found: list[Any] = []
    for _ in range(PAGES):
        answer = ask(**asked)
        found += answer[key]
        token = answer.get("nextToken")
        if not token:
            break
        asked["nextToken"] = token
    return found


def _finding(found: Mapping[str, Any]) -> Finding:
    return Finding(
        found["id"],
        tuple((found.get("principal") or {}).items()),
        tuple(found.get("action") or ()),
        found.get("condition") or {},
        bool(found.get("isPublic")),
        found["status"],
        found.get("changeType") or "",
        found.get("existingFindingId") or "",
        found.get("existingFindingStatus") or "",
        found.get("error") or "",
        found.get("analyzedAt"),
    )
