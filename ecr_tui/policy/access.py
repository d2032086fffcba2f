"""Summary of what account A's policies allow a principal on a repository. Account B's policies are not included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

ESSENTIAL_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""Minimum actions for a pull (managed policy AmazonEC2ContainerRegistryPullOnly)."""

ESSENTIAL_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
"""Minimum actions for a push (ECR User Guide, "AllowCrossAccountPush")."""


WHO = "the principal"
"""Used as ``depends_on`` where several principals have different access."""


class AccessSummary(NamedTuple):
    """Whether account A's policies allow a complete pull and a complete push; None: depends on ``depends_on``.

    Account B's policies are not included.
    """

    pull: bool | None
    push: bool | None
    depends_on: tuple[str, ...] = ()

    @property
    def is_none(self) -> bool:
        """Neither pull nor push is possible."""
        return self.pull is False and self.push is False

    def to_json(self) -> dict[str, Any]:
        return {"pull": self.pull, "push": self.push, "depends_on": list(self.depends_on)}


def together(found: Iterable[AccessSummary]) -> AccessSummary:
    """Access of several principals; where they differ, it depends on the principal."""
    every = tuple(found)
    if len(every) == 1:
        return every[0]
    pull, push = (_alike([one.pull for one in every]), _alike([one.push for one in every]))
    depends = [name for one in every for name in one.depends_on]
    if len({(one.pull, one.push) for one in every}) > 1:
        depends.append(WHO)
    return AccessSummary(pull, push, tuple(dict.fromkeys(depends)))


def of_every(found: Sequence[AccessSummary]) -> AccessSummary:
    """Access that every one of several principals has; no if one lacks it."""
    depends = dict.fromkeys(name for one in found for name in one.depends_on)
    return AccessSummary(_every([one.pull for one in found]), _every([one.push for one in found]), tuple(depends))


def _every(answers: Sequence[bool | None]) -> bool | None:
    return next((one for one in (False, None) if one in answers), True)


def _alike(answers: Sequence[bool | None]) -> bool | None:
    return answers[0] if len(set(answers)) == 1 else None
