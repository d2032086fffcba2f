"""The demo's second region: a repository with a copy there, and templates for repositories to come."""

from __future__ import annotations

from ecr_tui.sandbox import images
from ecr_tui.sandbox.ecr_access import RepositoryAccess
from ecr_tui.sandbox.ecr_replication import replicate
from ecr_tui.sandbox.world import ACCOUNT_A, REGION, REPLICA_REGION, World

REPLICATED = "search/indexer"


def seed_replication(world: World, access: RepositoryAccess) -> None:
    """The copy has the original's tag, from a template, and no policy: replication copies none."""
    _template(world, REPLICA_REGION, "search", "REPLICATION", "Search")
    _template(world, REGION, "payments", "CREATE_ON_PUSH", "Payments")
    world.registries.of(ACCOUNT_A, REGION).replication = [
        {
            "destinations": [{"region": REPLICA_REGION, "registryId": ACCOUNT_A}],
            "repositoryFilters": [{"filter": "search/", "filterType": "PREFIX_MATCH"}],
        }
    ]
    original = world.records.find(ACCOUNT_A, REGION, REPLICATED)
    if original is None:
        raise LookupError(REPLICATED)
    for image in original.images:  # as if the rule were older than they are
        replicate(world, access, original, image.image_digest, next(iter(image.image_tags), None))
        copy = world.records.find(ACCOUNT_A, REPLICA_REGION, REPLICATED)
        copied = None if copy is None else images.by_digest(copy, image.image_digest)
        if copied is not None:
            copied.image_pushed_at = image.image_pushed_at


def _template(world: World, region: str, prefix: str, applied_for: str, team: str) -> None:
    now = world.clock().timestamp()
    world.registries.of(ACCOUNT_A, region).templates[prefix] = {
        "prefix": prefix,
        "appliedFor": [applied_for],
        "imageTagMutability": "MUTABLE",
        "resourceTags": [{"Key": "Team", "Value": team}],
        "createdAt": now,
        "updatedAt": now,
    }
