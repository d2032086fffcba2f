"""The exit codes, each provoked for the commands that can end with it; stdout is empty or the document as promised."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock
from typing import Any

import boto3
import pytest
from jsonschema import Draft202012Validator

from ecr_tui.aws.model import Repository
from ecr_tui.cli.schemas import schema_of
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from ecr_tui.verification.records import Verifications
from tests.support.cli import Ran, ecr_tui

pytestmark = pytest.mark.thorough

REPOSITORY = "my-first-repo"
TO = ("--to", "user/devusr2")
GRANT = ("grant", REPOSITORY, *TO, "--access", "pull", "--yes")
REVOKE = ("revoke", REPOSITORY, *TO, "--yes")
PLAN = ("plan", REPOSITORY, *TO)
TAG = ("tag", REPOSITORY, "--set", "Stage=test", "--yes")
EXPORT = ("export", REPOSITORY, *TO, "--format", "json")
VERIFY = ("verify", REPOSITORY, "--engine", "direct", "--isolation", "none")


def ended(code: int, *arguments: str) -> Ran:
    """With --json where there is one; what stands on stdout is nothing, or as the schema says."""
    json_flag = () if arguments[0] == "export" else ("--json",)
    ran = ecr_tui(*arguments, *json_flag)
    assert ran.code == code, (arguments, ran.out, ran.err)
    if ran.out:
        Draft202012Validator(schema_of(arguments[0])).validate(json.loads(ran.out))
    if code:
        assert ran.err.strip() or ran.out, "it says why"
    return ran


def leave_a_probe() -> None:
    record = Verifications(Path(os.environ["ECR_TUI_STATE_DIR"]) / "verifications.jsonl")
    arn = f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}"
    record.leave(
        record.probe(Repository(REPOSITORY, arn, "", "eu-central-1", "1" * 12), "ecr-tui-verify-gone", "direct")
    )


def denying(*operations: str) -> Callable[[AwsCall], Exception | None]:
    def deny(call: AwsCall) -> Exception | None:
        if call.operation not in operations:
            return None
        return ServiceError("AccessDeniedException", f"User: x is not authorized to perform: ecr:{call.operation}")

    return deny


@pytest.mark.parametrize(
    ("arguments", "denied"),
    [
        (("list",), "DescribeRepositories"),
        (PLAN, "GetRepositoryPolicy"),
        (EXPORT, "GetRepositoryPolicy"),
        (GRANT, "SetRepositoryPolicy"),
        (REVOKE, "SetRepositoryPolicy DeleteRepositoryPolicy"),
        (TAG, "TagResource"),
        (("undo",), "SetRepositoryPolicy DeleteRepositoryPolicy"),
        (("redo",), "SetRepositoryPolicy DeleteRepositoryPolicy"),
        (("cleanup", "--yes"), "BatchDeleteImage DescribeImages"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_1_what_aws_denies(sandbox: Sandbox, arguments: tuple[str, ...], denied: str) -> None:
    if arguments[0] in ("revoke", "undo", "redo"):
        ended(0, *GRANT)
    if arguments[0] == "redo":
        ended(0, "undo")
    if arguments[0] == "cleanup":
        leave_a_probe()
    sandbox.fault = denying(*denied.split())
    assert "denied" in ended(1, *arguments).err
    sandbox.fault = None
    ended(0, *arguments)


def test_1_what_is_denied_or_not_as_expected_has_a_document(sandbox: Sandbox, tmp_path: Path) -> None:
    assert ended(1, *VERIFY).json["verdict"] == "denied"
    assert ended(1, "audit", "--fail-on", "error").json["summary"]["findings"]["error"]
    request = {
        "action": "ecr:PutImage",
        "principal": "arn:aws:iam::222222222222:user/x",
        "resource": "arn:aws:ecr:r:1:x",
    }
    (tmp_path / "cases.json").write_text(json.dumps([{"request": request, "expected": {"response": "Allowed"}}]))
    assert ended(1, "simulate", str(tmp_path / "cases.json")).json[0]["matches"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--nonsense"),
        ("list", "--filter", "access:sometimes"),
        ("audit", "--principal", "nobody"),
        ("plan", "no-such-repo", *TO),
        ("export", "no-such-repo", *TO),
        ("grant", REPOSITORY, "--to", "user/", "--yes"),
        ("grant", REPOSITORY, *TO),
        ("revoke", REPOSITORY, "--yes"),
        ("tag", REPOSITORY, "--yes"),
        ("tag", REPOSITORY, "--set", "aws:x=y", "--yes"),
        ("undo",),
        ("undo", "20300131T120000-1a2b3c4d"),
        ("redo",),
        ("history", "--limit", "0"),
        ("verify", "no-such-repo"),
        ("verify", REPOSITORY, "--engine", "rkt"),
        ("verify", REPOSITORY, "--report", "report.html"),
        ("explain", " "),
        ("simulate", "/no/such/file.json"),
        ("config", "show", "--config", "/no/such/file.toml"),
        ("--read-only", *GRANT),
    ],
    ids=" ".join,
)
def test_2_bad_input(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    assert ended(2, *arguments).out == ""


NETWORKED = [("list",), ("audit",), GRANT, TAG, ("undo",), VERIFY, ("cleanup", "--yes")]


def test_3_an_endpoint_that_is_dead(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(0, *GRANT)
    leave_a_probe()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\nmax_attempts = 1\n"
    place = f"region = eu-central-1\nendpoint_url = http://127.0.0.1:{port}\n{keys}"
    (tmp_path / "config").write_text(f"[profile account-a]\n{place}[profile dev-acc]\n{place}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for arguments in NETWORKED:
        assert str(port) in ended(3, *arguments).err + ("" if arguments[0] != "cleanup" else str(port))
    assert len(ended(0, "history").json) == 1


def test_3_files_that_cannot_be_used(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").write_text("not a folder")
    monkeypatch.setenv("ECR_TUI_STATE_DIR", str(tmp_path / "state"))
    for arguments in (GRANT, ("undo",), ("history",)):
        assert "journal" in ended(3, *arguments).err


def test_4_a_policy_or_tag_that_changes_meanwhile(sandbox: Sandbox) -> None:
    """Whenever it is read it has just become another."""
    owner = boto3.Session(profile_name="account-a").client("ecr")
    arn = f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}"
    turn, lock, busy = iter(range(1000)), Lock(), False

    def change(call: AwsCall) -> None:
        nonlocal busy
        if busy or call.operation not in ("GetRepositoryPolicy", "ListTagsForResource"):
            return
        with lock:
            busy = True
            number = next(turn)
            who = {"AWS": f"arn:aws:iam::222222222222:{'root' if number % 2 else 'user/devusr2'}"}
            statement = {"Sid": f"Their{number}", "Effect": "Allow", "Principal": who, "Action": "ecr:ListImages"}
            policy = {"Version": "2012-10-17", "Statement": [statement]}
            owner.set_repository_policy(repositoryName=REPOSITORY, policyText=json.dumps(policy))
            owner.tag_resource(resourceArn=arn, tags=[{"Key": "Turn", "Value": str(number)}])
            busy = False

    ended(0, *GRANT)
    sandbox.fault = change  # type: ignore[assignment]
    for arguments in (GRANT, TAG, ("undo",)):
        assert ended(4, *arguments).err
    sandbox.fault = None
    assert [one["kind"] for one in ended(0, "history").json if one["outcome"] == "written"] == ["grant"]


@pytest.mark.parametrize("arguments", [("list",), ("audit",), GRANT], ids=lambda one: one[0])
def test_130_ctrl_c(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    reached, release = Event(), Event()

    def stall(call: AwsCall) -> Any:
        if call.operation in ("DescribeRepositories", "GetResources"):
            reached.set()
            release.wait(60)

    sandbox.fault = stall
    command = [sys.executable, "-m", "ecr_tui", *arguments, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert reached.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        release.set()
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.strip().splitlines()[-1] == "Interrupted."
