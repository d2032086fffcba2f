"""What account A's side lets a principal do with a repository: one half of the answer, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Request, context_for, resource_allows

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
    """Whether the repository policy allows all of a pull, all of a push. B's own policies are not in it."""

    pull: bool
    push: bool


def access_of(
    document: PolicyDocument | None,
    principal: str,
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None,
) -> AccessSummary:
    """``principal``: an ARN; an account's root ARN asks for the account. Unknown ``tags`` count as none."""
    if document is None:
        return AccessSummary(False, False)
    account = repository_arn.split(":")[4]
    context = context_for(principal, account, tags)

    def allowed(action: str) -> bool:
        return resource_allows(document, Request(action, repository_arn, account, principal, context))

    return AccessSummary(all(map(allowed, ESSENTIAL_PULL)), all(map(allowed, ESSENTIAL_PUSH)))
