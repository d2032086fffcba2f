from __future__ import annotations

import json
from threading import Event

import pytest

from ecr_tui.errors import EnvironmentFailure, InputError
from ecr_tui.registry.direct import DirectClient, DirectEngine
from ecr_tui.registry.engine import Credentials, Progress, Reference, RegistryError, Transfer, Unreachable
from ecr_tui.registry.probe import ProbeImage, digest_of
from ecr_tui.registry.wiring import is_loopback, registry_at
from ecr_tui.sandbox.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX
from ecr_tui.sandbox.registry_app import Response
from ecr_tui.secret import Secret
from tests.registry.conftest import REPOSITORY
from tests.support.registry_backend import CALLER, EXPIRED, InMemoryBackend, Registry, denial_text

COLD_PUSH = [
    "HEAD blobs",
    "POST blobs/uploads",
    "PUT blobs/uploads",
    "HEAD blobs",
    "POST blobs/uploads",
    "PUT blobs/uploads",
    "PUT manifests",
]


@pytest.fixture
def reference(registry: Registry, image: ProbeImage) -> Reference:
    return Reference(registry.host, REPOSITORY, image.tag)


@pytest.fixture
def engine(image: ProbeImage, reference: Reference, never: Event) -> DirectEngine:
    engine = DirectEngine()
    engine.tag(image, reference, never)
    return engine


class Story:
    """The engine with everything but the call filled in."""

    def __init__(self, engine: DirectEngine, reference: Reference, credentials: Credentials) -> None:
        self.engine = engine
        self.reference = reference
        self.credentials = credentials
        self.progress: list[Progress] = []
        self.cancel = Event()

    def push(self) -> Transfer:
        return self.engine.push(self.reference, self.credentials, self.progress.append, self.cancel)

    def pull(self, tag: str = "") -> Transfer:
        reference = Reference(self.reference.host, self.reference.repository, tag or self.reference.tag)
        return self.engine.pull(reference, self.credentials, self.progress.append, self.cancel)

    def login(self) -> None:
        self.engine.login(self.reference.host, self.credentials, self.cancel)


@pytest.fixture
def story(engine: DirectEngine, reference: Reference, credentials: Credentials) -> Story:
    return Story(engine, reference, credentials)


def test_a_cold_push_is_seven_requests_and_a_pull_three(story: Story, registry: Registry, image: ProbeImage) -> None:
    pushed = story.push()
    assert registry.seen == COLD_PUSH
    assert pushed == Transfer(image.digest, len(image.layer) + len(image.config), 7)
    registry.app.seen.clear()
    pulled = story.pull()
    assert registry.seen == ["GET manifests", "GET blobs", "GET blobs"]
    assert pulled == Transfer(image.digest, pushed.bytes, 3)


def test_login_is_one_request_of_its_own_and_the_connection_is_kept(story: Story, registry: Registry) -> None:
    ports: set[int] = set()
    server = registry.server._server
    process = server.process_request
    server.process_request = lambda request, address: (ports.add(address[1]), process(request, address))  # type: ignore[method-assign]
    story.login()
    assert registry.seen == ["GET base"]
    assert story.push().requests == 7
    assert story.pull().requests == 3
    assert len(ports) == 1


def test_what_is_there_is_not_sent_again(story: Story, registry: Registry) -> None:
    story.push()
    registry.app.seen.clear()
    again = story.push()
    assert registry.seen == ["HEAD blobs", "HEAD blobs", "PUT manifests"]
    assert (again.bytes, again.requests) == (0, 3)


def test_progress_is_a_step_a_request_with_bytes(story: Story, image: ProbeImage) -> None:
    story.push()
    layer = digest_of(image.layer).removeprefix("sha256:")[:12]
    assert [(one.status, one.current, one.total) for one in story.progress if one.layer == layer] == [
        ("Checking", None, len(image.layer)),
        ("Pushing", 0, len(image.layer)),
        ("Pushed", len(image.layer), len(image.layer)),
    ]
    assert story.progress[-1] == Progress("", "Pushed", len(image.manifest), len(image.manifest))


def test_nothing_prepared_is_a_mistake_of_the_caller(story: Story) -> None:
    story.engine.remove_local(story.reference)
    with pytest.raises(InputError):
        story.push()


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("ecr:BatchCheckLayerAvailability", "HEAD blob"),
        ("ecr:InitiateLayerUpload", "POST blob upload"),
        ("ecr:UploadLayerPart", "PUT blob upload"),
        ("ecr:CompleteLayerUpload", "PUT blob upload"),
        ("ecr:PutImage", "PUT manifest"),
        ("ecr:BatchGetImage", "GET manifest"),
        ("ecr:GetDownloadUrlForLayer", "GET blob"),
    ],
)
def test_each_refusal_names_its_action(story: Story, backend: InMemoryBackend, action: str, request_: str) -> None:
    pulling = request_.startswith("GET")
    if pulling:
        story.push()
    backend.deny = {(action, REPOSITORY)}
    with pytest.raises(RegistryError) as caught:
        story.pull() if pulling else story.push()
    error = caught.value
    assert (error.status, error.code, error.request, error.action) == (403, "DENIED", request_, action)
    assert not isinstance(error, EnvironmentFailure)
    if request_ != "HEAD blob":
        assert error.detail == denial_text(action, REPOSITORY)
        assert error.hint == f"ecr-tui grant {REPOSITORY} --to {CALLER.arn}"


@pytest.mark.parametrize(("password", "status", "side"), [(EXPIRED, 403, ""), ("nonsense", 400, ""), ("", 400, "")])
def test_tokens_that_do_not_work(story: Story, password: str, status: int, side: str) -> None:
    story.credentials = Credentials("AWS", Secret(password))
    with pytest.raises(RegistryError) as caught:
        story.login()
    assert (caught.value.status, caught.value.side, caught.value.request) == (status, side, "GET /v2/")
    assert "token" in caught.value.title.lower()


def test_a_missing_repository(story: Story) -> None:
    story.reference = Reference(story.reference.host, "nowhere", story.reference.tag)
    story.engine.tag(next(iter(story.engine._images.values())), story.reference, story.cancel)
    with pytest.raises(RegistryError) as caught:
        story.push()
    error = caught.value
    assert (error.status, error.code, error.side) == (404, "NAME_UNKNOWN", "account A")


def test_an_immutable_tag(story: Story, image: ProbeImage) -> None:
    story.reference = Reference(story.reference.host, "frozen", image.tag)
    story.engine.tag(image, story.reference, story.cancel)
    story.push()
    with pytest.raises(RegistryError) as caught:
        story.push()
    assert (caught.value.status, caught.value.code, caught.value.action) == (400, "TAG_INVALID", "ecr:PutImage")


def test_a_missing_tag(story: Story) -> None:
    with pytest.raises(RegistryError) as caught:
        story.pull("nothing")
    assert (caught.value.status, caught.value.code) == (404, "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("media_type", [DOCKER_LIST, OCI_INDEX])
def test_of_an_index_the_first_image_is_pulled(
    story: Story, backend: InMemoryBackend, image: ProbeImage, media_type: str
) -> None:
    story.push()
    entry = {"mediaType": DOCKER_MANIFEST, "digest": image.digest, "size": len(image.manifest)}
    index = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [entry]}).encode()
    backend.put_manifest(REPOSITORY, "multi", media_type, index)
    pulled = story.pull("multi")
    assert pulled == Transfer(digest_of(index), len(image.layer) + len(image.config), 4)
    assert story.pull(image.digest).digest == image.digest


def test_changed_content_is_found_out(story: Story, registry: Registry, image: ProbeImage) -> None:
    story.push()
    good = {"Docker-Content-Digest": image.digest, "Content-Type": DOCKER_MANIFEST}
    registry.answer("GET /v2/team/my-first-repo/manifests/", Response(200, good, image.manifest + b" "))
    with pytest.raises(Unreachable, match="does not match its digest") as caught:
        story.pull()
    assert "digest mismatch" in caught.value.detail
    registry.answer("GET /v2/team/my-first-repo/blobs/", Response(200, {}, b"something else"))
    with pytest.raises(Unreachable, match="does not match its digest"):
        story.pull()
    registry.answer("GET /v2/team/my-first-repo/manifests/sha", Response(200, {}, image.manifest + b" "))
    with pytest.raises(Unreachable, match="does not match its digest"):
        story.pull(image.digest)
    registry.answer("PUT /v2/team/my-first-repo/manifests/", Response(201, {"Docker-Content-Digest": "sha256:0"}))
    with pytest.raises(Unreachable, match="does not match its digest"):
        story.push()


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"schemaVersion": 1}',
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "config": {"digest": "../../etc"}, "layers": []}',
        b'{"schemaVersion": 2, "config": {}, "layers": 3}',
        b'{"schemaVersion": 2, "manifests": []}',
        b'{"schemaVersion": 2, "manifests": [1]}',
        b" " * (4 * 1024 * 1024 + 1),
    ],
)
def test_what_is_no_manifest_is_told(story: Story, registry: Registry, body: bytes) -> None:
    registry.answer("GET /v2/team/my-first-repo/manifests/", Response(200, {}, body))
    with pytest.raises(Unreachable, match="not from a registry"):
        story.pull()


def test_an_upload_without_an_address_is_no_registry(story: Story, registry: Registry) -> None:
    registry.answer("POST", Response(202))
    with pytest.raises(Unreachable, match="not from a registry"):
        story.push()


def test_a_foreign_layer_is_not_asked_for(story: Story, backend: InMemoryBackend, image: ProbeImage) -> None:
    story.push()
    manifest = json.loads(image.manifest)
    manifest["layers"].append({"digest": "sha256:" + "0" * 64, "size": 3, "urls": ["https://elsewhere.invalid/"]})
    backend.put_manifest(REPOSITORY, "foreign", DOCKER_MANIFEST, json.dumps(manifest).encode())
    assert story.pull("foreign").requests == 3


# The read-only check


def check(registry: Registry, credentials: Credentials, repository: str = REPOSITORY) -> dict[str, str]:
    return DirectClient().check(registry.host, repository, credentials)


def test_the_check_reads_only_and_tells_per_action(
    registry: Registry, backend: InMemoryBackend, credentials: Credentials
) -> None:
    allowed = {"ecr:BatchGetImage": "allowed", "ecr:BatchCheckLayerAvailability": "allowed"}
    assert check(registry, credentials) == allowed
    assert registry.seen == ["GET manifests", "HEAD blobs"]
    assert registry.blobs.open_uploads() == 0
    for action in allowed:
        backend.deny = {(action, REPOSITORY)}
        assert check(registry, credentials) == {**allowed, action: "denied"}


@pytest.mark.parametrize("failure", ["missing", "expired", "server error"])
def test_the_check_does_not_guess(registry: Registry, credentials: Credentials, failure: str) -> None:
    unknown = {"ecr:BatchGetImage": "unknown", "ecr:BatchCheckLayerAvailability": "unknown"}
    if failure == "missing":
        assert check(registry, credentials, "nowhere") == unknown
    elif failure == "expired":
        assert check(registry, Credentials("AWS", Secret(EXPIRED))) == unknown
    else:
        registry.answer("GET", Response(501))
        assert check(registry, credentials) == unknown


def test_the_check_needs_a_registry(credentials: Credentials) -> None:
    with pytest.raises(Unreachable):
        DirectClient().check("127.0.0.1:1", REPOSITORY, credentials)


# Addresses


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("111111111111.dkr.ecr.eu-central-1.amazonaws.com", "https://111111111111.dkr.ecr.eu-central-1.amazonaws.com"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("localhost:5000", "http://localhost:5000"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("127.0.0.1.evil.example", "https://127.0.0.1.evil.example"),
        ("localhost.evil.example:80", "https://localhost.evil.example:80"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
def test_plain_http_is_for_loopback_only(host: str, url: str) -> None:
    assert str(registry_at(host)) == f"{url}/"
    assert is_loopback(host) == url.startswith("http:")


@pytest.mark.parametrize("host", ["", "https://x", "x/y", "user@x", "x y", "x?y", "x#", "127.0.0.1:80@evil.example"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(InputError):
        registry_at(host)
