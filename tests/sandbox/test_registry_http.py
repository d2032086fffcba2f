"""The sandbox's registry, first over bare HTTP, then as skopeo and docker see it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.diagnosis.diagnose import diagnose
from ecr_tui.registry.probe import ProbeImage, make_probe
from ecr_tui.sandbox.blobs import BlobStore
from ecr_tui.sandbox.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from tests.support.engines import missing
from tests.support.registry_backend import ACCOUNT, EXPIRED, TOKEN, InMemoryBackend, Registry, denial_text

REPOSITORY = "team/my-first-repo"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend([REPOSITORY, "other", "frozen"], immutable=["frozen"])


@pytest.fixture
def registry(backend: InMemoryBackend) -> Iterator[Registry]:
    registry = Registry(backend)
    yield registry
    registry.close()


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """(status, code, message) of the one error of the body."""
        (error,) = self.json["errors"]
        return self.status, error["code"], error["message"]


class Http:
    """One keep-alive connection."""

    def __init__(self, registry: Registry, user: str | None = "AWS", password: str = TOKEN) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", registry.server.port, timeout=20)
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {} if user is None else {"Authorization": f"Basic {token}"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(
            method, path, body, {**self.headers, **named}, encode_chunked=named.get("Transfer-Encoding") == "chunked"
        )
        response = self.connection.getresponse()
        return Reply(response.status, response.headers, response.read())

    def start(self, repository: str = REPOSITORY) -> str:
        reply = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert reply.status == 202
        return str(reply.headers["Location"])

    def put_blob(self, data: bytes, repository: str = REPOSITORY) -> str:
        digest = digest_of(data)
        reply = self.ask("PUT", f"{self.start(repository)}?digest={digest}", data)
        assert reply.status == 201, reply.body
        return digest

    def put_image(self, image: ProbeImage, tag: str, repository: str = REPOSITORY) -> Reply:
        self.put_blob(image.config, repository)
        self.put_blob(image.layer, repository)
        return self.ask("PUT", f"/v2/{repository}/manifests/{tag}", image.manifest, Content_Type=DOCKER_MANIFEST)


@pytest.fixture
def http_(registry: Registry) -> Http:
    return Http(registry)


@pytest.fixture
def image() -> ProbeImage:
    return make_probe(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), unique="abc")


# Authentication


def test_without_credentials_it_challenges_as_ecr_does(registry: Registry) -> None:
    reply = Http(registry, user=None).ask("GET", "/v2/")
    assert reply.status == 401
    assert reply.headers["Www-Authenticate"] == f'Basic realm="https://{registry.host}/",service="ecr.amazonaws.com"'
    assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert reply.body == b"Not Authorized\n"


def test_a_token_opens_the_base_without_any_permission(registry: Registry, backend: InMemoryBackend) -> None:
    backend.deny = {("*", "*")}
    reply = Http(registry).ask("GET", "/v2/")
    assert (reply.status, reply.body) == (200, b"{}")
    assert backend.asked == []


@pytest.mark.parametrize(("user", "password"), [("AWS", "unknown"), ("root", TOKEN), ("AWS", "")])
def test_what_is_no_token_is_a_bad_request(registry: Registry, user: str, password: str) -> None:
    assert Http(registry, user, password).ask("GET", "/v2/").status == 400


def test_undecodable_credentials_are_a_bad_request(registry: Registry) -> None:
    client = Http(registry, user=None)
    assert client.ask("GET", "/v2/", Authorization="Basic ???").status == 400
    assert client.ask("GET", "/v2/", Authorization="Bearer abc").status == 401


def test_an_expired_token_is_denied_with_awss_words(registry: Registry) -> None:
    status, code, message = Http(registry, password=EXPIRED).ask("GET", f"/v2/{REPOSITORY}/tags/list").error
    assert (status, code) == (403, "DENIED")
    assert message.startswith("Your Authorization Token has expired. Please run 'aws ecr get-login-password'")


# Authorisation


ABSENT = "sha256:" + "0" * 64
REQUESTS = [
    ("HEAD", f"/blobs/{ABSENT}", "ecr:BatchCheckLayerAvailability"),
    ("GET", f"/blobs/{ABSENT}", "ecr:GetDownloadUrlForLayer"),
    ("POST", "/blobs/uploads/", "ecr:InitiateLayerUpload"),
    ("PATCH", "/blobs/uploads/x", "ecr:UploadLayerPart"),
    ("PUT", f"/blobs/uploads/x?digest={ABSENT}", "ecr:CompleteLayerUpload"),
    ("HEAD", "/manifests/t", "ecr:BatchGetImage"),
    ("GET", "/manifests/t", "ecr:BatchGetImage"),
    ("PUT", "/manifests/t", "ecr:PutImage"),
    ("GET", "/tags/list", "ecr:ListImages"),
    ("DELETE", "/manifests/t", "ecr:BatchDeleteImage"),
]


@pytest.mark.parametrize(("method", "path", "action"), REQUESTS)
def test_each_request_is_one_ecr_action(
    http_: Http, backend: InMemoryBackend, method: str, path: str, action: str
) -> None:
    http_.ask(method, f"/v2/{REPOSITORY}{path}")
    assert backend.asked == [(action, REPOSITORY)]


@pytest.mark.parametrize(("method", "path", "action"), REQUESTS)
def test_a_denial_is_awss_sentence(http_: Http, backend: InMemoryBackend, method: str, path: str, action: str) -> None:
    backend.deny = {(action, REPOSITORY)}
    reply = http_.ask(method, f"/v2/{REPOSITORY}{path}", b"x" if method in ("PUT", "PATCH") else None)
    if method == "HEAD":
        assert (reply.status, reply.body, reply.headers["Content-Length"]) == (403, b"", "0")
    else:
        assert reply.error == (403, "DENIED", denial_text(action, REPOSITORY))


def test_put_with_a_body_also_uploads_a_part(http_: Http, backend: InMemoryBackend) -> None:
    location = http_.start()
    backend.asked.clear()
    backend.deny = {("ecr:UploadLayerPart", REPOSITORY)}
    reply = http_.ask("PUT", f"{location}?digest={digest_of(b'x')}", b"x")
    assert reply.error[2] == denial_text("ecr:UploadLayerPart", REPOSITORY)


def test_a_stranger_does_not_learn_which_repositories_exist(http_: Http, backend: InMemoryBackend) -> None:
    backend.deny = {("*", "nowhere")}
    assert http_.ask("GET", "/v2/nowhere/tags/list").error[:2] == (403, "DENIED")
    backend.deny = set()
    assert http_.ask("GET", "/v2/nowhere/tags/list").error == (
        404,
        "NAME_UNKNOWN",
        f"The repository with name 'nowhere' does not exist in the registry with id '{ACCOUNT}'",
    )
    assert http_.ask("HEAD", "/v2/nowhere/manifests/t").body == b""


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", f"/v2/{REPOSITORY}/blobs/{ABSENT}"), ("GET", "/v2/_catalog"), ("POST", "/v2/")]
)
def test_what_it_does_not_do_it_says(http_: Http, method: str, path: str) -> None:
    assert http_.ask(method, path).error[:2] == (405, "UNSUPPORTED")


def test_outside_v2_there_is_nothing(registry: Registry) -> None:
    assert Http(registry, user=None).ask("GET", "/").status == 404


# Blobs


def test_post_and_one_put(http_: Http) -> None:
    digest = http_.put_blob(b"layer")
    head = http_.ask("HEAD", f"/v2/{REPOSITORY}/blobs/{digest}")
    assert (head.status, head.headers["Content-Length"], head.headers["Docker-Content-Digest"]) == (200, "5", digest)
    assert http_.ask("GET", f"/v2/{REPOSITORY}/blobs/{digest}").body == b"layer"


def test_a_single_post(http_: Http, backend: InMemoryBackend) -> None:
    digest = digest_of(b"layer")
    reply = http_.ask("POST", f"/v2/{REPOSITORY}/blobs/uploads/?digest={digest}", b"layer")
    assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, digest)
    actions = [action for action, _ in backend.asked]
    assert actions == ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"]
    assert http_.ask("GET", reply.headers["Location"]).body == b"layer"


def test_in_chunks(http_: Http) -> None:
    location = http_.start()
    assert http_.ask("GET", location).headers["Range"] == "0-0"
    first = http_.ask("PATCH", location, b"abc", Content_Range="0-2")
    assert (first.status, first.headers["Range"]) == (202, "0-2")
    assert http_.ask("PATCH", first.headers["Location"], b"de", Content_Range="bytes 3-4/*").headers["Range"] == "0-4"
    status = http_.ask("GET", location)
    assert (status.status, status.headers["Range"]) == (204, "0-4")
    assert http_.ask("PUT", f"{location}?digest={digest_of(b'abcdef')}", b"f", Content_Range="5-5").status == 201
    assert http_.ask("GET", f"/v2/{REPOSITORY}/blobs/{digest_of(b'abcdef')}").body == b"abcdef"


def test_a_chunk_out_of_order_is_refused_and_the_upload_goes_on(http_: Http) -> None:
    location = http_.start()
    http_.ask("PATCH", location, b"abc", Content_Range="0-2")
    for method, target in (("PATCH", location), ("PUT", f"{location}?digest={digest_of(b'abcx')}")):
        refused = http_.ask(method, target, b"x", Content_Range="7-7")
        assert (refused.status, refused.headers["Range"]) == (416, "0-2")
    assert http_.ask("PUT", f"{location}?digest={digest_of(b'abc')}").status == 201


def test_transfer_encoding_chunked_as_docker_sends_it(http_: Http) -> None:
    location = http_.start()
    pieces = [b"one ", b"two ", b"x" * 300_000]
    patched = http_.ask("PATCH", location, iter(pieces), Transfer_Encoding="chunked")
    whole = b"".join(pieces)
    assert patched.headers["Range"] == f"0-{len(whole) - 1}"
    assert http_.ask("PUT", f"{location}?digest={digest_of(whole)}").status == 201
    assert http_.ask("GET", f"/v2/{REPOSITORY}/blobs/{digest_of(whole)}").body == whole


def test_a_cancelled_upload_is_gone(http_: Http, registry: Registry) -> None:
    location = http_.start()
    assert http_.ask("DELETE", location).status == 204
    assert registry.blobs.open_uploads() == 0
    for method in ("GET", "PATCH", "DELETE"):
        assert http_.ask(method, location).error[:2] == (404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_belongs_to_its_repository(http_: Http) -> None:
    location = http_.start().replace(REPOSITORY, "other")
    assert http_.ask("PATCH", location, b"x").error[:2] == (404, "BLOB_UPLOAD_UNKNOWN")


def test_bytes_without_their_digest_are_refused(http_: Http, registry: Registry) -> None:
    location = http_.start()
    assert http_.ask("PUT", f"{location}?digest={digest_of(b'other')}", b"layer").error[:2] == (400, "DIGEST_INVALID")
    assert http_.ask("HEAD", f"/v2/{REPOSITORY}/blobs/{digest_of(b'other')}").status == 404
    assert registry.blobs.open_uploads() == 0
    assert http_.ask("PUT", f"{http_.start()}?digest=md5:abc", b"layer").error[:2] == (400, "DIGEST_INVALID")
    assert http_.ask("PUT", http_.start(), b"layer").error[:2] == (400, "DIGEST_INVALID")


def test_blobs_belong_to_their_repository(http_: Http) -> None:
    digest = http_.put_blob(b"layer")
    assert http_.ask("GET", f"/v2/other/blobs/{digest}").error[:2] == (404, "BLOB_UNKNOWN")


def test_a_mount_needs_the_right_to_read_the_source(http_: Http, backend: InMemoryBackend) -> None:
    digest = http_.put_blob(b"layer")
    mount = f"/v2/other/blobs/uploads/?mount={digest}&from={REPOSITORY}"
    backend.deny = {("ecr:GetDownloadUrlForLayer", REPOSITORY)}
    assert http_.ask("POST", mount).status == 202
    assert http_.ask("HEAD", f"/v2/other/blobs/{digest}").status == 404
    backend.deny = set()
    assert http_.ask("POST", mount.replace(REPOSITORY, "nowhere")).status == 202
    assert http_.ask("POST", mount.replace(digest, ABSENT)).status == 202
    mounted = http_.ask("POST", mount)
    assert (mounted.status, mounted.headers["Docker-Content-Digest"]) == (201, digest)
    assert http_.ask("GET", f"/v2/other/blobs/{digest}").body == b"layer"


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=1-3", 206, b"123", "bytes 1-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("nonsense", 200, b"0123456789", None),
    ],
)
def test_ranges(http_: Http, asked: str, status: int, body: bytes, content_range: str | None) -> None:
    digest = http_.put_blob(b"0123456789")
    reply = http_.ask("GET", f"/v2/{REPOSITORY}/blobs/{digest}", Range=asked)
    assert (reply.status, reply.body, reply.headers["Content-Range"]) == (status, body, content_range)


def test_a_layer_too_large_is_refused_in_words_and_freed(backend: InMemoryBackend) -> None:
    registry = Registry(backend, BlobStore(max_blob=1000, max_total=1500))
    try:
        client = Http(registry)
        status, code, message = client.ask("PUT", f"{client.start()}?digest={ABSENT}", b"x" * 1001).error
        assert (status, code) == (413, "SIZE_INVALID")
        assert "1000 bytes a layer and 1500 bytes in all" in message
        assert registry.blobs.open_uploads() == 0
        client.put_blob(b"a" * 1000)
        assert client.ask("PATCH", client.start(), b"b" * 600).error[:2] == (413, "SIZE_INVALID")
        client.put_blob(b"c" * 500)
        assert client.ask("PATCH", client.start(), b"d").error[:2] == (413, "SIZE_INVALID")
    finally:
        registry.close()


def test_idle_uploads_are_dropped() -> None:
    now = [0.0]
    blobs = BlobStore(max_total=10, idle_seconds=5, clock=lambda: now[0])
    blobs.start("one", b"12345678")
    now[0] = 6
    blobs.start("one", b"12345678")
    assert blobs.open_uploads() == 1


# Manifests


def manifest_of(http_: Http, media_type: str, config: bytes = b"{}", layer: bytes = b"layer") -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": "c", "digest": http_.put_blob(config), "size": len(config)},
            "layers": [{"mediaType": "l", "digest": http_.put_blob(layer), "size": len(layer)}],
        }
    ).encode()


@pytest.mark.parametrize(("one", "many"), [(DOCKER_MANIFEST, DOCKER_LIST), (OCI_MANIFEST, OCI_INDEX)])
def test_images_and_indexes(http_: Http, one: str, many: str) -> None:
    body = manifest_of(http_, one)
    digest = digest_of(body)
    put = http_.ask("PUT", f"/v2/{REPOSITORY}/manifests/{digest}", body, Content_Type=one)
    assert (put.status, put.headers["Docker-Content-Digest"]) == (201, digest)
    index = json.dumps(
        {"schemaVersion": 2, "mediaType": many, "manifests": [{"mediaType": one, "digest": digest, "size": len(body)}]}
    ).encode()
    assert http_.ask("PUT", f"/v2/{REPOSITORY}/manifests/all", index, Content_Type=many).status == 201
    for reference in ("all", digest_of(index)):
        got = http_.ask("GET", f"/v2/{REPOSITORY}/manifests/{reference}")
        assert (got.body, got.headers["Content-Type"], got.headers["Docker-Content-Digest"]) == (
            index,
            many,
            digest_of(index),
        )
        head = http_.ask("HEAD", f"/v2/{REPOSITORY}/manifests/{reference}")
        assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(index)))
    assert http_.ask("GET", f"/v2/{REPOSITORY}/manifests/{digest}").body == body
    # A repository holds only what was pushed to it.
    assert http_.ask("PUT", "/v2/other/manifests/all", index, Content_Type=many).error[:2] == (
        400,
        "MANIFEST_BLOB_UNKNOWN",
    )


def test_a_manifest_needs_its_blobs(http_: Http, image: ProbeImage) -> None:
    http_.put_blob(image.config)
    path = f"/v2/{REPOSITORY}/manifests/t"
    reply = http_.ask("PUT", path, image.manifest, Content_Type=DOCKER_MANIFEST)
    assert reply.error == (
        404,
        "BLOB_UPLOAD_UNKNOWN",
        f"Layers with digests '[{digest_of(image.layer)}]' required for pushing image into repository with name "
        f"'{REPOSITORY}' in the registry with id '{ACCOUNT}' do not exist",
    )
    assert http_.ask("GET", path).error == (404, "MANIFEST_UNKNOWN", "Requested image not found")


@pytest.mark.parametrize(
    ("body", "content_type", "why"),
    [
        (b"not json", DOCKER_MANIFEST, "'Invalid JSON syntax'"),
        (b"[]", DOCKER_MANIFEST, "'Invalid JSON syntax'"),
        (
            b'{"schemaVersion": 1}',
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            "Unsupported manifest type",
        ),
        (b'{"schemaVersion": 1}', DOCKER_MANIFEST, "'Invalid JSON syntax'"),
        (
            json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST}).encode(),
            DOCKER_MANIFEST,
            "'Invalid JSON syntax'",
        ),
        (b'{"schemaVersion": 2, "layers": {}}', DOCKER_MANIFEST, "'Invalid JSON syntax'"),
        (b'{"schemaVersion": 2, "layers": []}', DOCKER_MANIFEST, "'Invalid JSON syntax'"),
        (b'{"schemaVersion": 2, "layers": ["x"], "config": {"digest": 3}}', DOCKER_MANIFEST, "'Invalid JSON syntax'"),
        (b" " * (4 * 1024 * 1024 + 1), DOCKER_MANIFEST, "length less than or equal to 4194304"),
    ],
)
def test_what_is_no_manifest_is_refused_in_ecrs_words(http_: Http, body: bytes, content_type: str, why: str) -> None:
    status, code, message = http_.ask("PUT", f"/v2/{REPOSITORY}/manifests/t", body, Content_Type=content_type).error
    assert (status, code) == (405, "UNSUPPORTED")
    assert why in message
    assert diagnose(message).pattern == "manifest-refused"


def test_a_manifest_by_a_digest_that_is_not_its_own(http_: Http, image: ProbeImage) -> None:
    assert http_.put_image(image, ABSENT).error[:2] == (400, "DIGEST_INVALID")


def test_an_immutable_tag(http_: Http, image: ProbeImage) -> None:
    assert http_.put_image(image, "v1", "frozen").status == 201
    assert http_.put_image(image, "v1", "frozen").error == (
        400,
        "TAG_INVALID",
        "The image tag 'v1' already exists in the 'frozen' repository and cannot be overwritten "
        "because the repository is immutable.",
    )
    assert http_.put_image(image, "v2", "frozen").status == 201


def test_tags_in_pages(http_: Http, image: ProbeImage) -> None:
    for tag in ("c", "a", "e", "b", "d"):
        assert http_.put_image(image, tag).status == 201
    path = f"/v2/{REPOSITORY}/tags/list"
    assert http_.ask("GET", path).json == {"name": REPOSITORY, "tags": ["a", "b", "c", "d", "e"]}
    seen, target = [], f"{path}?n=2"
    while target:
        page = http_.ask("GET", target)
        seen.append(page.json["tags"])
        target = (page.headers["Link"] or "").partition(">")[0].removeprefix("<")
    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    assert http_.ask("GET", f"{path}?n=0").json["tags"] == []
    assert http_.ask("GET", f"{path}?n=x").error[:2] == (400, "PAGINATION_NUMBER_INVALID")


def test_deleting_by_digest_takes_all_tags(http_: Http, image: ProbeImage) -> None:
    http_.put_image(image, "a")
    http_.put_image(image, "b")
    assert http_.ask("DELETE", f"/v2/{REPOSITORY}/manifests/{image.digest}").status == 202
    assert http_.ask("GET", f"/v2/{REPOSITORY}/tags/list").json["tags"] == []
    assert http_.ask("DELETE", f"/v2/{REPOSITORY}/manifests/{image.digest}").error[:2] == (404, "MANIFEST_UNKNOWN")


# The socket


def test_one_connection_serves_many_requests_even_refused_ones(http_: Http, backend: InMemoryBackend) -> None:
    http_.ask("GET", "/v2/")
    port = http_.connection.sock.getsockname()
    backend.deny = {("ecr:UploadLayerPart", REPOSITORY)}
    location = http_.start()
    refused = http_.ask("PATCH", location, iter([b"x" * 100_000] * 3), Transfer_Encoding="chunked")
    assert refused.error[:2] == (403, "DENIED")
    backend.deny = set()
    http_.put_blob(b"layer")
    assert http_.connection.sock.getsockname() == port


@pytest.mark.parametrize(
    "request_",
    [
        "PATCH {} HTTP/1.1\r\nAuthorization: {}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "PATCH {} HTTP/1.1\r\nAuthorization: {}\r\nContent-Length: minus\r\n\r\n",
    ],
)
def test_a_broken_body_ends_the_connection_with_an_answer(http_: Http, registry: Registry, request_: str) -> None:
    location = http_.start()
    with socket.create_connection(("127.0.0.1", registry.server.port), timeout=20) as raw:
        raw.sendall(request_.format(location, http_.headers["Authorization"]).encode())
        answer = b""
        while data := raw.recv(4096):
            answer += data
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_failure_of_the_backend_is_an_answer_and_no_silence(
    http_: Http, backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(repository: str) -> list[str]:
        raise RuntimeError("no disk")

    monkeypatch.setattr(backend, "tags", broken)
    assert http_.ask("GET", f"/v2/{REPOSITORY}/tags/list").error == (
        500,
        "UNKNOWN",
        "the sandbox failed: RuntimeError: no disk",
    )
    assert capfd.readouterr() == ("", "")


def test_it_serves_several_clients_at_once_in_silence(registry: Registry, capfd: pytest.CaptureFixture[str]) -> None:
    failures: list[BaseException] = []

    def push(number: int) -> None:
        try:
            client = Http(registry)
            one = make_probe(datetime.now(UTC), unique=str(number))
            assert client.put_image(one, f"t{number}").status == 201
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert len(Http(registry).ask("GET", f"/v2/{REPOSITORY}/tags/list").json["tags"]) == 12
    assert capfd.readouterr() == ("", "")


def test_shutting_down_ends_idle_connections_and_frees_the_port(backend: InMemoryBackend) -> None:
    registry = Registry(backend)
    client = Http(registry)
    client.ask("GET", "/v2/")
    registry.close()
    registry.close()
    assert client.connection.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", registry.server.port), timeout=2)


# Other people's clients


class Skopeo:
    def __init__(self, registry: Registry, home: Path) -> None:
        self.registry = registry
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["skopeo", *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout

    def url(self, name: str) -> str:
        return f"docker://{self.registry.host}/{name}"

    def on(self, side: str = "") -> list[str]:
        return [f"--{side}tls-verify=false", f"--{side}creds=AWS:{TOKEN}"]


@pytest.fixture
def skopeo(registry: Registry, tmp_path: Path) -> Skopeo:
    if not shutil.which("skopeo"):
        missing("skopeo is not installed")
    return Skopeo(registry, tmp_path)


@pytest.fixture
def archive(image: ProbeImage, tmp_path: Path) -> str:
    path = tmp_path / "image.tar"
    path.write_bytes(image.docker_archive("example/probe:latest"))
    return f"docker-archive:{path}"


@pytest.mark.parametrize("kind", ["v2s2", "oci"])
def test_skopeo_pushes_reads_and_deletes(skopeo: Skopeo, archive: str, kind: str, tmp_path: Path) -> None:
    one = skopeo.url(f"{REPOSITORY}:one")
    skopeo.run("copy", f"--format={kind}", *skopeo.on("dest-"), archive, one)
    about = json.loads(skopeo.run("inspect", *skopeo.on(), one))
    assert about["RepoTags"] == ["one"]
    raw = json.loads(skopeo.run("inspect", "--raw", *skopeo.on(), one))
    assert raw.get("mediaType", OCI_MANIFEST) == {"v2s2": DOCKER_MANIFEST, "oci": OCI_MANIFEST}[kind]
    skopeo.run("copy", *skopeo.on("src-"), one, f"dir:{tmp_path}/pulled")
    assert sorted(path.name for path in (tmp_path / "pulled").iterdir())[-1] == "version"
    skopeo.run("copy", *skopeo.on("src-"), *skopeo.on("dest-"), one, skopeo.url("other:two"))
    assert json.loads(skopeo.run("list-tags", *skopeo.on(), skopeo.url("other")))["Tags"] == ["two"]
    skopeo.run("delete", *skopeo.on(), one)
    assert json.loads(skopeo.run("list-tags", *skopeo.on(), skopeo.url(REPOSITORY)))["Tags"] == []


def test_skopeo_copies_an_index_with_its_images(skopeo: Skopeo, http_: Http) -> None:
    body = manifest_of(http_, OCI_MANIFEST, config=b'{"architecture":"amd64","os":"linux"}')
    http_.ask("PUT", f"/v2/{REPOSITORY}/manifests/{digest_of(body)}", body, Content_Type=OCI_MANIFEST)
    platform = {"architecture": "amd64", "os": "linux"}
    entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(body), "size": len(body), "platform": platform}
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    http_.ask("PUT", f"/v2/{REPOSITORY}/manifests/all", index, Content_Type=OCI_INDEX)
    source, target = skopeo.url(f"{REPOSITORY}:all"), skopeo.url("other:all")
    skopeo.run("copy", "--all", *skopeo.on("src-"), *skopeo.on("dest-"), source, target)
    assert http_.ask("GET", "/v2/other/manifests/all").headers["Docker-Content-Digest"] == digest_of(index)


def test_skopeo_shows_the_denial(skopeo: Skopeo, archive: str, backend: InMemoryBackend) -> None:
    backend.deny = {("ecr:InitiateLayerUpload", REPOSITORY)}
    with pytest.raises(AssertionError, match="no resource-based policy allows the ecr:InitiateLayerUpload action"):
        skopeo.run("copy", *skopeo.on("dest-"), archive, skopeo.url(f"{REPOSITORY}:one"))


@pytest.mark.docker
def test_docker_logs_in_pushes_and_pulls(
    registry: Registry, backend: InMemoryBackend, image: ProbeImage, docker_host: str, tmp_path: Path
) -> None:
    if not shutil.which("docker"):
        missing("the docker command is not installed")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DOCKER_HOST": docker_host}

    def docker(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", *arguments],
            input=text,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    name = f"{registry.host}/{REPOSITORY}:by-docker"
    (tmp_path / "image.tar").write_bytes(image.docker_archive(name))
    try:
        assert docker("load", "-i", str(tmp_path / "image.tar")).returncode == 0
        assert "no basic auth credentials" in docker("push", name).stderr
        login = ("login", "--username", "AWS", "--password-stdin", registry.host)
        assert docker(*login, text="wrong").returncode != 0
        assert "Login Succeeded" in docker(*login, text=TOKEN).stdout
        backend.deny = {("ecr:InitiateLayerUpload", REPOSITORY)}
        assert denial_text("ecr:InitiateLayerUpload", REPOSITORY) in docker("push", name).stderr
        backend.deny = set()
        pushed = docker("push", name)
        assert pushed.returncode == 0, pushed.stderr
        docker("rmi", name)
        pulled = docker("pull", name)
        assert "Downloaded newer image" in pulled.stdout, pulled.stderr
        stored = backend.manifest(REPOSITORY, "by-docker")
        assert stored is not None
        assert stored.digest in pulled.stdout
    finally:
        docker("rmi", "--force", name)
