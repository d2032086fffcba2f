"""The door of the AWS side: signature, caller, faults, then the service, and every error in that service's form."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from ecr_tui.sandbox import analyzer_api, lambda_api, sigv4, troubleshooter_api
from ecr_tui.sandbox.analyzer import Analyzers
from ecr_tui.sandbox.analyzer_api import AnalyzerApi
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import HttpRequest, HttpResponse
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.ecr_access import arn_of, registry_of
from ecr_tui.sandbox.ecr_api import EcrApi
from ecr_tui.sandbox.ecr_layers import DOWNLOADS
from ecr_tui.sandbox.ecs_api import EcsApi
from ecr_tui.sandbox.iam_api import IamApi
from ecr_tui.sandbox.lambda_api import LambdaApi
from ecr_tui.sandbox.moto_app import MotoApp
from ecr_tui.sandbox.organizations_api import OrganizationsApi
from ecr_tui.sandbox.principals import Credential, Principal
from ecr_tui.sandbox.sigv4 import Reason, SignatureRejected
from ecr_tui.sandbox.sts_api import StsApi
from ecr_tui.sandbox.tagging_api import TaggingApi
from ecr_tui.sandbox.trail_api import TrailApi
from ecr_tui.sandbox.troubleshooter_api import TroubleshooterApi
from ecr_tui.sandbox.workloads import Workloads
from ecr_tui.sandbox.world import AwsCall, World

FaultHook = Callable[[AwsCall], ServiceError | None]
"""Called for every verified AWS call; its result is the response. It may raise ``aws_http.DropConnection``."""

Service = Callable[[AwsCall, HttpRequest], dict[str, Any] | HttpResponse]
"""Called with the world's lock held. A dictionary is written in the service's protocol."""

_JSON = "application/x-amz-json-1.1"
_XML_NAMESPACE = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
}
_JSON_SERVICES = {
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "ResourceGroupsTaggingAPI_20170126": "tagging",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
    "AWSOrganizationsV20161128": "organizations",
    "AmazonEC2ContainerServiceV20141113": "ecs",
}

_JSON_CODES = {
    Reason.MISSING: ("MissingAuthenticationTokenException", 400),
    Reason.INCOMPLETE: ("IncompleteSignatureException", 400),
    Reason.UNKNOWN_KEY: ("UnrecognizedClientException", 400),
    Reason.MISMATCH: ("InvalidSignatureException", 400),
    Reason.EXPIRED: ("ExpiredTokenException", 400),
}
_QUERY_CODES = {
    Reason.MISSING: ("MissingAuthenticationToken", 403),
    Reason.INCOMPLETE: ("IncompleteSignature", 400),
    Reason.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
    Reason.MISMATCH: ("SignatureDoesNotMatch", 403),
    Reason.EXPIRED: ("ExpiredToken", 403),
}


@dataclass(frozen=True)
class _Parsed:
    """``service`` is its signing name, but for IAM Toolbox; "sts" and "iam" speak the query protocol and XML."""

    service: str
    operation: str
    params: Mapping[str, object]

    @property
    def signing_name(self) -> str:
        return "iam" if self.service == troubleshooter_api.SERVICE else self.service

    @property
    def is_query(self) -> bool:
        return self.service in _XML_NAMESPACE


class Front:
    def __init__(self, world: World, mfa_code: str) -> None:
        self._world = world
        decisions = Decisions(world)
        moto = MotoApp()
        self.ecr = EcrApi(world, decisions, moto)
        self.sts = StsApi(world, decisions, mfa_code)
        self.workloads = Workloads()
        self.analyzers = Analyzers()
        self._services: dict[str, Service] = {
            "ecr": self.ecr.call,
            "sts": self.sts.call,
            "iam": IamApi(world, decisions, moto).call,
            "tagging": TaggingApi(world, decisions).call,
            "cloudtrail": TrailApi(world, decisions).call,
            "organizations": OrganizationsApi(decisions).call,
            "lambda": LambdaApi(world, self.ecr.access, self.workloads).call,
            "ecs": EcsApi(decisions, self.workloads).call,
            troubleshooter_api.SERVICE: TroubleshooterApi(world, decisions).call,
            analyzer_api.NAME: AnalyzerApi(world, decisions, self.analyzers).call,
        }
        self.fault: FaultHook | None = None

    def handle(self, request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and request.target.startswith(DOWNLOADS):
            data = self.ecr.layers.download(request.target[len(DOWNLOADS) :])
            if data is None:
                return HttpResponse(403, {"Content-Type": "text/plain"}, b"Request has expired\n")
            return HttpResponse(200, {"Content-Type": "application/octet-stream"}, data)
        parsed = _parse(request)
        try:
            return self._answer(parsed, request)
        except SignatureRejected as rejected:
            code, status = (_QUERY_CODES if parsed.is_query else _JSON_CODES)[rejected.reason]
            return _error(parsed, ServiceError(code, rejected.message, status))
        except ServiceError as failure:
            return _error(parsed, failure)

    def _answer(self, parsed: _Parsed, request: HttpRequest) -> HttpResponse:
        scope = sigv4.scope_of(request)
        principal = self._authenticate(request, scope)
        if not parsed.service or parsed.signing_name != scope.service:
            raise ServiceError("UnknownOperationException", f"The sandbox does not offer {scope.service}")
        call = AwsCall(parsed.service, parsed.operation, parsed.params, principal, scope.region, request.client)
        failure = self.fault(call) if self.fault is not None else None
        if failure is not None:
            raise failure
        with self._world.lock:
            try:
                answer = self._services[call.service](call, request)
            except ServiceError as refusal:
                self._note(call, request, refusal.code, refusal.message)
                raise
            self._note(call, request, *(_failure(answer) if isinstance(answer, HttpResponse) else ()))
        if isinstance(answer, HttpResponse):
            return answer
        return _xml(call, answer) if parsed.is_query else _json(200, answer)

    def _note(self, call: AwsCall, request: HttpRequest, code: str = "", message: str = "") -> None:
        """The call as an event of the trail; parameters only where they hold nothing secret."""
        name = str(call.params.get("repositoryName") or "") if call.service == "ecr" else ""
        owner = registry_of(call) if name else ""
        self._world.trail.note(
            f"{call.service}.amazonaws.com",
            call.operation,
            "us-east-1" if call.service in ("iam", "organizations") else call.region,
            call.principal,
            params=call.params if call.service in ("ecr", "cloudtrail") else None,
            owner=owner,
            arn=arn_of(owner, call.region, name) if name else "",
            code=code,
            message=message,
            address=request.client,
            agent=request.headers.get("user-agent", ""),
        )

    def _authenticate(self, request: HttpRequest, scope: sigv4.Scope) -> Principal:
        credential = self._credential(scope.access_key)
        if credential is None or request.headers.get("x-amz-security-token") != credential.token:
            raise SignatureRejected(Reason.UNKNOWN_KEY, "The security token included in the request is invalid.")
        now = self._world.clock()
        sigv4.verify(request, scope, credential.secret, now)
        if credential.expires_at is not None and credential.expires_at <= now:
            raise SignatureRejected(Reason.EXPIRED, "The security token included in the request is expired")
        return credential.principal

    def _credential(self, access_key: str) -> Credential | None:
        with self._world.lock:
            return self.sts.credential(access_key) or self._world.directory.credential(access_key)


def _parse(request: HttpRequest) -> _Parsed:
    """The parsed request; not trusted before the signature is checked."""
    target = request.headers.get("x-amz-target", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        try:
            params = json.loads(request.body or b"{}")
        except ValueError:
            params = None
        service = _JSON_SERVICES.get(prefix, "")
        return _Parsed(service, operation, params if isinstance(params, dict) else {})
    rest_services = (
        ("lambda", lambda_api.parse),
        (analyzer_api.NAME, analyzer_api.parse),
        (troubleshooter_api.SERVICE, troubleshooter_api.parse),
    )
    for name, parse in rest_services:
        rest = parse(request)
        if rest is not None:
            return _Parsed(name, *rest)
    query = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    service = {"2011-06-15": "sts", "2010-05-08": "iam"}.get(query.get("Version", ""), "")
    return _Parsed(service, query.get("Action", ""), query)


def _error(parsed: _Parsed, failure: ServiceError) -> HttpResponse:
    if not parsed.is_query:
        return _json(failure.status, {"__type": failure.code, "message": failure.message})
    kind = "Sender" if failure.status < 500 else "Receiver"
    body = (
        f'<ErrorResponse xmlns="{_XML_NAMESPACE[parsed.service]}"><Error><Type>{kind}</Type>'
        f"<Code>{escape(failure.code)}</Code><Message>{escape(failure.message)}</Message></Error>"
        f"<RequestId>{_request_id()}</RequestId></ErrorResponse>"
    )
    return HttpResponse(failure.status, {"Content-Type": "text/xml"}, body.encode())


def _failure(answer: HttpResponse) -> tuple[str, str]:
    """Code and message of moto's response, ("", "") for success."""
    if answer.status < 400:
        return "", ""
    try:
        found = json.loads(answer.body)
        return str(found.get("__type", "")).rpartition("#")[2], str(found.get("message", ""))
    except (ValueError, AttributeError):
        return str(answer.status), ""


def _json(status: int, answer: Mapping[str, Any]) -> HttpResponse:
    body = json.dumps(answer, separators=(",", ":")).encode()
    return HttpResponse(status, {"Content-Type": _JSON, "x-amzn-RequestId": _request_id()}, body)


def _xml(call: AwsCall, answer: Mapping[str, Any]) -> HttpResponse:
    name = call.operation
    body = (
        f'<{name}Response xmlns="{_XML_NAMESPACE[call.service]}"><{name}Result>{_elements(answer)}</{name}Result>'
        f"<ResponseMetadata><RequestId>{_request_id()}</RequestId></ResponseMetadata></{name}Response>"
    )
    return HttpResponse(200, {"Content-Type": "text/xml"}, body.encode())


def _elements(values: Mapping[str, Any]) -> str:
    return "".join(
        f"<{key}>{_elements(value) if isinstance(value, Mapping) else escape(str(value))}</{key}>"
        for key, value in values.items()
    )


def _request_id() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
