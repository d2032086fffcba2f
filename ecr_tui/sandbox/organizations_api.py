"""AWS Organizations as a member account meets it: the organization is described, its tree is not.

"DescribeOrganization ... can be called from any account in the organization"; listing parents and units takes the
management account or a delegated administrator (Organizations API reference).
"""

from __future__ import annotations

from typing import Any

from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import HttpRequest
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.organization import MANAGEMENT, ORGANIZATION, is_member
from ecr_tui.sandbox.world import AwsCall


class OrganizationsApi:
    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any]:
        account = call.principal.account
        self._decisions.require(call.principal, f"organizations:{call.operation}", "*", account=account)
        if not is_member(account):
            raise ServiceError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        if call.operation != "DescribeOrganization":
            raise ServiceError("AccessDeniedException", "You don't have permissions to access this resource.")
        arn = f"arn:aws:organizations::{MANAGEMENT}"
        return {
            "Organization": {
                "Id": ORGANIZATION,
                "Arn": f"{arn}:organization/{ORGANIZATION}",
                "FeatureSet": "ALL",
                "MasterAccountArn": f"{arn}:account/{ORGANIZATION}/{MANAGEMENT}",
                "MasterAccountId": MANAGEMENT,
                "MasterAccountEmail": "cloud@example.com",
                "AvailablePolicyTypes": [],
            }
        }
