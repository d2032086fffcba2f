"""Authorization ids in denials: Access Troubleshooter's answer, who may read it, and for how long."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import Sandbox

Aws = Callable[..., Any]
with_service = pytest.mark.skipif(
    "iam-toolbox" not in boto3.Session().get_available_services(), reason="this botocore does not know the service"
)
A, B, C = "111111111111", "222222222222", "444444444444"
USER = f"arn:aws:iam::{B}:user/devusr2"
ASK = {"Effect": "Allow", "Action": "iam:GetRequestAuthorizationDetails", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def denied(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Message"]


def identifier(text: str) -> str:
    found = re.search(
        r"\. Go to https://([a-z0-9-]+)\.console\.aws\.amazon\.com/iam/home\?region=\1#/authorization-details/"
        r"([0-9a-z]+) "
        r"for complete details, or call the GetRequestAuthorizationDetails API with the following "
        r"authorization id: \2$",
        text,
    )
    return found[2] if found else ""


def toolbox(profile: str, region: str = "us-east-1") -> Any:
    return boto3.Session(profile_name=profile).client("iam-toolbox", region_name=region)


def refusal(client: Any, authorization: str) -> str:
    with pytest.raises(ClientError) as caught:
        client.get_request_authorization_details(authorizationId=authorization)
    return caught.value.response["Error"]["Code"]


def test_a_denial_of_iam_has_an_id_and_one_of_ecr_has_none(aws: Aws, consumer: Any) -> None:
    assert identifier(denied(aws("dev-acc", "iam").list_users))
    assert identifier(denied(consumer.describe_registry)) == ""
    assert "console" not in denied(consumer.describe_registry)


@with_service
def test_the_details_of_a_denial(sandbox: Sandbox, aws: Aws) -> None:
    """Its effect, its checks in AWS's order, its context and policies; told to B's organization where it may ask."""
    iam = sandbox.world.directory.backend(B)
    forbid = iam.create_policy(
        description="",
        path="/",
        policy_document=policy({"Sid": "NoUsers", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}),
        policy_name="Forbid",
        tags=[],
    )
    iam.attach_user_policy(forbid.arn, "devusr2")
    text = denied(aws("dev-acc", "iam").list_users)
    assert f"with an explicit deny in an identity-based policy: {forbid.arn}. Go to https://us-east-1." in text
    client = toolbox("dev-acc")
    assert refusal(toolbox("no-access"), identifier(text)) == "AccessDeniedException"
    sandbox.world.authorizations.unready = 1
    assert refusal(client, identifier(text)) == "ResourceNotFoundException"
    found = client.get_request_authorization_details(authorizationId=identifier(text))
    (evaluation,) = found["evaluations"]
    assert (evaluation["action"], evaluation["evaluatedEffect"]) == ("iam:ListUsers", "EXPLICIT_DENY")
    matched = [
        {"uri": forbid.arn, "matchedStatements": [{"sid": "NoUsers", "evaluatedEffect": "DENY"}]},
    ]
    (check,) = evaluation["checks"]
    assert (check["checkType"], check["evaluatedEffect"], check["matchedPolicies"]) == (
        "PRINCIPAL",
        "EXPLICIT_DENY",
        matched,
    )
    policies = {one["uri"]: one for one in found["policies"]}
    assert policies[forbid.arn] == {
        "type": "IDENTITY_BASED_POLICY",
        "inline": False,
        "uri": forbid.arn,
        "attachedTo": [{"arn": USER}],
    }
    assert {one["inline"] for uri, one in policies.items() if uri.startswith("inline:")} == {True}
    assert found["requestContext"]["aws:PrincipalArn"] == USER

    sandbox.world.directory.backend(C).put_user_policy("partner-dev", "Ask", policy(ASK))
    colleague = toolbox("partner-c").get_request_authorization_details(authorizationId=identifier(text))
    assert colleague["evaluations"] == found["evaluations"]
    assert refusal(toolbox("account-a"), identifier(text)) == "ResourceNotFoundException"
    assert refusal(toolbox("dev-acc", "eu-central-1"), identifier(text)) == "ResourceNotFoundException"
    assert refusal(client, "0" * 24) == "ResourceNotFoundException"
    assert refusal(client, "NOT-ONE") == "ValidationException"
    with sandbox.world.lock:
        reader = sandbox.world.directory.by_arn(USER)
        assert reader is not None
        for hours, there in ((23, True), (24, False)):
            sandbox.clock = lambda hours=hours: datetime.now(UTC) + timedelta(hours=hours)
            assert (sandbox.world.authorizations.find(identifier(text), "us-east-1", reader) is not None) is there


@with_service
def test_what_belongs_to_another_organization_is_not_told(sandbox: Sandbox, consumer: Any, owner: Any) -> None:
    """Of account A's policy B hears the effect, and neither its statements nor the repository's tags."""
    sandbox.world.authorizations.services = frozenset({"ecr"})
    where = {"registryId": A, "repositoryName": "my-first-repo", "layerDigests": ["sha256:" + "0" * 64]}
    text = denied(lambda: consumer.batch_check_layer_availability(**where))
    found = toolbox("dev-acc", "eu-central-1").get_request_authorization_details(authorizationId=identifier(text))
    (evaluation,) = found["evaluations"]
    checks = [(one["checkType"], one["evaluatedEffect"], bool(one["matchedPolicies"])) for one in evaluation["checks"]]
    assert checks == [("RESOURCE", "IMPLICIT_DENY", False), ("PRINCIPAL", "ALLOW", True)]
    assert evaluation["context"] == {}
    assert not any("ResourceTag" in key for key in found["requestContext"])
    assert {one["type"] for one in found["policies"]} == {"IDENTITY_BASED_POLICY"}
