"""The Resource Groups Tagging API for ECR repositories, which moto does not know: the caller's own account only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.ecr.models import Repository

from ecr_tui.sandbox import paging
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import HttpRequest
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.ecr_repositories import tag_list
from ecr_tui.sandbox.world import AwsCall, World

_PAGE_MAX, _ARNS_MAX, _FILTERS_MAX, _VALUES_MAX = 100, 100, 50, 20


class TaggingApi:
    def __init__(self, world: World, decisions: Decisions) -> None:
        self._world = world
        self._decisions = decisions
        self._operations = {
            "GetResources": self.resources,
            "GetTagKeys": self.keys,
            "GetTagValues": self.values,
        }

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any]:
        return self._decisions.serve("tag", self._operations, call)

    def resources(self, call: AwsCall) -> dict[str, Any]:
        """Repositories which have a tag. One that has lost all its tags shows with none, unless a filter is given."""
        arns = call.params.get("ResourceARNList")
        if isinstance(arns, list) and arns:
            if call.params.get("TagFilters") or call.params.get("ResourceTypeFilters") or len(arns) > _ARNS_MAX:
                raise _invalid("ResourceARNList takes up to 100 ARNs, and no filter or page beside it")
            entries = [one for one in self._tagged(call, "") if one[0].arn in set(arns)]
            return {"ResourceTagMappingList": [_mapping(*one) for one in entries], "PaginationToken": ""}
        size = self._size(call)
        filters = _filters(call.params.get("TagFilters"))
        matching = (
            (record, tags)
            for record, tags in self._tagged(call, _marker(call))
            if all(key in tags and (not values or tags[key] in values) for key, values in filters)
        )
        page, token = paging.take(matching, size, "resources", lambda one: one[0].name)
        return {"ResourceTagMappingList": [_mapping(*one) for one in page], "PaginationToken": token or ""}

    def keys(self, call: AwsCall) -> dict[str, Any]:
        return {"TagKeys": sorted({key for _, tags in self._tagged(call, "") for key in tags}), "PaginationToken": ""}

    def values(self, call: AwsCall) -> dict[str, Any]:
        key = str(call.params.get("Key", ""))
        found = {tags[key] for _, tags in self._tagged(call, "") if key in tags}
        return {"TagValues": sorted(found), "PaginationToken": ""}

    def _tagged(self, call: AwsCall, marker: str) -> Iterator[tuple[Repository, dict[str, str]]]:
        types = call.params.get("ResourceTypeFilters")
        if isinstance(types, list) and types and not {"ecr", "ecr:repository"} & set(types):
            return
        account = call.principal.account
        if call.region not in self._world.regions:
            return
        known = self._world.records.backend(account, call.region).tagger.tags
        ever_tagged = self._world.records.ever_tagged
        for record in self._world.records.after(account, call.region, marker):
            tags = known.get(record.arn)
            if tags or record.arn in ever_tagged:
                yield record, {key: value or "" for key, value in (tags or {}).items()}

    def _size(self, call: AwsCall) -> int:
        wanted = call.params.get("ResourcesPerPage")
        if wanted is None:
            return _PAGE_MAX
        if not isinstance(wanted, int) or not 1 <= wanted <= _PAGE_MAX:
            raise _invalid("ResourcesPerPage must be between 1 and 100")
        return wanted


def _marker(call: AwsCall) -> str:
    try:
        return paging.marker_of(call.params.get("PaginationToken"), "resources")
    except ServiceError:
        raise ServiceError(
            "PaginationTokenExpiredException", "The pagination token is invalid or has expired"
        ) from None


def _filters(wanted: object) -> list[tuple[str, frozenset[str]]]:
    """AND between keys, OR between values; a key alone means any value."""
    found = [one for one in wanted if isinstance(one, dict)] if isinstance(wanted, list) else []
    if len(found) > _FILTERS_MAX or any(len(one.get("Values") or ()) > _VALUES_MAX for one in found):
        raise _invalid(f"TagFilters takes up to {_FILTERS_MAX} keys with up to {_VALUES_MAX} values each")
    return [(str(one.get("Key", "")), frozenset(one.get("Values") or ())) for one in found]


def _mapping(record: Repository, tags: dict[str, str]) -> dict[str, Any]:
    return {"ResourceARN": record.arn, "Tags": tag_list(tags)}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)
