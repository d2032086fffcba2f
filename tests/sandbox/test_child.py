"""The sandbox as a process beside the interface: it lives as long as whoever started it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def command(repositories: int = 0) -> list[str]:
    return [sys.executable, "-m", "ecr_tui.sandbox.child", str(repositories)]


@pytest.fixture
def child(temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    broken = temporary.with_name("broken")
    broken.write_text("[profile x\nnothing that can be read")
    environment = {**os.environ, "TMPDIR": str(temporary), "AWS_CONFIG_FILE": str(broken)}
    process = subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def told(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_it_says_where_it_is_and_ends_with_its_stdin(child: subprocess.Popen[bytes], temporary: Path) -> None:
    env = told(child)["env"]
    assert Path(env["AWS_CONFIG_FILE"]).is_file()
    assert temporary in Path(env["AWS_CONFIG_FILE"]).parents
    child.send_signal(signal.SIGINT)  # Ctrl-C reaches every program of a terminal
    asked = subprocess.run(
        [sys.executable, "-m", "ecr_tui", "list", "--profile-a", "account-a", "--json"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "my-first-repo" in asked.stdout, asked.stderr
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(PATIENCE) == 0
    assert list(temporary.iterdir()) == []


def test_it_can_be_ended_while_it_is_seeding(temporary: Path) -> None:
    process = subprocess.Popen(
        command(150_000), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(temporary)}
    )
    out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, b"")
    assert list(temporary.iterdir()) == []


def test_it_ends_when_whoever_started_it_is_killed(temporary: Path) -> None:
    starter = (
        "import subprocess, sys, time\n"
        f"command = {command()!r}\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", starter], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(temporary)}
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert len(list(temporary.iterdir())) == 1
    parent.kill()
    parent.communicate()
    end = time.monotonic() + PATIENCE
    while list(temporary.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.02)
    while _alive(pid):
        assert time.monotonic() < end
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def test_it_says_why_it_does_not_start(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "moto.py").write_text("raise ImportError('no moto today')")
    process = subprocess.Popen(
        command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(tmp_path)},
    )
    try:
        assert "no moto today" in told(process)["error"]
    finally:
        process.communicate(timeout=PATIENCE)
