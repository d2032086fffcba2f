"""What can be known of account B's side, read through the sandbox's IAM; and what cannot, with the reason."""

from __future__ import annotations

import json
from threading import Event
from typing import Any

import boto3
import pytest

from ecr_tui.aws.identity_policies import identity_policies
from ecr_tui.aws.model import IdentityPolicies, Role
from ecr_tui.aws.registry import registry_facts
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall

A, B, REGION = Sandbox.account_a, Sandbox.account_b, Sandbox.region
USER = f"arn:aws:iam::{B}:user/devusr2"


@pytest.fixture
def consumer(sandbox: Sandbox) -> AwsSession:
    return AwsSession(Role.CONSUMER, "dev-acc")


@pytest.fixture
def owner(sandbox: Sandbox) -> AwsSession:
    return AwsSession(Role.OWNER, "account-a")


def text(*actions: str, resource: str = "*") -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [*actions], "Resource": resource}]}
    )


def origins(found: IdentityPolicies) -> set[tuple[str, str]]:
    return {(item.name, item.origin) for item in found.policies}


def test_a_user_with_policies_in_all_places(sandbox: Sandbox, consumer: AwsSession) -> None:
    with sandbox.world.lock:
        backend = sandbox.world.directory.backend(B)
        arn = backend.create_policy("", "/", text("s3:*"), "Storage", []).arn
        backend.attach_user_policy(arn, "devusr2")
        backend.create_policy_version(arn, text("sqs:*"), "false")
        backend.create_policy_version(arn, text("sns:*"), "true")
        backend.tag_user("devusr2", [{"Key": "team", "Value": "payments"}])
    found = identity_policies(consumer, USER)
    assert found.unreadable == ""
    assert origins(found) == {
        ("PushPullAccountA", "inline"),
        ("OwnIdentity", "inline"),
        ("Storage", "attached"),
        ("OwnRegistry", "group developers, inline"),
        ("EcrLogin", "group developers, attached"),
    }
    (attached,) = [item for item in found.policies if item.name == "Storage"]
    assert attached.document.statements[0].actions == ("sns:*",), "the default version counts"
    assert (found.arn, found.boundary, found.tags) == (USER, None, (("team", "payments"),))
    assert found.user_id.startswith("AIDA")
    assert found.documents == tuple(item.document for item in found.policies)


def test_a_role_by_its_session_has_its_path_and_boundary(sandbox: Sandbox, consumer: AwsSession) -> None:
    with sandbox.world.lock:
        backend = sandbox.world.directory.backend(B)
        limit = backend.create_policy("", "/", text("ecr:*"), "OnlyEcr", []).arn
        trust = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}
        backend.create_role("Train", json.dumps({"Statement": [trust]}), "/delivery/", limit, "", [], "3600")
        backend.put_role_policy("Train", "Push", text("ecr:PutImage"))
        backend.put_user_policy("devusr2", "Roles", text("iam:*", resource=f"arn:aws:iam::{B}:role/delivery/*"))
    session_arn = f"arn:aws:sts::{B}:assumed-role/Train/build-7"
    found = identity_policies(consumer, session_arn)
    assert (found.unreadable, found.principal) == ("", session_arn)
    assert found.arn == f"arn:aws:iam::{B}:role/delivery/Train"
    assert origins(found) == {("Push", "inline")}
    assert found.boundary is not None
    assert (found.boundary.name, found.boundary.origin) == ("OnlyEcr", "permissions boundary")
    assert [document.statements[0].actions for document in found.boundaries] == [("ecr:*",)]
    assert any("session policy" in note for note in found.notes)
    named = identity_policies(consumer, f"arn:aws:iam::{B}:role/Train")
    assert named.arn == found.arn
    assert named.notes == ()


@pytest.mark.parametrize(
    ("profile", "action"), [("no-access", "iam:GetUser"), ("dev-role", "iam:GetRole")], ids=["user", "role"]
)
def test_who_may_not_read_its_own(sandbox: Sandbox, profile: str, action: str) -> None:
    session = AwsSession(Role.CONSUMER, profile)
    arn = session.identity().arn
    found = identity_policies(session, arn)
    assert found.documents is None
    assert f"is not authorized to perform: {action} on resource" in found.unreadable
    assert arn in found.unreadable


@pytest.mark.parametrize(
    "operation",
    [
        "ListUserPolicies",
        "GetUserPolicy",
        "ListAttachedUserPolicies",
        "ListGroupsForUser",
        "ListGroupPolicies",
        "GetGroupPolicy",
        "ListAttachedGroupPolicies",
        "GetPolicy",
        "GetPolicyVersion",
    ],
)
def test_half_of_it_is_nothing(sandbox: Sandbox, consumer: AwsSession, operation: str) -> None:
    """A denial of any one call makes the whole unknown: the policy that is not seen may be the one that decides."""
    message = f"User: {USER} is not authorized to perform: iam:{operation} on resource: {USER}"

    def deny(call: AwsCall) -> ServiceError | None:
        return ServiceError("AccessDenied", message, 403) if call.operation == operation else None

    sandbox.fault = deny
    found = identity_policies(consumer, USER)
    assert message in found.unreadable
    assert (found.documents, found.policies, found.boundary) == (None, (), None)


def test_a_user_that_does_not_exist(sandbox: Sandbox, consumer: AwsSession) -> None:
    with sandbox.world.lock:
        sandbox.world.directory.backend(B).put_user_policy("devusr2", "All", text("iam:*"))
    found = identity_policies(consumer, f"arn:aws:iam::{B}:user/ghost")
    assert "ghost cannot be found" in found.unreadable


@pytest.mark.parametrize(
    "principal", [f"arn:aws:iam::{B}:root", B, "*", "lambda.amazonaws.com", f"arn:aws:sts::{B}:federated-user/ann"]
)
def test_who_has_no_policies_of_his_own(sandbox: Sandbox, consumer: AwsSession, principal: str) -> None:
    def nothing(call: AwsCall) -> ServiceError | None:
        raise AssertionError(call.operation)

    sandbox.fault = nothing
    found = identity_policies(consumer, principal)
    assert found.documents is None
    assert found.unreadable


def test_credentials_that_are_gone_are_a_reason(consumer: AwsSession, isolated_environment: Any) -> None:
    found = identity_policies(AwsSession(Role.CONSUMER, "nobody"), USER)
    assert "nobody" in found.unreadable


def test_cancel(consumer: AwsSession) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(Cancelled):
        identity_policies(consumer, USER, cancel=cancel)


# --- the registry


def test_a_registry_that_nobody_changed(owner: AwsSession) -> None:
    found = registry_facts(owner, REGION)
    assert (found.region, found.policy_text, found.scope, found.templates) == (REGION, None, "V2", ())
    assert (found.policy_unreadable, found.scope_unreadable, found.templates_unreadable) == ("", "", "")


def test_a_registry_with_everything(owner: AwsSession) -> None:
    client = boto3.Session(profile_name="account-a").client("ecr")
    statement = {"Sid": "No", "Effect": "Deny", "Principal": {"AWS": B}, "Action": "ecr:*", "Resource": "*"}
    client.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    client.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")
    for number in range(101):
        client.create_repository_creation_template(
            prefix=f"team{number:03d}", appliedFor=["CREATE_ON_PUSH", "REPLICATION"]
        )
    client.create_repository_creation_template(
        prefix="ROOT", appliedFor=["CREATE_ON_PUSH"], resourceTags=[{"Key": "Team", "Value": "x"}]
    )
    found = registry_facts(owner, REGION)
    assert json.loads(found.policy_text or "")["Statement"][0]["Sid"] == "No"
    assert found.scope == "V1"
    assert len(found.templates) == 102
    by_prefix = {one.prefix: one for one in found.templates}
    assert by_prefix["ROOT"].tags == (("Team", "x"),)
    assert by_prefix["team007"].applied_for == ("CREATE_ON_PUSH", "REPLICATION")
    assert by_prefix["team007"].policy_text is None


def test_a_registry_that_may_not_be_read(sandbox: Sandbox) -> None:
    found = registry_facts(AwsSession(Role.OWNER, "no-access"), REGION)
    for reason, action in (
        (found.policy_unreadable, "ecr:GetRegistryPolicy"),
        (found.scope_unreadable, "ecr:GetAccountSetting"),
        (found.templates_unreadable, "ecr:DescribeRepositoryCreationTemplates"),
    ):
        assert f"is not authorized to perform: {action}" in reason
    assert (found.policy_text, found.scope, found.templates) == (None, "", ())
