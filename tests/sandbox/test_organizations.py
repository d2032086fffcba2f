"""The organization of B and C, which A is not in: what its members are told, and what conditions on it decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.organization import ORGANIZATION, ORGANIZATION_PATH, PARTNER_PATH

Aws = Callable[..., Any]
A, B, C = "111111111111", "222222222222", "444444444444"
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize("profile", ["dev-acc", "partner-c"])
def test_a_member_is_told_the_organization_and_not_its_tree(aws: Aws, profile: str) -> None:
    client = aws(profile, "organizations")
    found = client.describe_organization()["Organization"]
    assert (found["Id"], found["MasterAccountId"]) == (ORGANIZATION, "555555555555")
    with pytest.raises(ClientError) as caught:
        client.list_parents(ChildId=B)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_who_is_no_member_or_may_not_ask(aws: Aws) -> None:
    for profile, code in (
        ("account-a", "AWSOrganizationsNotInUseException"),
        ("no-access", "AccessDeniedException"),
    ):
        with pytest.raises(ClientError) as caught:
            aws(profile, "organizations").describe_organization()
        assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("condition", "reached"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}, {"dev-acc", "partner-c"}),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ORGANIZATION_PATH}}, {"dev-acc"}),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION_PATH}*"}}, {"dev-acc", "partner-c"}),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": PARTNER_PATH}}, {"partner-c"}),
        ({"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}, set()),
    ],
)
def test_a_condition_on_it_reaches_its_members(aws: Aws, condition: dict[str, Any], reached: set[str]) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchCheckLayerAvailability"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Condition": condition}]})
    aws("account-a", "ecr").set_repository_policy(repositoryName="my-first-repo", policyText=text)

    def may(profile: str) -> bool:
        ask = {"registryId": A, "repositoryName": "my-first-repo", "layerDigests": [DIGEST]}
        try:
            aws(profile, "ecr").batch_check_layer_availability(**ask)
        except aws(profile, "ecr").exceptions.ClientError:
            return False
        return True

    assert {profile for profile in ("dev-acc", "partner-c") if may(profile)} == reached


def test_c_has_a_role_and_a_registry(aws: Aws, sandbox: Any) -> None:
    role = f"arn:aws:iam::{C}:role/EksNode"
    assert aws("partner-c", "sts").assume_role(RoleArn=role, RoleSessionName="node")["AssumedRoleUser"]["Arn"] == (
        f"arn:aws:sts::{C}:assumed-role/EksNode/node"
    )
    assert aws("partner-c", "ecr").get_authorization_token()["authorizationData"][0]["proxyEndpoint"] == (
        f"http://{sandbox.registry_host(C)}"
    )
