"""What account A's side lets a principal do with a repository, in short: one half of the answer, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

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


WHO = "the principal"
"""What the access of several depends on, where they differ."""


class AccessSummary(NamedTuple):
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


def together(found: Iterable[AccessSummary]) -> AccessSummary:
    """Of several principals: what all of them may, or none may; where they differ it depends on who asks."""
    every = tuple(found)
    if len(every) == 1:
        return every[0]
    pull, push = (_alike([one.pull for one in every]), _alike([one.push for one in every]))
    depends = [name for one in every for name in one.depends_on]
    if len({(one.pull, one.push) for one in every}) > 1:
        depends.append(WHO)
    return AccessSummary(pull, push, tuple(dict.fromkeys(depends)))


def of_every(found: Sequence[AccessSummary]) -> AccessSummary:
    """What each of several principals may: no where one of them may not."""
    depends = dict.fromkeys(name for one in found for name in one.depends_on)
    return AccessSummary(_every([one.pull for one in found]), _every([one.push for one in found]), tuple(depends))


def _every(answers: Sequence[bool | None]) -> bool | None:
    return next((one for one in (False, None) if one in answers), True)


def _alike(answers: Sequence[bool | None]) -> bool | None:
    return answers[0] if len(set(answers)) == 1 else None
