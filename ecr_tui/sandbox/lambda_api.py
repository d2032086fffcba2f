"""Lambda with functions made of images. Nothing runs; an image is checked and pulled as Lambda does it.

For another account's image the caller needs the pull on both sides (Lambda asks with the caller's own rights), and the
repository must let the service in for the function (Lambda Developer Guide, "Amazon ECR cross-account permissions").
For the own account's the service is enough; if it is not let in, Lambda adds the statement, where the caller may set
the repository's policy. The execution role is not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from moto.ecr.models import Image, Repository

from ecr_tui.sandbox import images, paging
from ecr_tui.sandbox.aws_errors import ServiceError, unknown_operation
from ecr_tui.sandbox.aws_http import HttpRequest, HttpResponse
from ecr_tui.sandbox.ecr_access import RepositoryAccess
from ecr_tui.sandbox.ecr_policies import store_unchecked
from ecr_tui.sandbox.workloads import Function, ImageRef, Workloads, image_ref
from ecr_tui.sandbox.world import AwsCall, World

FUNCTIONS = "/2015-03-31/functions"
SERVICE = "lambda.amazonaws.com"
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_DENIED = "Lambda does not have permission to access the ECR image. Check the ECR permissions."
_ROUTES = (
    ("POST", re.compile(rf"{FUNCTIONS}/?"), "CreateFunction"),
    ("GET", re.compile(rf"{FUNCTIONS}/?"), "ListFunctions"),
    ("GET", re.compile(rf"{FUNCTIONS}/(?P<name>[^/]+)"), "GetFunction"),
    ("DELETE", re.compile(rf"{FUNCTIONS}/(?P<name>[^/]+)"), "DeleteFunction"),
    ("PUT", re.compile(rf"{FUNCTIONS}/(?P<name>[^/]+)/code"), "UpdateFunctionCode"),
)
_PAGE, _PAGE_MAX = 50, 10_000

Operation = Callable[[AwsCall], dict[str, Any] | HttpResponse]


def parse(request: HttpRequest) -> tuple[str, dict[str, object]] | None:
    """(operation, parameters) of a request by its path; None for one that is not Lambda's."""
    url = urlsplit(request.target)
    if not url.path.startswith(FUNCTIONS):
        return None
    for method, route, operation in _ROUTES:
        found = route.fullmatch(url.path)
        if found is not None and method == request.method:
            try:
                body = json.loads(request.body or b"{}")
            except ValueError:
                body = {}
            params = {**dict(parse_qsl(url.query)), **(body if isinstance(body, dict) else {})}
            name = found.groupdict().get("name")
            return operation, params | ({"FunctionName": unquote(name)} if name else {})
    return "", {}


class LambdaApi:
    def __init__(self, world: World, access: RepositoryAccess, workloads: Workloads) -> None:
        self._world = world
        self._access = access
        self._workloads = workloads
        self._operations: dict[str, Operation] = {
            "CreateFunction": self.create,
            "UpdateFunctionCode": self.update,
            "ListFunctions": self.functions,
            "GetFunction": self.get,
            "DeleteFunction": self.delete,
        }

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any] | HttpResponse:
        operation = self._operations.get(call.operation)
        if operation is None:
            raise unknown_operation("lambda", call.operation or request.method)
        resource = "*" if call.operation == "ListFunctions" else self._arn(call, _name(call))
        account = call.principal.account
        message = self._access.decisions.denial(call.principal, f"lambda:{call.operation}", resource, account=account)
        if message is not None:
            raise ServiceError("AccessDeniedException", message, 403)
        return operation(call)

    def create(self, call: AwsCall) -> dict[str, Any]:
        name, code = _name(call), call.params.get("Code")
        if call.params.get("PackageType") != "Image" or not isinstance(code, dict):
            raise _invalid("The sandbox makes functions of images only: PackageType Image and Code.ImageUri.")
        if name in self._functions(call):
            raise ServiceError("ResourceConflictException", f"Function already exist: {name}", 409)
        return self._put(call, name, str(code.get("ImageUri", "")), str(call.params.get("Role", "")))

    def update(self, call: AwsCall) -> dict[str, Any]:
        function = self._function(call)
        return self._put(call, function.name, str(call.params.get("ImageUri", "")), function.role)

    def functions(self, call: AwsCall) -> dict[str, Any]:
        wanted = str(call.params.get("MaxItems") or _PAGE)
        size = min(max(int(wanted) if wanted.isdecimal() else _PAGE, 1), _PAGE_MAX)
        after = paging.marker_of(call.params.get("Marker"), "functions")
        known = self._functions(call)
        page, token = paging.take(sorted(name for name in known if name > after), size, "functions", str)
        found = {"Functions": [self._configuration(call, known[name]) for name in page]}
        return found | ({"NextMarker": token} if token else {})

    def get(self, call: AwsCall) -> dict[str, Any]:
        function = self._function(call)
        code = {"RepositoryType": "ECR", "ImageUri": function.image, "ResolvedImageUri": function.resolved}
        return {"Configuration": self._configuration(call, function), "Code": code, "Tags": {}}

    def delete(self, call: AwsCall) -> HttpResponse:
        del self._functions(call)[self._function(call).name]
        return HttpResponse(204)

    def _put(self, call: AwsCall, name: str, uri: str, role: str) -> dict[str, Any]:
        ref = image_ref(uri, self._world.records.hosts)
        if ref is None:
            raise _invalid(f"Source image {uri} is not valid. Provide a valid source image.")
        self._require(call, ref, self._arn(call, name))
        record = self._world.records.find(ref.account, ref.region, ref.repository)
        image = self._image(record, ref.reference)
        if record is None or image is None:
            raise _invalid(f"Source image {uri} does not exist. Provide a valid source image.")
        images.record_pull(image, self._world.clock())
        resolved = f"{uri.partition('/')[0]}/{ref.repository}@{image.image_digest}"
        made = Function(name, uri, resolved, role, self._world.clock())
        self._functions(call)[name] = made
        return self._configuration(call, made)

    def _require(self, call: AwsCall, ref: ImageRef, function: str) -> None:
        """Raises ServiceError unless the image may be pulled for the function."""
        place = (ref.account, ref.region, ref.repository)
        if ref.account != call.principal.account:
            via = {"aws:ViaAWSService": "true", "aws:CalledVia": (SERVICE,)}
            if any(self._access.denial(call.principal, action, *place, context=via) for action in PULL):
                raise ServiceError("AccessDeniedException", _DENIED, 403)
        if self._lets_in(ref, function):
            return
        if ref.account == call.principal.account and self._add_statement(call, ref) and self._lets_in(ref, function):
            return
        raise ServiceError("AccessDeniedException", _DENIED, 403)

    def _lets_in(self, ref: ImageRef, function: str) -> bool:
        place = (ref.account, ref.region, ref.repository)
        return all(self._access.lets_service_in(SERVICE, function, action, *place) for action in PULL)

    def _add_statement(self, call: AwsCall, ref: ImageRef) -> bool:
        """Whether the caller could and did (AWS names the statement so)."""
        place = (ref.account, ref.region, ref.repository)
        actions = ("ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy")
        record = self._world.records.find(*place)
        if record is None or any(self._access.denial(call.principal, action, *place) for action in actions):
            return False
        document = json.loads(record.policy) if record.policy else {"Version": "2008-10-17", "Statement": []}
        statement = {
            "Sid": "LambdaECRImageRetrievalPolicy",
            "Effect": "Allow",
            "Principal": {"Service": SERVICE},
            "Action": list(PULL),
            "Condition": {
                "StringLike": {"aws:sourceArn": f"arn:aws:lambda:{call.region}:{call.principal.account}:function:*"}
            },
        }
        statements = document["Statement"]
        standing = statements if isinstance(statements, list) else [statements]
        store_unchecked(self._world, *place, {**document, "Statement": [*standing, statement]})
        return True

    def _image(self, record: Repository | None, reference: str) -> Image | None:
        return None if record is None else images.find(record, reference)

    def _functions(self, call: AwsCall) -> dict[str, Function]:
        return self._workloads.functions.setdefault((call.principal.account, call.region), {})

    def _function(self, call: AwsCall) -> Function:
        found = self._functions(call).get(_name(call))
        if found is None:
            arn = self._arn(call, _name(call))
            raise ServiceError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        return found

    def _arn(self, call: AwsCall, name: str) -> str:
        return f"arn:aws:lambda:{call.region}:{call.principal.account}:function:{name}"

    def _configuration(self, call: AwsCall, function: Function) -> dict[str, Any]:
        """ListFunctions does not tell the image; GetFunction does, beside this."""
        return {
            "FunctionName": function.name,
            "FunctionArn": self._arn(call, function.name),
            "Role": function.role,
            "PackageType": "Image",
            "State": "Active",
            "LastModified": function.modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "Version": "$LATEST",
        }


def _name(call: AwsCall) -> str:
    """FunctionName may be an ARN."""
    return str(call.params.get("FunctionName", "")).rpartition(":")[2]


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)
