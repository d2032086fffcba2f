"""ECR's actions, and the three kinds of access that a grant can give.

Presets follow the ECR User Guide: image-push-iam.html for push (with BatchGetImage, which answers the manifest
HEAD), "AllowPull" of the repository policy examples for pull.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from ecr_tui.policy._action_table import TABLE
from ecr_tui.policy.patterns import compiled

_BY_LOWER = {f"ecr:{name.lower()}": name for name in TABLE}

TOKEN_ACTION = "ecr:GetAuthorizationToken"  # noqa: S105 - the action's name
"""Needed before any push or pull; only an identity policy with Resource "*" can give it."""


class Access(StrEnum):
    """What B gets: ``actions`` are repository-level only, so each may stand in a repository policy."""

    PULL = "pull"
    PUSH = "push"
    PUSH_PULL = "push-pull"

    @property
    def actions(self) -> tuple[str, ...]:
        return _PRESETS[self.value]

    @property
    def words(self) -> str:
        return {"pull": "pull", "push": "push", "push-pull": "push and pull"}[self.value]

    def includes(self, other: Access) -> bool:
        return set(other.actions) <= set(self.actions)


_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_PRESETS = {"pull": _PULL, "push": _PUSH, "push-pull": tuple(sorted({*_PULL, *_PUSH}))}

# Repository-level in the reference, yet without effect in a repository policy: the repository does not exist yet, or
# the registry policy decides (ECR User Guide, registry permissions).
_REGISTRY_POLICY_ONLY = frozenset({"CreateRepository", "BatchImportUpstreamImage", "ReplicateImage"})


def action_words(actions: Iterable[str]) -> str:
    """ "push and pull" where it is all of either, else names: "DeleteRepository, ListImages and 3 more"."""
    given = dict.fromkeys(actions)
    for access in (Access.PUSH_PULL, Access.PUSH, Access.PULL):
        # Without what the other half brings along, it is still that half.
        if set(access.actions) >= given.keys() >= set(access.actions) - (set(_PULL) & set(_PUSH)):
            return access.words
    names = [action.removeprefix("ecr:") for action in given]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def all_actions() -> tuple[str, ...]:
    """Every known action, like "ecr:PutImage", sorted."""
    return tuple(f"ecr:{name}" for name in TABLE)


def repository_actions() -> tuple[str, ...]:
    """The actions on which a repository policy has a say."""
    return tuple(f"ecr:{name}" for name, (_, on_repository, _) in TABLE.items() if on_repository)


def canonical_action(action: str) -> str | None:
    """The action as AWS spells it, or None for one that is not known (case does not matter)."""
    name = _BY_LOWER.get(action.lower())
    return f"ecr:{name}" if name else None


def is_known(action: str) -> bool:
    return action.lower() in _BY_LOWER


def is_registry_level(action: str) -> bool:
    """Known, and acting on no repository: useless in a repository policy."""
    name = _BY_LOWER.get(action.lower())
    return name is not None and not TABLE[name][1]


def is_registry_policy_only(action: str) -> bool:
    """Known and formally on a repository, but decided by identity or registry policies alone."""
    return _BY_LOWER.get(action.lower()) in _REGISTRY_POLICY_ONLY


def access_level(action: str) -> str | None:
    """ "List", "Read", "Write", "Tagging", "Permissions management" or a comma-separated mix; None if unknown."""
    name = _BY_LOWER.get(action.lower())
    return TABLE[name][0] if name else None


@lru_cache(maxsize=4096)
def matching_actions(pattern: str) -> tuple[str, ...]:
    """The known actions that a policy's pattern covers; ``*`` and ``?`` are wildcards, case does not matter."""
    regex = compiled(pattern.lower())
    return tuple(f"ecr:{name}" for lower, name in _BY_LOWER.items() if regex.fullmatch(lower))
