"""What goes wrong before anything happens: one clear message, the designed exit code, no traceback, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import Ran, ecr_tui

pytestmark = pytest.mark.thorough

REPOSITORY = "my-first-repo"
CONSUMER = "arn:aws:iam::222222222222:user/devusr2"


def _refused(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, (ran.out, ran.err)
    assert ran.out == ""
    first = ran.err.splitlines()[0]
    for word in words:
        assert word.lower() in ran.err.lower(), ran.err
    assert first.startswith(("Error: ", "Usage: ")), ran.err


def test_an_unknown_profile(sandbox: Sandbox) -> None:
    _refused(ecr_tui("list", "--profile-a", "acount-a"), 2, "acount-a", "account-a")


def test_an_unknown_repository(sandbox: Sandbox) -> None:
    _refused(ecr_tui("verify", "my-frist-repo", "--json"), 2, "my-frist-repo")
    _refused(ecr_tui("plan", "my-frist-repo", "--to", CONSUMER, "--json"), 2, "my-frist-repo")


@pytest.mark.parametrize("principal", ["bob", "1234", "arn:aws:iam::222222222222:user/*", "user/", "arn:aws:s3:::x"])
def test_a_malformed_principal(sandbox: Sandbox, principal: str) -> None:
    _refused(ecr_tui("grant", REPOSITORY, "--to", principal, "--yes", "--json"), 2)


def test_a_principal_that_does_not_exist(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = ecr_tui("grant", REPOSITORY, "--to", "user/nobody", "--yes")
    assert ran.code == 2
    assert "nobody" in ran.err


def test_no_docker_engine(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    _refused(ecr_tui("verify", REPOSITORY, "--engine", "docker", "--json"), 3, "docker")


def test_garbage_in_the_aws_config(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile account-a\nthis is no config\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    ran = ecr_tui("list", "--json")
    assert ran.code in (2, 3)
    assert str(config) in ran.err


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    _refused(ecr_tui("list"), 3, "credentials")


def test_a_region_is_needed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile account-a]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    _refused(ecr_tui("list"), 2, "region", "--region")


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", REPOSITORY, "--to", CONSUMER, "--if-tag", "Team"),
        ("plan",),
        ("plan", REPOSITORY, "--tag", "Team=Payments", "--to", CONSUMER),
        ("list", "--tag", "Team"),
        ("plan", REPOSITORY, "--access", "everything"),
        ("frobnicate",),
        ("grant", REPOSITORY, "--to", CONSUMER),
        ("grant", REPOSITORY, "--to", CONSUMER, "--json"),
        ("plan", REPOSITORY, "--from", "/nonexistent/policy.json"),
    ],
)
def test_impossible_flags(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    assert ecr_tui(*arguments).code == 2


def test_a_policy_file_that_is_no_json(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"Version": "2012-10-17",\n "Statement": [}')
    _refused(ecr_tui("plan", REPOSITORY, "--from", str(file)), 2, "line 2")


def test_read_only_refuses_every_write(sandbox: Sandbox) -> None:
    assert ecr_tui("grant", REPOSITORY, "--to", CONSUMER, "--yes").code == 0
    for arguments in (
        ("grant", REPOSITORY, "--to", CONSUMER, "--access", "pull", "--if-tag", "Team=Payments", "--yes"),
        ("revoke", REPOSITORY, "--to", CONSUMER, "--yes"),
        ("undo",),
        ("redo",),
        ("tag", REPOSITORY, "--set", "Team=Web", "--yes"),
        ("verify", REPOSITORY),
    ):
        ran = ecr_tui("--read-only", *arguments)
        assert ran.code == 2, arguments
        assert "read-only" in ran.err


def test_the_interface_needs_a_terminal(sandbox: Sandbox) -> None:
    _refused(ecr_tui(), 2, "terminal")
    _refused(ecr_tui("demo"), 2, "terminal")
