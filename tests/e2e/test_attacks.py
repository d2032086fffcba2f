"""AWS answers that mean harm, through a proxy before the sandbox: no token leaves, no traceback, one clear error."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest

from ecr_tui.aws import exchange, sessions
from ecr_tui.errors import EcrTuiError, EnvironmentFailure, Throttled
from ecr_tui.listing import policy_reader
from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.aws_proxy import Answer, AwsProxy, aws_proxy
from tests.support.cli import ecr_tui
from tests.support.faults import RawServer, Script, response, tcp_server
from tests.support.proving import REPOSITORY, grant, prove, workspace
from tests.support.terminal import Terminal

TO = ("--to", "user/devusr2")


@pytest.fixture
def proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    with aws_proxy(sandbox.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


class Stranger:
    """Whom only account A's answer names."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    def __call__(self, _: RawServer) -> Script:
        def script(connection: socket.socket, head: bytes) -> None:
            self.heads.append(head)
            connection.sendall(response("200 OK", b"{}"))

        return script


@pytest.mark.parametrize("engine", ["direct", pytest.param("docker", marks=pytest.mark.docker)])
def test_the_token_goes_to_no_host_that_only_account_a_names(sandbox: Sandbox, proxy: AwsProxy, engine: str) -> None:
    space = workspace()
    grant(space)
    true_host = space.listing.repository(REPOSITORY).host
    stranger = Stranger()
    with tcp_server(stranger, "127.0.0.2") as (_, evil):
        proxy.rewrites["DescribeRepositories"] = lambda found, _: (
            found[0],
            found[1].replace(true_host.encode(), evil.encode()),
        )
        repository = space.listing.repository(REPOSITORY)
        assert repository.host == evil
        proxy.calls.clear()
        with pytest.raises(EnvironmentFailure, match="is not the ECR registry of account 111111111111"):
            prove(space, repository, engine=engine, cancel=Event())
    assert stranger.heads == []
    assert "GetAuthorizationToken" not in proxy.calls


# Answers without end


class Dripping:
    """An answer comes a few bytes at a time, with or without its head; ``left``: the client has given up."""

    def __init__(self, head: bool) -> None:
        self._head = head
        self.left = Event()

    def __call__(self, _: Answer, request: BaseHTTPRequestHandler) -> None:
        text = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 100000\r\n\r\n"
        try:
            if not self._head:
                request.wfile.write(text)
                text = b""
            text += b" " * 100_000
            for start in range(0, len(text), 10):
                request.wfile.write(text[start : start + 10])
                if self.left.wait(0.2):
                    return
        except OSError:
            self.left.set()


@pytest.mark.parametrize("head", [True, False], ids=["from the first byte", "its body"])
@pytest.mark.parametrize("operation", ["GetCallerIdentity", "GetRepositoryPolicy", "SetRepositoryPolicy"])
def test_an_answer_that_drips_is_given_up(
    proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch, operation: str, head: bool
) -> None:
    monkeypatch.setattr(exchange, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(sessions, "PATIENCE", 0.5)
    space = workspace()
    drip = proxy.rewrites[operation] = Dripping(head)
    if operation == "SetRepositoryPolicy":
        # The answer is lost, and what it was about is read back.
        grant(space)
    else:
        with pytest.raises(EcrTuiError) as caught:
            grant(space)
        assert "incomplete after 1 s" in caught.value.detail
    assert drip.left.wait(30), "no connection is left open"


def test_an_answer_of_a_gigabyte_is_not_read(proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_ANSWER", 1 << 20)
    sent = 0

    def flood(_: Answer, request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _number in range(1 << 14):
            request.wfile.write(b" " * (1 << 16))
            sent += 1 << 16

    space = workspace()
    proxy.rewrites["DescribeRepositories"] = flood
    with pytest.raises(EnvironmentFailure, match="too long for AWS"):
        space.listing.repository(REPOSITORY)
    assert sent < 1 << 26


# What a refusal quotes


def test_the_signed_request_that_aws_quotes_is_cut_off(proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[str] = []

    def quoting(_: Answer, request: BaseHTTPRequestHandler) -> Answer:
        token = str(request.headers["X-Amz-Security-Token"])
        tokens.append(token)
        text = (
            "The request signature we calculated does not match the signature you provided.\n\n"
            f"The Canonical String for this request should have been\n'POST\n/\nx-amz-security-token:{token}\n'"
        )
        return 403, json.dumps({"__type": "InvalidSignatureException", "message": text}).encode()

    def echoing(_: Answer, request: BaseHTTPRequestHandler) -> Answer:
        text = f"User: {quote(str(request.headers['X-Amz-Security-Token']), safe='')} is not authorized"
        return 400, json.dumps({"__type": "AccessDeniedException", "message": text}).encode()

    for refusal in (quoting, echoing):
        proxy.rewrites["GetAuthorizationToken"] = refusal
        space = workspace(profile_b="dev-role")
        grant(space)
        report = prove(space)
        shown = json.dumps(report.to_json()) + report.to_markdown()
        assert "GetAuthorizationToken" in shown
        assert "Canonical" not in shown
        recorded = space.verification.record.path.read_text()
        for token in tokens:
            assert token not in shown
            assert token not in recorded
            assert quote(token, safe="")[:60] not in shown + recorded


# Answers of a wrong type

WRONG = {
    "GetRepositoryPolicy": [{"policyText": 5}, {"policyText": {}}, {"policyText": ["x"]}, [], 5, "text", None],
    "DescribeRepositories": [
        {"repositories": "many"},
        {"repositories": [5]},
        {"repositories": [{"repositoryName": 5, "repositoryArn": "a", "repositoryUri": "u", "registryId": "1"}]},
        {"repositories": [{"repositoryName": "a", "repositoryArn": "a", "repositoryUri": [], "registryId": "1"}]},
        {"repositories": {}},
        [],
    ],
    "ListTagsForResource": [{"tags": "many"}, {"tags": [{"Key": 5, "Value": {}}]}, {"tags": [5]}, {"tags": [{}]}, []],
}


@pytest.mark.parametrize("operation", WRONG)
@pytest.mark.parametrize("command", ["grant", "tag", "revoke"])
def test_an_answer_of_a_wrong_type_is_one_clear_error(proxy: AwsProxy, operation: str, command: str) -> None:
    arguments = {
        "grant": ("grant", REPOSITORY, *TO, "--access", "pull", "--yes"),
        "revoke": ("revoke", REPOSITORY, *TO, "--yes"),
        "tag": ("tag", REPOSITORY, "--set", "Stage=x", "--yes"),
    }[command]
    for answer in WRONG[operation]:
        proxy.body(operation, json.dumps(answer).encode())
        ran = ecr_tui(*arguments)
        assert ran.code == 3 or (ran.code == 0 and operation == "GetRepositoryPolicy" and command == "tag"), (
            answer,
            ran,
        )
        if ran.code:
            assert ran.err.startswith("Error: account A: "), (answer, ran.err)
            assert "Error: unexpected" not in ran.err, (answer, ran.err)


def test_an_index_of_a_wrong_type_is_told(proxy: AwsProxy) -> None:
    for answer in ({"ResourceTagMappingList": "x"}, {"ResourceTagMappingList": [{"ResourceARN": 5, "Tags": "x"}]}):
        proxy.body("GetResources", json.dumps(answer).encode())
        ran = ecr_tui("list")
        assert "is truncated or not from AWS" in ran.err, ran


# Throttled for ever


def test_a_listing_that_is_refused_for_its_pace_for_ever_ends_with_the_reason(
    proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "REFUSED_PATIENCE", 0.5)
    monkeypatch.setattr(policy_reader, "WITHOUT_ANSWER", 0.3)
    refusal = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
    proxy.body("GetRepositoryPolicy", refusal, 400)
    space = workspace()
    rows = space.listing.repositories(None, on_page=lambda _: None)
    answers = space.listing.policies.read_all(rows)
    assert {type(one.error) for one in answers} == {Throttled}


def test_a_policy_that_cannot_be_read_is_told_beside_the_list(proxy: AwsProxy) -> None:
    refusal = json.dumps({"__type": "AccessDeniedException", "message": "not authorized to perform: x:y"}).encode()
    proxy.body("GetRepositoryPolicy", refusal, 400)
    ran = ecr_tui("list")
    assert ran.code == 0
    assert REPOSITORY in ran.out
    assert "policies not readable: account A: " in ran.err
    assert "not authorized to perform: x:y" in ran.err


# The interface


def test_the_interface_that_fails_ends_with_an_exit_code(
    sandbox: Sandbox, isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (
        "import sys\n"
        "from ecr_tui.ui.screens.main import MainScreen\n"
        "from ecr_tui.secret import Secret\n"
        "Secret('a-very-secret-token')\n"
        "def fail(self): raise RuntimeError('broken by a-very-secret-token')\n"
        "MainScreen.on_mount = fail\n"
        "sys.argv = ['ecr-tui']\n"
        "from ecr_tui.cli import main\n"
        "main()\n"
    )
    terminal = Terminal([sys.executable, "-c", broken], dict(os.environ), isolated_environment)
    try:
        assert terminal.wait(60) == 3
    finally:
        terminal.close()
    assert b"RuntimeError" in terminal.raw
    assert b"a-very-secret-token" not in terminal.raw


def test_what_nobody_expected_is_one_line_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys\n"
        "from ecr_tui.cli import offline, main\n"
        "from ecr_tui.cli import schemas\n"
        "def fail(*given): raise RuntimeError('broken by a-very-secret-token')\n"
        "offline.schemas.title_of = fail\n"
        "sys.argv = ['ecr-tui', 'schema']\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.startswith("Error: unexpected RuntimeError in fail (")
    assert "secret" not in ran.stderr
    assert "Traceback" not in ran.stderr
