"""The registry's own policy, settings and creation templates, and boundaries of users."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import Sandbox

A, B, REGION = Sandbox.account_a, Sandbox.account_b, Sandbox.region
REPOSITORIES = f"arn:aws:ecr:{REGION}:{A}:repository/*"
DIGEST = "sha256:" + "0" * 64


def policy(effect: str, principal: str, action: str, resource: str = REPOSITORIES) -> str:
    statement = {
        "Sid": "One",
        "Effect": effect,
        "Principal": {"AWS": principal},
        "Action": action,
        "Resource": resource,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def pulls(consumer: Any, repository: str) -> bool:
    try:
        consumer.batch_check_layer_availability(registryId=A, repositoryName=repository, layerDigests=[DIGEST])
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def test_a_registry_policy_comes_and_goes(owner: Any) -> None:
    assert code(owner.get_registry_policy) == "RegistryPolicyNotFoundException"
    text = policy("Deny", B, "ecr:PutImage")
    owner.put_registry_policy(policyText=text)
    assert owner.get_registry_policy()["policyText"] == text
    assert owner.delete_registry_policy()["policyText"] == text
    assert code(owner.delete_registry_policy) == "RegistryPolicyNotFoundException"


def test_a_registry_allow_is_enough_on_account_as_side(owner: Any, consumer: Any) -> None:
    assert not pulls(consumer, "my-first-repo")
    owner.put_registry_policy(policyText=policy("Allow", B, "ecr:*"))
    assert pulls(consumer, "my-first-repo")


def test_scope_v1_leaves_pulls_alone(owner: Any, consumer: Any) -> None:
    owner.put_registry_policy(policyText=policy("Deny", B, "ecr:*"))
    assert not pulls(consumer, "payments/legacy")
    owner.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")
    assert pulls(consumer, "payments/legacy")
    refused = code(lambda: owner.put_registry_policy(policyText=policy("Deny", B, "ecr:PutImage")))
    assert refused == "InvalidParameterException"


def test_the_registry_policy_decides_about_the_registry_too(aws: Any, owner: Any) -> None:
    owner.put_registry_policy(policyText=policy("Deny", A, "ecr:GetAccountSetting", "*"))
    assert code(lambda: owner.get_account_setting(name="BLOB_MOUNTING")) == "AccessDeniedException"
    assert code(lambda: aws("dev-acc", "ecr").get_registry_policy()) == "AccessDeniedException"


def test_settings(owner: Any, sandbox: Sandbox) -> None:
    assert owner.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"] == "V2"
    assert owner.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")["value"] == "V1"
    assert owner.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"] == "V1"
    assert code(lambda: owner.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V3")) == (
        "InvalidParameterException"
    )
    assert code(lambda: owner.get_account_setting(name="NO_SUCH")) == "InvalidParameterException"
    sandbox.reset()
    assert owner.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"] == "V2"


def test_templates(owner: Any) -> None:
    for prefix in ("payments", "ROOT", "platform/tools"):
        owner.create_repository_creation_template(
            prefix=prefix, appliedFor=["CREATE_ON_PUSH"], resourceTags=[{"Key": "Team", "Value": prefix}]
        )
    assert code(lambda: owner.create_repository_creation_template(prefix="ROOT", appliedFor=[])) == (
        "TemplateAlreadyExistsException"
    )
    pages = owner.get_paginator("describe_repository_creation_templates").paginate(PaginationConfig={"PageSize": 2})
    found = [page["repositoryCreationTemplates"] for page in pages]
    assert [[one["prefix"] for one in page] for page in found] == [["ROOT", "payments"], ["platform/tools"]]
    assert found[0][1]["resourceTags"] == [{"Key": "Team", "Value": "payments"}]
    owner.update_repository_creation_template(prefix="payments", description="theirs")
    (one,) = owner.describe_repository_creation_templates(prefixes=["payments"])["repositoryCreationTemplates"]
    assert (one["description"], one["appliedFor"]) == ("theirs", ["CREATE_ON_PUSH"])
    owner.delete_repository_creation_template(prefix="payments")
    assert code(lambda: owner.delete_repository_creation_template(prefix="payments")) == "TemplateNotFoundException"


@pytest.mark.parametrize(
    "settings", [{"prefix": "Not A Prefix"}, {"prefix": "x1", "repositoryPolicy": "{}"}, {"appliedFor": ["NEVER"]}]
)
def test_impossible_templates(owner: Any, settings: dict[str, Any]) -> None:
    wanted = {"prefix": "x1", "appliedFor": ["REPLICATION"]} | settings
    assert code(lambda: owner.create_repository_creation_template(**wanted)) == "InvalidParameterException"


def test_a_users_boundary_is_a_limit(sandbox: Sandbox, aws: Any, consumer: Any) -> None:
    assert pulls(consumer, "payments/legacy")
    with sandbox.world.lock:
        backend = sandbox.world.directory.backend(B)
        backend.put_user_policy("devusr2", "Boundaries", policy_of("iam:*UserPermissionsBoundary"))
        limit = policy_of("iam:*", "ecr:GetAuthorizationToken")
        arn = backend.create_policy("", "/", limit, "Limit", []).arn
    iam = aws("dev-acc", "iam")
    iam.put_user_permissions_boundary(UserName="devusr2", PermissionsBoundary=arn)
    assert iam.get_user(UserName="devusr2")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert not pulls(consumer, "payments/legacy")
    assert consumer.get_authorization_token()["authorizationData"]
    iam.delete_user_permissions_boundary(UserName="devusr2")
    assert pulls(consumer, "payments/legacy")
    assert code(lambda: iam.delete_user_permissions_boundary(UserName="devusr2")) == "NoSuchEntity"
    assert code(lambda: iam.put_user_permissions_boundary(UserName="devusr2", PermissionsBoundary=arn + "x")) == (
        "NoSuchEntity"
    )


def policy_of(*actions: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
