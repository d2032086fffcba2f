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
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the machine's AWS settings."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    server = FakeAws()
    server.on("GetCallerIdentity", caller_xml())
    yield server
    server.close()


@pytest.fixture
def aws_config(tmp_path: Path) -> AwsConfig:
    """Writes the AWS config file that the environment names."""

    def write(text: str) -> Path:
        path = tmp_path / "aws-config"
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
