"""Access to repositories: which policy, tags and resource ARN a decision about one of them is made with."""

from __future__ import annotations

from moto.ecr.models import Repository

from ecr_tui.sandbox.aws_errors import ServiceError, repository_missing
from ecr_tui.sandbox.decisions import Context, Decisions
from ecr_tui.sandbox.principals import Principal
from ecr_tui.sandbox.registry_settings import SCOPE
from ecr_tui.sandbox.world import AwsCall, World

V1_ACTIONS = frozenset({"ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"})
"""All that a registry policy of scope V1 decides; V2 decides every action (ECR User Guide, registry permissions)."""


class RepositoryAccess:
    """Callers hold the world's lock."""

    def __init__(self, world: World, decisions: Decisions) -> None:
        self._world = world
        self.decisions = decisions

    def denial(
        self,
        principal: Principal,
        action: str,
        account: str,
        region: str,
        name: str,
        *,
        context: Context | None = None,
        policy: str | None = None,
    ) -> str | None:
        """None or AWS's message. A missing repository is decided as one without policy and tags.

        ``policy`` replaces the repository's own, to evaluate a hypothetical policy.
        """
        record = self._world.records.find(account, region, name)
        return self.decisions.denial(
            principal,
            action,
            arn_of(account, region, name),
            account=account,
            policy=policy if policy is not None else record.policy if record else None,
            registry_policy=self.registry_policy(account, region, action),
            tags=self._world.records.tags(record) if record else {},
            context=context,
        )

    def lets_service_in(self, service: str, source_arn: str, action: str, account: str, region: str, name: str) -> bool:
        """Whether a service may, on behalf of the resource ``source_arn``. False for a missing repository."""
        record = self._world.records.find(account, region, name)
        return record is not None and self.decisions.lets_service_in(
            service,
            source_arn,
            action,
            arn_of(account, region, name),
            account=account,
            policy=record.policy,
            registry_policy=self.registry_policy(account, region, action),
            tags=self._world.records.tags(record),
        )

    def require(
        self, principal: Principal, action: str, account: str, region: str, name: str, context: Context | None = None
    ) -> Repository | None:
        """The record, or None. Raises ServiceError AccessDeniedException."""
        message = self.denial(principal, action, account, region, name, context=context)
        if message is not None:
            raise ServiceError("AccessDeniedException", message)
        return self._world.records.find(account, region, name)

    def record(self, call: AwsCall, action: str) -> Repository:
        """The repository that a call names. Raises ServiceError if the action is denied, or the repository does not
        exist."""
        account, name = registry_of(call), str(call.params.get("repositoryName", ""))
        found = self.require(call.principal, action, account, call.region, name)
        if found is None:
            raise repository_missing(name, account)
        return found

    def require_registry(self, call: AwsCall, account: str | None = None) -> str:
        """The registry that the call is about, by default the caller's own. Raises ServiceError when it is denied."""
        account = account or call.principal.account
        action = f"ecr:{call.operation}"
        policy = self.registry_policy(account, call.region, action)
        self.decisions.require(call.principal, action, "*", account=account, registry_policy=policy)
        return account

    def registry_policy(self, account: str, region: str, action: str) -> str | None:
        """The one that has a say in the action, None when none has."""
        if account not in self._world.accounts or region not in self._world.regions:
            return None
        if self._world.registries.of(account, region).value(SCOPE) == "V1" and action not in V1_ACTIONS:
            return None
        return self._world.records.backend(account, region).registry_policy


def registry_of(call: AwsCall) -> str:
    """The registry a call is about: its registryId, by default the caller's own."""
    return str(call.params.get("registryId") or call.principal.account)


def arn_of(account: str, region: str, name: str) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"
