"""The ECR API: every operation decided first, then done by us, or by moto where it keeps the record well."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ecr_tui.policy.actions import canonical_action, is_registry_level
from ecr_tui.sandbox.aws_errors import repository_missing, unknown_operation
from ecr_tui.sandbox.aws_http import HttpRequest, HttpResponse
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.ecr_access import RepositoryAccess, registry_of
from ecr_tui.sandbox.ecr_images import EcrImages
from ecr_tui.sandbox.ecr_layers import Layers
from ecr_tui.sandbox.ecr_policies import RepositoryPolicies
from ecr_tui.sandbox.ecr_registry import Registry
from ecr_tui.sandbox.ecr_replication import Replication
from ecr_tui.sandbox.ecr_repositories import Repositories
from ecr_tui.sandbox.moto_app import MotoApp
from ecr_tui.sandbox.world import AwsCall, World

Operation = Callable[[AwsCall], dict[str, Any]]


class EcrApi:
    def __init__(self, world: World, decisions: Decisions, moto: MotoApp) -> None:
        self._world = world
        self._moto = moto
        self.access = RepositoryAccess(world, decisions)
        self.layers = Layers(world, self.access)
        self._operations: dict[str, Operation] = {
            **Repositories(world, self.access).operations,
            **RepositoryPolicies(world, self.access).operations,
            **Registry(world, self.access).operations,
            **Replication(world, self.access).operations,
            **EcrImages(world, self.access).operations,
            **self.layers.operations,
            "GetAuthorizationToken": self.authorization_token,
        }

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any] | HttpResponse:
        operation = self._operations.get(call.operation)
        return operation(call) if operation is not None else self._by_moto(call, request)

    def authorization_token(self, call: AwsCall) -> dict[str, Any]:
        """One token for the caller; ``registryIds`` (deprecated) only adds endpoints, never access."""
        own = self.access.require_registry(call)
        wanted = call.params.get("registryIds")
        registries = [str(one) for one in wanted] if isinstance(wanted, list) and wanted else [own]
        hosts = self._world.records.hosts
        region = call.region if call.region in self._world.regions else self._world.regions[0]
        password, expires = self._world.tokens.mint(call.principal)
        token = base64.b64encode(f"AWS:{password}".encode()).decode()
        return {
            "authorizationData": [
                {
                    "authorizationToken": token,
                    "expiresAt": expires.timestamp(),
                    "proxyEndpoint": f"http://{hosts[registry, region]}",
                }
                for registry in registries
                if (registry, region) in hosts
            ]
        }

    def _by_moto(self, call: AwsCall, request: HttpRequest) -> HttpResponse:
        action = canonical_action(f"ecr:{call.operation}")
        if action is None or action != f"ecr:{call.operation}":
            raise unknown_operation("ecr", call.operation)
        account, name = registry_of(call), call.params.get("repositoryName")
        if is_registry_level(action) or name is None:
            self.access.require_registry(call, account)
        elif self.access.require(call.principal, action, account, call.region, str(name)) is None:
            raise repository_missing(str(name), account)
        answer = self._moto.forward(request, account)
        if answer is None:
            raise unknown_operation("ecr", call.operation)
        return answer
