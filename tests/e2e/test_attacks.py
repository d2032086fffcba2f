"""AWS answers that mean harm, through a proxy before the sandbox: no token leaves, no traceback, one clear error."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Event

import pytest

from ecr_tui.errors import EnvironmentFailure
from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.aws_proxy import AwsProxy, aws_proxy
from tests.support.faults import RawServer, Script, response, tcp_server
from tests.support.proving import REPOSITORY, grant, prove, workspace


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
    true_host = space.repository(REPOSITORY).host
    stranger = Stranger()
    with tcp_server(stranger, "127.0.0.2") as (_, evil):
        proxy.rewrites["DescribeRepositories"] = lambda found, _: (
            found[0],
            found[1].replace(true_host.encode(), evil.encode()),
        )
        repository = space.repository(REPOSITORY)
        assert repository.host == evil
        proxy.calls.clear()
        with pytest.raises(EnvironmentFailure, match="is not the ECR registry of account 111111111111"):
            prove(space, repository, engine=engine, cancel=Event())
    assert stranger.heads == []
    assert "GetAuthorizationToken" not in proxy.calls
