"""What account A's side lets a principal do with a repository: one half of the answer, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ecr_tui.policy.answer import all_of, of_call
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.known import before_call

ESSENTIAL_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""What a pull cannot do without (managed policy AmazonEC2ContainerRegistryPullOnly)."""

ESSENTIAL_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
"""What a push cannot do without (ECR User Guide, "AllowCrossAccountPush")."""


@dataclass(frozen=True)
class AccessSummary:
    """Whether account A's policies allow all of a pull, all of a push; None where that depends, on ``depends_on``.

    B's own policies are not in it.
    """

    pull: bool | None
    push: bool | None
    depends_on: tuple[str, ...] = ()


def access_of(
    document: PolicyDocument | None,
    principal: str,
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
    now: datetime | None = None,
) -> AccessSummary:
    """Of one repository (``Accesses`` is for many). ``principal``: an ARN; an account's root ARN asks for the account.
    ``tags`` None: not known."""
    known = before_call(principal, repository_arn=repository_arn, tags=tags, now=now or datetime.now(UTC))
    pull, push = (
        all_of(of_call(document, known, action, repository_arn) for action in actions)
        for actions in (ESSENTIAL_PULL, ESSENTIAL_PUSH)
    )
    names = dict.fromkeys((*pull.depends_on, *push.depends_on))
    return AccessSummary(pull.verdict.allowed, push.verdict.allowed, tuple(names))
