"""ECR: private image replication. Pushed images are copied immediately by the rules; AWS takes minutes.

By the User Guide ("Private image replication in Amazon ECR"): only what is pushed after a rule was set, under the same
name, and once for each push, so a copy is not copied on. Policies, tags and settings stay behind; a repository that
replication makes has those of the creation template for REPLICATION, if any. Another account's registry policy must
allow ecr:ReplicateImage, and ecr:CreateRepository where the repository is to be made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.ecr.models import Repository

from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies, Request, decide
from ecr_tui.sandbox import bindings, images
from ecr_tui.sandbox.aws_errors import invalid
from ecr_tui.sandbox.backend import TagImmutable
from ecr_tui.sandbox.decisions import parsed
from ecr_tui.sandbox.ecr_access import RepositoryAccess, arn_of
from ecr_tui.sandbox.world import AwsCall, World

ROOT = "ROOT"
_MOST_RULES = 25
_ANYTHING = PolicyDocument.from_json(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


class Replication:
    """The rules of the caller's own registry."""

    def __init__(self, world: World, access: RepositoryAccess) -> None:
        self._world = world
        self._access = access
        self.operations = {
            "DescribeRegistry": self.describe,
            "PutReplicationConfiguration": self.put,
        }

    def describe(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        rules = self._world.registries.of(account, call.region).replication
        return {"registryId": account, "replicationConfiguration": {"rules": rules}}

    def put(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        wanted = call.params.get("replicationConfiguration")
        rules = wanted.get("rules") if isinstance(wanted, dict) else None
        if not isinstance(rules, list) or len(rules) > _MOST_RULES:
            raise invalid("replicationConfiguration", f"Member must have at most {_MOST_RULES} rules")
        for rule in rules:
            if any(place == (account, call.region) for place in _destinations(rule)):
                raise invalid("replicationConfiguration", "Replication destination cannot be the same as the source")
            if any(one.get("filterType") != "PREFIX_MATCH" for one in rule.get("repositoryFilters", ())):
                raise invalid("filterType", "Member must satisfy enum value set: [PREFIX_MATCH]")
        self._world.registries.of(account, call.region).replication = rules
        return {"replicationConfiguration": {"rules": rules}}


def replicate(world: World, access: RepositoryAccess, source: Repository, reference: str, tag: str | None) -> None:
    """Copy an image that was just pushed. ``reference``: its digest. Callers hold the world's lock."""
    account, region = source.account_id, source.region_name
    places: dict[tuple[str, str], None] = {}
    for rule in world.registries.of(account, region).replication:
        filters = [str(one["filter"]) for one in rule.get("repositoryFilters", ())]
        if not filters or source.name.startswith(tuple(filters)):
            places |= dict.fromkeys(_destinations(rule))
    for place in places:
        target = _target(world, access, source, *place)
        if target is not None:
            _copy(world, source, target, reference, tag)


def _destinations(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in rule.get("destinations", ()):
        yield str(one["registryId"]), str(one["region"])


def _target(world: World, access: RepositoryAccess, source: Repository, account: str, region: str) -> Repository | None:
    """The destination repository, created if missing. None if replication fails."""
    if account not in world.accounts or region not in world.regions:
        return None
    if not _allowed(access, source.account_id, "ecr:ReplicateImage", account, region, source.name):
        return None
    found = world.records.find(account, region, source.name)
    if found is None and _allowed(access, source.account_id, "ecr:CreateRepository", account, region, source.name):
        return _made(world, account, region, source.name)
    return found


def _allowed(access: RepositoryAccess, source: str, action: str, account: str, region: str, name: str) -> bool:
    if source == account:
        return True
    text = access.registry_policy(account, region, action)
    context = {"aws:PrincipalAccount": source}
    request = Request(action, arn_of(account, region, name), account, f"arn:aws:iam::{source}:root", context)
    policies = Policies(identity=(_ANYTHING,), resource=None, registry=parsed(text) if text else None)
    return decide(request, policies).response == "Allowed"


def _made(world: World, account: str, region: str, name: str) -> Repository:
    templates = world.registries.of(account, region).templates
    fitting = [
        prefix
        for prefix, one in templates.items()
        if "REPLICATION" in one.get("appliedFor", ()) and (prefix == ROOT or name.startswith(prefix.rstrip("/") + "/"))
    ]
    template = templates[max(fitting, key=lambda one: (one != ROOT, len(one)))] if fitting else {}
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in template.get("resourceTags", ())}
    record = world.records.create(account, region, name, tags, template)
    record.created_at = world.clock()
    if template.get("repositoryPolicy"):
        live = frozenset(world.directory.principals())
        record.policy = bindings.pretty(bindings.to_ids(json.loads(template["repositoryPolicy"]), live))
    return record


def _copy(world: World, source: Repository, target: Repository, digest: str, tag: str | None) -> None:
    image = images.by_digest(source, digest)
    if image is None:
        return
    held = world.blobs[source.account_id, source.region_name]
    copied = world.blobs[target.account_id, target.region_name]
    for part in images.parts(image):
        one = str(part["digest"])
        if images.by_digest(source, one) is not None:  # a platform's image in an index
            _copy(world, source, target, one, None)
            continue
        data = held.get(source.name, one)
        if data is not None and copied.size(target.name, one) is None:
            copied.put(target.name, one, data)
    stored = images.stored(image)
    try:
        images.put(target, tag, stored.media_type, stored.body, world.clock())
    except TagImmutable:
        images.put(target, None, stored.media_type, stored.body, world.clock())
