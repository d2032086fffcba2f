"""From start to stop: ports, files, secrets, silence; and faults on request."""

from __future__ import annotations

import configparser
import http.client
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import DropConnection
from ecr_tui.sandbox.registry_app import Request, Response
from ecr_tui.sandbox.sandbox import Sandbox, SandboxError
from ecr_tui.sandbox.world import AwsCall


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A sandbox that a test may stop; none other runs in this module."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


def session(sandbox: Sandbox, profile: str = "account-a") -> boto3.Session:
    """As ``AWS_CONFIG_FILE`` would lead to it."""
    env = sandbox.env()
    core = botocore.session.Session()
    core.set_config_variable("config_file", env["AWS_CONFIG_FILE"])
    core.set_config_variable("credentials_file", env["AWS_SHARED_CREDENTIALS_FILE"])
    return boto3.Session(profile_name=profile, botocore_session=core)


def ecr(sandbox: Sandbox, attempts: int = 1) -> Any:
    retries: Any = {"total_max_attempts": attempts, "mode": "standard"}
    return session(sandbox).client("ecr", config=Config(retries=retries, connect_timeout=2, read_timeout=5))


def ports(sandbox: Sandbox) -> list[int]:
    urls = [sandbox.endpoint.removeprefix("http://"), sandbox.registry_host("111111111111")]
    return [int(url.rsplit(":", 1)[1]) for url in (*urls, sandbox.registry_host("222222222222"))]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_everything_answers_at_once_and_is_gone_after(own: Sandbox) -> None:
    with own as sandbox:
        opened = ports(sandbox)
        folder = sandbox.directory
        assert folder is not None
        assert len(set(opened)) == 3
        assert all(map(is_open, opened))
        client = ecr(sandbox)
        assert client.describe_repositories()["repositories"]
    assert not any(map(is_open, opened))
    assert not folder.exists()
    with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
        client.describe_repositories()
    with pytest.raises(SandboxError):
        sandbox.env()


def test_one_after_the_other_share_nothing(own: Sandbox) -> None:
    seen: set[str] = set()
    for _ in range(3):
        with Sandbox() as sandbox:
            client = ecr(sandbox)
            names = {one["repositoryName"] for one in client.describe_repositories()["repositories"]}
            assert "made/before" not in names
            client.create_repository(repositoryName="made/before")
            seen |= {*sandbox.keys("account-a"), *sandbox.keys("dev-acc"), str(sandbox.directory)}
    assert len(seen) == 15


def test_the_same_one_can_start_again(own: Sandbox) -> None:
    own.start()
    before = len(ecr(own).describe_repositories()["repositories"])
    own.stop()
    own.stop()
    own.start(repositories=5)
    assert len(ecr(own).describe_repositories()["repositories"]) == before + 5


def test_only_one_at_a_time(own: Sandbox) -> None:
    own.start()
    with pytest.raises(SandboxError):
        Sandbox().start()
    assert ecr(own).describe_repositories()["repositories"]


def test_a_failed_start_leaves_nothing_behind(own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError("disk full")

    before = threading.active_count()
    with monkeypatch.context() as broken:
        broken.setattr("ecr_tui.sandbox.profiles.write_config", fail)
        with pytest.raises(OSError, match="disk full"):
            own.start()
    assert threading.active_count() <= before
    own.start()


def test_only_loopback_listens(own: Sandbox) -> None:
    own.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    for port in ports(own):
        with socket.socket() as other:
            other.settimeout(2)
            assert other.connect_ex((address, port)) != 0


def test_the_files_are_private(own: Sandbox) -> None:
    own.start()
    folder = own.directory
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "config": 0o600,
        "credentials": 0o600,
    }


def test_the_profiles(own: Sandbox) -> None:
    own.start()
    env = own.env()
    assert env["ECR_TUI_PROFILE_A"] == "account-a"
    assert env["ECR_TUI_PROFILE_B"] == "dev-acc"
    assert env["AWS_EC2_METADATA_DISABLED"] == "true"
    config = configparser.ConfigParser()
    config.read(env["AWS_CONFIG_FILE"])
    assert config.sections() == [
        f"profile {name}" for name in ("account-a", "dev-acc", "no-access", "partner-c", "dev-role", "dev-mfa")
    ]
    for section in config.sections():
        assert config[section]["region"] == "eu-central-1"
        assert config[section]["endpoint_url"] == own.endpoint
    assert config["profile dev-role"]["source_profile"] == "dev-acc"
    assert config["profile dev-mfa"]["mfa_serial"] == "arn:aws:iam::222222222222:mfa/devusr2"


def test_a_proxy_is_gone_past(own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.org")
    own.start()
    assert own.env()["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, own.env()[name])
    assert ecr(own).describe_repositories()["repositories"]


def test_a_users_own_moto_setting_changes_nothing(own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "999999999999")
    own.start()
    assert session(own, "dev-acc").client("iam").get_user()["User"]["UserName"] == "devusr2"


def test_reset_brings_the_start_back_on_the_same_ports_and_keys(own: Sandbox) -> None:
    own.start()
    client = ecr(own)
    before = (ports(own), own.keys("account-a"), client.describe_repositories()["repositories"])
    client.delete_repository(repositoryName="my-first-repo", force=True)
    own.world.directory.backend("222222222222").delete_user_policy("devusr2", "OwnIdentity")
    own.reset()
    names = [one["repositoryName"] for one in client.describe_repositories()["repositories"]]
    assert (ports(own), own.keys("account-a")) == before[:2]
    assert names == [one["repositoryName"] for one in before[2]]
    assert session(own, "dev-acc").client("iam").get_user()["User"]["UserName"] == "devusr2"


def test_idle_connections_do_not_hold_the_stop_up(own: Sandbox) -> None:
    own.start()
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=5) for port in ports(own)]
    for connection in connections:
        connection.request("GET", "/")
        connection.getresponse().read()
    own.stop()
    for connection in connections:
        assert connection.sock is None or connection.sock.recv(1) == b""


def test_many_callers_at_once(own: Sandbox) -> None:
    own.start()
    before = len(ecr(own).describe_repositories()["repositories"])
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            client = ecr(own)
            for turn in range(10):
                name = f"parallel/n{number}-{turn}"
                client.create_repository(repositoryName=name, tags=[{"Key": "Team", "Value": "x"}])
                assert client.describe_repositories(maxResults=1000)["repositories"]
                client.delete_repository(repositoryName=name)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert own.failures == []
    assert len(ecr(own).describe_repositories()["repositories"]) == before


# --- faults


def test_throttling_on_request(own: Sandbox) -> None:
    own.start()
    seen: list[AwsCall] = []

    def throttle(call: AwsCall) -> ServiceError | None:
        seen.append(call)
        return ServiceError("ThrottlingException", "Rate exceeded") if len(seen) < 3 else None

    own.fault = throttle
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        ecr(own).describe_repositories()
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    assert ecr(own, attempts=3).describe_repositories()["repositories"]
    assert [call.operation for call in seen] == ["DescribeRepositories"] * 3
    assert seen[0].principal.arn == "arn:aws:iam::111111111111:user/ecr-admin"


def test_a_reset_connection_on_request(own: Sandbox) -> None:
    own.start()

    def drop(call: AwsCall) -> ServiceError | None:
        raise DropConnection

    own.fault = drop
    with pytest.raises(ConnectionClosedError):
        ecr(own).describe_repositories()
    own.fault = None
    assert ecr(own).describe_repositories()["repositories"]
    assert own.failures == []


def test_a_server_error_on_request(own: Sandbox) -> None:
    own.start()
    own.fault = lambda call: ServiceError("ServerException", "try later", 500)
    with pytest.raises(ClientError) as caught:
        ecr(own).describe_repositories()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_registry_faults_on_request(own: Sandbox) -> None:
    own.start()

    def fault(account: str, request: Request) -> Response | None:
        return Response(429, {}, b"toomanyrequests") if account == own.account_a else None

    own.registry_fault = fault
    for account, status in ((own.account_a, 429), (own.account_b, 401)):
        connection = http.client.HTTPConnection(own.registry_host(account), timeout=5)
        connection.request("GET", "/v2/")
        assert connection.getresponse().status == status
        connection.close()


def test_a_bug_of_the_sandbox_is_a_500_and_kept_for_us(own: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    own.start()

    def broken(call: AwsCall) -> ServiceError | None:
        raise RuntimeError("oops")

    own.fault = broken
    with pytest.raises(ClientError) as caught:
        ecr(own).describe_repositories()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "oops" in own.failures[0]
    assert capfd.readouterr() == ("", "")


# --- as a program of its own

PROGRAM = "import sys; from ecr_tui.sandbox.serve import serve; serve(int(sys.argv[1]), sys.stdout)"


class Served:
    def __init__(self, folder: Path, repositories: int = 0) -> None:
        broken = folder / "broken"
        broken.write_text("[profile x\nnothing that can be read")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(repositories)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"AWS_CONFIG_FILE": str(broken), "AWS_PROFILE": "nobody"},
        )
        self.lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if "docker login" in line:
                break
        exports = [line.removeprefix("export ") for line in self.lines if line.startswith("export ")]
        self.env = dict(shlex.split(line)[0].split("=", 1) for line in exports)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    program = Served(tmp_path)
    yield program
    program.process.terminate()  # so that it takes its folder with it
    program.process.communicate(timeout=20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serving_until_a_signal(served: Served, number: int) -> None:
    assert all(line.startswith(("export ", "# ")) for line in served.lines)
    folder = Path(served.env["AWS_CONFIG_FILE"]).parent
    assert folder.exists()
    assert served.end(number) == (0, "")
    assert not folder.exists()


def test_the_lines_are_for_a_shell(served: Served) -> None:
    script = "".join(served.lines) + 'printf %s "$AWS_CONFIG_FILE"'
    done = subprocess.run(["/bin/sh", "-euc", script], capture_output=True, text=True, check=True)
    assert done.stdout == served.env["AWS_CONFIG_FILE"]
