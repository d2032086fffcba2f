"""Granting, revoking and undoing for several repositories at once through the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import DropConnection
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A, AwsCall
from tests.support.cli import ecr_tui

pytestmark = pytest.mark.thorough

REGION = "eu-central-1"
TO = ("--to", "user/devusr2", "--access", "pull")


@pytest.fixture(autouse=True)
def space(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_PROFILE_A", "account-a")
    monkeypatch.setenv("ECR_TUI_PROFILE_B", "dev-acc")
    with sandbox.world.lock:
        for number in range(20):
            sandbox.world.records.create(ACCOUNT_A, REGION, f"many/r{number:02d}", {"Team": "Many"})


def policy(sandbox: Sandbox, name: str) -> str | None:
    with sandbox.world.lock:
        record = sandbox.world.records.find(ACCOUNT_A, REGION, name)
        assert record is not None
        return record.policy


def granted(sandbox: Sandbox) -> int:
    return sum("EcrTui" in (policy(sandbox, f"many/r{number:02d}") or "") for number in range(20))


def test_grant_revoke_and_undo_for_all_with_a_tag(sandbox: Sandbox) -> None:
    calls: Counter[str] = Counter()

    def count(call: AwsCall) -> None:
        calls[call.operation] += 1

    sandbox.fault = count  # type: ignore[assignment]
    ran = ecr_tui("grant", "--tag", "Team=Many", *TO, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert [row["repository"] for row in ran.json] == [f"many/r{number:02d}" for number in range(20)]
    assert all(row["changed"] and row["written"] for row in ran.json)
    assert list(ran.json[0])[:8] == ["repository", "arn", "changed", "written", "before", "after", "diff", "findings"]
    assert granted(sandbox) == 20
    assert (calls["SetRepositoryPolicy"], calls["GetRepositoryPolicy"]) == (20, 80)
    again = ecr_tui("grant", "--tag", "Team=Many", *TO, "--yes", "--json")
    assert not any(row["changed"] or row["written"] for row in again.json)

    revoked = ecr_tui("revoke", "many/r00", "many/r01", "--to", "user/devusr2", "--yes")
    assert revoked.code == 0, revoked.err
    assert "Written: 2 of 2" in revoked.out
    assert granted(sandbox) == 18

    refused = ecr_tui("undo")
    assert refused.code == 2
    assert "--yes" in refused.err
    undone = ecr_tui("undo", "--yes", "--json")
    assert undone.code == 0, undone.err
    assert {row["repository"] for row in undone.json} == {"many/r00", "many/r01"}
    assert granted(sandbox) == 20
    one = ecr_tui("undo", "--one")
    assert one.code == 0, one.err
    assert granted(sandbox) == 19
    rest = ecr_tui("undo", "--yes")
    assert "Written: 19 of 19" in rest.out
    assert granted(sandbox) == 0
    assert ecr_tui("undo").code == 2


def test_what_is_alike_is_shown_once(sandbox: Sandbox) -> None:
    ran = ecr_tui("grant", "--tag", "Team=Many", *TO, "--yes")
    assert ran.code == 0, ran.err
    assert "20 repositories: many/r00, many/r01, many/r02, many/r03, many/r04 and 15 more" in ran.out
    assert ran.out.count("+ Allow") == 1
    assert "Written: 20 of 20" in ran.out


def test_one_that_fails_stops_no_other(sandbox: Sandbox) -> None:
    def fault(call: AwsCall) -> ServiceError | None:
        if call.operation == "SetRepositoryPolicy" and call.params.get("repositoryName") == "many/r03":
            return ServiceError("AccessDeniedException", "not that one")
        if call.operation == "GetRepositoryPolicy" and call.params.get("repositoryName") == "many/r05":
            return ServiceError("AccessDeniedException", "nor that one")
        return None

    sandbox.fault = fault
    ran = ecr_tui("grant", "--tag", "Team=Many", *TO, "--yes", "--json")
    assert ran.code == 1
    assert {row["repository"]: row["written"] for row in ran.json} == {
        f"many/r{number:02d}": number != 3 for number in range(20) if number != 5
    }
    assert "many/r03" in ran.err
    assert "not that one" in ran.err
    assert "nor that one" in ran.err
    assert granted(sandbox) == 18


def test_a_single_one_that_fails_is_an_error_as_ever(sandbox: Sandbox) -> None:
    ran = ecr_tui("grant", "many/none", *TO, "--yes")
    assert ran.code == 2
    assert "many/none" in ran.err


GRANT = ("grant", "--tag", "Team=Many", *TO)


def killed(sandbox: Sandbox, sign: signal.Signals, *arguments: str) -> tuple[int, str]:
    """Stop a grant after some of it; its exit code and what it said."""
    reached, hold = threading.Event(), threading.Event()
    writes: list[Any] = []

    def fault(call: AwsCall) -> None:
        if call.operation == "SetRepositoryPolicy":
            writes.append(call)
            if len(writes) >= 6:
                reached.set()
                hold.wait(20)
                if sign == signal.SIGKILL:
                    raise DropConnection  # or it would be written after the test has counted

    sandbox.fault = fault  # type: ignore[assignment]
    command = [sys.executable, "-m", "ecr_tui", *(arguments or GRANT), "--yes", "--parallel", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert reached.wait(60)
        os.kill(process.pid, sign)
        if sign == signal.SIGINT:
            assert process.stderr is not None
            for line in process.stderr:
                if "Stopping" in line:
                    break
        hold.set()
        _, err = process.communicate(timeout=60)
    finally:
        hold.set()
        process.kill()
        process.wait()
        sandbox.fault = None
    return process.returncode, err


def test_after_a_kill_the_rest_is_done_by_resume(sandbox: Sandbox) -> None:
    killed(sandbox, signal.SIGKILL)
    before = granted(sandbox)
    assert 0 < before < 20
    hint = ecr_tui("grant", "many/r00", *TO, "--yes")
    assert "grant --resume" in hint.err
    assert ecr_tui("revoke", "--resume", "--yes").code == 2
    assert ecr_tui("grant", "many/r00", "--resume", "--yes").code == 2
    refused = ecr_tui("grant", "--resume")
    assert refused.code == 2
    ran = ecr_tui("grant", "--resume", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert "left" in ran.err
    assert sum(row["written"] for row in ran.json) == 20 - before
    assert granted(sandbox) == 20
    nothing = ecr_tui("grant", "--resume", "--yes")
    assert nothing.code == 2
    assert ecr_tui("undo", "--yes").code == 0
    assert granted(sandbox) == 0


def test_an_applied_file_is_resumed_after_a_kill(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "grants.toml"
    file.write_text(
        '[scope]\nrepositories = "many/*"\n[[grants]]\nrepositories = "many/*"\nto = "user/devusr2"\naccess = "pull"\n'
        'reason = "OPS-7"\n'
    )
    killed(sandbox, signal.SIGKILL, "apply", str(file))
    before = granted(sandbox)
    assert 0 < before < 20
    assert ecr_tui("apply", str(file), "--check").code == 1
    assert ecr_tui("apply", str(file), "--resume").code == 2
    ran = ecr_tui("apply", "--resume", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert sum(row["written"] for row in ran.json) == 20 - before
    assert granted(sandbox) == 20
    assert {row["reason"] for row in ecr_tui("history", "--json").json} == {"OPS-7"}
    assert ecr_tui("apply", str(file), "--check", "--prune").code == 0
    assert ecr_tui("undo", "--yes").code == 0
    assert granted(sandbox) == 0


def test_an_interrupt_finishes_what_has_begun_and_says_how_to_go_on(sandbox: Sandbox) -> None:
    code, err = killed(sandbox, signal.SIGINT)
    assert code == 130
    assert "grant --resume" in err
    text = (Path(os.environ["ECR_TUI_STATE_DIR"]) / "journal.jsonl").read_text("utf-8")
    journal = [json.loads(line) for line in text.splitlines()]
    begun = {line["id"] for line in journal if line["event"] == "begin"}
    ended = {line["id"]: line["outcome"] for line in journal if line["event"] == "finish"}
    assert begun == set(ended)
    assert list(ended.values()).count("written") == granted(sandbox) >= 5
    ran = ecr_tui("grant", "--resume", "--yes")
    assert ran.code == 0, ran.err
    assert granted(sandbox) == 20


def test_read_only_writes_nothing(sandbox: Sandbox) -> None:
    ran = ecr_tui("grant", "--tag", "Team=Many", *TO, "--yes", "--read-only")
    assert ran.code == 2
    assert "read-only" in ran.err
    assert granted(sandbox) == 0


def test_revoke_needs_to_know_whose_access_ends() -> None:
    ran = ecr_tui("revoke", "many/r00", "--yes")
    assert ran.code == 2
    assert "--to" in ran.err
