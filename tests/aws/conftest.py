from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.sessions import AwsSession
from tests.aws.fake_aws import FakeAws, caller_xml, repository_item

AwsConfig = Callable[[str], Path]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts that do not exist are among the tests; a proxy would answer for them."""
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    server = FakeAws()
    server.on("GetCallerIdentity", caller_xml())
    yield server
    server.close()


@pytest.fixture
def aws_config(isolated_environment: Path) -> AwsConfig:
    """Writes the AWS config file that the environment names."""

    def write(text: str) -> Path:
        path = isolated_environment / "aws-config"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def session(fake: FakeAws, aws_config: AwsConfig) -> AwsSession:
    """Account A's session on the fake."""
    aws_config(
        f"[profile a]\nregion = eu-central-1\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n"
        f"endpoint_url = {fake.url}\n"
    )
    return AwsSession(Role.OWNER, "a")


@pytest.fixture
def repository() -> Repository:
    item = repository_item("team/app")
    return Repository(
        item["repositoryName"], item["repositoryArn"], item["repositoryUri"], "eu-central-1", item["registryId"]
    )
