"""What account A's side lets a principal do with a repository, in short: one half of the answer, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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

    @property
    def is_none(self) -> bool:
        """Certainly neither."""
        return self.pull is False and self.push is False

    def to_json(self) -> dict[str, Any]:
        return {"pull": self.pull, "push": self.push, "depends_on": list(self.depends_on)}
