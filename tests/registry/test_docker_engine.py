"""The docker engine on a real Docker Engine and on Podman's service, against the sandbox's registry."""

from __future__ import annotations

import io
import json
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import docker
import pytest

from ecr_tui.errors import Cancelled, EnvironmentFailure
from ecr_tui.registry.choose import choose_engine
from ecr_tui.registry.direct import DirectEngine
from ecr_tui.registry.docker_endpoints import PATIENT_SECONDS
from ecr_tui.registry.docker_engine import DockerEngine
from ecr_tui.registry.engine import Credentials, Progress, Reference, RegistryError, Unreachable
from ecr_tui.registry.probe import ProbeImage, make_probe
from ecr_tui.sandbox.registry_app import Request
from ecr_tui.secret import Secret
from tests.registry.conftest import REPOSITORY
from tests.support.engines import Daemon
from tests.support.faults import RawServer, Script, response, stall, tcp_server
from tests.support.registry_backend import CALLER, EXPIRED, TOKEN, InMemoryBackend, Registry, denial_text

pytestmark = pytest.mark.docker


@pytest.fixture
def engine(daemon: Daemon, registry: Registry) -> Iterator[DockerEngine]:
    daemon.allow(registry.host)
    engine = DockerEngine.connect(PATIENT_SECONDS)
    yield engine
    engine.close()


@pytest.fixture
def api(daemon: Daemon) -> Iterator[docker.APIClient]:
    api = docker.APIClient(daemon.url, version="auto")
    yield api
    api.close()


@pytest.fixture
def reference(engine: DockerEngine, registry: Registry, image: ProbeImage, never: Event) -> Iterator[Reference]:
    reference = Reference(registry.host, REPOSITORY, image.tag)
    engine.tag(image, reference, never)
    yield reference
    engine.remove_local(reference)


def images(api: docker.APIClient, host: str) -> list[str]:
    return [tag for image in api.images() for tag in image["RepoTags"] or [] if tag.startswith(host)]


def test_it_says_which_engine_it_is(engine: DockerEngine, daemon: Daemon) -> None:
    assert engine.name == "docker"
    assert engine.description.endswith(f" at {daemon.url}")
    assert engine.description.startswith("Podman " if daemon.kind == "podman" else "Docker ")
    assert any(character.isdigit() for character in engine.description.split(" at ")[0])


def test_the_whole_story(
    daemon: Daemon,
    engine: DockerEngine,
    reference: Reference,
    registry: Registry,
    backend: InMemoryBackend,
    credentials: Credentials,
    image: ProbeImage,
    never: Event,
    api: docker.APIClient,
) -> None:
    engine.login(registry.host, credentials, never)
    progress: list[Progress] = []
    pushed = engine.push(reference, credentials, progress.append, never)
    stored = backend.manifest(REPOSITORY, image.tag)
    assert stored is not None
    assert pushed.digest == stored.digest
    assert pushed.bytes is None, "docker counts before compression"
    if daemon.kind == "docker":
        assert {"Pushing", "Pushed"} <= {one.status for one in progress if one.layer}
    assert all(one.current <= one.total for one in progress if one.current is not None and one.total is not None)

    registry.app.seen.clear()
    pulled = engine.pull(reference, credentials, progress.append, never)
    assert pulled.digest == pushed.digest
    if daemon.kind == "docker":
        assert pulled.bytes == sum(one["size"] for one in json.loads(stored.body)["layers"])
    else:
        assert pulled.bytes is None, "podman does not count"
    assert pulled.fresh
    assert {"GET manifests", "GET blobs"} <= set(registry.seen), "it came from the registry, not from this machine"
    assert {"Pull complete", "Download complete"} & {one.status for one in progress}

    engine.remove_local(reference)
    assert images(api, registry.host) == []
    with pytest.raises(docker.errors.NotFound):
        api.inspect_image(image.image_id)
    engine.remove_local(reference)


def test_both_engines_agree_on_an_image(
    engine: DockerEngine, reference: Reference, credentials: Credentials, never: Event
) -> None:
    pushed = engine.push(reference, credentials, lambda _: None, never)
    direct = DirectEngine()
    assert direct.pull(reference, credentials, lambda _: None, never).digest == pushed.digest
    other = make_probe(datetime.now(UTC))
    there = Reference(reference.host, REPOSITORY, other.tag)
    direct.tag(other, there, never)
    direct.push(there, credentials, lambda _: None, never)
    assert engine.pull(there, credentials, lambda _: None, never).digest == other.digest
    engine.remove_local(there)


@pytest.mark.parametrize(
    "action",
    [
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ],
)
def test_a_push_refused(
    engine: DockerEngine,
    reference: Reference,
    backend: InMemoryBackend,
    credentials: Credentials,
    never: Event,
    action: str,
) -> None:
    backend.deny = {(action, REPOSITORY)}
    with pytest.raises(RegistryError) as caught:
        engine.push(reference, credentials, lambda _: None, never)
    error = caught.value
    assert (error.status, error.code, error.action) == (403, "DENIED", action)
    if action == "ecr:BatchCheckLayerAvailability":
        assert error.request == "HEAD blob"
    else:
        assert denial_text(action, REPOSITORY) in error.detail
        assert error.hint == f"ecr-tui grant {REPOSITORY} --to {CALLER.arn}"


@pytest.mark.parametrize("action", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
def test_a_pull_refused_is_no_success_from_the_local_store(
    daemon: Daemon,
    engine: DockerEngine,
    reference: Reference,
    backend: InMemoryBackend,
    credentials: Credentials,
    never: Event,
    action: str,
) -> None:
    engine.push(reference, credentials, lambda _: None, never)
    backend.deny = {(action, REPOSITORY)}
    with pytest.raises(RegistryError) as caught:
        engine.pull(reference, credentials, lambda _: None, never)
    assert (caught.value.status, caught.value.action) == (403, action)
    if daemon.kind == "docker" or action == "ecr:BatchGetImage":
        # Podman drops the words of a blob's refusal.
        assert denial_text(action, REPOSITORY) in caught.value.detail


def test_other_refusals(
    daemon: Daemon,
    engine: DockerEngine,
    reference: Reference,
    registry: Registry,
    image: ProbeImage,
    credentials: Credentials,
    never: Event,
) -> None:
    expired = Credentials("AWS", Secret(EXPIRED))
    with pytest.raises(RegistryError, match="token"):
        engine.login(registry.host, expired, never)
    # Podman begins with a HEAD, whose refusal has no words.
    with pytest.raises(RegistryError, match="token has expired" if daemon.kind == "docker" else "has no text"):
        engine.push(reference, expired, lambda _: None, never)
    with pytest.raises(RegistryError, match="rejected the token"):
        engine.login(registry.host, Credentials("AWS", Secret("nonsense")), never)

    nowhere = Reference(registry.host, "nowhere", image.tag)
    engine.tag(image, nowhere, never)
    with pytest.raises(RegistryError) as caught:
        engine.push(nowhere, credentials, lambda _: None, never)
    assert (caught.value.status, caught.value.code) == (404, "NAME_UNKNOWN")
    with pytest.raises(RegistryError) as caught:
        engine.pull(nowhere, credentials, lambda _: None, never)
    assert (caught.value.status, caught.value.code) == (404, "NAME_UNKNOWN")
    engine.remove_local(nowhere)

    frozen = Reference(registry.host, "frozen", image.tag)
    engine.tag(image, frozen, never)
    engine.push(frozen, credentials, lambda _: None, never)
    with pytest.raises(RegistryError) as caught:
        engine.push(frozen, credentials, lambda _: None, never)
    assert (caught.value.code, caught.value.action) == ("TAG_INVALID", "ecr:PutImage")
    engine.remove_local(frozen)

    absent = Reference(registry.host, REPOSITORY, make_probe(datetime.now(UTC)).tag)
    with pytest.raises(RegistryError) as caught:
        engine.pull(absent, credentials, lambda _: None, never)
    assert (caught.value.status, caught.value.code) == (404, "MANIFEST_UNKNOWN")


def test_an_image_of_the_users_is_left_alone(
    engine: DockerEngine, registry: Registry, credentials: Credentials, never: Event, api: docker.APIClient
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w"):
        pass
    name = f"{registry.host}/{REPOSITORY}"
    made = api.import_image_from_data(buffer.getvalue(), repository=name, tag="mine")
    # Podman imports without the name.
    api.tag(json.loads(made.splitlines()[-1])["status"], name, "mine")
    mine = Reference(registry.host, REPOSITORY, "mine")
    try:
        with pytest.raises(EnvironmentFailure, match="already"):
            engine.pull(mine, credentials, lambda _: None, never)
        engine.remove_local(mine)
        assert f"{name}:mine" in images(api, registry.host)
        assert registry.seen == []
    finally:
        for one in images(api, registry.host):
            api.remove_image(one)


def test_an_earlier_runs_probe_can_be_removed(
    engine: DockerEngine, reference: Reference, registry: Registry, api: docker.APIClient
) -> None:
    later = DockerEngine.connect(PATIENT_SECONDS)
    later.remove_local(reference)
    later.close()
    assert images(api, registry.host) == []


HELPER = "#!/bin/sh\necho called >> {log}\nexit 1\n"


def test_the_users_docker_config_is_neither_read_for_logins_nor_written(
    daemon: Daemon,
    registry: Registry,
    credentials: Credentials,
    image: ProbeImage,
    never: Event,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = tmp_path / "log"
    helper = tmp_path / "docker-credential-broken"
    helper.write_text(HELPER.format(log=log))
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    folder = tmp_path / "docker"
    folder.mkdir()
    config = folder / "config.json"
    stale = {"auths": {registry.host: {"auth": "QVdTOnN0YWxl"}}, "credsStore": "broken"}
    config.write_text(json.dumps({**stale, "credHelpers": {registry.host: "broken"}}))
    before = config.read_bytes()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))

    daemon.allow(registry.host)
    engine = DockerEngine.connect(PATIENT_SECONDS)
    reference = Reference(registry.host, REPOSITORY, image.tag)
    engine.login(registry.host, credentials, never)
    engine.tag(image, reference, never)
    pushed = engine.push(reference, credentials, lambda _: None, never)
    assert engine.pull(reference, credentials, lambda _: None, never).digest == pushed.digest
    engine.remove_local(reference)
    engine.close()
    assert not log.exists()
    assert config.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_no_failure_shows_the_token(
    engine: DockerEngine, reference: Reference, backend: InMemoryBackend, credentials: Credentials, never: Event
) -> None:
    from tests.registry.test_direct_faults import everything_shown

    backend.deny = {("*", "*")}
    for call in (engine.push, engine.pull):
        with pytest.raises(RegistryError) as caught:
            call(reference, credentials, lambda _: None, never)
        assert TOKEN not in everything_shown(caught.value)
    with pytest.raises(RegistryError) as caught:
        engine.login("127.0.0.1:1", credentials, never)
    assert TOKEN not in everything_shown(caught.value)


def test_a_registry_that_is_not_there(
    engine: DockerEngine, image: ProbeImage, credentials: Credentials, never: Event
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable, match="is not reachable") as caught:
        engine.login(host, credentials, never)
    assert caught.value.exit_code == 3


def after_the_ping(then: Callable[[RawServer], Script]) -> Callable[[RawServer], Script]:
    """A registry that answers /v2/ and whether a blob is there, and misbehaves at everything else."""

    def make(server: RawServer) -> Script:
        misbehave = then(server)

        def script(connection: socket.socket, head: bytes) -> Any:
            if head.startswith(b"GET /v2/ "):
                challenge = 'WWW-Authenticate: Basic realm="x"\r\n' if b"authorization" not in head.lower() else ""
                connection.sendall(response("401 Unauthorized" if challenge else "200 OK", b"", challenge))
                return "again"
            if b"/blobs/sha256:" in head.split(b"\r\n")[0]:
                connection.sendall(response("404 Not Found", b""))
                return "again"
            server.reached.set()
            return misbehave(connection, head)

        return script

    return make


def hang_up(_: RawServer) -> Script:
    """What a registry that refuses an upload in its middle looks like: the connection ends without an answer."""
    return lambda *_: None


@pytest.mark.parametrize("hanging", ["POST", "PUT /v2/team/my-first-repo/blobs"])
def test_cancelling_a_push_that_hangs_on_the_registry(
    engine: DockerEngine,
    reference: Reference,
    registry: Registry,
    backend: InMemoryBackend,
    credentials: Credentials,
    never: Event,
    hanging: str,
) -> None:
    cancel, reached, release = Event(), Event(), Event()

    def hang(request: Request) -> None:
        if f"{request.method} {request.target}".startswith(hanging) and not reached.is_set():
            reached.set()
            release.wait(60)

    registry.app.hook = hang
    threading.Thread(target=lambda: reached.wait(60) and cancel.set()).start()
    with pytest.raises(Cancelled):
        engine.push(reference, credentials, lambda _: None, cancel)
    release.set()
    # The daemon has noticed too: the push that it was in is not finished while another one runs to its end.
    other = make_probe(datetime.now(UTC))
    there = Reference(registry.host, REPOSITORY, other.tag)
    engine.tag(other, there, never)
    engine.push(there, credentials, lambda _: None, never)
    engine.remove_local(there)
    assert backend.tags(REPOSITORY) == [other.tag]


def test_cancelling_a_pull_that_hangs_on_the_registry(
    daemon: Daemon, engine: DockerEngine, credentials: Credentials
) -> None:
    cancel = Event()
    with tcp_server(after_the_ping(stall)) as (server, host):
        daemon.allow(host)
        threading.Thread(target=lambda: server.reached.wait(60) and cancel.set()).start()
        with pytest.raises(Cancelled):
            engine.pull(Reference(host, REPOSITORY, "ecr-tui-verify-x"), credentials, lambda _: None, cancel)


def test_a_refusal_hidden_as_eof_is_not_waited_for_until_docker_gives_up(
    daemon: Daemon, engine: DockerEngine, image: ProbeImage, credentials: Credentials, never: Event
) -> None:
    progress: list[Progress] = []
    with tcp_server(after_the_ping(hang_up)) as (_, host):
        daemon.allow(host)
        reference = Reference(host, REPOSITORY, image.tag)
        engine.tag(image, reference, never)
        with pytest.raises(RegistryError, match="upload fails") as caught:
            engine.push(reference, credentials, progress.append, never)
        engine.remove_local(reference)
    error = caught.value
    assert (error.status, error.code, error.action) == (None, "", "ecr:InitiateLayerUpload")
    countdown = [one.status for one in progress if one.status.startswith("Retrying")]
    # One round is waited for (it heals what heals), a second begins, and that is enough.
    assert countdown == sorted(countdown, reverse=True)


def test_auto_takes_docker_where_it_answers(docker_engine_host: str) -> None:
    engine = choose_engine("auto")
    assert (engine.name, docker_engine_host in engine.description) == ("docker", True)
    engine.close()
