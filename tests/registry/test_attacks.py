"""What registries, storage hosts and proxies do that mean harm: no token leaves, nothing runs on without end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from ecr_tui.registry import direct, running, wiring
from ecr_tui.registry.direct import DirectEngine
from ecr_tui.registry.engine import Credentials, Reference, Transfer, Unreachable
from ecr_tui.registry.probe import MANIFEST_TYPE, ProbeImage
from ecr_tui.sandbox.registry_app import Response
from tests.registry.conftest import REPOSITORY
from tests.support.faults import RawServer, Script, response, tcp_server
from tests.support.registry_backend import InMemoryBackend, Registry
from tests.support.tls import NAME, Proxy, tls_registry


class Stranger:
    """A host that has no business with a token: answers everything with 200 and keeps what it was sent."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body
        self.heads: list[bytes] = []

    def __call__(self, _: RawServer) -> Script:
        def script(connection: socket.socket, head: bytes) -> str:
            self.heads.append(head)
            connection.sendall(response("200 OK", self.body))
            return "again"

        return script


class Storage(Stranger):
    """Where a registry sends its clients for blobs; sends them on to ``location``."""

    location = ""

    def __call__(self, _: RawServer) -> Script:
        def script(connection: socket.socket, head: bytes) -> str:
            self.heads.append(head)
            connection.sendall(response("307 On", b"", f"Location: {self.location}\r\n"))
            return "again"

        return script


def push(host: str, image: ProbeImage, credentials: Credentials) -> Transfer:
    engine, reference = DirectEngine(), Reference(host, REPOSITORY, image.tag)
    engine.tag(image, reference, Event())
    with contextlib.closing(engine):
        return engine.push(reference, credentials, lambda _: None, Event())


def pull(host: str, tag: str, credentials: Credentials) -> Transfer:
    with contextlib.closing(DirectEngine()) as engine:
        return engine.pull(Reference(host, REPOSITORY, tag), credentials, lambda _: None, Event())


# Where the token goes

HOSTILE = [
    "http://{evil}\\@{registry}/x",
    "http://{evil}\\\\@{registry}/x",
    "http://{evil}/\\@{registry}/x",
    "http://{evil}@{registry}/x",
    "http://user:pw@{registry}/x",
    "http://@{registry}/x",
    "http://{registry}@{evil}/x",
    "http://{registry}\\@{evil}/x",
    "http://{registry}#@{evil}/x\x7f",
    "http://{evil}\t@{registry}/x",
    "http://{evil} @{registry}/x",
    "http://{evil}%5C@{registry}/x",
    "http:\\\\{evil}\\x",
    "\\\\{evil}\\x",
    "http://{registry}\xff@{evil}/x",
]


@pytest.mark.parametrize("location", HOSTILE)
def test_a_storage_host_cannot_lead_the_token_elsewhere(
    registry: Registry, image: ProbeImage, credentials: Credentials, location: str
) -> None:
    push(registry.host, image, credentials)
    sent = len(registry.app.seen)
    storage, stranger = Storage(), Stranger(image.config)
    with tcp_server(storage, "127.0.0.2") as (_, storage_host), tcp_server(stranger, "127.0.0.3") as (_, evil):
        storage.location = location.format(evil=evil, registry=registry.host)
        registry.answer("GET /v2/team/my-first-repo/blobs", Response(307, {"Location": f"http://{storage_host}/b"}))
        with pytest.raises(Unreachable, match="not from a registry"):
            pull(registry.host, image.tag, credentials)
    assert stranger.heads == []
    assert all(b"authorization" not in head.lower() for head in storage.heads)
    assert [one.target for one in registry.app.seen[sent:] if one.target == "/x"] == []


@pytest.mark.parametrize(
    "location", [*HOSTILE, "http://{evil}/x", "//{evil}/x", "https://{registry}/x", "", "ftp://x/y"]
)
def test_an_upload_stays_at_the_registry(
    registry: Registry, image: ProbeImage, credentials: Credentials, location: str
) -> None:
    stranger = Stranger()
    with tcp_server(stranger, "127.0.0.3") as (_, evil):
        place = location.format(evil=evil, registry=registry.host)
        registry.answer("POST", Response(202, {"Location": place}))
        with pytest.raises(Unreachable, match="not from a registry"):
            push(registry.host, image, credentials)
    assert stranger.heads == []


@pytest.mark.parametrize("form", ["{upload}?state=1", "./{upload}", "/v2/team/my-first-repo/blobs/uploads/{upload}"])
def test_a_relative_upload_is_resolved_against_its_request(
    registry: Registry, image: ProbeImage, credentials: Credentials, form: str
) -> None:
    def relative(request: object) -> Response | None:
        registry.app.hook = lambda _: None
        begun = registry.app.handle(request)  # type: ignore[arg-type]
        upload = begun.headers["Location"].rpartition("/")[2]
        registry.app.hook = lambda one: relative(one) if one.method == "POST" else None
        return Response(202, {**begun.headers, "Location": form.format(upload=upload)})

    registry.app.hook = lambda one: relative(one) if one.method == "POST" else None
    assert push(registry.host, image, credentials).digest == image.digest


@pytest.fixture
def https_registry(backend: InMemoryBackend, authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry that speaks TLS, reached by name through a proxy."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority / "cert.pem"))
    with tls_registry(backend, authority) as registry, tcp_server(Proxy(registry.server.port)) as (_, proxy):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name)
        yield registry


def test_https_leads_to_no_plain_http(https_registry: Registry, image: ProbeImage, credentials: Credentials) -> None:
    assert push(NAME, image, credentials).digest == image.digest
    stranger = Stranger(image.config)
    with tcp_server(stranger) as (_, loopback):
        https_registry.answer("GET", Response(307, {"Location": f"http://{loopback}/blob"}))
        with pytest.raises(Unreachable, match="not from a registry"):
            pull(NAME, image.tag, credentials)
        https_registry.answer("HEAD", Response(404))
        https_registry.answer("POST", Response(202, {"Location": f"http://{loopback}/upload"}))
        with pytest.raises(Unreachable, match="not from a registry"):
            push(NAME, image, credentials)
    assert stranger.heads == []


@pytest.mark.parametrize(
    "url",
    [
        "http://a\\@b/", "http://a\\b/", "http://a@b/", "http://@b/", "http://a b/", "http://a\n/", "http://a\x00/",
        "http://ａ/", "http://a%2eb/", "http://a:99999/", "http://[::1%25eth0]/", "http:///x", "http:/x", "//a/x", "ftp://a/",
        "http://a:/x", "",
    ],
)  # fmt: skip
def test_what_two_readers_may_read_differently_is_no_address(url: str) -> None:
    assert wiring.address(url) is None


def test_an_address_is_where_the_connection_goes() -> None:
    found = wiring.address("HTTPS://Bucket.S3.example:8443/a%20b?x=1&y=@#fragment")
    assert found == wiring.Address("https", "bucket.s3.example", 8443, "/a%20b?x=1&y=@")
    assert found is not None
    assert found.at("../c") == wiring.Address("https", "bucket.s3.example", 8443, "/c")


# What does not end


def registry_with(registry: Registry, layers: list[dict[str, object]], config: bytes = b"{}") -> str:
    """A manifest of these layers under the tag that is returned."""
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    registry.answer("blobs/" + digest, *[Response(200, {}, config)] * 9)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"digest": digest, "size": len(config)},
        "layers": layers,
    }
    registry.backend.put_manifest(REPOSITORY, "bad", MANIFEST_TYPE, json.dumps(manifest).encode())
    return "bad"


class Endless:
    """Sends chunks until the client leaves; ``left`` is set then."""

    def __init__(self) -> None:
        self.sent = 0
        self.left = threading.Event()

    def __call__(self, _: RawServer) -> Script:
        def script(connection: socket.socket, _head: bytes) -> None:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while self.sent < 1 << 28:
                    connection.sendall(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
                    self.sent += 0x1000
            except OSError:
                self.left.set()

        return script


def test_a_blob_ends_at_its_declared_size(registry: Registry, credentials: Credentials) -> None:
    digest = f"sha256:{'a' * 64}"
    tag = registry_with(registry, [{"digest": digest, "size": 1}])
    endless = Endless()
    with tcp_server(endless) as (_, storage):
        registry.answer(f"blobs/{digest}", Response(307, {"Location": f"http://{storage}/blob"}))
        with pytest.raises(Unreachable, match="not from a registry") as caught:
            pull(registry.host, tag, credentials)
        assert endless.left.wait(30)
    assert "more than the 1 bytes" in caught.value.detail
    assert endless.sent < 1 << 26


def test_a_blob_that_only_drips_is_given_up(
    registry: Registry, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "SILENCE_SECONDS", 0.5)
    digest = f"sha256:{'a' * 64}"
    tag = registry_with(registry, [{"digest": digest, "size": 1000}])
    left = threading.Event()

    def drip(server: RawServer) -> Script:
        def script(connection: socket.socket, _head: bytes) -> None:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while not left.wait(0.1):
                    connection.sendall(b"1\r\nx\r\n")
            except OSError:
                left.set()

        return script

    with tcp_server(drip) as (_, storage):
        registry.answer(f"blobs/{digest}", Response(307, {"Location": f"http://{storage}/blob"}))
        with pytest.raises(Unreachable) as caught:
            pull(registry.host, tag, credentials)
        assert left.wait(30)
    assert "timed out" in caught.value.detail


def test_a_manifest_of_thousands_of_layers(registry: Registry, credentials: Credentials) -> None:
    layers: list[dict[str, object]] = [{"digest": f"sha256:{one:064x}", "size": 1} for one in range(30_000)]
    registry_with(registry, layers)
    with pytest.raises(Unreachable, match="not from a registry") as caught:
        pull(registry.host, "bad", credentials)
    assert "30,000 layers" in caught.value.detail
    assert registry.seen == ["GET manifests"]


def test_one_layer_named_a_thousand_times_is_fetched_once(registry: Registry, credentials: Credentials) -> None:
    layer = b"layer"
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    registry_with(registry, [{"digest": digest, "size": len(layer)}] * 30_000)
    registry.answer(f"blobs/{digest}", Response(200, {}, layer))
    assert pull(registry.host, "bad", credentials).requests == 3


def test_work_that_goes_on_telling_has_a_deadline() -> None:
    aborted = Event()

    def work(tell: object) -> None:
        while not aborted.wait(0.01):
            tell("still here")  # type: ignore[operator]

    with pytest.raises(running.Slow, match=r"not finished within 0\.3 s"):
        running.run(work, cancel=Event(), abort=aborted.set, silence=10, limit=0.3)
