"""Find Docker API endpoints on this machine, and the first one that answers."""

from __future__ import annotations

import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.context import ContextAPI
from docker.utils import kwargs_from_env

from ecr_tui.errors import EnvironmentFailure
from ecr_tui.registry.running import Silent, run
from ecr_tui.registry.wiring import Sockets

PING_SECONDS = 3.0
PATIENT_SECONDS = 10.0
"""Seconds for an explicitly requested engine: a busy one may be slow."""

CALL_SECONDS = 60

_ELSEWHERE = re.compile(r"/\.(docker/(desktop|run)|colima|lima|rd|orbstack)/|^/run/user/|/colima/")
"""Sockets of a virtual machine or of rootless Docker."""


@dataclass(frozen=True)
class Endpoint:
    """An address with its TLS settings; ``origin`` says how it was found."""

    url: str
    origin: str
    options: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True)
class Answering:
    """An engine that answered: its client, product and endpoint."""

    api: docker.APIClient
    sockets: Sockets
    product: str
    endpoint: Endpoint

    @property
    def reaches_loopback(self) -> bool:
        """Whether it can reach a loopback registry. False for virtual machines (all of macOS and Windows, Desktop and
        Lima on Linux), rootless Docker's network namespace, other hosts, and Podman, which rejects plain http unless
        configured.

        DOCKER_HOST on Linux is assumed to be suitable.
        """
        address = self.endpoint.url.removeprefix("unix://")
        if sys.platform != "linux" or not address.startswith("/"):
            return False
        if self.endpoint.origin == "DOCKER_HOST":
            return True
        return not self.product.startswith("Podman") and not _ELSEWHERE.search(address)


def find_engine(timeout: float = PING_SECONDS) -> Answering:
    """The first engine that answers. DOCKER_HOST, if set, is the only candidate.

    The first candidate gets ``timeout`` seconds, all others together the same. Raises EnvironmentFailure with the tried
    endpoints.
    """
    tried: list[str] = []
    deadline = time.monotonic() + 2 * timeout
    for endpoint in _candidates():
        left = min(timeout, deadline - time.monotonic())
        if left <= 0:
            break
        try:
            return _connect(endpoint, left)
        except EnvironmentFailure as failure:
            tried.append(f"{endpoint.url} ({endpoint.origin}): {failure.detail or failure.title}")
    raise EnvironmentFailure(
        "No Docker engine answers" + ("" if tried else ": no socket found in the usual places"),
        detail="\n".join(tried),
        hint="Start Docker, set DOCKER_HOST, or verify without an engine: --engine direct.",
        side="docker",
    )


def usual_sockets(home: Path, environment: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """Desktop, Colima, Rancher Desktop, OrbStack, Lima, rootless Docker and Podman; with the product's name."""
    colima = Path(environment.get("COLIMA_HOME") or home / ".colima")
    yield home / ".docker/run/docker.sock", "Docker Desktop"
    yield home / ".docker/desktop/docker.sock", "Docker Desktop"
    yield colima / "default/docker.sock", "Colima"
    yield home / ".rd/docker.sock", "Rancher Desktop"
    yield home / ".orbstack/run/docker.sock", "OrbStack"
    for path in sorted(home.glob(".lima/*/sock/docker.sock")):
        yield path, "Lima"
    runtime = environment.get("XDG_RUNTIME_DIR")
    if runtime:
        yield Path(runtime) / "docker.sock", "rootless Docker"
        yield Path(runtime) / "podman/podman.sock", "Podman"
    yield Path("/var/run/docker.sock"), "the system's Docker"
    yield Path("/run/podman/podman.sock"), "Podman"


def _candidates() -> Iterable[Endpoint]:
    try:
        options = dict(kwargs_from_env())
    except Exception as failure:
        # The SDK raises several unrelated exceptions here; in all cases DOCKER_HOST's settings are unusable.
        raise EnvironmentFailure(
            "The DOCKER_* settings are not usable", detail=str(failure), hint="Unset or correct them.", side="docker"
        ) from None
    if "base_url" in options:
        yield Endpoint(str(options.pop("base_url")), "DOCKER_HOST", options)
        return
    seen = set()
    try:
        options = dict(ContextAPI.kwargs_from_context())
    except Exception:
        # A missing context, or damaged metadata: the usual sockets may still answer.
        options = {}
    if "base_url" in options:
        url = str(options.pop("base_url")).replace("http+unix://", "unix://")
        seen.add(_path(url))
        yield Endpoint(url, f"context {os.environ.get('DOCKER_CONTEXT') or _context_name()}", options)
    for path, product in usual_sockets(Path.home(), dict(os.environ)):
        if path.exists() and path.resolve() not in seen:
            seen.add(path.resolve())
            yield Endpoint(f"unix://{path}", product)


def _context_name() -> str:
    try:
        return str(ContextAPI.get_current_context().name)
    except Exception:
        return "default"


def _path(url: str) -> Path:
    return Path(url.removeprefix("unix://")).resolve()


def _connect(endpoint: Endpoint, timeout: float) -> Answering:
    """Raises EnvironmentFailure, after at most ``timeout`` seconds if the daemon accepts but does not answer."""
    sockets = Sockets()

    def ask(_: Callable[[object], None]) -> tuple[docker.APIClient, dict[str, Any]]:
        api = docker.APIClient(endpoint.url, version="auto", timeout=math.ceil(timeout), **endpoint.options)
        _watch(api, sockets)
        version = dict(api.version(api_version=False))
        api.timeout = CALL_SECONDS
        return api, version

    why = ""
    try:
        api, version = run(ask, cancel=threading.Event(), abort=sockets.shut, silence=timeout)
        return Answering(api, sockets, _product(version), endpoint)
    except Silent as silent:
        why = str(silent)
    except Exception as failure:
        # Any exception of the SDK, requests, urllib3 or paramiko means that the engine is unreachable.
        why = str(failure) or type(failure).__name__
    raise EnvironmentFailure("The Docker engine does not answer", detail=why, side="docker")


def _product(version: dict[str, Any]) -> str:
    names = [str(one.get("Name", "")) for one in version.get("Components") or ()]
    podman = any("podman" in name.lower() for name in names)
    platform = (version.get("Platform") or {}).get("Name") or ""
    product = "Podman" if podman else "Docker Engine"
    text = f"{product} {version.get('Version', '')}".strip()
    return f"{text} ({platform})" if platform and not podman and "Engine" not in platform else text


def _watch(api: docker.APIClient, sockets: Sockets) -> None:
    """Register every socket of the client: the SDK has no other way to abort a request that waits for headers."""
    adapter = api.get_adapter(api.base_url)
    for name in ("get_connection_with_tls_context", "get_connection"):
        original = getattr(adapter, name)

        def watched(*args: Any, _original: Callable[..., Any] = original, **kwargs: Any) -> Any:
            pool = _original(*args, **kwargs)
            if "_new_conn" not in vars(pool):
                make = pool._new_conn
                pool._new_conn = lambda: _watched_connection(make(), sockets)
            return pool

        setattr(adapter, name, watched)


def _watched_connection(connection: Any, sockets: Sockets) -> Any:
    connect = connection.connect

    def connect_and_tell() -> None:
        connect()
        if connection.sock is not None:
            sockets.add(connection.sock)

    connection.connect = connect_and_tell
    return connection
