"""A reader that has left, a full disk, closed standard streams: a command ends cleanly and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from ecr_tui.changes.entries import WRITTEN
from ecr_tui.registry.probe import TAG_PREFIX
from ecr_tui.sandbox.sandbox import Sandbox
from tests.support import forking
from tests.support.proving import REPOSITORY, grant, images, workspace

FULL = Path("/dev/full")
TO = ("--to", "user/devusr2")
VERIFY = ("verify", REPOSITORY, "--engine", "direct", "--isolation", "none")

OFFLINE = [
    ("--help",),
    ("--version",),
    ("grant", "--help"),
    ("schema",),
    ("schema", "verify"),
    ("explain", "no basic auth credentials"),
    ("explain", "no basic auth credentials", "--json"),
    ("operator-policy", "read-only"),
    ("completion", "bash"),
    ("config", "show"),
    ("config", "keys"),
    ("config", "example"),
    ("history",),
    ("history", "--json"),
    ("verify", "--history", "--json"),
]
ONLINE = [
    ("list",),
    ("list", "--json"),
    ("plan", REPOSITORY, *TO),
    ("plan", REPOSITORY, *TO, "--json"),
    ("export", REPOSITORY, *TO),
    ("audit",),
    ("audit", "--json"),
    ("cleanup",),
    ("grant", REPOSITORY, *TO, "--yes"),
    ("tag", REPOSITORY, "--set", "Stage=test", "--yes", "--json"),
    VERIFY,
    (*VERIFY, "--json"),
]


@contextmanager
def without_reader() -> Iterator[BinaryIO]:
    """The end of a pipe for writing, whose other end is closed: every write is refused from the first."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as stream:
        yield stream


def probes(sandbox: Sandbox) -> list[str]:
    return [tag for tag in images(sandbox) if tag.startswith(TAG_PREFIX)]


@pytest.mark.parametrize("arguments", OFFLINE, ids=" ".join)
def test_offline_nobody_reads_it(arguments: tuple[str, ...]) -> None:
    with without_reader() as gone:
        ran = forking.run(arguments, stdout=gone)
    assert (ran.returncode, ran.stderr) == (0, "")
    with without_reader() as gone:
        assert forking.run(arguments, stdout=gone, stderr=gone).returncode == 0


@pytest.mark.parametrize("arguments", OFFLINE, ids=" ".join)
def test_offline_the_disk_is_full(arguments: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        ran = forking.run(arguments, stdout=full)
    assert ran.returncode == 3
    assert ran.stderr.startswith("Error: cannot write to standard output\n  No space left on device\n")
    assert "Traceback" not in ran.stderr


@pytest.fixture
def owner(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setenv("ECR_TUI_PROFILE_A", "account-a")
    monkeypatch.setenv("ECR_TUI_PROFILE_B", "dev-acc")
    return sandbox


@pytest.mark.parametrize("arguments", ONLINE, ids=" ".join)
def test_what_was_asked_for_is_done_all_the_same(arguments: tuple[str, ...], owner: Sandbox) -> None:
    grant(workspace())
    with without_reader() as gone:
        ran = forking.run(arguments, stdout=gone)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Error" not in ran.stderr
    assert probes(owner) == []
    with without_reader() as gone:
        assert forking.run(arguments, stdout=gone, stderr=gone).returncode == 0
    with FULL.open("wb") as full:
        ran = forking.run(arguments, stdout=full)
    assert ran.returncode == 3
    assert "cannot write to standard output" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert probes(owner) == []


def test_a_failure_keeps_its_exit_code(owner: Sandbox) -> None:
    with without_reader() as gone:
        assert forking.run(VERIFY, stdout=gone, stderr=gone).returncode == 1
        assert forking.run(("plan", "no-such-repo", *TO), stdout=gone, stderr=gone).returncode == 2
    with FULL.open("wb") as full:
        assert forking.run(VERIFY, stdout=full, stderr=full).returncode == 1


def test_a_call_log_that_cannot_be_written_is_an_error_at_the_end(owner: Sandbox) -> None:
    log = ("--log-calls", str(FULL))
    ran = forking.run((*log, "grant", REPOSITORY, *TO, "--yes"))
    assert ran.returncode == 3
    assert "Error: cannot write --log-calls /dev/full\n  No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr
    (entry,) = workspace().changes.journal.read().entries
    assert entry.outcome == WRITTEN
    failed = forking.run((*log, "plan", "no-such-repo", *TO))
    assert failed.returncode == 2
    assert "no repository" in failed.stderr
    assert "cannot write --log-calls /dev/full" in failed.stderr


def test_a_verification_whose_reader_leaves_after_a_line(owner: Sandbox) -> None:
    grant(workspace())
    command = [sys.executable, "-m", "ecr_tui", *VERIFY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        assert process.wait(60) == 0
    assert told == ""
    assert probes(owner) == []
    assert workspace().verification.leftovers() == ()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, owner: Sandbox) -> None:
    """Nor may a file that is opened later get the number of one, and with it what was meant for the stream."""
    run = f'"{sys.executable}" -m ecr_tui grant {REPOSITORY} --to user/devusr2 --yes {closed}'
    done = subprocess.run(["sh", "-c", run], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (entry,) = workspace().changes.journal.read().entries
    assert entry.outcome == WRITTEN


def test_an_encoding_that_lacks_a_sign_keeps_it_apart() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "ecr_tui", "explain", "denied: \u2713 is not \u2717 authorized"],
        capture_output=True, text=True, timeout=60, env=environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
