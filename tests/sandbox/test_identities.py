"""Who is who: profiles, assumed roles, MFA, sessions and their end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.seed_iam import MFA_SERIAL
from ecr_tui.sandbox.world import utc_now

Aws = Callable[..., Any]
ROLE = "arn:aws:iam::222222222222:role/EcrDeveloper"
MFA_ROLE = "arn:aws:iam::222222222222:role/EcrDeveloperMfa"


def of(credentials: dict[str, Any], sandbox: Sandbox, service: str) -> Any:
    return boto3.client(
        service,
        region_name=sandbox.region,
        endpoint_url=sandbox.endpoint,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("profile", "arn", "prefix"),
    [
        ("account-a", "arn:aws:iam::111111111111:user/ecr-admin", "AIDA"),
        ("dev-acc", "arn:aws:iam::222222222222:user/devusr2", "AIDA"),
        ("no-access", "arn:aws:iam::222222222222:user/newcomer", "AIDA"),
        ("partner-c", "arn:aws:iam::444444444444:user/partner-dev", "AIDA"),
        ("dev-role", "arn:aws:sts::222222222222:assumed-role/EcrDeveloper/ecr-tui", "AROA"),
    ],
)
def test_each_profile_is_someone(aws: Aws, profile: str, arn: str, prefix: str) -> None:
    identity = aws(profile, "sts").get_caller_identity()
    assert identity["Arn"] == arn
    assert identity["Account"] == arn.split(":")[4]
    assert identity["UserId"].startswith(prefix)


def test_the_role_needs_no_code_the_other_role_does(aws: Aws) -> None:
    sts = aws("dev-acc", "sts")
    assert sts.assume_role(RoleArn=ROLE, RoleSessionName="one")["AssumedRoleUser"]["Arn"].endswith("/EcrDeveloper/one")
    with pytest.raises(ClientError) as caught:
        sts.assume_role(RoleArn=MFA_ROLE, RoleSessionName="one")
    assert code(caught) == "AccessDenied"
    assert str(caught.value).endswith(
        "User: arn:aws:iam::222222222222:user/devusr2 is not authorized to perform: sts:AssumeRole "
        f"on resource: {MFA_ROLE}"
    )


def test_a_code_opens_the_role(aws: Aws, sandbox: Sandbox) -> None:
    answer = aws("dev-acc", "sts").assume_role(
        RoleArn=MFA_ROLE, RoleSessionName="two", SerialNumber=MFA_SERIAL, TokenCode=sandbox.mfa_code
    )
    assert of(answer["Credentials"], sandbox, "sts").get_caller_identity()["Arn"].endswith("/EcrDeveloperMfa/two")


def test_a_wrong_code_or_device(aws: Aws, sandbox: Sandbox) -> None:
    wrong = "000000" if sandbox.mfa_code != "000000" else "111111"
    for serial, given in ((MFA_SERIAL, wrong), (MFA_SERIAL.replace("devusr2", "newcomer"), sandbox.mfa_code)):
        with pytest.raises(ClientError, match="MultiFactorAuthentication failed") as caught:
            aws("dev-acc", "sts").assume_role(
                RoleArn=MFA_ROLE, RoleSessionName="two", SerialNumber=serial, TokenCode=given
            )
        assert code(caught) == "AccessDenied"


@pytest.mark.parametrize(
    ("profile", "role"),
    [
        ("no-access", ROLE),
        ("account-a", ROLE),
        ("dev-acc", "arn:aws:iam::222222222222:role/NoSuchRole"),
        ("dev-acc", "arn:aws:iam::333333333333:role/build-agent"),
    ],
)
def test_who_is_not_trusted_gets_no_role(aws: Aws, profile: str, role: str) -> None:
    with pytest.raises(ClientError) as caught:
        aws(profile, "sts").assume_role(RoleArn=role, RoleSessionName="one")
    assert code(caught) == "AccessDenied"


def test_trusting_the_account_needs_a_permission_of_the_callers_own(aws: Aws, sandbox: Sandbox) -> None:
    iam = sandbox.world.directory.backend(sandbox.account_b)
    trust = {"Effect": "Allow", "Principal": {"AWS": sandbox.account_b}, "Action": "sts:AssumeRole"}
    iam.create_role("Shared", json.dumps({"Version": "2012-10-17", "Statement": [trust]}), "/", None, "", [], "3600")
    role = f"arn:aws:iam::{sandbox.account_b}:role/Shared"
    with pytest.raises(ClientError):
        aws("no-access", "sts").assume_role(RoleArn=role, RoleSessionName="one")
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
    iam.put_user_policy("newcomer", "Assume", json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    assert aws("no-access", "sts").assume_role(RoleArn=role, RoleSessionName="one")["Credentials"]


def test_a_session_ends(aws: Aws, sandbox: Sandbox) -> None:
    # Both clocks are within a signature's tolerance, so only the session's end can refuse the second call.
    sandbox.clock = lambda: utc_now() - timedelta(minutes=14)
    credentials = aws("dev-acc", "sts").assume_role(RoleArn=ROLE, RoleSessionName="some", DurationSeconds=900)[
        "Credentials"
    ]
    of(credentials, sandbox, "ecr").get_authorization_token()
    sandbox.clock = lambda: utc_now() + timedelta(minutes=2)
    with pytest.raises(ClientError) as caught:
        of(credentials, sandbox, "ecr").get_authorization_token()
    assert code(caught) == "ExpiredTokenException"
    with pytest.raises(ClientError) as caught:
        of(credentials, sandbox, "sts").get_caller_identity()
    assert code(caught) == "ExpiredToken"


def test_a_session_without_its_token(aws: Aws, sandbox: Sandbox) -> None:
    credentials = aws("dev-acc", "sts").assume_role(RoleArn=ROLE, RoleSessionName="some")["Credentials"]
    with pytest.raises(ClientError) as caught:
        of({**credentials, "SessionToken": None}, sandbox, "ecr").get_authorization_token()
    assert code(caught) == "UnrecognizedClientException"


def test_a_session_policy_narrows_the_role(aws: Aws, sandbox: Sandbox) -> None:
    only = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [only]})
    credentials = aws("dev-acc", "sts").assume_role(RoleArn=ROLE, RoleSessionName="some", Policy=policy)["Credentials"]
    with pytest.raises(ClientError, match="because no session policy allows the ecr:GetAuthorizationToken action"):
        of(credentials, sandbox, "ecr").get_authorization_token()


def test_a_deleted_role_leaves_its_sessions_with_nothing(aws: Aws, sandbox: Sandbox) -> None:
    credentials = aws("dev-acc", "sts").assume_role(RoleArn=ROLE, RoleSessionName="some")["Credentials"]
    of(credentials, sandbox, "ecr").get_authorization_token()
    iam = sandbox.world.directory.backend(sandbox.account_b)
    trust = sandbox.world.directory.role(sandbox.account_b, "EcrDeveloper").assume_role_policy_document
    rights = iam.get_role_policy("EcrDeveloper", "PushPullAccountA")[1]
    iam.delete_role_policy("EcrDeveloper", "PushPullAccountA")
    iam.delete_role("EcrDeveloper")
    iam.create_role("EcrDeveloper", trust, "/", None, "", [], "3600")
    iam.put_role_policy("EcrDeveloper", "PushPullAccountA", rights)
    with pytest.raises(ClientError, match="no identity-based policy"):
        of(credentials, sandbox, "ecr").get_authorization_token()


def test_session_tokens_carry_mfa(aws: Aws, sandbox: Sandbox) -> None:
    sts = aws("dev-acc", "sts")
    plain = sts.get_session_token()["Credentials"]
    with_code = sts.get_session_token(SerialNumber=MFA_SERIAL, TokenCode=sandbox.mfa_code)["Credentials"]
    assert of(with_code, sandbox, "sts").get_caller_identity()["Arn"].endswith("user/devusr2")
    assert of(with_code, sandbox, "sts").assume_role(RoleArn=MFA_ROLE, RoleSessionName="some")["Credentials"]
    with pytest.raises(ClientError):
        of(plain, sandbox, "sts").assume_role(RoleArn=MFA_ROLE, RoleSessionName="some")


@pytest.mark.parametrize(
    "arguments",
    [{"RoleArn": "x" * 20}, {"RoleArn": ROLE, "RoleSessionName": "a b"}, {"RoleArn": ROLE, "DurationSeconds": 200_000}],
)
def test_nonsense_is_a_validation_error(aws: Aws, arguments: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        aws("dev-acc", "sts").assume_role(**{"RoleSessionName": "one", **arguments})
    assert code(caught) == "ValidationError"


def test_an_sts_operation_that_is_not_offered(aws: Aws) -> None:
    with pytest.raises(ClientError) as caught:
        aws("dev-acc", "sts").get_federation_token(Name="someone")
    assert code(caught) == "InvalidAction"
