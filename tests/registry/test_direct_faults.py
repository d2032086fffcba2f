"""The direct engine against registries and networks that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from ecr_tui.errors import Cancelled, EcrTuiError, EnvironmentFailure
from ecr_tui.registry import transport, wiring
from ecr_tui.registry.direct import DirectEngine
from ecr_tui.registry.engine import Credentials, Progress, Reference, RegistryError, Transfer, Unreachable
from ecr_tui.registry.probe import ProbeImage
from ecr_tui.sandbox.registry_app import Request, Response
from ecr_tui.secret import Secret
from tests.registry.conftest import REPOSITORY
from tests.support.faults import RawServer, Script, reset, response, say, stall, tcp_server
from tests.support.registry_backend import TOKEN, InMemoryBackend, Registry
from tests.support.tls import NAME, Proxy, tls_registry

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.001)
    for name in (*wiring.BUNDLES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def push(
    host: str,
    image: ProbeImage,
    credentials: Credentials,
    cancel: Event | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Transfer:
    engine, reference, cancel = DirectEngine(), Reference(host, REPOSITORY, image.tag), cancel or Event()
    engine.tag(image, reference, cancel)
    with contextlib.closing(engine):
        return engine.push(reference, credentials, on_progress, cancel)


def pull(host: str, tag: str, credentials: Credentials) -> Transfer:
    with contextlib.closing(DirectEngine()) as engine:
        return engine.pull(Reference(host, REPOSITORY, tag), credentials, lambda _: None, Event())


def login(host: str, credentials: Credentials) -> None:
    with contextlib.closing(DirectEngine()) as engine:
        engine.login(host, credentials, Event())


# Retries


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("part", ["HEAD", "POST", "PUT /v2/team/my-first-repo/manifests"])
def test_passing_trouble_is_waited_out(
    registry: Registry, image: ProbeImage, credentials: Credentials, status: int, part: str
) -> None:
    registry.answer(part, *[Response(status)] * 3)
    assert push(registry.host, image, credentials).requests == 10


def test_lasting_trouble_is_told_after_four_attempts(
    registry: Registry, image: ProbeImage, credentials: Credentials
) -> None:
    registry.answer("POST", *[Response(503, {}, b"busy")] * 9)
    with pytest.raises(RegistryError) as caught:
        push(registry.host, image, credentials)
    assert registry.seen.count("POST blobs/uploads") == 4
    assert (caught.value.status, caught.value.detail) == (503, "busy")
    registry.answer("POST", *[Response(429)] * 9)
    with pytest.raises(RegistryError, match="throttles"):
        push(registry.host, image, credentials)


def test_a_blob_is_not_sent_twice_unless_it_was_surely_refused(
    registry: Registry, image: ProbeImage, credentials: Credentials
) -> None:
    registry.answer("PUT /v2/team/my-first-repo/blobs", Response(503))
    assert push(registry.host, image, credentials).requests == 8
    registry.app.seen.clear()
    registry.answer("PUT /v2/team/my-first-repo/manifests", *[Response(400)])
    registry.answer("HEAD", Response(404), Response(404))
    registry.answer("PUT /v2/team/my-first-repo/blobs", Response(500))
    with pytest.raises(RegistryError) as caught:
        push(registry.host, image, credentials)
    assert (caught.value.status, registry.seen.count("PUT blobs/uploads")) == (500, 1)


def test_retry_after_is_heard_and_a_cancel_beats_it(
    registry: Registry, image: ProbeImage, credentials: Credentials
) -> None:
    cancel = Event()
    asked = Event()

    def slow(_: Request) -> Response:
        asked.set()
        return Response(429, {"Retry-After": "5"})

    registry.app.hook = slow
    threading.Thread(target=lambda: asked.wait(30) and cancel.set()).start()
    with pytest.raises(Cancelled):
        push(registry.host, image, credentials, cancel)
    assert len(registry.seen) == 1


# Connections


def test_nobody_listens(image: ProbeImage, credentials: Credentials) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable, match="not reachable") as caught:
        push(host, image, credentials)
    error = caught.value
    assert (error.side, error.status, error.exit_code, error.request) == ("network", None, 3, "HEAD blob")
    assert "Connection refused" in error.detail


def test_the_name_is_not_known(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="host name does not resolve"):
        login("registry.example", credentials)


def test_a_registry_that_never_answers(
    monkeypatch: pytest.MonkeyPatch, image: ProbeImage, credentials: Credentials
) -> None:
    monkeypatch.setattr(wiring, "READ_SECONDS", 0.2)
    with tcp_server(stall) as (server, host), pytest.raises(Unreachable, match="did not answer in time"):
        push(host, image, credentials)
    assert len(server.heads) == 1


def test_cancelling_does_not_wait_for_a_stalled_registry(image: ProbeImage, credentials: Credentials) -> None:
    cancel = Event()
    with tcp_server(stall) as (server, host):
        threading.Thread(target=lambda: server.arrived.wait(30) and cancel.set()).start()
        # Had it waited, the read's own limit would have ended it as Unreachable.
        with pytest.raises(Cancelled):
            push(host, image, credentials, cancel)
        assert server.left.wait(30), "the connection stayed open"


def test_cancelling_between_requests_sends_no_more(
    registry: Registry, image: ProbeImage, credentials: Credentials
) -> None:
    cancel = Event()
    with pytest.raises(Cancelled):
        push(registry.host, image, credentials, cancel, lambda _: cancel.set())
    assert "PUT manifests" not in registry.seen


def test_closing_from_another_thread_ends_an_operation(credentials: Credentials) -> None:
    with tcp_server(stall) as (server, host):
        engine = DirectEngine()
        threading.Thread(target=lambda: server.arrived.wait(30) and engine.close()).start()
        with pytest.raises(Cancelled):
            engine.login(host, credentials, Event())
        engine.close()


def test_a_connection_that_breaks_is_tried_once_more(credentials: Credentials) -> None:
    with tcp_server(reset) as (server, host), pytest.raises(Unreachable, match="connection was closed"):
        login(host, credentials)
    assert len(server.heads) == 2


def test_a_push_survives_one_break_where_repeating_is_safe(
    registry: Registry, image: ProbeImage, credentials: Credentials
) -> None:
    broken: list[str] = []

    def hook(request: Request) -> Response | None:
        if request.method == "POST" and not broken:
            broken.append(request.target)
            registry.server._server.hang_up()
        return None

    registry.app.hook = hook
    assert push(registry.host, image, credentials).requests == 8


def test_a_blob_upload_that_breaks_off_is_not_repeated(
    registry: Registry, image: ProbeImage, credentials: Credentials
) -> None:
    def hook(request: Request) -> Response | None:
        if request.method == "PUT":
            registry.server._server.hang_up()
        return None

    registry.app.hook = hook
    with pytest.raises(Unreachable, match="connection was closed") as caught:
        push(registry.host, image, credentials)
    assert caught.value.request == "PUT blob upload"
    assert registry.seen.count("PUT blobs/uploads") == 1


def test_a_download_cut_short(registry: Registry, image: ProbeImage, credentials: Credentials) -> None:
    push(registry.host, image, credentials)
    body = image.manifest
    cut = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body) + 9}\r\n\r\n".encode() + body
    with tcp_server(say(cut)) as (_, host), pytest.raises(Unreachable, match="connection was closed"):
        pull(host, "any", credentials)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "connection was closed"),
        (
            response("200 OK", b"<html><title>Sign in</title></html>", "Content-Type: text/html\r\n"),
            "not from a registry",
        ),
        (
            response("403 Forbidden", b"<html><title>Blocked by\n policy</title>", "Content-Type: text/html\r\n"),
            "not from a registry",
        ),
    ],
)
def test_what_answers_is_something_else(answer: bytes, title: str, credentials: Credentials) -> None:
    with tcp_server(say(answer)) as (_, host), pytest.raises(RegistryError, match=title):
        pull(host, "any", credentials)


def test_errors_that_are_no_json_are_shown_as_they_are(registry: Registry, credentials: Credentials) -> None:
    for body in (b"out of order", b'{"errors": "no list"}', b'{"errors": []}', b"[1]", b"\xff\xfe"):
        registry.answer("GET", Response(418, {}, body))
        with pytest.raises(RegistryError) as caught:
            login(registry.host, credentials)
        assert caught.value.status == 418
        assert caught.value.detail


# Redirects and where credentials go


class Elsewhere:
    """Another origin, such as the bucket that ECR redirects blob downloads to."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.heads: list[bytes] = []

    def __call__(self, _: RawServer) -> Script:
        def script(connection: socket.socket, head: bytes) -> str:
            self.heads.append(head)
            connection.sendall(response("200 OK", self.body))
            return "again"

        return script


def test_a_redirect_is_followed_without_the_token(
    registry: Registry, image: ProbeImage, credentials: Credentials
) -> None:
    push(registry.host, image, credentials)
    elsewhere = Elsewhere(image.config)
    with tcp_server(elsewhere) as (_, other):
        redirect = Response(307, {"Location": f"http://{other}/bucket/config?signature=x"})
        registry.answer("GET /v2/team/my-first-repo/blobs", redirect)
        assert pull(registry.host, image.tag, credentials) == Transfer(
            image.digest, len(image.config) + len(image.layer), 4
        )
    (head,) = elsewhere.heads
    assert head.startswith(b"GET /bucket/config?signature=x ")
    assert b"authorization" not in head.lower()


def test_a_redirect_at_home_keeps_it(registry: Registry, image: ProbeImage, credentials: Credentials) -> None:
    push(registry.host, image, credentials)
    registry.answer("GET /v2/team/my-first-repo/manifests/there", None)
    registry.answer("manifests/here", Response(307, {"Location": f"/v2/{REPOSITORY}/manifests/{image.tag}"}))
    assert pull(registry.host, "here", credentials).digest == image.digest


@pytest.mark.parametrize("location", ["http://registry.example/x", "ftp://x/y", "file:///etc/passwd", ""])
def test_no_redirect_leads_off_https(registry: Registry, credentials: Credentials, location: str) -> None:
    registry.answer("GET", Response(307, {"Location": location}))
    with pytest.raises(Unreachable, match="not from a registry"):
        pull(registry.host, "any", credentials)


def test_redirects_end(registry: Registry, credentials: Credentials) -> None:
    registry.app.hook = lambda request: Response(307, {"Location": request.target})
    with pytest.raises(Unreachable, match="not from a registry") as caught:
        pull(registry.host, "any", credentials)
    assert "too many redirects" in caught.value.detail
    assert len(registry.seen) == 6


# Secrets


def everything_shown(error: BaseException) -> str:
    """What a traceback with locals shows, this file's own frames apart."""
    shown = []
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        left += [one.__cause__, one.__context__]
        stack = traceback.StackSummary.extract(traceback.walk_tb(one.__traceback__), capture_locals=True)
        shown += [f"{frame.name} {frame.locals}" for frame in stack if "/tests/" not in frame.filename]
        shown += [repr(one), str(one), repr(vars(one))]
    return "\n".join(shown)


def test_what_a_server_echoes_is_redacted(registry: Registry, image: ProbeImage, credentials: Credentials) -> None:
    def echo(request: Request) -> Response:
        return Response(400, {}, f"bad header {request.headers['authorization']} for {TOKEN}".encode())

    registry.app.hook = echo
    with pytest.raises(RegistryError) as caught:
        pull(registry.host, "any", credentials)
    error = caught.value
    assert error.detail == "bad header Basic ******** for ********"
    assert TOKEN not in error.text()


@pytest.mark.parametrize("script", [reset, say(b"garbage\r\n\r\n")])
def test_no_failure_carries_the_token(
    script: Callable[[RawServer], Script], credentials: Credentials, image: ProbeImage
) -> None:
    with tcp_server(script) as (_, host), pytest.raises(EcrTuiError) as caught:
        push(host, image, credentials)
    assert TOKEN not in everything_shown(caught.value)


# TLS and proxies


@pytest.fixture
def https_registry(backend: InMemoryBackend, authority: Path) -> Iterator[Registry]:
    """A registry that speaks TLS; the tests reach it by name, through the proxy."""
    with tls_registry(backend, authority) as registry:
        yield registry


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_https_through_a_proxy_with_a_private_authority(
    https_registry: Registry,
    authority: Path,
    image: ProbeImage,
    credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(authority / "cert.pem"))
    proxy = Proxy(https_registry.server.port)
    with tcp_server(proxy) as (_, address):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cret@{address}")
        assert push(NAME, image, credentials).requests == 7
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT {NAME}:443 ".encode())
    assert b"proxy-authorization: basic bWU6czNjcmV0" in head.replace(b"Basic", b"basic").replace(
        b"Proxy-A", b"proxy-a"
    )
    assert TOKEN.encode() not in head


def test_an_unknown_authority_is_refused(
    https_registry: Registry, image: ProbeImage, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tcp_server(Proxy(https_registry.server.port)) as (_, address):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            push(NAME, image, credentials)
    assert https_registry.seen == []


@pytest.mark.parametrize(("variable", "content"), [("AWS_CA_BUNDLE", None), ("SSL_CERT_FILE", "no certificate")])
def test_an_unusable_bundle_is_named(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, content: str | None
) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(EnvironmentFailure, match=variable):
        login(NAME, credentials)


@pytest.mark.parametrize("refusal", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses(credentials: Credentials, monkeypatch: pytest.MonkeyPatch, refusal: str) -> None:
    with tcp_server(Proxy(0, refusal)) as (_, address):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cret@{address}")
        with pytest.raises(Unreachable, match="proxy rejected") as caught:
            login(NAME, credentials)
    assert "s3cret" not in caught.value.text()


def test_no_proxy_and_loopback_go_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", ".amazonaws.com,other.example")
    host = "111111111111.dkr.ecr.eu-central-1.amazonaws.com"
    for straight in (host, "other.example", "127.0.0.1:5000", "[::1]:5000"):
        assert wiring.proxy_for(wiring.registry_at(straight)) is None
    assert wiring.proxy_for(wiring.registry_at("registry.example")) == "http://proxy.example:3128"


def test_a_proxy_that_is_none(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cret@proxy.example:port")
    with pytest.raises(EnvironmentFailure, match="HTTPS_PROXY") as caught:
        login(NAME, credentials)
    assert "s3cret" not in everything_shown(caught.value)


def test_a_secret_stays_hidden_in_the_engine(credentials: Credentials) -> None:
    assert TOKEN not in repr(Credentials("AWS", Secret(TOKEN)))
    assert TOKEN not in repr(credentials)
