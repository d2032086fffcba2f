"""IAM Access Analyzer in account A: what it finds of a repository's policy, and would find of a proposed one.

Shapes are those of botocore's service model (accessanalyzer, 2019-11-01). An access preview takes an active analyzer
of type ACCOUNT in the repository's own account and region, changes no access, and expires by itself after about 24
hours (IAM User Guide, "Previewing access with IAM Access Analyzer APIs"). ListFindings, unlike ListFindingsV2, tells
principal, actions and condition without a call for each finding.
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
"""Types of the analyzers of external access, by their zone of trust: access from inside of it is no finding."""
ACTIVE, ARCHIVED, RESOLVED = "ACTIVE", "ARCHIVED", "RESOLVED"

PATIENCE = 90.0
"""Seconds that a preview is waited for."""
PAUSES = (0.3, 0.7, 1.0, 2.0)
"""Seconds before each look at a preview; the last one again and again."""
PAGES = 20
_RESOURCE_TYPE = "AWS::ECR::Repository"

OnWait = Callable[[float], None]
"""Told before each look at a preview: seconds waited so far."""


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
    condition keys with their values as one text. ``status``: ACTIVE, ARCHIVED, or RESOLVED for access that is gone; of
    a preview's, as it would be. ``change``: of a preview's, NEW, CHANGED or UNCHANGED, else "".
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
        """The access is there, archived or not."""
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
    """Those of external access, of whatever status. Raises EcrTuiError."""
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
    """What ``analyzer`` would find if ``text`` were the repository's policy (None: if it had none).

    Raises Cancelled, within a call; EnvironmentFailure where the preview fails, or is not there after
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
                hint=f"Look later: aws accessanalyzer get-access-preview --access-preview-id {about['accessPreviewId']}"
                f" --analyzer-arn {about['analyzerArn']}",
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
        hint="Check the policy: Access Analyzer does not accept it."
        if code == "INVALID_CONFIGURATION"
        else "Ask again later.",
    )


def findings(session: AwsSession, analyzer: Analyzer, repository: Repository) -> tuple[Finding, ...]:
    """What it has found of the repository's own policy, as of up to 30 minutes ago, without what is resolved. Raises
    EcrTuiError."""
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
