"""Rows of the failure catalogue, provoked: by real state of the sandbox where that is possible (policies, tags,
immutability, keys, time, missing things), else by a fault in a registry's, AWS's or a Docker daemon's place."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import docker
import pytest
from botocore.exceptions import ClientError

from ecr_tui.aws.model import Repository, Role
from ecr_tui.diagnosis.catalogue import CATALOGUE
from ecr_tui.diagnosis.diagnose import Diagnosis, diagnose
from ecr_tui.diagnosis.failure import Failure
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.actions import Access
from ecr_tui.registry import docker_engine, transport, wiring
from ecr_tui.registry.choose import choose_engine
from ecr_tui.registry.docker_endpoints import PATIENT_SECONDS
from ecr_tui.registry.docker_engine import DockerEngine
from ecr_tui.registry.engine import Credentials, Reference
from ecr_tui.registry.probe import ProbeImage, make_probe
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.directory import BOUNDARY
from ecr_tui.sandbox.registry_app import RegistryApp, Request, Response, error_response
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from ecr_tui.secret import Secret
from ecr_tui.verification import transfers
from ecr_tui.verification.report import Report, Stage, StageName, Status, Verdict
from tests.support.engines import missing
from tests.support.faults import RawServer, Script, fake_dockerd, response, tcp_server
from tests.support.proving import CONSUMER, CONSUMER_ACCOUNT, REPOSITORY, after, grant, images, prove, workspace
from tests.support.registry_backend import InMemoryBackend
from tests.support.tls import ECR_NAME, Proxy, tls_registry

pytestmark = pytest.mark.thorough

START, PUT_BLOB, PUT_MANIFEST = "POST /v2/", f"PUT /v2/{REPOSITORY}/blobs", f"PUT /v2/{REPOSITORY}/manifests"
GET_MANIFEST, GET_BLOB = f"GET /v2/{REPOSITORY}/manifests", f"GET /v2/{REPOSITORY}/blobs"
DIGEST = "sha256:" + "ab" * 32


@dataclass
class Scene:
    """What a provocation works with."""

    sandbox: Sandbox
    monkeypatch: pytest.MonkeyPatch
    folder: Path
    request: pytest.FixtureRequest

    def docker(self) -> str:
        """From here on DOCKER_HOST names a real engine."""
        url = self.request.getfixturevalue("docker_host")
        self.monkeypatch.setenv("DOCKER_HOST", url)
        return str(url)

    def docker_command(self, *arguments: str, stdin: str | None = None) -> str:
        """What docker says on stderr; its settings are in ``folder``."""
        if shutil.which("docker") is None:
            missing("docker is not installed")
        done = subprocess.run(
            ["docker", "--config", str(self.folder), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        return done.stderr

    def answer(
        self, part: str, make: Callable[[Request], Response | None], agent: Callable[[str], bool] = lambda _: True
    ) -> None:
        """In the registry's place, where "METHOD target" contains ``part`` and the user agent is meant."""

        def fault(_: str, request: Request) -> Response | None:
            meant = part in f"{request.method} {request.target}" and agent(request.headers.get("user-agent", ""))
            return make(request) if meant else None

        self.sandbox.registry_fault = fault

    def stored(self, request: Request, answer: Response) -> Response:
        """Does what the registry would do, and says something else."""
        app = self.sandbox._apps[self.sandbox.account_a, self.sandbox.region]
        assert RegistryApp.handle(app, request).status == 201
        return answer

    def refuse(self, part: str, status: int, code: str, message: str) -> None:
        self.answer(part, lambda _: error_response(status, code, message))

    def refuse_call(self, operation: str, code: str, message: str) -> None:
        """In AWS's place."""

        def fault(call: AwsCall) -> ServiceError | None:
            return ServiceError(code, message) if call.operation == operation else None

        self.sandbox.fault = fault

    def client(self, profile: str = "account-a", service: str = "ecr") -> Any:
        return boto3.Session(profile_name=profile).client(service)

    def user(self) -> Any:
        return self.sandbox.world.directory.user(CONSUMER_ACCOUNT, "devusr2")

    def later(self, hours: float) -> None:
        """Time goes by at AWS, and not here."""
        self.sandbox.clock = lambda: datetime.now(UTC) + timedelta(hours=hours)

    def granted(self) -> tuple[Repository, Credentials]:
        """A repository that B may use, and B's token for its registry."""
        space = workspace()
        repository = grant(space)
        data = space.accounts.session(Role.CONSUMER).client("ecr").get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(data[0]["authorizationToken"]).decode().partition(":")
        return repository, Credentials(user, Secret(password))

    def probe(self, make: Callable[[ProbeImage], ProbeImage]) -> None:
        """Push another image than the usual one."""
        self.monkeypatch.setattr(transfers, "make_probe", lambda now: make(make_probe(now)))


Provocation = Callable[[Scene], Report | Diagnosis]
PROVOCATIONS: dict[str, Provocation] = {}


def provokes(row: str) -> Callable[[Provocation], Provocation]:
    def register(provocation: Provocation) -> Provocation:
        assert row not in PROVOCATIONS, row
        PROVOCATIONS[row] = provocation
        return provocation

    return register


@pytest.fixture
def scene(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.001)
    return Scene(sandbox, monkeypatch, tmp_path, request)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" in metafunc.fixturenames:
        rows = [row for row in CATALOGUE if row.id in PROVOCATIONS]
        metafunc.parametrize("row", rows, ids=[row.id for row in rows])


def test_a_row_can_be_provoked(scene: Scene, row: Failure) -> None:
    before = {name: images(scene.sandbox, name) for name in (REPOSITORY, "payments/ledger", "payments/vault")}
    found = PROVOCATIONS[row.id](scene)
    if isinstance(found, Diagnosis):
        assert found.pattern == row.id, found
        assert found.side
        assert found.cause
        assert found.fix
        return
    shown = decisive(found)
    assert shown.pattern == row.id, (shown, found.notes)
    if row.proves_access and shown.status is Status.OK:
        assert found.verdict is Verdict.ALLOWED
        assert "authorized" in shown.message
    else:
        assert shown.status is (Status.DENIED if row.denied else Status.FAILED)
        assert found.verdict is (Verdict.DENIED if row.denied else Verdict.ERROR)
        assert not found.passed
        assert shown.side
        assert shown.cause
        assert shown.fix
        assert shown.detail
    assert found.cleaned_up, found.stages[-1]
    scene.sandbox.registry_fault = None
    assert {name: images(scene.sandbox, name) for name in before} == before


def decisive(report: Report) -> Stage:
    return report.failure or next(one for one in report.stages if one.pattern)


def test_nothing_is_provoked_that_is_no_row() -> None:
    assert set(PROVOCATIONS) <= {row.id for row in CATALOGUE}


def test_a_full_repository_is_no_verdict_about_access(scene: Scene) -> None:
    space = workspace()
    grant(space)
    scene.answer(PUT_MANIFEST, lambda _: Response(403))
    found = prove(space)
    assert found.verdict is Verdict.ERROR
    shown = decisive(found)
    assert (shown.pattern, shown.action) == ("repository-full", "ecr:PutImage")
    assert "quota" in shown.cause


def test_what_has_a_number_is_provoked() -> None:
    assert {row.number for row in CATALOGUE if row.id in PROVOCATIONS} >= set(range(1, 31))


# Permissions: real policies, decided by the sandbox as AWS decides


@provokes("no-resource-policy")
def _(scene: Scene) -> Report:
    return prove(workspace())


@provokes("no-identity-policy")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.user().policies.pop("PushPullAccountA")
    return prove(space)


@provokes("explicit-deny")
def _(scene: Scene) -> Report:
    return prove(workspace(), "payments/vault")


@provokes("login-not-allowed")
def _(scene: Scene) -> Report:
    return prove(workspace(profile_b="no-access"))


@provokes("no-other-policy")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    backend = scene.sandbox.world.directory.backend(CONSUMER_ACCOUNT)
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}],
        }
    )
    boundary = backend.create_policy(description="", path="/", policy_document=text, policy_name="OnlyLogin", tags=[])
    setattr(scene.user(), BOUNDARY, {"PermissionsBoundaryArn": boundary.arn})
    return prove(space)


@provokes("not-authorized")
def _(scene: Scene) -> Report:
    """The older wording, without a reason."""
    scene.refuse(
        START,
        403,
        "DENIED",
        f"User: {CONSUMER} is not authorized to perform: ecr:InitiateLayerUpload on resource: "
        f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}",
    )
    space = workspace()
    grant(space)
    return prove(space)


@provokes("organisation")
def _(scene: Scene) -> Report:
    scene.refuse_call(
        "GetAuthorizationToken",
        "BlockedByOrganizationPolicyException",
        "The operation is blocked by organization policy",
    )
    return prove(workspace())


@provokes("head-without-body")
def _(scene: Scene) -> Report:
    """A HEAD has no text, and the API, which would have one, does not answer."""
    space = workspace()
    repository = grant(space, access=Access.PULL)
    text = json.loads(space.listing.policy_text(repository) or "")
    text["Statement"][0]["Action"] = ["ecr:BatchGetImage", "ecr:InitiateLayerUpload"]
    scene.client().set_repository_policy(repositoryName=REPOSITORY, policyText=json.dumps(text))
    scene.refuse_call("BatchCheckLayerAvailability", "ServerException", "try later")
    return prove(space)


@provokes("status-403")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.answer(START, lambda _: Response(403))
    return prove(space)


@provokes("repository-full")
def _(scene: Scene) -> Report:
    """A's policy allows push alone up to the manifest."""
    space = workspace()
    repository = grant(space)
    text = json.loads(space.listing.policy_text(repository) or "")
    text["Statement"][0]["Action"] = [one for one in text["Statement"][0]["Action"] if one != "ecr:PutImage"]
    scene.client().set_repository_policy(repositoryName=REPOSITORY, policyText=json.dumps(text))
    scene.answer(PUT_MANIFEST, lambda _: Response(403))
    return prove(space)


@provokes("pull-access-denied")
def _(scene: Scene) -> Diagnosis:
    """Docker's own words for a registry that refuses to show an image without saying why."""
    scene.docker()
    repository, credentials = scene.granted()
    scene.answer("manifests", lambda _: error_response(403, "DENIED", "no"))
    return said_by_docker(lambda engine: engine.pull(reference(repository), credentials, lambda _: None, Event()))


@provokes("create-on-push")
def _(scene: Scene) -> Report:
    scene.refuse(
        START,
        403,
        "DENIED",
        f"User: {CONSUMER} is not authorized to perform: ecr:CreateRepository on resource: "
        "arn:aws:ecr:eu-central-1:111111111111:repository/unknown because no resource-based policy allows the "
        "ecr:CreateRepository action",
    )
    space = workspace()
    grant(space)
    return prove(space)


# Credentials


@provokes("token-expired")
def _(scene: Scene) -> Report:
    """Twelve hours go by between login and push."""
    space = workspace()
    grant(space)

    def on_event(event: object) -> None:
        after(StageName.TAG, lambda: scene.later(13))(event)  # type: ignore[arg-type]
        # Else the clocks are apart when A's calls are signed.
        after(StageName.PUSH, lambda: scene.later(0))(event)  # type: ignore[arg-type]

    scene.docker()
    return prove(space, engine="docker", on_event=on_event)


@provokes("token-invalid")
def _(scene: Scene) -> Report:
    return prove(workspace(), on_event=after(StageName.TOKEN, scene.sandbox.world.tokens.clear))


@provokes("no-basic-auth")
def _(scene: Scene) -> Diagnosis:
    url = scene.docker()
    repository, _ = scene.granted()
    engine = DockerEngine.connect(PATIENT_SECONDS)
    image = make_probe(datetime.now(UTC))
    name = Reference(repository.host, repository.name, image.tag)
    engine.tag(image, name, Event())
    with contextlib.closing(docker.APIClient(url, version="auto")) as api:
        events = list(api.push(name.name, tag=name.tag, stream=True, decode=True, auth_config={}))
    engine.remove_local(name)
    engine.close()
    return diagnose(next(event["error"] for event in events if "error" in event))


@provokes("sso-or-keys")
def _(scene: Scene) -> Report:
    scene.refuse_call("GetCallerIdentity", "ExpiredToken", "The security token included in the request is expired")
    return prove(workspace())


@provokes("keys-unknown")
def _(scene: Scene) -> Report:
    """B's key is deactivated."""
    scene.user().access_keys[0].status = "Inactive"
    return prove(workspace())


@provokes("credential-store")
def _(scene: Scene) -> Diagnosis:
    scene.docker()
    repository, credentials = scene.granted()
    helper = scene.folder / "docker-credential-storeless"
    helper.write_text("#!/bin/sh\ncat > /dev/null\necho 'not implemented'\nexit 1\n")
    helper.chmod(0o755)
    scene.monkeypatch.setenv("PATH", str(scene.folder), prepend=":")
    (scene.folder / "config.json").write_text('{"credsStore": "storeless"}')
    login = ("login", "--username", "AWS", "--password-stdin", repository.host)
    return diagnose(scene.docker_command(*login, stdin=credentials.password.reveal()))


@provokes("login-without-password")
def _(scene: Scene) -> Diagnosis:
    """`aws ecr get-login-password` has failed and written nothing into the pipe."""
    scene.docker()
    return diagnose(scene.docker_command("login", "--username", "AWS", "127.0.0.1:1", stdin=""))


# The repository's state


@provokes("name-unknown")
def _(scene: Scene) -> Report:
    """Deleted just before the push, when A may not look whether it is there; a registry policy lets B so far that it is
    told."""
    space = workspace()
    repository = grant(space)
    statement = {"Sid": "B", "Effect": "Allow", "Principal": {"AWS": CONSUMER}, "Action": "ecr:*", "Resource": "*"}
    scene.client().put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    scene.client().delete_repository(repositoryName=REPOSITORY, force=True)
    scene.monkeypatch.setattr("ecr_tui.verification.accounts.check_exists", lambda *_: None)
    found = prove(space, repository)
    scene.sandbox.reset()
    return found


@provokes("repository-not-found")
def _(scene: Scene) -> Diagnosis:
    """Without registryId B asks in its own registry."""
    return said_by_aws(lambda: scene.client("dev-acc").describe_repositories(repositoryNames=[REPOSITORY]))


@provokes("no-policy-yet")
def _(scene: Scene) -> Diagnosis:
    return said_by_aws(lambda: scene.client().get_repository_policy(repositoryName=REPOSITORY))


@provokes("policy-invalid")
def _(scene: Scene) -> Diagnosis:
    return said_by_aws(lambda: set_policy(scene, CONSUMER, "ecr:GetAuthorizationToken"))


@provokes("policy-principal-missing")
def _(scene: Scene) -> Diagnosis:
    nobody = f"arn:aws:iam::{CONSUMER_ACCOUNT}:user/nobody"
    return said_by_aws(lambda: set_policy(scene, nobody, "ecr:BatchGetImage"))


def set_policy(scene: Scene, principal: str, action: str) -> None:
    statement = {"Sid": "S", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": action}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    scene.client().set_repository_policy(repositoryName=REPOSITORY, policyText=text)


@provokes("tag-immutable")
def _(scene: Scene) -> Report:
    """The answer to the manifest is lost, so it is sent again: the tag is taken, by ourselves."""
    space = workspace()
    repository = grant(space, "payments/ledger")
    scene.answer("PUT /v2/payments/ledger/manifests", once(lambda request: scene.stored(request, Response(503))))
    return prove(space, repository)


@provokes("image-exists")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    told = f"ImageAlreadyExistsException: Image with digest '{DIGEST}' and tag 'x' already exists"
    scene.answer(PUT_MANIFEST, lambda request: scene.stored(request, error_response(400, "UNKNOWN", told)))
    return prove(space, access=Access.PUSH)


@provokes("manifest-refused")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.probe(lambda image: image._replace(manifest=b'{"schemaVersion":2}'))
    return prove(space)


@provokes("layers-missing")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    text = '"digest":"sha256:'

    def with_a_layer_from_elsewhere(image: ProbeImage) -> ProbeImage:
        head, _, tail = image.manifest.decode().rpartition(text)
        return image._replace(manifest=f"{head}{text}{'0' * 64}{tail[64:]}".encode())

    scene.probe(with_a_layer_from_elsewhere)
    return prove(space)


@provokes("manifest-unknown")
def _(scene: Scene) -> Report:
    """The image is deleted just before it is pulled."""
    space = workspace()
    grant(space)
    gone = after(StageName.TAG, lambda: scene.sandbox.owner_backend().delete_manifest(REPOSITORY, "latest"))
    found = prove(space, access=Access.PULL, image="latest", on_event=gone)
    scene.sandbox.reset()
    return found


@provokes("kms")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.refuse(
        PUT_BLOB,
        400,
        "UNKNOWN",
        "KmsException: The ciphertext refers to a KMS key that is disabled (kmsError: Disabled)",
    )
    return prove(space)


@provokes("quota")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.refuse(
        PUT_MANIFEST,
        403,
        "DENIED",
        "LimitExceededException: The repository already has the maximum allowed number of images",
    )
    return prove(space)


@provokes("upstream")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.refuse(GET_MANIFEST, 404, "UNKNOWN", "UnableToGetUpstreamImageException: cannot pull from upstream registry")
    return prove(space, access=Access.PULL)


# Docker


@provokes("no-docker")
def _(scene: Scene) -> Diagnosis:
    scene.monkeypatch.setenv("DOCKER_HOST", f"unix://{scene.folder}/docker.sock")
    with pytest.raises(EcrTuiError) as caught:
        choose_engine("docker")
    return diagnose(caught.value.detail)


@provokes("docker-stalled")
def _(scene: Scene) -> Report:
    """The daemon takes the push and falls silent; the registry would have taken it."""
    scene.monkeypatch.setattr(docker_engine, "SILENCE_SECONDS", 0.3)
    space = workspace()
    grant(space)
    stalls = [{"status": "Preparing", "id": "a"}, "stall"]
    with fake_dockerd(login=(200, {}), load=(200, []), push=(200, stalls)) as (_, url):
        scene.monkeypatch.setenv("DOCKER_HOST", url)
        found = prove(space, engine="docker")
    assert any("without the container engine" in note for note in found.notes)
    assert found.can_push
    return found


@provokes("http-on-https")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    text = 'Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client'
    with fake_dockerd(login=(200, {}), load=(200, []), push=(200, [{"errorDetail": {"message": text}}])) as (_, url):
        scene.monkeypatch.setenv("DOCKER_HOST", url)
        return prove(space, engine="docker")


@provokes("retrying")
def _(scene: Scene) -> Report:
    """The connection breaks off on docker's uploads alone, as with a registry that refuses in the middle of one."""
    scene.docker()
    space = workspace()
    grant(space)
    scene.answer(START, break_off, lambda agent: agent.startswith("docker"))
    return prove(space, engine="docker")


@provokes("hub-denied")
def _(scene: Scene) -> Diagnosis:
    """Docker Hub's words, from a registry that says them to docker."""
    scene.docker()
    repository, credentials = scene.granted()
    # With the full stop docker takes it for a message; without, for a code that it retries for more than a minute.
    scene.refuse(START, 403, "DENIED", "requested access to the resource is denied.")
    image = make_probe(datetime.now(UTC))
    name = Reference(repository.host, repository.name, image.tag)

    def push(engine: DockerEngine) -> None:
        engine.tag(image, name, Event())
        try:
            engine.push(name, credentials, lambda _: None, Event())
        finally:
            engine.remove_local(name)

    return said_by_docker(push)


# The network, and what stands in it


@provokes("throttled")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.refuse(START, 429, "TOOMANYREQUESTS", "Rate exceeded")
    return prove(space)


@provokes("registry-failure")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.refuse(START, 503, "UNAVAILABLE", "service unavailable")
    return prove(space)


@provokes("broken-connection")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.answer(PUT_BLOB, break_off)
    return prove(space)


def break_off(_: Request) -> Response | None:
    """The sandbox's server hangs up without an answer."""
    raise ConnectionResetError


@provokes("garbage")
def _(scene: Scene) -> Report:
    """A captive portal."""
    space = workspace()
    grant(space)
    page = b"<html><title>Sign in to the guest network</title></html>"
    scene.answer(START, lambda _: Response(403, {"Content-Type": "text/html"}, page))
    return prove(space)


@provokes("content-changed")
def _(scene: Scene) -> Report:
    space = workspace()
    grant(space)
    scene.answer(GET_BLOB, lambda _: Response(200, {"Content-Type": "application/octet-stream"}, b"other bytes"))
    return prove(space)


@provokes("timeout")
def _(scene: Scene) -> Report:
    scene.monkeypatch.setattr(wiring, "READ_SECONDS", 0.2)
    space = workspace()
    grant(space)
    release = Event()
    scene.request.addfinalizer(release.set)
    scene.answer(START, lambda _: Response(503) if release.wait(60) else None)
    return prove(space)


@provokes("unreachable")
def _(scene: Scene) -> Report:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    return prove(workspace(), elsewhere(host))


@provokes("dns")
def _(scene: Scene) -> Report:
    known = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host == ECR_NAME:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *rest, **more)

    scene.monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return prove(workspace(), elsewhere(ECR_NAME))


@provokes("proxy")
def _(scene: Scene) -> Report:
    def refuse(_: RawServer) -> Script:
        return lambda connection, _head: connection.sendall(response("407 Proxy Authentication Required", b""))

    with tcp_server(refuse) as (_, address):
        scene.monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        return prove(workspace(), elsewhere(ECR_NAME))


@provokes("tls")
def _(scene: Scene) -> Report:
    """Something that speaks TLS, with a certificate of its own."""
    certificate = scene.request.getfixturevalue("authority")
    with (
        tls_registry(InMemoryBackend(), certificate) as registry,
        tcp_server(Proxy(registry.server.port)) as (_, address),
    ):
        scene.monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        return prove(workspace(), elsewhere(ECR_NAME))


# Helpers


def once(make: Callable[[Request], Response | None]) -> Callable[[Request], Response | None]:
    left = [make]
    return lambda request: left.pop()(request) if left else None


def elsewhere(host: str) -> Repository:
    """The usual repository, its registry at another host."""
    arn = f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}"
    return Repository(REPOSITORY, arn, f"{host}/{REPOSITORY}", "eu-central-1", "111111111111", {"Team": "Payments"})


def reference(repository: Repository) -> Reference:
    return Reference(repository.host, repository.name, "ecr-tui-verify-absent")


def said_by_aws(call: Callable[[], object]) -> Diagnosis:
    with pytest.raises(ClientError) as caught:
        call()
    return diagnose(str(caught.value))


def said_by_docker(ask: Callable[[DockerEngine], object]) -> Diagnosis:
    engine = DockerEngine.connect(PATIENT_SECONDS)
    try:
        with pytest.raises(EcrTuiError) as caught:
            ask(engine)
    finally:
        engine.close()
    return diagnose(caught.value.detail)
