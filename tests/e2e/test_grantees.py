"""Each kind of grantee on the sandbox: denied, granted, allowed, neighbours denied, revoked, denied."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ecr_tui.policy.actions import Access
from ecr_tui.sandbox.organization import ACCOUNT_C, ORGANIZATION, ORGANIZATION_PATH, PARTNER_PATH
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A, ACCOUNT_B, ACCOUNT_CI
from tests.support.cli import ecr_tui

REPOSITORY, NEIGHBOUR = "my-first-repo", "search/indexer"
UNIT, BELOW = ORGANIZATION_PATH.rstrip("/"), PARTNER_PATH.rstrip("/")
PROFILES = {"dev-acc", "dev-role", "partner-c"}
LAMBDA_DENIED = "Lambda does not have permission to access the ECR image. Check the ECR permissions."
Client = Callable[[str, str], Any]


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    made: dict[tuple[str, str], Any] = {}

    def client(profile: str, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        if (profile, service) not in made:
            made[profile, service] = boto3.Session(profile_name=profile).client(service, config=config)
        return made[profile, service]

    return client


@pytest.fixture
def outsider(sandbox: Sandbox) -> Callable[[str], bool]:
    """Whether a user of an account outside of the organization, whose own policies allow everything, may pull."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    with sandbox.world.lock:
        sandbox.world.directory.backend(ACCOUNT_CI).put_user_policy("release-bot", "All", text)
    who = sandbox.world.directory.by_arn(f"arn:aws:iam::{ACCOUNT_CI}:user/release-bot")
    assert who is not None
    return lambda repository: sandbox.owner_backend().denial(who, "ecr:BatchGetImage", repository) is None


def statements(client: Client) -> list[dict[str, Any]]:
    ecr = client("account-a", "ecr")
    try:
        return list(json.loads(ecr.get_repository_policy(repositoryName=REPOSITORY)["policyText"])["Statement"])
    except ecr.exceptions.RepositoryPolicyNotFoundException:
        return []


def may(client: Client, profile: str, repository: str) -> bool:
    """Push and pull: by one call of each."""
    ecr, there = client(profile, "ecr"), {"registryId": ACCOUNT_A, "repositoryName": repository}
    answers = set()
    for call in (
        lambda: ecr.batch_get_image(**there, imageIds=[{"imageTag": "latest"}]),
        lambda: ecr.initiate_layer_upload(**there),
    ):
        try:
            call()
            answers.add("")
        except ClientError as error:
            answers.add(error.response["Error"]["Code"])
    assert answers in ({""}, {"AccessDeniedException"})
    return answers == {""}


def reached(client: Client, repository: str = REPOSITORY) -> set[str]:
    return {profile for profile in PROFILES if may(client, profile, repository)}


@pytest.mark.parametrize(
    ("grantee", "members"),
    [
        (ACCOUNT_B, {"dev-acc", "dev-role"}),
        (ACCOUNT_C, {"partner-c"}),
        ("user/devusr2", {"dev-acc"}),
        ("role/EcrDeveloper", {"dev-role"}),
        (f"org/{ORGANIZATION}", PROFILES),
        (f"ou/{UNIT}", {"dev-acc", "dev-role"}),
        (f"ou/{UNIT}/*", PROFILES),
        (f"ou/{BELOW}", {"partner-c"}),
    ],
)
def test_the_story_for_each_kind_of_grantee(
    client: Client, outsider: Callable[[str], bool], grantee: str, members: set[str]
) -> None:
    grant = ("grant", REPOSITORY, "--to", grantee, "--access", "push-pull", "--if-tag", "Team=Pay*", "--yes", "--json")
    assert reached(client) == set()
    granted = ecr_tui(*grant)
    assert granted.code == 0, granted.err
    assert len(statements(client)) == 1
    assert reached(client) == members
    assert reached(client, NEIGHBOUR) == set()
    assert not outsider(REPOSITORY)
    assert ecr_tui(*grant).json[0]["changed"] is False
    revoked = ecr_tui("revoke", REPOSITORY, "--to", grantee, "--yes")
    assert revoked.code == 0, revoked.err
    assert statements(client) == []
    assert reached(client) == set()


def test_what_is_granted_to_the_organization_is_verified_as_account_c(sandbox: Sandbox) -> None:
    as_c = ("--profile-b", "partner-c")
    verify = ("verify", REPOSITORY, "--engine", "direct", "--json", *as_c)
    assert ecr_tui(*verify).json["verdict"] == "denied"
    assert ecr_tui("grant", REPOSITORY, "--to", f"org/{ORGANIZATION}", "--if-tag", "Team=Payments", "--yes").code == 0
    report = ecr_tui(*verify).json
    assert (report["verdict"], report["isolation"]["status"]) == ("allowed", "denied")


def test_another_organization_does_not_reach_it(client: Client) -> None:
    assert ecr_tui("grant", REPOSITORY, "--to", "org/o-a1b2c3d4e5", "--yes").code == 0
    assert len(statements(client)) == 1
    assert reached(client) == set()


def create_function(client: Client, sandbox: Sandbox, repository: str, tag: str) -> str:
    """Of account B, of an image of account A: "" when done, else Lambda's message."""
    function = {"FunctionName": "pull", "PackageType": "Image", "Role": f"arn:aws:iam::{ACCOUNT_B}:role/EcrDeveloper"}
    image = f"{sandbox.registry_host()}/{repository}:{tag}"
    try:
        client("dev-acc", "lambda").create_function(**function, Code={"ImageUri": image})
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    client("dev-acc", "lambda").delete_function(FunctionName="pull")
    return ""


def test_the_story_for_lambda(client: Client, sandbox: Sandbox) -> None:
    to_lambda = "service/lambda.amazonaws.com"
    assert create_function(client, sandbox, REPOSITORY, "latest") == LAMBDA_DENIED
    granted = ecr_tui("grant", REPOSITORY, "--to", to_lambda, "--yes", "--json")
    assert granted.code == 0, granted.err
    service, account = statements(client)
    assert service["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert service["Condition"] == {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:222222222222:function:*"}}
    assert account["Principal"] == {"AWS": "arn:aws:iam::222222222222:root"}
    for one in (service, account):
        assert set(one["Action"]) == set(Access.PULL.actions)
    assert create_function(client, sandbox, REPOSITORY, "latest") == ""
    assert create_function(client, sandbox, NEIGHBOUR, "main") == LAMBDA_DENIED
    refused = ecr_tui("grant", REPOSITORY, "--to", to_lambda, "--access", "push-pull", "--yes")
    assert (refused.code, "Lambda only pulls" in refused.err) == (2, True)
    assert ecr_tui("revoke", REPOSITORY, "--to", to_lambda, "--yes").code == 0
    assert statements(client) == []
    assert create_function(client, sandbox, REPOSITORY, "latest") == LAMBDA_DENIED


def test_lambda_of_another_account_does_not_help(client: Client, sandbox: Sandbox) -> None:
    to_c = f"service/lambda.amazonaws.com@{ACCOUNT_C}"
    assert ecr_tui("grant", REPOSITORY, "--to", to_c, "--to", ACCOUNT_B, "--yes").code == 0
    assert create_function(client, sandbox, REPOSITORY, "latest") == LAMBDA_DENIED


def test_an_organization_is_a_risk_that_is_asked_about(sandbox: Sandbox) -> None:
    (plan,) = ecr_tui("plan", REPOSITORY, "--to", f"org/{ORGANIZATION}", "--json").json
    assert any(f"organization {ORGANIZATION}" in risk for risk in plan["risks"])


@pytest.mark.parametrize(
    ("grantee", "hint"),
    [
        ("org/whatever", "org/o-a1b2c3d4e5"),
        ("ou/ou-dem0-w0rkl0ads", "from the organization"),
        ("service/codebuild.amazonaws.com", "service/codebuild.amazonaws.com@"),
        ("devusr2", "user/devusr2 or role/devusr2"),
        (ORGANIZATION, f"org/{ORGANIZATION}"),
        ("arn:aws:iam::222222222222:group/developers", "Name the users"),
    ],
)
def test_a_wrong_form_names_the_right_one(client: Client, grantee: str, hint: str) -> None:
    refused = ecr_tui("grant", REPOSITORY, "--to", grantee, "--yes")
    assert (refused.code, hint in refused.err) == (2, True)
    assert statements(client) == []


def test_a_session_stands_for_its_role(client: Client) -> None:
    session = "arn:aws:sts::222222222222:assumed-role/EcrDeveloper/alice"
    assert ecr_tui("grant", REPOSITORY, "--to", session, "--yes").code == 0
    (statement,) = statements(client)
    assert statement["Principal"] == {"AWS": "arn:aws:iam::222222222222:role/EcrDeveloper"}
