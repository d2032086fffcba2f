"""A role assumed with a profile's credentials, in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws import quiet
from ecr_tui.aws.model import MfaPrompt, Role, RoleToAssume
from ecr_tui.aws.profiles import list_profiles
from ecr_tui.aws.sessions import AwsSession, list_regions
from ecr_tui.errors import CredentialsError, InputError
from tests.aws.fake_aws import AwsError, FakeAws, assumed_xml

AwsConfig = Callable[[str], Path]
ROLE = "arn:aws:iam::333333333333:role/team/EcrAdmin"
DEVICE = "arn:aws:iam::111111111111:mfa/me"


def in_minutes(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(autouse=True)
def config(fake: FakeAws, aws_config: AwsConfig, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quiet, "_caches", {})
    fake.on("AssumeRole", assumed_xml(in_minutes(60)))
    return aws_config(
        f"[profile src]\nregion = eu-central-1\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n"
        f"endpoint_url = {fake.url}\n"
    )


def test_the_role_is_assumed_with_all_that_was_given_and_no_file_changes(config: Path, fake: FakeAws) -> None:
    before = {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()}
    session = AwsSession(Role.OWNER, "src", assume=RoleToAssume(ROLE, external_id="ext-1"))
    identity = session.identity()
    session.client("ecr")
    (asked,) = fake.sent("AssumeRole")
    assert {name: asked[name] for name in ("RoleArn", "RoleSessionName", "ExternalId")} == {
        "RoleArn": ROLE,
        "RoleSessionName": "ecr-tui",
        "ExternalId": "ext-1",
    }
    assert identity.profile == "src"
    ends = identity.expires_at
    assert ends is not None
    assert timedelta(minutes=55) < ends - datetime.now(UTC) <= timedelta(minutes=60)
    assert {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()} == before


def test_credentials_near_their_end_are_renewed(fake: FakeAws) -> None:
    fake.on("AssumeRole", assumed_xml(in_minutes(5)))
    session = AwsSession(Role.OWNER, "src", assume=RoleToAssume(ROLE))
    session.identity()
    fake.on("AssumeRole", assumed_xml(in_minutes(60)))
    with session.calling("sts:GetCallerIdentity"):
        session.client("sts").get_caller_identity()
    ends = session.expires_at()
    assert ends is not None
    assert ends > datetime.now(UTC) + timedelta(minutes=55)


def test_mfa_is_asked_once_with_the_device_and_a_cancelled_question_leaves_a_session_that_can_try_again(
    fake: FakeAws,
) -> None:
    asked: list[MfaPrompt] = []
    codes = iter(["", "123456"])

    def ask(prompt: MfaPrompt) -> str:
        asked.append(prompt)
        return next(codes)

    session = AwsSession(Role.CONSUMER, "src", ask_mfa=ask, assume=RoleToAssume(ROLE, mfa_serial=DEVICE))
    with pytest.raises(CredentialsError, match="no MFA code") as caught:
        session.identity()
    assert caught.value.side == "account B"
    assert fake.calls["AssumeRole"] == 0
    session.identity()
    session.client("ecr")
    assert asked == [MfaPrompt("src", DEVICE)] * 2
    (sent,) = fake.sent("AssumeRole")
    assert (sent["SerialNumber"], sent["TokenCode"]) == (DEVICE, "123456")


def test_a_refusal_says_which_two_sides_decide(fake: FakeAws) -> None:
    def refuse(_: dict[str, Any]) -> str:
        raise AwsError("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole", 403)

    fake.on("AssumeRole", refuse)
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "src", assume=RoleToAssume(ROLE, external_id="ext-1")).identity()
    error = caught.value
    assert error.side == "account A"
    assert "cannot assume the role role/team/EcrAdmin of account 333333333333" in error.title
    assert "not authorized to perform: sts:AssumeRole" in error.detail
    assert "trust policy" in error.hint
    assert "external id" in error.hint


def test_a_dead_source_is_the_profiles_fault(aws_config: AwsConfig) -> None:
    aws_config("[profile src]\nregion = eu-central-1\n")
    with pytest.raises(CredentialsError, match="no credentials for profile 'src'"):
        AwsSession(Role.OWNER, "src", assume=RoleToAssume(ROLE)).identity()


@pytest.mark.parametrize(
    ("arn", "more", "what"),
    [
        ("arn:aws:iam::1:role/x", {}, "not the ARN of a role"),
        ("arn:aws:iam::333333333333:user/x", {}, "not the ARN of a role"),
        ("arn:aws:sts::333333333333:assumed-role/x/y", {}, "a role session"),
        (ROLE, {"external_id": "a b"}, "external id"),
        (ROLE, {"mfa_serial": "x"}, "not an MFA device"),
        ("", {"external_id": "ext-1"}, "needs a role"),
    ],
)
def test_what_is_typed_is_checked(arn: str, more: dict[str, str], what: str) -> None:
    with pytest.raises(InputError, match=what):
        RoleToAssume.parse(arn, **more)


def test_roles_of_every_partition_are_taken_and_none_is_none() -> None:
    for partition in ("aws", "aws-cn", "aws-us-gov", "aws-iso-b"):
        role = RoleToAssume.parse(f" arn:{partition}:iam::333333333333:role/p/x ")
        assert role is not None
        assert role.account == "333333333333"
    assert RoleToAssume.parse(" ") is None


def test_profiles_tell_account_source_and_how_to_sign_in(aws_config: AwsConfig) -> None:
    aws_config(
        "[profile sso]\nsso_session = corp\nsso_account_id = 444444444444\nsso_role_name = r\n"
        "[sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n"
        f"[profile over]\nrole_arn = {ROLE}\nsource_profile = sso\n"
        "[profile tool]\ncredential_process = /opt/bin/helper --secret SECRETSECRET\n"
        "[profile new]\nlogin_session = arn:aws:iam::555555555555:user/x\n"
    )
    found = {profile.name: profile for profile in list_profiles()}
    assert (found["sso"].account, found["sso"].source) == ("444444444444", "corp")
    assert found["sso"].login_command == "aws sso login --profile sso"
    assert (found["over"].account, found["over"].source) == ("333333333333", "sso")
    assert found["over"].login_command == "aws sso login --profile sso"
    assert (found["tool"].kind, found["tool"].source, found["tool"].login_command) == ("process", "helper", "")
    assert (found["new"].kind, found["new"].login_command) == ("login", "aws login --profile new")
    assert "SECRETSECRET" not in repr(found)


def test_regions_are_those_of_the_partition() -> None:
    assert "eu-central-1" in list_regions()
    assert "us-gov-west-1" not in list_regions()
    assert set(list_regions("cn-north-1")) == {"cn-north-1", "cn-northwest-1"}
    assert list_regions("no-where-9") == ()


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ("", "111122223333.dkr.ecr.us-east-1.amazonaws.com"),
        ("use_fips_endpoint = true\n", "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com"),
        ("use_dualstack_endpoint = true\n", "111122223333.dkr-ecr.us-east-1.on.aws"),
    ],
)
def test_a_registry_is_reached_as_the_profile_asks(settings: str, host: str, aws_config: AwsConfig) -> None:
    aws_config(f"[profile b]\nregion = us-east-1\n{settings}")
    session = AwsSession(Role.CONSUMER, "b")
    plain = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
    assert session.registry_host(plain, "111122223333", "us-east-1", "aws") == host
