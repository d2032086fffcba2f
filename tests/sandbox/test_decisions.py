"""Who may do what: identity policy in B and repository policy in A, asked afresh at every call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.principals import Principal
from ecr_tui.sandbox.sandbox import Sandbox

Aws = Callable[..., Any]
A, B = "111111111111", "222222222222"
USER = f"arn:aws:iam::{B}:user/devusr2"
REPOSITORY = "my-first-repo"
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/{REPOSITORY}"
DIGEST = "sha256:" + "0" * 64


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any = USER, action: Any = "ecr:BatchCheckLayerAvailability", **more: Any) -> dict[str, Any]:
    named = principal if principal == "*" else {"AWS": principal}
    return {"Effect": "Allow", "Principal": named, "Action": action, **more}


def check(client: Any, repository: str = REPOSITORY) -> str:
    """ "" when allowed, else the message."""
    try:
        client.batch_check_layer_availability(registryId=A, repositoryName=repository, layerDigests=[DIGEST])
    except ClientError as error:
        answer: Any = error.response
    else:
        return ""
    assert answer["Error"]["Code"] == "AccessDeniedException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(answer["Error"]["Message"])


def denied(arn: str, reason: str, action: str = "ecr:BatchCheckLayerAvailability", resource: str = ARN) -> str:
    return f"User: {arn} is not authorized to perform: {action} on resource: {resource} {reason}"


NO_RESOURCE = "because no resource-based policy allows the ecr:BatchCheckLayerAvailability action"
NO_IDENTITY = "because no identity-based policy allows the ecr:BatchCheckLayerAvailability action"


def test_without_a_repository_policy_side_a_is_missing(consumer: Any) -> None:
    assert check(consumer) == denied(USER, NO_RESOURCE)


def test_granted_and_taken_away(owner: Any, consumer: Any) -> None:
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow()))
    assert check(consumer) == ""
    owner.delete_repository_policy(repositoryName=REPOSITORY)
    assert check(consumer) == denied(USER, NO_RESOURCE)


@pytest.mark.parametrize("principal", [USER, B, f"arn:aws:iam::{B}:root", "*", {"AWS": "*"}["AWS"]])
def test_every_form_of_naming_the_user(owner: Any, consumer: Any, principal: str) -> None:
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(principal)))
    assert check(consumer) == ""


def test_without_an_identity_policy_side_b_is_missing_and_named_first(aws: Aws, owner: Any) -> None:
    newcomer = aws("no-access", "ecr")
    arn = f"arn:aws:iam::{B}:user/newcomer"
    assert check(newcomer) == denied(arn, NO_IDENTITY)
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow("*")))
    assert check(newcomer) == denied(arn, NO_IDENTITY)


def test_an_explicit_deny_names_its_side(sandbox: Sandbox, owner: Any, consumer: Any) -> None:
    deny = allow(B) | {"Effect": "Deny"}
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(), deny))
    assert check(consumer) == denied(USER, "with an explicit deny in a resource-based policy")
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow()))
    iam = sandbox.world.directory.backend(B)
    forbid = {"Effect": "Deny", "Action": "ecr:Batch*", "Resource": "*"}
    iam.put_user_policy("devusr2", "Forbid", policy(forbid))
    assert check(consumer) == denied(USER, "with an explicit deny in an identity-based policy")


def test_a_tag_condition_is_a_switch(owner: Any, consumer: Any) -> None:
    for key in ("aws:ResourceTag/Team", "ecr:ResourceTag/Team"):
        condition = {"StringEquals": {key: "Payments"}}
        owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(Condition=condition)))
        assert check(consumer) == ""
        owner.tag_resource(resourceArn=ARN, tags=[{"Key": "Team", "Value": "Search"}])
        assert check(consumer) == denied(USER, NO_RESOURCE)
        owner.untag_resource(resourceArn=ARN, tagKeys=["Team"])
        assert check(consumer) == denied(USER, NO_RESOURCE)
        owner.tag_resource(resourceArn=ARN, tags=[{"Key": "Team", "Value": "Payments"}])
        assert check(consumer) == ""


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"aws:PrincipalArn": USER}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": B}}, True),
        ({"StringEquals": {"aws:username": "devusr2"}}, True),
        ({"StringEquals": {"aws:username": "someone"}}, False),
        ({"StringLike": {"aws:userid": "AIDA*"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, True),
        ({"StringEquals": {"aws:ResourceAccount": A}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}, True),
    ],
)
def test_the_request_carries_what_conditions_ask_for(
    owner: Any, consumer: Any, condition: dict[str, Any], allowed: bool
) -> None:
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(Condition=condition)))
    assert (check(consumer) == "") is allowed


def test_time_is_the_sandboxes(sandbox: Sandbox, owner: Any, consumer: Any) -> None:
    until = sandbox.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"DateLessThan": {"aws:CurrentTime": until}}
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(Condition=condition)))
    from datetime import timedelta

    now = sandbox.clock()
    sandbox.clock = lambda: now - timedelta(minutes=1)
    assert check(consumer) == ""
    sandbox.clock = lambda: now + timedelta(minutes=1)
    assert check(consumer) == denied(USER, NO_RESOURCE)


def test_principal_tags(sandbox: Sandbox, owner: Any, consumer: Any) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/Squad": "blue"}}
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(Condition=condition)))
    assert check(consumer) != ""
    sandbox.world.directory.backend(B).tagger.tag_resource(USER, [{"Key": "Squad", "Value": "blue"}])
    assert check(consumer) == ""


def test_each_place_of_an_identity_policy_counts(sandbox: Sandbox, aws: Aws, owner: Any) -> None:
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow("*")))
    iam = sandbox.world.directory.backend(B)
    newcomer = aws("no-access", "ecr")
    right = policy({"Effect": "Allow", "Action": "ecr:*", "Resource": "*"})
    managed = iam.create_policy(description="", path="/", policy_document=right, policy_name="Right", tags=[])
    iam.create_group("guests")
    places: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (
            lambda: iam.put_user_policy("newcomer", "Right", right),
            lambda: iam.delete_user_policy("newcomer", "Right"),
        ),
        (
            lambda: iam.attach_user_policy(managed.arn, "newcomer"),
            lambda: iam.detach_user_policy(managed.arn, "newcomer"),
        ),
        (
            lambda: (iam.add_user_to_group("guests", "newcomer"), iam.put_group_policy("guests", "Right", right)),
            lambda: iam.delete_group_policy("guests", "Right"),
        ),
        (
            lambda: iam.attach_group_policy(managed.arn, "guests"),
            lambda: iam.detach_group_policy(managed.arn, "guests"),
        ),
    ]
    for put, take in places:
        assert check(newcomer) != ""
        put()
        assert check(newcomer) == ""
        take()
    assert check(newcomer) != ""


def test_the_default_version_of_a_managed_policy_counts(sandbox: Sandbox, aws: Aws, owner: Any) -> None:
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow("*")))
    iam = sandbox.world.directory.backend(B)
    nothing = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    right = policy({"Effect": "Allow", "Action": "ecr:*", "Resource": "*"})
    managed = iam.create_policy(description="", path="/", policy_document=nothing, policy_name="Right", tags=[])
    iam.attach_user_policy(managed.arn, "newcomer")
    newcomer = aws("no-access", "ecr")
    version = iam.create_policy_version(managed.arn, right, False)
    assert check(newcomer) != ""
    iam.set_default_policy_version(managed.arn, version.version_id)
    assert check(newcomer) == ""


def test_a_role_and_its_boundary(sandbox: Sandbox, aws: Aws, owner: Any) -> None:
    owner.set_repository_policy(
        repositoryName=REPOSITORY, policyText=policy(allow(f"arn:aws:iam::{B}:role/EcrDeveloper"))
    )
    session = aws("dev-role", "ecr")
    assert check(session) == ""
    iam = sandbox.world.directory.backend(B)
    boundary = policy({"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"})
    managed = iam.create_policy(description="", path="/", policy_document=boundary, policy_name="Edge", tags=[])
    iam.put_role_permissions_boundary("EcrDeveloper", managed.arn)
    arn = f"arn:aws:sts::{B}:assumed-role/EcrDeveloper/ecr-tui"
    assert check(session) == denied(
        arn, "because no permissions boundary allows the ecr:BatchCheckLayerAvailability action"
    )


def test_a_grant_to_the_user_is_none_to_the_role(aws: Aws, owner: Any) -> None:
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow()))
    arn = f"arn:aws:sts::{B}:assumed-role/EcrDeveloper/ecr-tui"
    assert check(aws("dev-role", "ecr")) == denied(arn, NO_RESOURCE)


def test_a_registry_policy_has_a_say(owner: Any, consumer: Any) -> None:
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow()))
    deny = allow(B, Resource=f"arn:aws:ecr:eu-central-1:{A}:repository/*") | {"Effect": "Deny"}
    owner.put_registry_policy(policyText=policy(deny))
    assert "with an explicit deny" in check(consumer)
    owner.delete_registry_policy()
    assert check(consumer) == ""


def test_a_missing_repository_looks_like_a_forbidden_one(consumer: Any) -> None:
    message = check(consumer, "no/such-repo")
    assert message == denied(USER, NO_RESOURCE, resource=f"arn:aws:ecr:eu-central-1:{A}:repository/no/such-repo")


def test_a_registry_of_nobody(consumer: Any) -> None:
    with pytest.raises(ClientError) as caught:
        consumer.describe_images(registryId="999999999999", repositoryName="x1")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_reading_as_b(owner: Any, consumer: Any) -> None:
    reads: dict[str, Callable[[], Any]] = {
        "ecr:DescribeRepositories": lambda: consumer.describe_repositories(registryId=A, repositoryNames=[REPOSITORY]),
        "ecr:ListImages": lambda: consumer.list_images(registryId=A, repositoryName=REPOSITORY),
        "ecr:DescribeImages": lambda: consumer.describe_images(registryId=A, repositoryName=REPOSITORY),
        "ecr:GetRepositoryPolicy": lambda: consumer.get_repository_policy(registryId=A, repositoryName=REPOSITORY),
    }
    for action, read in reads.items():
        with pytest.raises(ClientError) as caught:
            read()
        assert f"no resource-based policy allows the {action} action" in str(caught.value)
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(action=list(reads))))
    for read in reads.values():
        assert read()
    with pytest.raises(ClientError, match=r"repository/\* because no"):
        consumer.describe_repositories(registryId=A)


def test_b_may_never_write_as_a_by_grant_of_its_own(owner: Any, consumer: Any) -> None:
    """The repository policy alone is half: B's identity policy has no SetRepositoryPolicy."""
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(action="ecr:*")))
    with pytest.raises(ClientError, match="no identity-based policy allows the ecr:SetRepositoryPolicy action"):
        consumer.set_repository_policy(registryId=A, repositoryName=REPOSITORY, policyText=policy(allow()))
    with pytest.raises(ClientError, match="no identity-based policy allows the ecr:TagResource action"):
        consumer.tag_resource(resourceArn=ARN, tags=[{"Key": "Team", "Value": "x"}])


def test_tagging_calls_carry_the_tags(sandbox: Sandbox, aws: Aws) -> None:
    only_team = {
        "Effect": "Allow",
        "Action": ["ecr:TagResource", "ecr:CreateRepository"],
        "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]},
            "StringLike": {"aws:RequestTag/Team": "P*"},
        },
    }
    sandbox.world.directory.backend(B).put_user_policy("newcomer", "Tag", policy(only_team))
    newcomer = aws("no-access", "ecr")
    for tags in (
        [{"Key": "Team", "Value": "Search"}],
        [{"Key": "Team", "Value": "Pay"}, {"Key": "Stage", "Value": "x"}],
    ):
        with pytest.raises(ClientError, match="ecr:CreateRepository"):
            newcomer.create_repository(repositoryName="own/one", tags=tags)
    assert newcomer.create_repository(repositoryName="own/one", tags=[{"Key": "Team", "Value": "Pay"}])


def test_iam_reads_are_decided(aws: Aws) -> None:
    iam = aws("dev-acc", "iam")
    assert iam.get_user()["User"]["UserId"].startswith("AIDA")
    assert set(iam.list_user_policies(UserName="devusr2")["PolicyNames"]) == {"PushPullAccountA", "OwnIdentity"}
    document = iam.get_user_policy(UserName="devusr2", PolicyName="PushPullAccountA")["PolicyDocument"]
    assert "ecr:PutImage" in document["Statement"][0]["Action"]
    groups = iam.list_groups_for_user(UserName="devusr2")["Groups"]
    assert [group["GroupName"] for group in groups] == ["developers"]
    (attached,) = iam.list_attached_group_policies(GroupName="developers")["AttachedPolicies"]
    version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
    assert iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)
    for call in (
        lambda: iam.list_users(),
        lambda: iam.get_user(UserName="newcomer"),
        lambda: iam.create_user(UserName="friend"),
        lambda: iam.put_user_policy(UserName="devusr2", PolicyName="More", PolicyDocument=policy(allow())),
        lambda: aws("no-access", "iam").get_user(),
    ):
        with pytest.raises(ClientError, match="because no identity-based policy allows the iam:") as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_the_owner_manages_users(aws: Aws, sandbox: Sandbox, owner: Any) -> None:
    iam = aws("account-a", "iam")
    made = iam.create_user(UserName="temp")["User"]
    assert made["UserId"].startswith("AIDA")
    assert iam.get_user(UserName="temp")["User"]["UserId"] == made["UserId"]
    assert sandbox.world.directory.user(A, "temp").id == made["UserId"]
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow(made["Arn"])))
    iam.delete_user(UserName="temp")
    text = owner.get_repository_policy(repositoryName=REPOSITORY)["policyText"]
    assert json.loads(text)["Statement"][0]["Principal"] == {"AWS": made["UserId"]}


def test_an_iam_operation_that_is_not_offered(aws: Aws) -> None:
    with pytest.raises(ClientError) as caught:
        aws("account-a", "iam").simulate_custom_policy(PolicyInputList=["{}"], ActionNames=["ecr:PutImage"])
    assert caught.value.response["Error"]["Code"] == "InvalidAction"


def test_the_registry_side_asks_the_same(sandbox: Sandbox, owner: Any) -> None:
    backend = sandbox.owner_backend()
    who = sandbox.world.directory.by_arn(USER)
    assert isinstance(who, Principal)
    action = "ecr:BatchCheckLayerAvailability"
    assert backend.denial(who, action, REPOSITORY) == denied(USER, NO_RESOURCE)
    owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy(allow()))
    assert backend.denial(who, action, REPOSITORY) is None
    assert backend.denial(who, action, "no/such-repo") == denied(
        USER, NO_RESOURCE, resource=f"arn:aws:ecr:eu-central-1:{A}:repository/no/such-repo"
    )
