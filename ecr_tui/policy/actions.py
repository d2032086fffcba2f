"""ECR actions, and the access levels of a grant.

The parts follow the ECR User Guide: image-push-iam.html for push (with BatchGetImage, which answers the manifest
HEAD), "AllowPull" of the repository policy examples for pull, and the metadata actions of its cross-account example for
read. All three together are the eleven repository actions of that example.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from ecr_tui.policy._action_table import TABLE
from ecr_tui.policy.patterns import compiled

_BY_LOWER = {f"ecr:{name.lower()}": name for name in TABLE}

TOKEN_ACTION = "ecr:GetAuthorizationToken"  # noqa: S105 - the action's name
"""Required before any push or pull; only an identity policy with Resource "*" can allow it."""


_PARTS = {
    "read": (
        "ecr:DescribeImages",
        "ecr:DescribeRepositories",
        "ecr:GetRepositoryPolicy",
        "ecr:ListImages",
    ),
    "pull": ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
    "push": (
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    ),
}
_SHARED = frozenset(_PARTS["pull"]) & frozenset(_PARTS["push"])
GUIDE = "guide"
"""Alias for all three parts, after the ECR User Guide's cross-account example."""


class Access(StrEnum):
    """Access level of a grant: read (metadata), pull, push, or a combination.

    ``actions`` are repository-level only, so all are valid in a repository policy.
    """

    PULL = "pull"
    PUSH = "push"
    PUSH_PULL = "push-pull"
    READ = "read"
    READ_PULL = "read-pull"
    READ_PUSH = "read-push"
    READ_PUSH_PULL = "read-push-pull"

    @classmethod
    def parse(cls, text: str) -> Access:
        """Parse parts in any order, joined by "-", "," or "+"; "guide" means all. Raises ValueError."""
        parts = frozenset(part.strip().lower() for part in re.split(r"[-,+]", text))
        found = _BY_PARTS.get(frozenset(_PARTS) if parts == {GUIDE} else parts)
        if found is None:
            raise ValueError(f"not an access level: {text!r}")
        return found

    @classmethod
    def touched(cls, patterns: Iterable[str]) -> Access | None:
        """The parts identified by actions that no other part needs; None if there are none.

        BatchGetImage alone counts as pull, although push needs it as well.
        """
        actions = {action for pattern in patterns for action in matching_actions(pattern)}
        parts = {part for part, needed in _PARTS.items() if actions & (set(needed) - _SHARED)}
        if "push" not in parts and "ecr:BatchGetImage" in actions:
            parts.add("pull")
        return _BY_PARTS.get(frozenset(parts))

    @property
    def parts(self) -> frozenset[str]:
        """Subset of "read", "pull" and "push"."""
        return frozenset(self.value.split("-"))

    @property
    def actions(self) -> tuple[str, ...]:
        return _ACTIONS[self.value]

    @property
    def words(self) -> str:
        *first, last = self.value.split("-")
        return f"{', '.join(first)} and {last}" if first else last

    @property
    def uses_registry(self) -> bool:
        """Push and pull use the registry with a token; read uses only ECR's API."""
        return self is not Access.READ

    @property
    def writes(self) -> bool:
        return "push" in self.parts

    @property
    def pulls_only(self) -> bool:
        """A verification must pull an existing image, because it cannot push one."""
        return "pull" in self.parts and not self.writes

    def without(self, other: Access) -> Access | None:
        """None for nothing."""
        return _BY_PARTS.get(self.parts - other.parts)


_ACTIONS = {
    access.value: tuple(sorted({action for part in access.value.split("-") for action in _PARTS[part]}))
    for access in Access
}
_BY_PARTS = {access.parts: access for access in Access}
_LARGEST_FIRST = sorted(Access, key=lambda access: -len(access.actions))

# Repository-level in the reference, but without effect in a repository policy: the repository does not exist yet, or
# the registry policy decides (ECR User Guide, registry permissions).
_REGISTRY_POLICY_ONLY = frozenset({"CreateRepository", "BatchImportUpstreamImage", "ReplicateImage"})


def action_words(actions: Iterable[str]) -> str:
    """ "push and pull" if complete, else action names: "DeleteRepository, ListImages and 3 more"."""
    given = dict.fromkeys(actions)
    for access in _LARGEST_FIRST:
        # Actions that push and pull share do not count as missing.
        if set(access.actions) >= given.keys() >= set(access.actions) - _SHARED:
            return access.words
    names = [action.removeprefix("ecr:") for action in given]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def all_actions() -> tuple[str, ...]:
    """Every known action, like "ecr:PutImage", sorted."""
    return tuple(f"ecr:{name}" for name in TABLE)


def repository_actions() -> tuple[str, ...]:
    """The actions that a repository policy can allow or deny."""
    return tuple(f"ecr:{name}" for name, on_repository in TABLE.items() if on_repository)


def canonical_action(action: str) -> str | None:
    """The action in AWS's spelling, or None if unknown (case-insensitive)."""
    name = _BY_LOWER.get(action.lower())
    return f"ecr:{name}" if name else None


def is_known(action: str) -> bool:
    return action.lower() in _BY_LOWER


def is_registry_level(action: str) -> bool:
    """Whether it is known and not repository-level, so useless in a repository policy."""
    name = _BY_LOWER.get(action.lower())
    return name is not None and not TABLE[name]


def is_registry_policy_only(action: str) -> bool:
    """Whether it is formally repository-level, but decided by identity or registry policies only."""
    return _BY_LOWER.get(action.lower()) in _REGISTRY_POLICY_ONLY


@lru_cache(maxsize=4096)
def matching_actions(pattern: str) -> tuple[str, ...]:
    """The known actions that a pattern matches; ``*`` and ``?`` are wildcards, case-insensitive."""
    regex = compiled(pattern.lower())
    return tuple(f"ecr:{name}" for lower, name in _BY_LOWER.items() if regex.fullmatch(lower))
