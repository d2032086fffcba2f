"""ECS task definitions with their images."""

from __future__ import annotations

from typing import Any

from ecr_tui.sandbox import paging
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import HttpRequest
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.workloads import Workloads
from ecr_tui.sandbox.world import AwsCall

_PAGE_MAX = 100


class EcsApi:
    def __init__(self, decisions: Decisions, workloads: Workloads) -> None:
        self._decisions = decisions
        self._workloads = workloads
        self._operations = {
            "ListTaskDefinitions": self.task_definitions,
            "DescribeTaskDefinition": self.describe,
            "RegisterTaskDefinition": self.register,
        }

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any]:
        return self._decisions.serve("ecs", self._operations, call)

    def task_definitions(self, call: AwsCall) -> dict[str, Any]:
        """By family and revision, as ECS sorts them."""
        named = [
            (family, revision)
            for family, revisions in sorted(self._families(call).items())
            for revision in range(1, len(revisions) + 1)
        ]
        if call.params.get("sort") == "DESC":
            named.reverse()
        size = paging.page_size(call.params, _PAGE_MAX, _PAGE_MAX)
        marker = paging.marker_of(call.params.get("nextToken"), "tasks")
        start = next((place + 1 for place, one in enumerate(named) if _marker(one) == marker), 0)
        page, token = paging.take(named[start:], size, "tasks", _marker)
        return {"taskDefinitionArns": [_arn(call, *one) for one in page]} | ({"nextToken": token} if token else {})

    def describe(self, call: AwsCall) -> dict[str, Any]:
        family, _, revision = str(call.params.get("taskDefinition", "")).rpartition("/")[2].partition(":")
        revisions = self._families(call).get(family, [])
        number = int(revision) if revision.isdecimal() else len(revisions)
        if not 1 <= number <= len(revisions):
            raise ServiceError("ClientException", "Unable to describe task definition.")
        return {"taskDefinition": _shown(call, family, number, revisions[number - 1])}

    def register(self, call: AwsCall) -> dict[str, Any]:
        family, containers = str(call.params.get("family", "")), call.params.get("containerDefinitions")
        if not family or not isinstance(containers, list) or not containers:
            raise ServiceError("ClientException", "Container list cannot be empty.")
        revisions = self._families(call).setdefault(family, [])
        revisions.append({str(one.get("name", "")): str(one.get("image", "")) for one in containers})
        return {"taskDefinition": _shown(call, family, len(revisions), revisions[-1])}

    def _families(self, call: AwsCall) -> dict[str, list[dict[str, str]]]:
        return self._workloads.tasks.setdefault((call.principal.account, call.region), {})


def _marker(named: tuple[str, int]) -> str:
    return f"{named[0]}:{named[1]}"


def _arn(call: AwsCall, family: str, revision: int) -> str:
    return f"arn:aws:ecs:{call.region}:{call.principal.account}:task-definition/{family}:{revision}"


def _shown(call: AwsCall, family: str, revision: int, images: dict[str, str]) -> dict[str, Any]:
    return {
        "taskDefinitionArn": _arn(call, family, revision),
        "family": family,
        "revision": revision,
        "status": "ACTIVE",
        "containerDefinitions": [{"name": name, "image": image, "essential": True} for name, image in images.items()],
    }
