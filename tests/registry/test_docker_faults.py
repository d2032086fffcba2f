"""The docker engine against daemons that lie, stall and vanish: played back on a Unix socket."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from ecr_tui.errors import Cancelled, EnvironmentFailure, InputError
from ecr_tui.registry import docker_endpoints, docker_engine
from ecr_tui.registry.choose import choose_engine
from ecr_tui.registry.docker_engine import DockerEngine
from ecr_tui.registry.engine import Credentials, Progress, Reference, RegistryError, Transfer, Unreachable
from ecr_tui.registry.probe import ProbeImage
from tests.registry.conftest import REPOSITORY
from tests.support.faults import FakeDockerd, fake_dockerd, reset, say, stall, unix_server
from tests.support.registry_backend import denial_text

pytestmark = pytest.mark.thorough

DIGEST = "sha256:" + "ab" * 32
HOST = "127.0.0.1:5000"
REFERENCE = Reference(HOST, REPOSITORY, "ecr-tui-verify-x")


@contextlib.contextmanager
def engine_on(
    monkeypatch: pytest.MonkeyPatch, **answers: tuple[int, Any]
) -> Iterator[tuple[DockerEngine, FakeDockerd]]:
    with fake_dockerd(**answers) as (daemon, url):
        monkeypatch.setenv("DOCKER_HOST", url)
        engine = DockerEngine.connect()
        try:
            yield engine, daemon
        finally:
            engine.close()


def pushed_by(
    monkeypatch: pytest.MonkeyPatch, credentials: Credentials, *events: Any
) -> tuple[Transfer, list[Progress]]:
    progress: list[Progress] = []
    with engine_on(monkeypatch, push=(200, list(events))) as (engine, _):
        return engine.push(REFERENCE, credentials, progress.append, Event()), progress


def aux(digest: str = DIGEST) -> dict[str, Any]:
    return {"progressDetail": {}, "aux": {"Tag": "x", "Digest": digest, "Size": 523}}


# Events


def test_progress_and_bytes_are_per_layer(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    transfer, progress = pushed_by(
        monkeypatch,
        credentials,
        {"status": "The push refers to repository [x]"},
        {"status": "Preparing", "progressDetail": {}, "id": "aaa"},
        {"status": "Pushing", "progressDetail": {"current": 512, "total": 5}, "id": "aaa"},
        {"status": "Pushing", "progressDetail": {"current": 10240, "total": 5}, "id": "aaa"},
        {"status": "Pushing", "progressDetail": {"current": 7, "total": 9}, "id": "bbb"},
        {"status": "Pushing", "progressDetail": {"current": "x", "total": None}, "id": "ccc"},
        {"status": "Pushed", "progressDetail": {}, "id": "aaa"},
        {"status": "Layer already exists", "id": "ddd"},
        aux(),
    )
    # Docker counts a push before compression, so these are not the bytes that travelled.
    assert transfer == Transfer(DIGEST, None)
    assert Progress("aaa", "Pushing", 10240, 10240) in progress
    assert Progress("bbb", "Pushing", 7, 9) in progress
    assert Progress("ccc", "Pushing") in progress
    assert progress[0] == Progress("", "The push refers to repository [x]")


def test_a_pull_counts_what_it_downloads(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    def pulled_by(*events: Any) -> Transfer:
        with engine_on(monkeypatch, pull=(200, [*events, {"status": f"Digest: {DIGEST}"}])) as (engine, _):
            return engine.pull(REFERENCE, credentials, lambda _: None, Event())

    downloading = {"status": "Downloading", "progressDetail": {"current": 70, "total": 100}, "id": "aaa"}
    rest = {"status": "Downloading", "progressDetail": {"current": 100, "total": 100}, "id": "aaa"}
    complete = {"status": "Pull complete", "id": "aaa"}
    assert pulled_by(downloading, rest, complete) == Transfer(DIGEST, 100)
    assert pulled_by(complete) == Transfer(DIGEST, None), "podman does not count"
    assert pulled_by({"status": "Already exists", "id": "aaa"}) == Transfer(DIGEST, 0, fresh=False)


def test_an_older_daemon_tells_the_digest_in_words(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    assert pushed_by(monkeypatch, credentials, {"status": f"x: digest: {DIGEST} size: 5"})[0].digest == DIGEST


@pytest.mark.parametrize(
    "event",
    [
        {"errorDetail": {"message": "denied: " + denial_text("ecr:PutImage", REPOSITORY)}, "error": "other"},
        {"errorDetail": {"message": "denied: " + denial_text("ecr:PutImage", REPOSITORY)}},
        {"error": "denied: " + denial_text("ecr:PutImage", REPOSITORY)},
        {"error": "error from registry: " + denial_text("ecr:PutImage", REPOSITORY)},
    ],
)
def test_errors_are_in_the_stream(monkeypatch: pytest.MonkeyPatch, credentials: Credentials, event: Any) -> None:
    with pytest.raises(RegistryError) as caught:
        pushed_by(monkeypatch, credentials, {"status": "Preparing", "id": "a"}, event, aux())
    error = caught.value
    assert (error.status, error.code, error.action) == (403, "DENIED", "ecr:PutImage")


@pytest.mark.parametrize(
    ("message", "status", "code", "request_", "action"),
    [
        ("no basic auth credentials", None, "", "", ""),
        ("unauthorized: authentication required", 401, "UNAUTHORIZED", "", ""),
        (
            'error parsing HTTP 403 response body: unexpected end of JSON input: ""',
            403,
            "DENIED",
            "HEAD blob",
            "ecr:BatchCheckLayerAvailability",
        ),
        (
            "unexpected status from HEAD request to https://x/v2/r/manifests/t: 403 Forbidden",
            403,
            "DENIED",
            "HEAD manifest",
            "ecr:BatchGetImage",
        ),
        (
            "unexpected status from PUT request to https://x/v2/r/manifests/t: 400 Bad Request",
            400,
            "",
            "PUT manifest",
            "ecr:PutImage",
        ),
        ('Post "https://x/v2/r/blobs/uploads/": EOF', None, "", "POST blob upload", "ecr:InitiateLayerUpload"),
        ("toomanyrequests: Rate exceeded", 429, "TOOMANYREQUESTS", "", ""),
        ("tag invalid: The image tag 'x' already exists in the 'r' repository", 400, "TAG_INVALID", "", "ecr:PutImage"),
        ("name unknown: The repository with name 'r' does not exist", 404, "NAME_UNKNOWN", "", ""),
        ("something nobody knows", None, "", "", ""),
    ],
)
def test_what_engines_say(
    monkeypatch: pytest.MonkeyPatch,
    credentials: Credentials,
    message: str,
    status: int | None,
    code: str,
    request_: str,
    action: str,
) -> None:
    with pytest.raises(RegistryError) as caught:
        pushed_by(monkeypatch, credentials, {"errorDetail": {"message": message}})
    error = caught.value
    assert (error.status, error.code, error.request, error.action) == (status, code, request_, action)
    assert error.detail == message


def countdown(start: int, layer: str = "aaa") -> list[dict[str, Any]]:
    return [{"status": f"Retrying in {n} second{'s' * (n > 1)}", "id": layer} for n in range(start, 0, -1)]


def test_one_round_of_retries_may_heal(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    events = [*countdown(3), *countdown(3, "bbb"), aux()]
    assert pushed_by(monkeypatch, credentials, *events)[0].digest == DIGEST


def test_a_second_round_ends_it(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    with pytest.raises(RegistryError, match="upload fails") as caught:
        pushed_by(monkeypatch, credentials, *countdown(2), *countdown(4), "stall")
    assert not isinstance(caught.value, Unreachable)


# Daemons that stall or vanish


@pytest.mark.parametrize("operation", ["push", "pull", "login", "tag", "remove"])
def test_a_daemon_that_falls_silent(
    monkeypatch: pytest.MonkeyPatch, credentials: Credentials, image: ProbeImage, operation: str
) -> None:
    monkeypatch.setattr(docker_engine, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(docker_engine, "CLEANUP_SECONDS", 0.2)
    stalls: dict[str, tuple[int, Any]] = {
        "push": (200, [{"status": "Preparing", "id": "a"}, "stall"]),
        "pull": (200, "stall"),
        "login": (200, "stall"),
        "load": (200, "stall"),
    }
    with engine_on(monkeypatch, **stalls) as (engine, daemon):
        calls = {
            "push": lambda: engine.push(REFERENCE, credentials, lambda _: None, Event()),
            "pull": lambda: engine.pull(REFERENCE, credentials, lambda _: None, Event()),
            "login": lambda: engine.login(HOST, credentials, Event()),
            "tag": lambda: engine.tag(image, REFERENCE, Event()),
            "remove": lambda: engine.remove_local(REFERENCE),
        }
        if operation == "remove":
            daemon.answers["DELETE "] = (200, "stall")
        with pytest.raises(Unreachable, match="stopped answering") as caught:
            calls[operation]()
        assert daemon.server.left.wait(30), "the connection stayed open"
    assert (caught.value.side, caught.value.exit_code) == ("docker", 3)
    assert isinstance(caught.value, EnvironmentFailure)


@pytest.mark.parametrize("ending", [["cut"], []])
def test_a_daemon_that_vanishes_or_ends_without_a_result(
    monkeypatch: pytest.MonkeyPatch, credentials: Credentials, ending: list[Any]
) -> None:
    with pytest.raises(Unreachable, match="stopped answering") as caught:
        pushed_by(monkeypatch, credentials, {"status": "Preparing", "id": "a"}, *ending)
    assert caught.value.side == "docker"


def test_a_daemon_that_is_gone_between_two_calls(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    with engine_on(monkeypatch) as (engine, daemon):
        daemon.server.close()
        with pytest.raises(Unreachable, match="stopped answering"):
            engine.push(REFERENCE, credentials, lambda _: None, Event())


@pytest.mark.parametrize("answer", [(200, "stall"), (200, [{"status": "Preparing", "id": "a"}, "stall"])])
def test_cancel_does_not_wait_for_the_daemon(
    monkeypatch: pytest.MonkeyPatch, credentials: Credentials, answer: tuple[int, Any]
) -> None:
    cancel = Event()
    with engine_on(monkeypatch, push=answer) as (engine, daemon):
        daemon.server.arrived.clear()
        threading.Thread(target=lambda: daemon.server.arrived.wait(30) and cancel.set()).start()
        with pytest.raises(Cancelled):
            engine.push(REFERENCE, credentials, lambda _: None, cancel)
        assert daemon.server.left.wait(30), "the daemon was not told"
        engine.remove_local(REFERENCE)


def test_closing_from_another_thread_ends_a_push(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    with engine_on(monkeypatch, push=(200, ["stall"])) as (engine, daemon):
        threading.Thread(target=lambda: daemon.events_sent.wait(30) and engine.close()).start()
        with pytest.raises(Cancelled):
            engine.push(REFERENCE, credentials, lambda _: None, Event())
        engine.close()


def test_a_load_that_fails(monkeypatch: pytest.MonkeyPatch, image: ProbeImage) -> None:
    failed = [{"errorDetail": {"message": "no space left on device"}}]
    with engine_on(monkeypatch, load=(200, failed)) as (engine, _), pytest.raises(RegistryError, match="no space left"):
        engine.tag(image, REFERENCE, Event())


def test_removing_falls_back_to_the_id(monkeypatch: pytest.MonkeyPatch, image: ProbeImage) -> None:
    with engine_on(monkeypatch, load=(200, [])) as (engine, daemon):
        engine.tag(image, REFERENCE, Event())
        engine.remove_local(REFERENCE)
        lines = [head.split(b"\r\n")[0].decode() for head in daemon.server.heads]
    by_name, by_id = (line for line in lines if line.startswith("DELETE"))
    assert REFERENCE.tag in by_name
    assert image.image_id in by_id


# Finding an engine


def test_a_daemon_that_accepts_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with unix_server(stall) as (_, url):
        monkeypatch.setenv("DOCKER_HOST", url)
        with pytest.raises(EnvironmentFailure, match="No Docker engine answers") as caught:
            DockerEngine.connect(timeout=0.2)
    assert url in caught.value.detail
    assert "--engine direct" in caught.value.hint
    assert (caught.value.side, caught.value.exit_code) == ("docker", 3)


@pytest.mark.parametrize(
    "script", [reset, say(b"garbage\r\n\r\n"), say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")]
)
def test_what_is_no_daemon(monkeypatch: pytest.MonkeyPatch, script: Any) -> None:
    with unix_server(script) as (_, url):
        monkeypatch.setenv("DOCKER_HOST", url)
        with pytest.raises(EnvironmentFailure, match="No Docker engine answers"):
            DockerEngine.connect()


@pytest.mark.parametrize(
    "host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1", "nonsense://x", "ssh://nowhere.invalid"]
)
def test_docker_host_is_the_only_one_asked(
    monkeypatch: pytest.MonkeyPatch, isolated_environment: Path, host: str
) -> None:
    with fake_dockerd() as (_, url):
        socket_in(isolated_environment / ".docker/run/docker.sock", url)
        monkeypatch.setenv("DOCKER_HOST", host)
        with pytest.raises(EnvironmentFailure) as caught:
            choose_engine("docker")
        assert host in caught.value.detail
        engine = choose_engine("auto")
    assert engine.name == "direct"
    assert "no Docker engine answers" in engine.description


def socket_in(path: Path, url: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(url.removeprefix("unix://"))


@pytest.fixture
def no_docker_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)


def write_context(config: Path, name: str, url: str) -> None:
    import hashlib

    folder = config / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": url, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    (config / "config.json").write_text(json.dumps({"currentContext": name}))


@pytest.mark.usefixtures("no_docker_host")
def test_the_docker_context_is_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with fake_dockerd() as (_, url):
        write_context(tmp_path, "mine", url)
        engine = DockerEngine.connect()
        engine.close()
    assert engine.description == f"Docker Engine 99.0-fake at {url}"


@pytest.mark.usefixtures("no_docker_host")
@pytest.mark.parametrize("context", ["dead", "damaged", "named and absent"])
def test_a_context_that_leads_nowhere_gives_way_to_the_usual_sockets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, isolated_environment: Path, context: str
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    if context == "named and absent":
        monkeypatch.setenv("DOCKER_CONTEXT", "absent")
    else:
        write_context(tmp_path, "mine", "unix:///nowhere/docker.sock")
        if context == "damaged":
            next(tmp_path.glob("contexts/meta/*/meta.json")).write_text("{")
    version = (200, {**FakeDockerd.VERSION, "Components": [{"Name": "Podman Engine"}]})
    with fake_dockerd(version=version) as (_, url):
        socket_in(isolated_environment / ".colima/default/docker.sock", url)
        engine = choose_engine("docker")
        engine.close()
    assert engine.description.startswith("Podman 99.0-fake at ")
    assert engine.description.endswith(".colima/default/docker.sock")


@pytest.mark.usefixtures("no_docker_host")
def test_where_nothing_is_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_endpoints, "usual_sockets", lambda *_: iter(()))
    monkeypatch.setattr(docker_endpoints.ContextAPI, "kwargs_from_context", lambda: {})
    with pytest.raises(EnvironmentFailure, match="no socket found"):
        choose_engine("docker")


def test_the_usual_sockets(tmp_path: Path) -> None:
    (tmp_path / ".lima/vm/sock").mkdir(parents=True)
    (tmp_path / ".lima/vm/sock/docker.sock").touch()
    environment = {"XDG_RUNTIME_DIR": "/run/user/1000", "COLIMA_HOME": "/colima"}
    found = {str(path) for path, _ in docker_endpoints.usual_sockets(tmp_path, environment)}
    assert found >= {
        f"{tmp_path}/.docker/run/docker.sock",
        f"{tmp_path}/.docker/desktop/docker.sock",
        "/colima/default/docker.sock",
        f"{tmp_path}/.rd/docker.sock",
        f"{tmp_path}/.orbstack/run/docker.sock",
        f"{tmp_path}/.lima/vm/sock/docker.sock",
        "/run/user/1000/docker.sock",
        "/run/user/1000/podman/podman.sock",
        "/var/run/docker.sock",
        "/run/podman/podman.sock",
    }


def test_bad_tls_settings_are_an_environment_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailure, match="DOCKER_"):
        choose_engine("docker")
    assert choose_engine("auto").name == "direct"


@pytest.mark.usefixtures("no_docker_host")
def test_auto_goes_direct_where_docker_cannot_reach_loopback(
    monkeypatch: pytest.MonkeyPatch, isolated_environment: Path
) -> None:
    monkeypatch.setattr(docker_endpoints.ContextAPI, "kwargs_from_context", lambda: {})
    with fake_dockerd() as (_, url):
        socket_in(isolated_environment / ".colima/default/docker.sock", url)
        engine = choose_engine("auto", HOST)
        assert engine.name == "direct"
        assert "cannot reach this machine's 127.0.0.1:5000" in engine.description
        for name, host in (("docker", HOST), ("auto", "registry.example"), ("auto", "")):
            engine = choose_engine(name, host)
            assert engine.name == "docker"
            engine.close()


@pytest.mark.parametrize(
    ("platform", "url", "origin", "product", "reaches"),
    [
        ("linux", "unix:///var/run/docker.sock", "context default", "Docker Engine 28", True),
        ("linux", "unix:///home/x/.docker/desktop/docker.sock", "context desktop-linux", "Docker Engine 28", False),
        ("linux", "unix:///run/user/1000/docker.sock", "rootless Docker", "Docker Engine 28", False),
        ("linux", "unix:///run/podman/podman.sock", "Podman", "Podman 4.3.1", False),
        ("linux", "unix:///run/podman/podman.sock", "DOCKER_HOST", "Podman 4.3.1", True),
        ("linux", "tcp://10.0.0.5:2376", "DOCKER_HOST", "Docker Engine 28", False),
        ("linux", "ssh://build@host", "context build", "Docker Engine 28", False),
        ("darwin", "unix:///var/run/docker.sock", "DOCKER_HOST", "Docker Engine 28", False),
    ],
)
def test_who_reaches_loopback(
    monkeypatch: pytest.MonkeyPatch, platform: str, url: str, origin: str, product: str, reaches: bool
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    endpoint = docker_endpoints.Endpoint(url, origin)
    assert docker_endpoints.Answering(None, None, product, endpoint).reaches_loopback is reaches  # type: ignore[arg-type]


def test_a_name_that_is_no_engine() -> None:
    with pytest.raises(InputError, match="podman"):
        choose_engine("podman")


def test_direct_is_taken_without_a_look_at_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_dockerd() as (daemon, url):
        monkeypatch.setenv("DOCKER_HOST", url)
        assert choose_engine("direct").name == "direct"
        assert daemon.server.heads == []
