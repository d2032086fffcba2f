"""IAM Toolbox's GetRequestAuthorizationDetails, which moto lacks. Requests are signed for "iam"."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from ecr_tui.sandbox.authorizations import details
from ecr_tui.sandbox.aws_errors import ServiceError, unknown_operation
from ecr_tui.sandbox.aws_http import HttpRequest
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.world import AwsCall, World

SERVICE = "iam-toolbox"
OPERATION = "GetRequestAuthorizationDetails"
_ROUTE = re.compile(r"/authorization-details/([^/]+)")


def parse(request: HttpRequest) -> tuple[str, dict[str, object]] | None:
    """(operation, parameters) of a request by its path; None for one that is not this service's."""
    found = _ROUTE.fullmatch(urlsplit(request.target).path)
    if found is None:
        return None
    return (OPERATION if request.method == "GET" else ""), {"authorizationId": unquote(found[1])}


class TroubleshooterApi:
    def __init__(self, world: World, decisions: Decisions) -> None:
        self._world = world
        self._decisions = decisions

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any]:
        if call.operation != OPERATION:
            raise unknown_operation(SERVICE, call.operation)
        message = self._decisions.denial(call.principal, f"iam:{OPERATION}", "*", account=call.principal.account)
        if message is not None:
            raise ServiceError("AccessDeniedException", message, 403)
        identifier = str(call.params["authorizationId"])
        if not re.fullmatch(r"[0-9a-z]{1,256}", identifier):
            raise ServiceError("ValidationException", "The authorization ID is not valid.")
        found = self._world.authorizations.find(identifier, call.region, call.principal)
        if found is None:
            raise ServiceError(
                "ResourceNotFoundException",
                "The requested authorization details do not exist in this region or have expired.",
                404,
            )
        return details(found)
