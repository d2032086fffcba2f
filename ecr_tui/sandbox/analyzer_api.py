"""IAM Access Analyzer's API for external access to repositories: analyzers, findings and access previews.

A preview takes an active analyzer of type ACCOUNT (API reference, CreateAccessPreview). It is CREATING at the first
look. The texts of errors other than a denial's are not AWS's own, which are not documented.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ecr_tui.policy.document import PolicyError
from ecr_tui.sandbox import paging
from ecr_tui.sandbox.analyzer import Analyzers, Finding, PreviewRecord
from ecr_tui.sandbox.aws_errors import ServiceError, unknown_operation
from ecr_tui.sandbox.aws_http import HttpRequest
from ecr_tui.sandbox.bindings import to_arns
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.world import AwsCall, World

NAME = "access-analyzer"
"""As requests are signed."""
_ROUTES = (
    ("GET", re.compile(r"/analyzer"), "ListAnalyzers"),
    ("PUT", re.compile(r"/access-preview"), "CreateAccessPreview"),
    ("GET", re.compile(r"/access-preview/(?P<accessPreviewId>[^/]+)"), "GetAccessPreview"),
    ("POST", re.compile(r"/access-preview/(?P<accessPreviewId>[^/]+)"), "ListAccessPreviewFindings"),
    ("POST", re.compile(r"/finding"), "ListFindings"),
)
_PAGE = 50
_REPOSITORY = re.compile(r"arn:aws:ecr:([a-z0-9-]+):(\d{12}):repository/(.+)")


def parse(request: HttpRequest) -> tuple[str, dict[str, object]] | None:
    """(operation, parameters) of a request by its path; None for one that is not Access Analyzer's."""
    url = urlsplit(request.target)
    for method, route, operation in _ROUTES:
        found = route.fullmatch(url.path)
        if found is not None and method == request.method:
            try:
                body = json.loads(request.body or b"{}")
            except ValueError:
                body = {}
            named = {name: unquote(value) for name, value in found.groupdict().items()}
            return operation, {**dict(parse_qsl(url.query)), **(body if isinstance(body, dict) else {}), **named}
    return None


class AnalyzerApi:
    def __init__(self, world: World, decisions: Decisions, analyzers: Analyzers) -> None:
        self._world = world
        self._decisions = decisions
        self._analyzers = analyzers
        self._operations: dict[str, Callable[[AwsCall], dict[str, Any]]] = {
            "ListAnalyzers": self.listed,
            "CreateAccessPreview": self.create,
            "GetAccessPreview": self.get,
            "ListAccessPreviewFindings": self.preview_findings,
            "ListFindings": self.findings,
        }

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any]:
        operation = self._operations.get(call.operation)
        if operation is None:
            raise unknown_operation(NAME, call.operation)
        account = call.principal.account
        resource = str(call.params.get("analyzerArn") or f"arn:aws:{NAME}:{call.region}:{account}:*")
        message = self._decisions.denial(call.principal, f"{NAME}:{call.operation}", resource, account=account)
        if message is not None:
            raise ServiceError("AccessDeniedException", message, 403)
        return operation(call)

    def listed(self, call: AwsCall) -> dict[str, Any]:
        wanted = call.params.get("type")
        now = self._world.clock().isoformat()
        return {
            "analyzers": [
                {"arn": _arn(call, name), "name": name, "type": kind, "status": "ACTIVE", "createdAt": now}
                for name, kind in self._of(call).items()
                if wanted in (None, kind)
            ]
        }

    def create(self, call: AwsCall) -> dict[str, Any]:
        if self._kind(call) != "ACCOUNT":
            raise _invalid("The analyzer must be of type ACCOUNT.")
        given = call.params.get("configurations")
        if not isinstance(given, dict) or len(given) != 1:
            raise _invalid("The configuration must contain exactly one element.")
        ((arn, configuration),) = given.items()
        found = _REPOSITORY.fullmatch(arn)
        if found is None or found[1] != call.region or found[2] != call.principal.account:
            raise _invalid("The resource must be in the account and region of the analyzer.")
        text = configuration.get("ecrRepository", {}).get("repositoryPolicy")
        text = self._live(arn) if text is None else text
        analyzer = str(call.params.get("analyzerArn"))
        try:
            proposed, invalid = self._analyzers.of(arn, text), False
        except PolicyError:
            proposed, invalid = (), True
        made = PreviewRecord(str(uuid.uuid4()), arn, analyzer, proposed, invalid, self._world.clock())
        self._analyzers.previews[made.id] = made
        return {"id": made.id}

    def get(self, call: AwsCall) -> dict[str, Any]:
        made = self._preview(call)
        status = "CREATING" if made.looks else "FAILED" if made.invalid else "COMPLETED"
        made.looks = max(made.looks - 1, 0)
        found: dict[str, Any] = {
            "id": made.id,
            "analyzerArn": made.analyzer,
            "configurations": {made.arn: {"ecrRepository": {}}},
            "createdAt": made.created.isoformat(),
            "status": status,
        }
        if status == "FAILED":
            found["statusReason"] = {"code": "INVALID_CONFIGURATION"}
        return {"accessPreview": found}

    def preview_findings(self, call: AwsCall) -> dict[str, Any]:
        made = self._preview(call)
        if made.looks or made.invalid:
            raise ServiceError("ConflictException", f"The access preview {made.id} is not complete.", 409)
        existing = self._analyzers.of(made.arn, self._live(made.arn))
        found = []
        for one in dict.fromkeys((*made.found, *existing)):
            change = "UNCHANGED" if one in made.found and one in existing else "CHANGED" if one in existing else "NEW"
            status = "ACTIVE" if one in made.found else "RESOLVED"
            told = _told(one, made.arn, str(uuid.uuid4()), status) | {
                "changeType": change,
                "createdAt": made.created.isoformat(),
            }
            if change != "NEW":
                told |= {"existingFindingId": one.id_on(made.arn), "existingFindingStatus": "ACTIVE"}
            found.append(told)
        return self._page(call, found)

    def findings(self, call: AwsCall) -> dict[str, Any]:
        self._kind(call)
        wanted = _filter(call, "resource")
        now = self._world.clock().isoformat()
        times = dict.fromkeys(("createdAt", "analyzedAt", "updatedAt"), now)
        return self._page(
            call,
            [
                _told(one, arn, one.id_on(arn), "ACTIVE") | times
                for arn in wanted
                for one in self._analyzers.of(arn, self._live(arn))
            ],
        )

    def _page(self, call: AwsCall, found: list[dict[str, Any]]) -> dict[str, Any]:
        after = paging.marker_of(call.params.get("nextToken"), call.operation)
        ids = [one["id"] for one in found]
        rest = found[ids.index(after) + 1 :] if after in ids else found
        page, token = paging.take(rest, _PAGE, call.operation, lambda one: str(one["id"]))
        return {"findings": page} | ({"nextToken": token} if token else {})

    def _of(self, call: AwsCall) -> dict[str, str]:
        return self._analyzers.kinds.get((call.principal.account, call.region), {})

    def _kind(self, call: AwsCall) -> str:
        arn = str(call.params.get("analyzerArn", ""))
        for name, kind in self._of(call).items():
            if _arn(call, name) == arn:
                return kind
        raise ServiceError("ResourceNotFoundException", f"The analyzer {arn} does not exist.", 404)

    def _preview(self, call: AwsCall) -> PreviewRecord:
        identifier = str(call.params.get("accessPreviewId"))
        made = self._analyzers.previews.get(identifier)
        if made is None or made.analyzer != call.params.get("analyzerArn"):
            raise ServiceError("ResourceNotFoundException", f"The access preview {identifier} does not exist.", 404)
        return made

    def _live(self, arn: str) -> str | None:
        found = _REPOSITORY.fullmatch(arn)
        record = None if found is None else self._world.records.find(found[2], found[1], found[3])
        if record is None or not record.policy:
            return None
        return to_arns(record.policy, frozenset(self._world.directory.principals()))


def _arn(call: AwsCall, name: str) -> str:
    return f"arn:aws:{NAME}:{call.region}:{call.principal.account}:analyzer/{name}"


def _told(one: Finding, arn: str, identifier: str, status: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "principal": {"AWS": one.principal},
        "action": list(one.actions),
        "condition": dict(one.condition),
        "isPublic": one.public,
        "resource": arn,
        "resourceType": "AWS::ECR::Repository",
        "resourceOwnerAccount": arn.split(":")[4],
        "status": status,
    }


def _filter(call: AwsCall, key: str) -> Iterable[str]:
    given = call.params.get("filter")
    criterion = given.get(key) if isinstance(given, dict) else None
    if not isinstance(criterion, dict) or not isinstance(criterion.get("eq"), list):
        raise _invalid(f"The sandbox lists findings by {key} only.")
    return [str(one) for one in criterion["eq"]]


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
