"""A real Docker Engine for tests: the one that is there, or one that this session starts and stops itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_SECONDS = 60.0
REQUIRED = "ECR_TUI_REQUIRE_DOCKER"


def missing(what: str) -> None:
    """Skip the test for want of a tool, or fail it where the tool was promised (CI)."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{what}, and {REQUIRED}=1 asks for it")
    pytest.skip(what)


def answers(url: str) -> bool:
    import docker

    try:
        api = docker.APIClient(url, version="auto", timeout=3)
        api.close()
    except Exception:
        return False
    return True


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """The address of a Docker engine that answers, such as "unix:///tmp/x/docker.sock"."""
    for url in (os.environ.get("DOCKER_HOST"), "unix:///var/run/docker.sock"):
        if url and answers(url):
            yield url
            return
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("dockerd"):
        missing("no Docker engine answers, and none can be started here (needs dockerd and root)")
    with dockerd() as url:
        yield url


@pytest.fixture
def docker_engine_host(docker_host: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, named by DOCKER_HOST, so that whatever honours it finds this engine and no other."""
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    return docker_host


@contextlib.contextmanager
def dockerd() -> Iterator[str]:
    """A Docker Engine of our own, without bridge and iptables: nothing here runs a container."""
    # A socket's path may have 107 characters at most, too few for pytest's directories.
    folder = Path(tempfile.mkdtemp(prefix="ecr-tui-"))
    url = f"unix://{folder}/docker.sock"
    log = folder / "log"
    command = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "-H", url]
    command += [f"--{name}={folder}/{name}" for name in ("data-root", "exec-root", "pidfile")]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"dockerd did not start:\n{log.read_text(errors='replace')[-3000:]}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # dockerd may leave its data directory mounted on itself.
        subprocess.run(["umount", f"{folder}/data-root"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
