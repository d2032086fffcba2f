"""A run over many repositories in a real terminal that is killed in the middle, and gone on with at the next start."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecr_tui.changes.journal import Journal
from ecr_tui.sandbox.aws_http import DropConnection
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A, AwsCall
from tests.support.terminal import Terminal

pytestmark = pytest.mark.thorough

REGION, COUNT = "eu-central-1", 20


@pytest.fixture
def start(sandbox: Sandbox, tmp_path: Path) -> Iterator[object]:
    with sandbox.world.lock:
        for number in range(COUNT):
            sandbox.world.records.create(ACCOUNT_A, REGION, f"many/r{number:02d}", {"Team": "Many"})
    opened: list[Terminal] = []

    def run() -> Terminal:
        arguments = ["--profile-a", "account-a", "--profile-b", "dev-acc", "--tag", "Team=Many"]
        command = [sys.executable, "-m", "ecr_tui", *arguments]
        opened.append(Terminal(command, os.environ, tmp_path))
        return opened[-1]

    yield run
    for terminal in opened:
        terminal.close()


def granted(sandbox: Sandbox) -> int:
    with sandbox.world.lock:
        records = [sandbox.world.records.find(ACCOUNT_A, REGION, f"many/r{number:02d}") for number in range(COUNT)]
    return sum(record is not None and "EcrTui" in (record.policy or "") for record in records)


def test_a_killed_run_is_resumed_by_keys_and_taken_back_as_a_whole(sandbox: Sandbox, start) -> None:
    reached, hold = threading.Event(), threading.Event()
    writes: list[str] = []

    def fault(call: AwsCall) -> None:
        if call.operation == "SetRepositoryPolicy":
            writes.append(str(call.params["repositoryName"]))
            if len(writes) >= 6:
                reached.set()
                hold.wait(30)
                raise DropConnection  # or it would be written after the test has counted

    terminal = start()
    terminal.see("many/r00", f"{COUNT} repositories")
    sandbox.fault = fault  # type: ignore[assignment]
    terminal.send("*")
    terminal.see(f"● {COUNT} marked")
    terminal.send("g")
    terminal.see(f"Grant on {COUNT} repositories?", f"{COUNT} to change")
    terminal.heeded()
    terminal.send("\t\r")
    assert reached.wait(60), terminal.text
    os.kill(terminal.process.pid, signal.SIGKILL)
    terminal.process.wait()
    hold.set()
    before = granted(sandbox)
    assert 0 < before < COUNT
    sandbox.fault = None

    terminal = start()
    terminal.see("Unfinished bulk run", "was interrupted", f"of {COUNT} written")
    terminal.heeded()
    terminal.send("\t\t\r")
    terminal.see("Grant on", "to change")
    terminal.heeded()
    terminal.send("\t\r")
    terminal.see("✓ Written:")
    assert granted(sandbox) == COUNT
    runs = Journal(Path(os.environ["ECR_TUI_STATE_DIR"]) / "journal.jsonl").read().runs
    assert [run.ended for run in runs] == ["done"]

    terminal.send("R")
    terminal.read_until(lambda screen: "Written:" not in screen, "closed screen")
    terminal.send("u")
    terminal.see(f"Undo on {COUNT} repositories?", f"{COUNT} to change")
    terminal.heeded()
    terminal.send("\t\r")
    terminal.see(f"✓ Written: {COUNT} of {COUNT}")
    assert granted(sandbox) == 0
    terminal.send("Rq")
    assert terminal.wait(within=30) == 0
