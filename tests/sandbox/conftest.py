"""boto3 over real HTTP, as any AWS client would come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ecr_tui.sandbox.sandbox import Sandbox

Aws = Callable[..., Any]


@pytest.fixture(scope="module")
def known_clients() -> dict[tuple[str, str], Any]:
    """Clients of a module's sandbox whose keys outlive a reset; making one takes longer than most tests."""
    return {}


@pytest.fixture
def aws(sandbox: Sandbox, known_clients: dict[tuple[str, str], Any]) -> Aws:
    """``aws("dev-acc", "ecr")``: a client of that profile, without retries."""

    def client(profile: str, service: str) -> Any:
        lasting = profile in ("account-a", "dev-acc", "no-access", "partner-c")
        if lasting and (profile, service) in known_clients:
            return known_clients[profile, service]
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
        made = boto3.Session(profile_name=profile).client(service, config=config)
        if lasting:
            known_clients[profile, service] = made
        return made

    return client


@pytest.fixture
def owner(aws: Aws) -> Any:
    """ECR as account A's administrator."""
    return aws("account-a", "ecr")


@pytest.fixture
def consumer(aws: Aws) -> Any:
    """ECR as devusr2 of account B."""
    return aws("dev-acc", "ecr")
