"""Shared by all tests: nothing of the machine's own AWS, Docker or ecr-tui setup is ever read, and a real sandbox."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ecr_tui.sandbox.sandbox import Sandbox

pytest_plugins = ["tests.support.engines", "tests.support.tls"]

_FOREIGN = ("AWS_", "BOTO", "ECR_TUI_", "XDG_", "MOTO_", "DOCKER_CONFIG", "DOCKER_AUTH", "REGISTRY_AUTH")
_KEPT = ("ECR_TUI_REQUIRE_",)
"""Switches of the test suite itself."""


# Nearly everything that a test makes lives as long as the test; looking for garbage as often as usual takes a fifth of
# the time of the interface's tests.
gc.set_threshold(20_000, 20, 50)

# Under nohup SIGHUP is ignored, behind a shell's & SIGINT; so they would be in the programs that tests send them to.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many ``-n auto`` are. Tests wait for an engine, a terminal, a child: some more of them than processors."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(processors, min(processors + 2, 8))


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home; returns it."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_FOREIGN) and not name.startswith(_KEPT):
            monkeypatch.delenv(name)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "docker"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("ECR_TUI_STATE_DIR", str(home / "state"))
    return home


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    """One sandbox for a test module; only one can run in a process, so a module has no other beside it."""
    from ecr_tui.sandbox.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, isolated_environment: Path) -> Iterator[Sandbox]:
    """The module's sandbox as freshly seeded, with the environment leading to it (profiles account-a, dev-acc, ...)."""
    from ecr_tui.sandbox.world import utc_now

    running_sandbox.clock = utc_now
    running_sandbox.fault = None
    running_sandbox.registry_fault = None
    running_sandbox.reset()
    for name, value in running_sandbox.env().items():
        monkeypatch.setenv(name, value)
    yield running_sandbox
    assert running_sandbox.failures == []
