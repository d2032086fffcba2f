"""ECR: repositories and their tags, cross-account by registryId and by resourceArn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ecr.models import Repository

from ecr_tui.sandbox import paging
from ecr_tui.sandbox.aws_errors import ServiceError, invalid, repository_missing
from ecr_tui.sandbox.ecr_access import RepositoryAccess, registry_of
from ecr_tui.sandbox.world import AwsCall, World

_ARN = re.compile(r"arn:aws[a-z-]*:ecr:([a-z0-9-]+):(\d{12}):repository/(.+)")
_PAGE, _PAGE_MAX, _NAMES_MAX, _TAGS_MAX = 100, 1000, 100, 50


class Repositories:
    def __init__(self, world: World, access: RepositoryAccess) -> None:
        self._world = world
        self._access = access
        self.operations = {
            "CreateRepository": self.create,
            "DescribeRepositories": self.describe,
            "DeleteRepository": self.delete,
            "ListTagsForResource": self.list_tags,
            "TagResource": self.tag,
            "UntagResource": self.untag,
        }

    def create(self, call: AwsCall) -> dict[str, Any]:
        name = str(call.params.get("repositoryName", ""))
        account = call.principal.account
        if registry_of(call) != account:
            raise invalid("registryId", "Repositories are created in the caller's own registry")
        tags = paging.checked_tags(call.params.get("tags"))
        context = _request_tags(tags)
        actions = ["ecr:CreateRepository", *(["ecr:TagResource"] if tags else [])]
        for action in actions:
            self._access.require(call.principal, action, account, call.region, name, context)
        try:
            record = self._world.records.create(account, call.region, name, tags, call.params)
        except ServiceException as failure:
            raise ServiceError(failure.code, failure.message) from None
        record.created_at = self._world.clock()
        return {"repository": describe(record)}

    def describe(self, call: AwsCall) -> dict[str, Any]:
        account = registry_of(call)
        wanted = call.params.get("repositoryNames")
        if isinstance(wanted, list) and wanted:
            return {"repositories": self._named(call, account, [str(name) for name in wanted])}
        size = paging.page_size(call.params, _PAGE, _PAGE_MAX)
        marker = paging.marker_of(call.params.get("nextToken"), "repositories")
        self._access.require(call.principal, "ecr:DescribeRepositories", account, call.region, "*")
        following = self._world.records.after(account, call.region, marker)
        page, token = paging.take(following, size, "repositories", lambda one: one.name)
        found: dict[str, Any] = {"repositories": [describe(one) for one in page]}
        return found | ({"nextToken": token} if token else {})

    def _named(self, call: AwsCall, account: str, names: list[str]) -> list[dict[str, Any]]:
        if len(names) > _NAMES_MAX:
            raise invalid("repositoryNames", f"Member must have length less than or equal to {_NAMES_MAX}")
        found = []
        for name in names:
            record = self._access.require(call.principal, "ecr:DescribeRepositories", account, call.region, name)
            if record is None:
                raise repository_missing(name, account)
            found.append(describe(record))
        return found

    def delete(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:DeleteRepository")
        account, name = record.account_id, record.name
        if record.images and call.params.get("force") is not True:
            raise ServiceError(
                "RepositoryNotEmptyException",
                f"The repository with name '{name}' in registry with id '{account}' cannot be deleted because it "
                "still contains images",
            )
        described = describe(record)
        self._world.records.delete(account, call.region, name)
        self._world.blobs[account, call.region].forget(name)
        return {"repository": described}

    def list_tags(self, call: AwsCall) -> dict[str, Any]:
        record = self._by_arn(call, "ecr:ListTagsForResource")
        return {"tags": tag_list(self._world.records.tags(record))}

    def tag(self, call: AwsCall) -> dict[str, Any]:
        tags = paging.checked_tags(call.params.get("tags"))
        record = self._by_arn(call, "ecr:TagResource", _request_tags(tags))
        if len({**self._world.records.tags(record), **tags}) > _TAGS_MAX:
            raise ServiceError("TooManyTagsException", f"A repository has at most {_TAGS_MAX} tags.")
        self._world.records.set_tags(record, tags)
        return {}

    def untag(self, call: AwsCall) -> dict[str, Any]:
        wanted = call.params.get("tagKeys")
        keys = [str(key) for key in wanted] if isinstance(wanted, list) else []
        record = self._by_arn(call, "ecr:UntagResource", {"aws:TagKeys": keys})
        self._world.records.remove_tags(record, keys)
        return {}

    def _by_arn(self, call: AwsCall, action: str, context: Mapping[str, Any] | None = None) -> Repository:
        found = _ARN.fullmatch(str(call.params.get("resourceArn", "")))
        if found is None:
            raise invalid("resourceArn", "Invalid ARN")
        region, account, name = found.groups()
        if region != call.region:
            raise invalid("resourceArn", f"The ARN is not of region {call.region}")
        record = self._access.require(call.principal, action, account, region, name, context)
        if record is None:
            raise repository_missing(name, account)
        return record


def describe(record: Repository) -> dict[str, Any]:
    """As in DescribeRepositories: with neither tags nor policy."""
    mutability = record.image_tag_mutability
    found = {
        "repositoryArn": record.arn,
        "registryId": record.account_id,
        "repositoryName": record.name,
        "repositoryUri": record.uri,
        "createdAt": record.created_at.timestamp(),
        "imageTagMutability": getattr(mutability, "value", mutability),
        "imageScanningConfiguration": record.image_scanning_configuration,
        "encryptionConfiguration": record.encryption_configuration,
    }
    if record.image_tag_mutability_exclusion_filters:
        found["imageTagMutabilityExclusionFilters"] = record.image_tag_mutability_exclusion_filters
    return found


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _request_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    return {f"aws:RequestTag/{key}": value for key, value in tags.items()} | ({"aws:TagKeys": [*tags]} if tags else {})
