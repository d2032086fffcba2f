"""IAM: the records and answers are moto's; whether a caller may ask is decided here, by identity policies."""

from __future__ import annotations

from typing import Any

from ecr_tui.sandbox import iam_boundaries
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import HttpRequest, HttpResponse
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.directory import user_id
from ecr_tui.sandbox.moto_app import MotoApp
from ecr_tui.sandbox.world import AwsCall, World

_OWN_USER = {"GetUser", "ListAccessKeys", "CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey", "ListMFADevices"}
"""Operations that mean the calling user when no UserName is given."""


class IamApi:
    def __init__(self, world: World, decisions: Decisions, moto: MotoApp) -> None:
        self._world = world
        self._decisions = decisions
        self._moto = moto

    def call(self, call: AwsCall, request: HttpRequest) -> HttpResponse | dict[str, Any]:
        resource = self._resource(call)
        message = self._decisions.denial(
            call.principal, f"iam:{call.operation}", resource, account=call.principal.account
        )
        if message is not None:
            raise ServiceError("AccessDenied", message, 403)
        if call.operation in iam_boundaries.OPERATIONS:
            iam_boundaries.change(self._world.directory, call.principal.account, call.operation, call.params)
            return {}
        answer = self._moto.forward(request, call.principal.account)
        if answer is None:
            raise ServiceError("InvalidAction", f"The sandbox does not offer iam:{call.operation}")
        return self._with_real_ids(call, answer)

    def _with_real_ids(self, call: AwsCall, answer: HttpResponse) -> HttpResponse:
        """moto's user ids have another form; AWS's begin with AIDA."""
        if call.operation != "CreateUser" or answer.status != 200:
            return answer
        user = self._world.directory.user(call.principal.account, str(call.params.get("UserName", "")))
        if user is None:
            return answer
        before = user.id
        return HttpResponse(answer.status, answer.headers, answer.body.replace(before.encode(), user_id(user).encode()))

    def _resource(self, call: AwsCall) -> str:
        """The ARN that the call is decided on; "*" for operations on none."""
        account, params = call.principal.account, call.params
        name = params.get("UserName")
        if name is None and call.operation in _OWN_USER and call.principal.kind == "user":
            name = call.principal.name
        found: Any
        if name is not None:
            found = self._world.directory.user(account, str(name))
            return found.arn if found else f"arn:aws:iam::{account}:user/{name}"
        if "RoleName" in params:
            found = self._world.directory.role(account, str(params["RoleName"]))
            return found.arn if found else f"arn:aws:iam::{account}:role/{params['RoleName']}"
        if "GroupName" in params:
            return f"arn:aws:iam::{account}:group/{params['GroupName']}"
        if "PolicyArn" in params:
            return str(params["PolicyArn"])
        return "*"
