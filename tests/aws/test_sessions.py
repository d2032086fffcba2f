from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws import quiet, sessions
from ecr_tui.aws.model import MfaPrompt, Role
from ecr_tui.aws.profiles import list_profiles
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, CredentialsError, EcrTuiError, EnvironmentFailure, InputError
from tests.aws.fake_aws import AwsError, FakeAws, Raw, assumed_xml, caller_xml

AwsConfig = Callable[[str], Path]
KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n"


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- profiles -----------------------------------------------------------------------------------------------------


def test_profiles_have_their_kind_and_region(aws_config: AwsConfig) -> None:
    aws_config(
        f"[default]\nregion = eu-west-1\n{KEYS}"
        "[profile sso-new]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n"
        "[sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n"
        "[profile sso-old]\nsso_start_url = https://x\nsso_region = eu-west-1\n"
        "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n"
        "[profile web]\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = /t\n"
        "[profile tool]\ncredential_process = /bin/true\n"
        "[profile empty]\nregion = us-east-1\n"
    )
    found = {profile.name: (profile.kind, profile.region) for profile in list_profiles()}
    assert found == {
        "default": ("keys", "eu-west-1"),
        "sso-new": ("sso", None),
        "sso-old": ("sso", None),
        "role": ("assume-role", None),
        "web": ("web-identity", None),
        "tool": ("process", None),
        "empty": ("other", "us-east-1"),
    }


def test_no_config_at_all_is_no_profiles() -> None:
    assert list_profiles() == ()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("aws_secret_access_key SECRETSECRET\n", "line 1", "before the first [section]"),
        ("[profile SECRETSECRET\n", "line 1", "a [section] without its ]"),
        ("[profile a]\nregion = eu-west-1\naws_secret_access_key SECRETSECRET\n", "line 3", "name = value"),
        ("[profile a]\n[profile a]\n", "line 2", "twice"),
        ("[profile a]\nregion = x\nregion = y\n", "line 3", "set twice"),
        ("[profile a]\ns3 =\n  SECRETSECRET\n", "", "not an AWS config file"),
        (b"[profile \xff\xfe]\n", "", "UTF-8"),
    ],
)
def test_garbage_in_the_config_is_one_line_with_the_file_and_no_content(
    text: str | bytes, line: str, why: str, isolated_environment: Path
) -> None:
    path = isolated_environment / "aws-config"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for call in (list_profiles, AwsSession(Role.OWNER, "a", "eu-west-1").identity):
        with pytest.raises(EnvironmentFailure) as caught:
            call()
        error = caught.value
        assert str(path) in error.title
        assert "\n" not in error.title
        assert line in error.title
        assert why in error.title
        assert "SECRETSECRET" not in error.text()


def test_garbage_in_the_credentials_file_names_that_file(isolated_environment: Path) -> None:
    path = isolated_environment / "aws-credentials"
    path.write_text("no section\n")
    with pytest.raises(EnvironmentFailure, match="aws-credentials"):
        list_profiles()


def test_unreadable_config_is_said_not_skipped(aws_config: AwsConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    path = aws_config(f"[profile a]\n{KEYS}")
    monkeypatch.setattr(os, "access", lambda name, mode: str(name) != str(path))
    with pytest.raises(EnvironmentFailure, match="permission denied"):
        list_profiles()


def test_unknown_profile_hints_at_the_close_one(aws_config: AwsConfig) -> None:
    aws_config(f"[profile account-a]\n{KEYS}[profile dev-acc]\n{KEYS}")
    with pytest.raises(InputError) as caught:
        AwsSession(Role.OWNER, "acount-a", "eu-west-1").identity()
    assert caught.value.exit_code == 2
    assert "'acount-a'" in caught.value.title
    assert "'account-a'" in caught.value.hint
    assert caught.value.side == "account A"


def test_unknown_profile_from_the_environment(aws_config: AwsConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    aws_config(f"[profile dev-acc]\n{KEYS}")
    monkeypatch.setenv("AWS_PROFILE", "nope-nope")
    with pytest.raises(InputError) as caught:
        AwsSession(Role.CONSUMER).identity()
    assert "nope-nope" in caught.value.title
    assert "dev-acc" in caught.value.hint


@pytest.mark.parametrize(
    ("config", "hint"),
    [(f"[profile a]\n{KEYS}[profile b]\n{KEYS}", "Choose one of: a, b."), ("", "Create a profile with aws configure")],
)
def test_an_unknown_profile_leads_to_one_that_works(aws_config: AwsConfig, config: str, hint: str) -> None:
    aws_config(config)
    with pytest.raises(InputError) as caught:
        AwsSession(Role.OWNER, "nothing-like-it").client("ecr", "eu-central-1")
    assert caught.value.hint.startswith(hint)


# --- region -------------------------------------------------------------------------------------------------------


def test_no_region_says_how_to_give_one(aws_config: AwsConfig) -> None:
    aws_config(f"[profile a]\n{KEYS}")
    session = AwsSession(Role.OWNER, "a")
    assert session.region is None
    with pytest.raises(InputError) as caught:
        session.client("ecr")
    assert "--region" in caught.value.hint


def test_malformed_region_is_bad_input(aws_config: AwsConfig) -> None:
    aws_config(f"[profile a]\n{KEYS}")
    with pytest.raises(InputError, match="not an AWS region"):
        AwsSession(Role.OWNER, "a", "eu central 1").client("ecr")


def test_region_argument_beats_environment_beats_profile(
    aws_config: AwsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_config(f"[profile a]\nregion = eu-west-1\n{KEYS}")
    assert AwsSession(Role.OWNER, "a").region == "eu-west-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert AwsSession(Role.OWNER, "a").region == "eu-west-2"
    assert AwsSession(Role.OWNER, "a", "eu-west-3").region == "eu-west-3"


# --- clients and identity -----------------------------------------------------------------------------------------


def test_identity_is_asked_once(session: AwsSession, fake: FakeAws) -> None:
    first, second = session.identity(), session.identity()
    assert first == second
    assert (first.account, first.arn, first.profile, first.region) == (
        "111111111111",
        "arn:aws:iam::111111111111:user/ops",
        "a",
        "eu-central-1",
    )
    assert first.expires_at is None
    assert fake.calls["GetCallerIdentity"] == 1


def test_clients_are_made_once_from_many_threads(session: AwsSession) -> None:
    found: list[tuple[int, int]] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        found.append((id(session.client("ecr")), id(session.client("ecr", background=True))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    foreground, background = found[0]
    assert foreground != background


def test_clients_are_bounded(session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "50")
    front, back = session.client("ecr").meta.config, session.client("ecr", background=True).meta.config
    assert (front.connect_timeout, front.read_timeout, front.max_pool_connections) == (3, 10, 16)
    assert front.retries == {"mode": "standard", "total_max_attempts": 3}
    assert back.retries == {"mode": "adaptive", "total_max_attempts": 10}


def test_default_profile_is_botocores_business(
    fake: FakeAws, aws_config: AwsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_config(f"[profile b]\nregion = eu-west-1\nendpoint_url = {fake.url}\n{KEYS}")
    monkeypatch.setenv("AWS_PROFILE", "b")
    identity = AwsSession(Role.CONSUMER).identity()
    assert identity.account == "111111111111"
    assert identity.profile is None


def test_the_module_imports_without_boto3() -> None:
    code = (
        "import sys, ecr_tui.aws.sessions, ecr_tui.aws.inventory, ecr_tui.aws.policies, ecr_tui.aws.access, "
        "ecr_tui.aws.images, ecr_tui.aws.tokens, ecr_tui.changes.journal, ecr_tui.config\n"
        "print([m for m in ('boto3', 'botocore', 'urllib3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- credentials that are missing or fail -------------------------------------------------------------------------


def test_no_credentials(aws_config: AwsConfig) -> None:
    aws_config("[profile a]\nregion = eu-west-1\n")
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "a").identity()
    assert "'a'" in caught.value.title
    assert caught.value.side == "account A"
    assert caught.value.exit_code == 3


def test_half_a_key_pair(aws_config: AwsConfig) -> None:
    aws_config("[profile a]\nregion = eu-west-1\naws_access_key_id = AKIA\n")
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "a").identity()
    assert "aws_secret_access_key" in caught.value.detail


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/nonexistent/helper", "No such file"),
        ("sh -c 'echo broken; exit 0'", "JSON"),
        ("sh -c 'echo no such vault >&2; exit 7'", "no such vault"),
        ("sh -c 'echo {}'", "Version"),
        ("sh -c 'read answer && echo got $answer >&2; exit 1'", "custom-process"),
    ],
)
def test_credential_process_fails_without_a_prompt(command: str, says: str, aws_config: AwsConfig) -> None:
    aws_config(f"[profile a]\nregion = eu-west-1\ncredential_process = {command}\n")
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "a").identity()
    assert says in caught.value.detail


def test_credential_process_has_no_terminal_to_ask_on(aws_config: AwsConfig, tmp_path: Path) -> None:
    script = tmp_path / "helper.py"
    script.write_text("import os, sys; sys.exit(f'session of its own: {os.getsid(0) == os.getpid()}')")
    aws_config(f"[profile a]\nregion = eu-west-1\ncredential_process = {sys.executable} {script}\n")
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "a").identity()
    assert "session of its own: True" in caught.value.detail


def test_hanging_credential_process_is_ended_also_as_a_source(
    fake: FakeAws, aws_config: AwsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "PROCESS_TIMEOUT", 0.05)
    aws_config(
        f"[profile tool]\nregion = eu-west-1\ncredential_process = sleep 600\n"
        f"[profile a]\nregion = eu-west-1\nendpoint_url = {fake.url}\n"
        "role_arn = arn:aws:iam::1:role/r\nsource_profile = tool\n"
    )
    for profile in ("tool", "a"):
        with pytest.raises(CredentialsError) as caught:
            AwsSession(Role.OWNER, profile).identity()
        assert "did not answer" in caught.value.detail


def test_working_credential_process_expires_as_it_says(fake: FakeAws, aws_config: AwsConfig, tmp_path: Path) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    answer = tmp_path / "answer.json"
    answer.write_text(
        json.dumps({"Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "s", "Expiration": ends.isoformat()})
    )
    aws_config(f"[profile a]\nregion = eu-west-1\nendpoint_url = {fake.url}\ncredential_process = cat {answer}\n")
    assert AwsSession(Role.OWNER, "a").identity().expires_at == ends


def test_failed_credentials_are_tried_anew(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config("[profile a]\nregion = eu-west-1\n")
    session = AwsSession(Role.OWNER, "a")
    with pytest.raises(CredentialsError):
        session.identity()
    aws_config(f"[profile a]\nregion = eu-west-1\nendpoint_url = {fake.url}\n{KEYS}")
    assert session.identity().account == "111111111111"


@pytest.fixture
def sso_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """botocore fixes the folder of SSO tokens when it is imported, before HOME is ours."""
    import botocore.credentials
    import botocore.tokens

    folder = tmp_path / "sso-cache"
    folder.mkdir()
    monkeypatch.setattr(botocore.credentials.SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(folder))
    monkeypatch.setattr(botocore.tokens.SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(folder))
    return folder


SSO_NEW = (
    "[profile corp]\nregion = eu-west-1\nendpoint_url = {url}\nsso_session = main\nsso_account_id = 111111111111\n"
    "sso_role_name = ops\n[sso-session main]\nsso_start_url = https://corp.example/start\nsso_region = eu-west-1\n"
)
SSO_OLD = (
    "[profile corp]\nregion = eu-west-1\nendpoint_url = {url}\nsso_start_url = https://corp.example/start\n"
    "sso_region = eu-west-1\nsso_account_id = 111111111111\nsso_role_name = ops\n"
)


def sso_token(folder: Path, name: str, expires: datetime) -> None:
    import hashlib

    path = folder / f"{hashlib.sha1(name.encode()).hexdigest()}.json"
    path.write_text(json.dumps({"accessToken": "sso-token", "expiresAt": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}))


@pytest.mark.parametrize(
    ("config", "name"), [(SSO_NEW, "main"), (SSO_OLD, "https://corp.example/start")], ids=["session", "legacy"]
)
def test_sso_sign_in_missing_expired_and_renewed(
    config: str, name: str, fake: FakeAws, aws_config: AwsConfig, sso_cache: Path
) -> None:
    aws_config(
        config.format(url=fake.url) + "[profile via]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/r\n"
        f"source_profile = corp\nendpoint_url = {fake.url}\n"
    )
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    fake.on(
        "GetRoleCredentials",
        {
            "roleCredentials": {
                "accessKeyId": "ASIA",
                "secretAccessKey": "s",
                "sessionToken": "t",
                "expiration": int(ends.timestamp() * 1000),
            }
        },
    )
    session = AwsSession(Role.CONSUMER, "corp")
    for expires in (None, datetime.now(UTC) - timedelta(hours=1)):
        if expires is not None:
            sso_token(sso_cache, name, expires)
        for profile in ("corp", "via"):
            with pytest.raises(CredentialsError) as caught:
                (session if profile == "corp" else AwsSession(Role.CONSUMER, "via")).identity()
            assert caught.value.login_command == "aws sso login --profile corp"
            assert caught.value.side == "account B"
    assert fake.calls["GetRoleCredentials"] == 0
    # What `aws sso login` would do, in another terminal.
    sso_token(sso_cache, name, datetime.now(UTC) + timedelta(hours=8))
    assert session.identity().expires_at == ends
    assert fake.sent("GetRoleCredentials")[0]["token"] == "sso-token"


def test_sso_refused_by_the_portal(fake: FakeAws, aws_config: AwsConfig, sso_cache: Path) -> None:
    aws_config(SSO_OLD.format(url=fake.url))
    sso_token(sso_cache, "https://corp.example/start", datetime.now(UTC) + timedelta(hours=8))

    def unauthorized(_: dict[str, Any]) -> dict[str, Any]:
        raise Raw(b'{"__type":"UnauthorizedException","message":"Session token not found or invalid"}', 401)

    fake.on("GetRoleCredentials", unauthorized)
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "corp").identity()
    assert caught.value.login_command == "aws sso login --profile corp"


# --- assume-role and MFA ------------------------------------------------------------------------------------------


MFA = (
    f"[profile base]\n{KEYS}endpoint_url = {{url}}\n"
    "[profile a]\nregion = eu-west-1\nendpoint_url = {url}\nrole_arn = arn:aws:iam::111111111111:role/ops\n"
    "source_profile = base\nexternal_id = ext\nmfa_serial = arn:aws:iam::111111111111:mfa/me\n"
)


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass

    import botocore.credentials

    def forbidden(*_: Any, **__: Any) -> str:
        raise AssertionError("asked on the terminal")

    monkeypatch.setattr(getpass, "getpass", forbidden)
    monkeypatch.setattr(botocore.credentials.getpass, "getpass", forbidden)
    monkeypatch.setattr("builtins.input", forbidden)


@pytest.mark.usefixtures("no_terminal")
def test_mfa_is_asked_once_in_the_app(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config(MFA.format(url=fake.url))
    fake.on("AssumeRole", assumed_xml(in_an_hour()))
    asked: list[MfaPrompt] = []

    def ask(prompt: MfaPrompt) -> str:
        asked.append(prompt)
        return " 123456 "

    session = AwsSession(Role.OWNER, "a", ask_mfa=ask)
    assert session.identity().expires_at is not None
    session.client("ecr")
    # A second session of the same profile, as after switching accounts back and forth.
    AwsSession(Role.OWNER, "a", ask_mfa=ask).identity()
    assert asked == [MfaPrompt("a", "arn:aws:iam::111111111111:mfa/me")]
    (sent,) = fake.sent("AssumeRole")
    assert (sent["TokenCode"], sent["ExternalId"]) == ("123456", "ext")


@pytest.mark.usefixtures("no_terminal")
def test_mfa_is_asked_again_shortly_before_the_session_ends(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config(MFA.format(url=fake.url))
    soon = (datetime.now(UTC) + timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    codes = iter(["111111", "222222"])
    fake.on("AssumeRole", lambda p: assumed_xml(soon if p["TokenCode"] == "111111" else in_an_hour()))
    session = AwsSession(Role.OWNER, "a", ask_mfa=lambda _: next(codes))
    session.client("sts")
    session.identity()
    session.identity()
    assert [sent["TokenCode"] for sent in fake.sent("AssumeRole")] == ["111111", "222222"]


@pytest.mark.usefixtures("no_terminal")
def test_mfa_with_nobody_to_ask(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config(MFA.format(url=fake.url))
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "a").identity()
    assert "MFA" in caught.value.title
    assert "session" in caught.value.hint
    assert fake.calls["AssumeRole"] == 0


def test_wrong_mfa_code_can_be_corrected(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config(MFA.format(url=fake.url))

    def assume(parameters: dict[str, Any]) -> str:
        if parameters["TokenCode"] != "222222":
            raise AwsError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", 403)
        return assumed_xml(in_an_hour())

    fake.on("AssumeRole", assume)
    codes = iter(["111111", "222222"])
    session = AwsSession(Role.OWNER, "a", ask_mfa=lambda _: next(codes))
    with pytest.raises(CredentialsError) as caught:
        session.identity()
    assert "invalid MFA one time pass code" in caught.value.detail
    assert session.identity().account == "111111111111"


def test_cancelled_mfa_is_a_cancellation(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config(MFA.format(url=fake.url))

    def ask(_: MfaPrompt) -> str:
        raise Cancelled

    with pytest.raises(Cancelled):
        AwsSession(Role.OWNER, "a", ask_mfa=ask).identity()


def test_role_of_the_aws_clis_cache_is_used_and_never_written(
    fake: FakeAws, aws_config: AwsConfig, isolated_environment: Path
) -> None:
    aws_config(MFA.format(url=fake.url))
    cache = isolated_environment / ".aws" / "cli" / "cache"
    cache.mkdir(parents=True)
    fake.on("AssumeRole", assumed_xml(in_an_hour()))
    AwsSession(Role.OWNER, "a", ask_mfa=lambda _: "123456").identity()
    assert list(cache.iterdir()) == []
    # What the AWS CLI leaves there: the same answer under the same key, which depends on the role and its arguments.
    (key,) = quiet.assumed_roles("a")
    quiet._caches.clear()
    (cache / f"{key}.json").write_text(
        json.dumps(
            {
                "Credentials": {
                    "AccessKeyId": "ASIACLI",
                    "SecretAccessKey": "s",
                    "SessionToken": "t",
                    "Expiration": in_an_hour(),
                }
            }
        )
    )
    AwsSession(Role.OWNER, "a").identity()
    assert fake.calls["AssumeRole"] == 1
    quiet._caches.clear()
    (cache / f"{key}.json").write_text("garbage")
    with pytest.raises(CredentialsError, match="MFA"):
        AwsSession(Role.OWNER, "a").identity()


def test_role_that_may_not_be_assumed(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config(
        f"[profile base]\n{KEYS}[profile a]\nregion = eu-west-1\nendpoint_url = {fake.url}\n"
        "role_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
    )
    message = (
        "User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/r"
    )
    fake.fail("AssumeRole", "AccessDenied", message, 403)
    with pytest.raises(CredentialsError) as caught:
        AwsSession(Role.OWNER, "a").identity()
    assert caught.value.detail == message


@pytest.mark.parametrize("source", ["nowhere", "a"])
def test_broken_chain_of_profiles(source: str, aws_config: AwsConfig) -> None:
    aws_config(f"[profile a]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = {source}\n")
    with pytest.raises(CredentialsError, match="incompletely"):
        AwsSession(Role.OWNER, "a").identity()


# --- endpoints ----------------------------------------------------------------------------------------------------


def config_for(url: str) -> str:
    return f"[profile a]\nregion = eu-west-1\nendpoint_url = {url}\n{KEYS}"


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_dead_endpoint_names_endpoint_and_side(closed_port: str, aws_config: AwsConfig) -> None:
    aws_config(config_for(closed_port))
    with pytest.raises(EnvironmentFailure) as caught:
        AwsSession(Role.CONSUMER, "a").identity()
    assert closed_port in caught.value.title
    assert caught.value.side == "account B"
    assert "\n" not in caught.value.title


def test_host_without_address(aws_config: AwsConfig) -> None:
    aws_config(config_for("http://nowhere.invalid"))
    with pytest.raises(EnvironmentFailure, match=r"nowhere\.invalid"):
        AwsSession(Role.OWNER, "a").identity()


@pytest.mark.parametrize("url", ["not a url", "http://", "ftp:/x"])
def test_endpoint_that_is_no_url(url: str, aws_config: AwsConfig) -> None:
    aws_config(config_for(url))
    with pytest.raises(EnvironmentFailure):
        AwsSession(Role.OWNER, "a").identity()


@pytest.fixture
def silent_endpoint() -> Iterator[tuple[str, list[socket.socket]]]:
    """Accepts and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                accepted.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", accepted
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for connection in accepted:
        connection.close()


def test_metadata_service_that_drops_packets_is_asked_once(
    silent_endpoint: tuple[str, list[socket.socket]], aws_config: AwsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, accepted = silent_endpoint
    aws_config("[profile a]\nregion = eu-west-1\n")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
    monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "600")
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "50")
    with pytest.raises(CredentialsError, match="no credentials"):
        AwsSession(Role.OWNER, "a").identity()
    # Once for a token of the newer protocol, once without.
    assert len(accepted) <= 2


@pytest.mark.parametrize(("patience", "attempts"), [(0.0, 1), (60.0, 3)])
def test_silence_is_not_waited_for_again_once_patience_ran_out(
    patience: float,
    attempts: int,
    silent_endpoint: tuple[str, list[socket.socket]],
    aws_config: AwsConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, accepted = silent_endpoint
    aws_config(config_for(url))
    monkeypatch.setattr(sessions, "READ_TIMEOUT", 0.05)
    monkeypatch.setattr(sessions, "PATIENCE", patience)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(EnvironmentFailure, match="sts:GetCallerIdentity timed out"):
        AwsSession(Role.OWNER, "a").identity()
    assert len(accepted) == attempts


def test_throttling_keeps_its_retries_when_patience_ran_out(
    session: AwsSession, fake: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "PATIENCE", 0.0)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    fake.fail("GetCallerIdentity", "Throttling", "Rate exceeded", 400)
    with pytest.raises(EnvironmentFailure, match="throttling"):
        session.identity()
    assert fake.calls["GetCallerIdentity"] == 3


@pytest.mark.parametrize("refusal", ["silence", "throttling"])
def test_no_retry_hangs_on_what_false_means_to_botocore(
    refusal: str,
    silent_endpoint: tuple[str, list[socket.socket]],
    fake: FakeAws,
    aws_config: AwsConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before 1.43.3 a "needs-retry" handler's False was a wait of no seconds before the next attempt, without end."""
    from botocore.hooks import HierarchicalEmitter

    real, attempts = HierarchicalEmitter.emit, 0

    def former(self: Any, event_name: str, **arguments: Any) -> Any:
        nonlocal attempts
        asked = event_name.startswith("needs-retry.")
        attempts += asked
        assert attempts < 20, "it tries again without end"
        found = real(self, event_name, **arguments)
        ours = sessions.__name__
        return [(f, 0 if asked and said is False and f.__module__ == ours else said) for f, said in found]

    monkeypatch.setattr(HierarchicalEmitter, "emit", former)
    monkeypatch.setattr(sessions, "READ_TIMEOUT", 0.05)
    monkeypatch.setattr(sessions, "PATIENCE", 0.0)
    aws_config(config_for(silent_endpoint[0] if refusal == "silence" else fake.url))
    fake.fail("DescribeRepositories", "ThrottlingException", "Rate exceeded")
    session = AwsSession(Role.OWNER, "a", "eu-west-1")
    with pytest.raises(EnvironmentFailure), session.calling("ecr:DescribeRepositories"):
        (session.client("ecr") if refusal == "silence" else session.ecr_once()).describe_repositories()
    assert attempts == 1


@pytest.mark.parametrize("body", [b"<html>captive portal</html>", b"<Trunc", b""])
def test_foreign_answer(body: bytes, session: AwsSession, fake: FakeAws) -> None:
    def portal(_: dict[str, Any]) -> str:
        raise Raw(body, 200, "text/html")

    fake.on("GetCallerIdentity", portal)
    with pytest.raises(EnvironmentFailure, match="not from AWS"):
        session.identity()


def test_caller_of_another_partition(fake: FakeAws, aws_config: AwsConfig) -> None:
    aws_config(f"[profile cn]\nregion = cn-north-1\nendpoint_url = {fake.url}\n{KEYS}")
    fake.on("GetCallerIdentity", caller_xml("333333333333", "arn:aws-cn:iam::333333333333:user/x"))
    assert AwsSession(Role.OWNER, "cn").identity().partition == "aws-cn"


def test_every_error_is_ours(session: AwsSession) -> None:
    with pytest.raises(EcrTuiError), session.calling("ecr:Anything"):
        raise RuntimeError("a surprise of a library")
