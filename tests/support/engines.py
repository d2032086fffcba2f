"""Real engines for tests: the Docker Engine that is there, or one that this session starts and stops itself, and
Podman's service, always one of our own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass
class Daemon:
    """A Docker-API daemon: ``kind`` "docker" or "podman", ``url`` for DOCKER_HOST."""

    kind: str
    url: str

    def allow(self, host: str) -> None:
        """Let it speak plain http to a registry on loopback, which Docker does without being told."""


@dataclass
class Podman(Daemon):
    folder: Path
    process: subprocess.Popen[bytes]

    def allow(self, host: str) -> None:
        (self.folder / "registries.conf").write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + START_SECONDS
        while host not in (self._get("/v4.0.0/libpod/info")["registries"] or {}):
            if time.monotonic() > deadline:
                pytest.fail(f"podman did not read its registries.conf again:\n{self.log()}")

    def answers(self) -> bool:
        try:
            return bool(self._get("/version"))
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def _get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("podman", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        with contextlib.closing(connection.sock):
            connection.sock.settimeout(30)
            connection.sock.connect(self.url.removeprefix("unix://"))
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("podman"):
        missing("Podman's service cannot be started here (needs podman and root)")
    folder = Path(tempfile.mkdtemp(prefix="ecr-tui-"))
    url = f"unix://{folder}/podman.sock"
    (folder / "registries.conf").write_text("")
    command = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run", "system", "service", "-t", "0", url]
    # vfs works on every file system, also where CI itself runs in a container.
    environment = {**os.environ, "CONTAINERS_REGISTRIES_CONF": f"{folder}/registries.conf", "STORAGE_DRIVER": "vfs"}
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    service = Podman("podman", url, folder, process)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not service.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"podman did not start:\n{service.log()}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        yield service
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["docker", "podman"])
def daemon(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """Each of them in turn, named by DOCKER_HOST."""
    if request.param == "podman":
        found: Daemon = request.getfixturevalue("podman")
    else:
        found = Daemon("docker", request.getfixturevalue("docker_host"))
    monkeypatch.setenv("DOCKER_HOST", found.url)
    return found
