"""The session log over a whole story on the sandbox: complete, true as commands, and without a secret."""

from __future__ import annotations

import configparser
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws import calls
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification import accounts
from tests.support.cli import ecr_tui
from tests.support.proving import REPOSITORY, grant, prove, workspace

AWS = str(Path(sys.executable).with_name("aws"))


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of other tests, whose threads may still be at work in this process, keep their own."""
    monkeypatch.setattr(calls, "LOG", calls.CallLog())


def secrets_of_profiles() -> set[str]:
    found = set()
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        parser = configparser.ConfigParser()
        parser.read(os.environ.get(variable, ""))
        for section in parser.values():
            found |= {section[name] for name in ("aws_secret_access_key", "aws_session_token") if name in section}
    assert found
    return found


def test_no_token_and_no_key_of_a_whole_session_is_in_the_log(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords: set[str] = set()
    real = accounts.registry_token

    def remembered(*arguments: Any, **more: Any) -> Any:
        token = real(*arguments, **more)
        passwords.add(token.password.reveal())
        return token

    monkeypatch.setattr(accounts, "registry_token", remembered)
    space = workspace()
    grant(space)
    assert prove(space, isolation="auto").passed
    logged = calls.LOG.calls()
    asked = {f"{call.service}:{call.operation}" for call in logged}
    assert asked >= {
        "sts:GetCallerIdentity",
        "ecr:DescribeRepositories",
        "ecr:GetRepositoryPolicy",
        "ecr:SetRepositoryPolicy",
        "ecr:GetAuthorizationToken",
        "registry:PUT blob upload",
        "registry:PUT manifest",
        "registry:GET manifest",
        "ecr:BatchDeleteImage",
    }
    assert {call.side for call in logged} == {"account A", "account B"}
    everything = "\n".join(f"{call!r}\n{call.line()}" for call in logged)
    assert passwords
    for secret in passwords | secrets_of_profiles():
        assert secret not in everything
        # A part of it is as bad as all of it.
        assert secret[5:35] not in everything


def test_the_command_line_writes_it_to_a_file_of_the_users_own_and_its_commands_work(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "calls.log"
    done = ecr_tui("--log-calls", str(file), "--profile-a", "account-a", "list")
    assert done.code == 0, done.err
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text().splitlines()
    commands = [line.strip() for line in lines[1::2]]
    listing = next(command for command in commands if command.startswith("aws ecr describe-repositories"))
    answered = subprocess.run(
        [AWS, *shlex.split(listing)[1:]], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert answered.returncode == 0, answered.stderr
    assert REPOSITORY in answered.stdout
    assert any("  ok  " in line and " A  ecr:DescribeRepositories" in line for line in lines)
    # A failure is logged, too, and one that cannot be written is said before anything is done.
    failed = ecr_tui("--log-calls", "-", "--profile-a", "account-a", "plan", "no-such-repo", "--to", "222222222222")
    assert failed.code == 2
    assert "RepositoryNotFoundException" in failed.err
    assert ecr_tui("--log-calls", str(tmp_path / "no" / "such"), "list").code == 2
