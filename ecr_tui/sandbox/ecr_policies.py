"""ECR: repository policies with ECR's strictness."""

from __future__ import annotations

import json
from typing import Any

from moto.ecr.models import Repository

from ecr_tui.sandbox import bindings
from ecr_tui.sandbox.aws_errors import ServiceError, invalid
from ecr_tui.sandbox.ecr_access import RepositoryAccess, arn_of
from ecr_tui.sandbox.policy_check import checked_policy
from ecr_tui.sandbox.world import AwsCall, World


class RepositoryPolicies:
    def __init__(self, world: World, access: RepositoryAccess) -> None:
        self._world = world
        self._access = access
        self.operations = {
            "SetRepositoryPolicy": self.set_policy,
            "GetRepositoryPolicy": self.get_policy,
            "DeleteRepositoryPolicy": self.delete_policy,
        }

    def set_policy(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:SetRepositoryPolicy")
        directory = self._world.directory
        document = checked_policy(call.params.get("policyText"), directory)
        text = bindings.pretty(bindings.to_ids(document, frozenset(directory.principals())))
        if call.params.get("force") is not True and self._locks_out(call, record, text):
            # The reference tells of this guard without its text ("force": "... would prevent you from setting another
            # policy in the future").
            raise invalid("PolicyText", "The policy would prevent you from setting another policy in the future")
        record.policy = text
        return self._answer(record, text)

    def _locks_out(self, call: AwsCall, record: Repository, text: str) -> bool:
        denial = self._access.denial(
            call.principal, "ecr:SetRepositoryPolicy", record.account_id, call.region, record.name, policy=text
        )
        return denial is not None

    def get_policy(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:GetRepositoryPolicy")
        return self._answer(record, self._present(record))

    def delete_policy(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:DeleteRepositoryPolicy")
        answer = self._answer(record, self._present(record))
        record.policy = None
        return answer

    def _present(self, record: Repository) -> str:
        if not record.policy:
            raise ServiceError(
                "RepositoryPolicyNotFoundException",
                f"Repository policy does not exist for the repository with name '{record.name}' in the registry with "
                f"id '{record.account_id}'",
            )
        return record.policy

    def _answer(self, record: Repository, text: str) -> dict[str, Any]:
        shown = bindings.to_arns(text, frozenset(self._world.directory.principals()))
        return {"registryId": record.account_id, "repositoryName": record.name, "policyText": shown}


def store_unchecked(world: World, account: str, region: str, name: str, document: dict[str, Any]) -> None:
    """Store a policy that SetRepositoryPolicy would reject: AWS keeps policies accepted in earlier years."""
    record = world.records.find(account, region, name)
    if record is None:
        raise LookupError(arn_of(account, region, name))
    live = frozenset(world.directory.principals())
    record.policy = bindings.pretty(bindings.to_ids(json.loads(json.dumps(document)), live))
