"""What is verified and how: push, pull or both, on every engine, with the same verdicts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as CancelEvent

import boto3
import docker
import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EnvironmentFailure, InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.registry.probe import TAG_PREFIX
from ecr_tui.sandbox.backend import Caller
from ecr_tui.sandbox.registry_app import Request, error_response
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from ecr_tui.verification.report import Report, StageName, StageProgress, StageStarted, Status, Verdict, stages_of
from tests.support.cli import ecr_tui
from tests.support.faults import tcp_server
from tests.support.proving import CONSUMER, REPOSITORY, after, grant, images, prove, stage, workspace
from tests.support.registry_backend import CALLER, InMemoryBackend
from tests.support.tls import ECR_NAME, Proxy, tls_registry

pytestmark = pytest.mark.thorough


@pytest.fixture(params=["direct", pytest.param("docker", marks=pytest.mark.docker), "podman"])
def engine(request: pytest.FixtureRequest, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name for --engine. Podman's service is one of the engines of "docker"."""
    if request.param == "podman":
        podman = request.getfixturevalue("podman")
        podman.allow(sandbox.registry_host())
        monkeypatch.setenv("DOCKER_HOST", podman.url)
        return "docker"
    if request.param == "docker":
        monkeypatch.setenv("DOCKER_HOST", request.getfixturevalue("docker_host"))
    return str(request.param)


def outcome(report: Report) -> tuple[str, str, str, object, object]:
    failure = report.failure
    where, side = (failure.name.value, failure.side) if failure else ("", "")
    return report.verdict.value, where, side, report.can_push, report.can_pull


A_SIDE = "A's repository policy"
CAN = f"ALLOWED: {CONSUMER} can"


@pytest.mark.parametrize(
    ("granted", "asked", "expected", "headline"),
    [  # expected: verdict, where it ended, on which side, B can push, B can pull
        (None, Access.PUSH_PULL, ("denied", "push", A_SIDE, False, False), "DENIED at push"),
        (None, Access.PULL, ("denied", "pull", A_SIDE, None, False), "DENIED at pull (ecr:BatchGetImage)"),
        (
            Access.PUSH_PULL,
            Access.PUSH_PULL,
            ("allowed", "", "", True, True),
            f"ALLOWED: {CONSUMER} can push to and pull from",
        ),
        (Access.PUSH_PULL, Access.PULL, ("allowed", "", "", None, True), f"ALLOWED: {CONSUMER} can pull from"),
        (
            Access.PUSH_PULL,
            Access.PUSH,
            ("allowed", "", "", True, None),
            f"ALLOWED: {CONSUMER} can push to {REPOSITORY}",
        ),
        (Access.PUSH, Access.PUSH, ("allowed", "", "", True, None), f"ALLOWED: {CONSUMER} can push to {REPOSITORY}"),
        (
            Access.PUSH,
            Access.PUSH_PULL,
            ("denied", "pull", A_SIDE, True, False),
            f"DENIED at pull (ecr:GetDownloadUrlForLayer): {CONSUMER} can push to {REPOSITORY}, but not pull from it",
        ),
        (Access.PULL, Access.PULL, ("allowed", "", "", None, True), f"{CAN} pull from {REPOSITORY}"),
        (
            Access.PULL,
            Access.PUSH_PULL,
            ("denied", "push", A_SIDE, False, True),
            f"DENIED at push (ecr:InitiateLayerUpload): {CONSUMER} can pull from {REPOSITORY}, but not push to it",
        ),
        (Access.PULL, Access.PUSH, ("denied", "push", A_SIDE, False, True), "DENIED at push (ecr:InitiateLayerUpload)"),
    ],
    ids=lambda value: str(value) if not isinstance(value, tuple) and str(value).islower() else "",
)
def test_the_same_verdict_on_every_engine(
    sandbox: Sandbox,
    engine: str,
    granted: Access | None,
    asked: Access,
    expected: tuple[str, str, str, object, object],
    headline: str,
) -> None:
    before = images(sandbox)
    space = workspace()
    if granted is not None:
        grant(space, access=granted)
    report = prove(space, engine=engine, access=asked)
    assert outcome(report) == expected, report.stages
    assert report.headline().startswith(headline)
    assert report.engine == engine
    assert report.cleaned_up
    assert images(sandbox) == before
    assert [one.name for one in report.stages] == list(stages_of(asked))
    ended = [one for one in report.stages if one.status is not Status.SKIPPED]
    assert all(one.seconds is not None and one.seconds >= 0 for one in ended)
    if asked is Access.PULL:
        assert stage(report, StageName.PUSH).message == "not requested"
        assert report.image.endswith(f"{REPOSITORY}:latest")
    else:
        assert TAG_PREFIX in report.image
    if asked is Access.PUSH:
        assert stage(report, StageName.PULL).message == "not requested"
    if report.verdict is Verdict.ALLOWED:
        assert stage(report, StageName.DIGEST).status is Status.OK
        assert report.digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("granted", "asked", "expected", "headline"),
    [
        (Access.READ, Access.READ, ("allowed", "", "", None, None), f"{CAN} read {REPOSITORY}"),
        (Access.PULL, Access.READ_PULL, ("denied", "read", A_SIDE, None, None), "DENIED at read (ecr:DescribeImages)"),
        (
            Access.READ_PUSH_PULL,
            Access.READ_PUSH_PULL,
            ("allowed", "", "", True, True),
            f"{CAN} read, push to and pull from {REPOSITORY}",
        ),
    ],
)
def test_read_is_asked_of_ecr_itself(
    sandbox: Sandbox,
    engine: str,
    granted: Access,
    asked: Access,
    expected: tuple[str, str, str, object, object],
    headline: str,
) -> None:
    space = workspace()
    grant(space, access=granted)
    report = prove(space, engine=engine, access=asked)
    assert outcome(report) == expected, report.stages
    assert report.headline().startswith(headline)
    assert report.can_read is (report.verdict is Verdict.ALLOWED)
    assert report.cleaned_up
    assert [one.name for one in report.stages] == list(stages_of(asked))


def test_a_login_is_never_called_access(sandbox: Sandbox, engine: str) -> None:
    report = prove(workspace(), engine=engine)
    login = stage(report, StageName.LOGIN)
    assert login.status is Status.OK
    assert "identity only, not access" in login.message
    assert report.verdict is Verdict.DENIED


@pytest.mark.parametrize("missing", ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:PutImage"])
def test_a_refusal_without_words_is_explained_on_every_engine(sandbox: Sandbox, engine: str, missing: str) -> None:
    """Docker and podman hide the one or the other: the reason comes from the direct engine and from the API."""
    space = workspace()
    repository = grant(space)
    document = json.loads(space.listing.policy_text(repository) or "")
    document["Statement"][0]["Action"].remove(missing)
    boto3.Session(profile_name="account-a").client("ecr").set_repository_policy(
        repositoryName=REPOSITORY, policyText=json.dumps(document)
    )
    failure = prove(space, engine=engine).failure
    assert failure is not None
    assert (failure.status, failure.side, failure.action) == (Status.DENIED, A_SIDE, missing)
    assert f"is not authorized to perform: {missing}" in failure.detail


# The image that is there


def test_bytes_are_those_that_travelled(sandbox: Sandbox) -> None:
    space = workspace()
    grant(space)
    report = prove(space)
    sizes = [stage(report, name).bytes for name in (StageName.PUSH, StageName.PULL)]
    assert sizes[0] == sizes[1]
    assert sizes[0] is not None
    assert 0 < sizes[0] < 2048


@pytest.mark.docker
def test_bytes_with_docker(sandbox: Sandbox, docker_engine_host: str) -> None:
    """A push is not counted as it goes; what comes back under the same digest is what had gone."""
    space = workspace()
    grant(space)
    report = prove(space, engine="docker")
    pushed, pulled = (stage(report, name).bytes for name in (StageName.PUSH, StageName.PULL))
    assert pushed == pulled


def test_a_named_image_is_pulled(sandbox: Sandbox) -> None:
    space = workspace()
    repository = grant(space, "payments/api")
    assert prove(space, repository, access=Access.PULL, image="v1.4.2").image.endswith("payments/api:v1.4.2")
    # Without a name it is the newest one that is not a probe's.
    newest = prove(space, repository, access=Access.PULL)
    assert newest.image.endswith("payments/api:v1.4.1")
    assert [note for note in newest.notes if "last-pull time of v1.4.1; lifecycle rules" in note]
    assert not [note for note in prove(space, repository).notes if "last-pull time" in note]
    report = prove(space, repository, access=Access.PULL, image="v9")
    assert (report.verdict, report.failure and report.failure.message) == (
        Verdict.ERROR,
        "no image v9 in payments/api",
    )


@pytest.mark.parametrize("granted", [Access.PULL, Access.PUSH])
def test_where_there_is_no_image_the_permissions_are_asked_for(sandbox: Sandbox, granted: Access) -> None:
    space = workspace()
    repository = grant(space, "tools/scratch", granted)
    report = prove(space, repository, access=Access.PULL)
    if granted is Access.PULL:
        assert report.passed
        assert "no image to pull" in stage(report, StageName.PULL).message
    else:
        assert outcome(report) == ("denied", "pull", A_SIDE, None, False)
    assert stage(report, StageName.DIGEST).status is Status.SKIPPED


def test_a_pull_writes_nothing_and_so_works_read_only(sandbox: Sandbox) -> None:
    grant(workspace())
    calls: list[str] = []
    asked: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    sandbox.registry_fault = lambda _, request: asked.append(request.method)  # type: ignore[func-returns-value]
    space = workspace(read_only=True)
    report = prove(space, access=Access.PULL, isolation="all")
    assert report.passed
    assert set(asked) <= {"GET", "HEAD"}
    assert not [one for one in calls if one.startswith(("Put", "Set", "BatchDelete", "Tag", "Untag", "Delete"))]
    assert sum(store.open_uploads() for store in sandbox.world.blobs.values()) == 0
    for options in ({}, {"access": Access.PUSH}, {"access": Access.PULL, "tag_switch": True}):
        with pytest.raises(InputError, match="read-only"):
            prove(space, **options)


def test_an_owner_who_may_not_look_at_images(sandbox: Sandbox) -> None:
    from ecr_tui.sandbox.aws_errors import ServiceError

    def deny(call: AwsCall) -> ServiceError | None:
        denied = ServiceError("AccessDeniedException", "User: x is not authorized to perform: ecr:DescribeImages")
        return denied if call.operation == "DescribeImages" else None

    space = workspace()
    repository = grant(space)
    sandbox.fault = deny
    report = prove(space, repository, access=Access.PULL)
    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert "--image" in (report.failure.fix if report.failure else "")
    named = prove(space, repository, access=Access.PULL, image="latest")
    assert named.passed
    assert stage(named, StageName.DIGEST).status is Status.SKIPPED
    pushed = prove(space, repository, access=Access.PUSH)
    assert pushed.passed
    assert stage(pushed, StageName.DIGEST).status is Status.SKIPPED


@pytest.fixture
def local_image(sandbox: Sandbox, docker_engine_host: str) -> Iterator[docker.APIClient]:
    """The user has pulled the image before, and keeps it."""
    name = f"{sandbox.registry_host()}/{REPOSITORY}"
    with contextlib.closing(docker.APIClient(docker_engine_host, version="auto")) as api:
        token = boto3.Session(profile_name="account-a").client("ecr").get_authorization_token()
        import base64

        encoded = token["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        for event in api.pull(
            name, tag="latest", stream=True, decode=True, auth_config={"username": user, "password": password}
        ):
            assert "error" not in event, event
        yield api
        for image in api.images(name):
            for tag in image["RepoTags"]:
                api.remove_image(tag)


@pytest.mark.docker
@pytest.mark.parametrize("kept", ["latest", "mine"])
def test_the_users_own_image_stays(sandbox: Sandbox, local_image: docker.APIClient, kept: str) -> None:
    """Under the name that is pulled, or under another: then pulling it with docker would fetch nothing."""
    name = f"{sandbox.registry_host()}/{REPOSITORY}"
    if kept == "mine":
        local_image.tag(f"{name}:latest", name, "mine")
        local_image.remove_image(f"{name}:latest")
    space = workspace()
    grant(space)
    report = prove(space, engine="docker", access=Access.PULL)
    assert report.passed
    assert [note for note in report.notes if "direct engine" in note]
    assert [tag for image in local_image.images(name) for tag in image["RepoTags"]] == [f"{name}:{kept}"]


@pytest.mark.docker
def test_an_image_that_docker_pulled_for_us_goes(sandbox: Sandbox, docker_engine_host: str) -> None:
    space = workspace()
    grant(space)
    assert prove(space, engine="docker", access=Access.PULL).passed
    with contextlib.closing(docker.APIClient(docker_engine_host, version="auto")) as api:
        assert api.images(f"{sandbox.registry_host()}/{REPOSITORY}") == []


# Lean


def test_a_cold_push_and_pull_takes_no_more_requests_than_they_need(sandbox: Sandbox) -> None:
    """7 for the push (HEAD, POST, PUT for each of two blobs, PUT manifest), 3 for the pull, 1 for the login."""
    space = workspace()
    repository = grant(space)
    asked: list[str] = []
    calls: list[str] = []

    def count(_: str, request: Request) -> None:
        asked.append(f"{request.method} {request.target}")

    sandbox.registry_fault = count
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    assert prove(space, repository).passed
    assert len(asked) == 1 + 7 + 3, asked
    assert calls == ["DescribeRepositories", "GetCallerIdentity", "GetAuthorizationToken", "BatchDeleteImage"]


@pytest.mark.docker
def test_docker_does_what_push_and_pull_need_and_no_more(sandbox: Sandbox, docker_engine_host: str) -> None:
    """The daemon's own 18 requests or so, and from us none: no second engine, no look at A's images."""
    space = workspace()
    repository = grant(space)
    agents: list[str] = []
    calls: list[str] = []

    def count(_: str, request: Request) -> None:
        agents.append(request.headers.get("user-agent", ""))

    sandbox.registry_fault = count
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    assert prove(space, repository, engine="docker").passed
    assert all(agent.startswith("docker/") for agent in agents), agents
    assert calls == ["DescribeRepositories", "GetCallerIdentity", "GetAuthorizationToken", "BatchDeleteImage"]


# Stopping


@pytest.mark.parametrize("name", ["identity", "token", "login", "tag", "push", "pull", "digest", "isolation"])
def test_a_cancel_anywhere_still_cleans_up(sandbox: Sandbox, name: str) -> None:
    before = images(sandbox)
    space = workspace()
    grant(space)
    cancel = CancelEvent()

    def on_event(event: object) -> None:
        if isinstance(event, StageStarted) and event.name == name:
            cancel.set()

    report = prove(space, cancel=cancel, on_event=on_event, isolation="auto")
    assert report.cancelled
    assert report.cleaned_up
    assert not report.passed or name == "isolation"
    assert images(sandbox) == before
    assert space.verification.leftovers() == ()
    assert sum(store.open_uploads() for store in sandbox.world.blobs.values()) <= 1


def test_a_cancel_does_not_wait_for_aws(sandbox: Sandbox) -> None:
    """AWS holds the answer back until the test is over; the verification does not wait for it."""
    asked, release, cancel = CancelEvent(), CancelEvent(), CancelEvent()

    def hold(call: AwsCall) -> None:
        if call.operation == "GetAuthorizationToken":
            asked.set()
            cancel.set()
            release.wait(60)

    space = workspace()
    repository = grant(space)
    sandbox.fault = hold
    try:
        report = prove(space, repository, cancel=cancel)
        assert asked.is_set()
        assert not release.is_set()
        assert stage(report, StageName.TOKEN).status is Status.FAILED
        assert report.cancelled
    finally:
        release.set()


def test_the_engine_is_chosen_before_anybody_is_asked(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    space = workspace()
    repository = space.listing.repository(REPOSITORY)
    calls: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    with pytest.raises(EnvironmentFailure, match="No Docker engine answers"):
        prove(space, repository, engine="docker")
    assert calls == []
    report = prove(space, repository, engine="auto", on_event=after(StageName.LOGIN, lambda: None))
    assert report.engine == "direct"
    assert "no Docker engine answers" in report.engine_description


def test_a_token_that_expires_before_the_login_is_said_on_every_engine(sandbox: Sandbox, engine: str) -> None:
    """Docker and podman drop the registry's words at login: the direct engine has them."""

    def later() -> None:
        sandbox.clock = lambda: datetime.now(UTC) + timedelta(hours=13)

    failure = prove(workspace(), engine=engine, on_event=after(StageName.TOKEN, later)).failure
    assert failure is not None
    assert (failure.name, failure.pattern, failure.side) == (StageName.LOGIN, "token-expired", "credentials")
    assert "Your Authorization Token has expired" in failure.detail


# Just after a grant


def test_a_grant_of_another_run_is_remembered_for_a_while(sandbox: Sandbox) -> None:
    """So that `grant`, then `verify`, waits as the interface does; what was taken back is not waited for."""
    arn = f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}"
    assert workspace().changes.since_grant(arn) == float("inf")
    assert ecr_tui("grant", REPOSITORY, "--to", CONSUMER, "--yes").code == 0
    assert workspace().changes.since_grant(arn) < 3600
    assert ecr_tui("undo").code == 0
    assert workspace().changes.since_grant(arn) == float("inf")


def test_only_the_last_write_counts_and_an_undone_revoke_gives_access_too(sandbox: Sandbox) -> None:
    space = workspace()
    repository = space.listing.repository(REPOSITORY)
    arn, changes = repository.arn, space.changes
    changes.apply(changes.plan(repository, Grant((CONSUMER,), Access.PUSH_PULL)))
    assert changes.since_grant(arn) < 3600
    changes.apply(changes.plan_revoke(repository, (CONSUMER,)))
    assert changes.since_grant(arn) == float("inf")
    changes.undo()
    assert changes.since_grant(arn) < 3600


def test_a_registry_that_has_not_heard_of_the_grant_yet_is_asked_again(sandbox: Sandbox) -> None:
    space = workspace()
    repository = space.listing.repository(REPOSITORY)
    space.changes.apply(space.changes.plan(repository, Grant((CONSUMER,), Access.PUSH_PULL)))
    denial = f"User: {CONSUMER} is not authorized to perform: ecr:InitiateLayerUpload on resource: {repository.arn} because no resource-based policy allows the ecr:InitiateLayerUpload action"  # noqa: E501
    left = [error_response(403, "DENIED", denial)]
    told: list[str] = []
    sandbox.registry_fault = lambda _, request: left.pop() if request.method == "POST" and left else None

    def on_event(event: object) -> None:
        if isinstance(event, StageProgress) and "propagating" in event.progress.status:
            told.append(event.progress.status)

    assert prove(space, repository, on_event=on_event).passed
    assert len(told) == 1


# The way there


def test_https_through_a_proxy_with_a_private_authority(
    sandbox: Sandbox, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole verification, of a registry that is reached as AWS's are: by name, over TLS, through a proxy."""

    class Trusting(InMemoryBackend):
        def resolve_token(self, password: str) -> Caller:
            return CALLER

    arn = f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}"
    there = Repository(REPOSITORY, arn, f"{ECR_NAME}/{REPOSITORY}", "eu-central-1", "111111111111", {})
    backend = Trusting([REPOSITORY])
    with tls_registry(backend, authority) as registry:
        proxy = Proxy(registry.server.port)
        with tcp_server(proxy) as (_, address):
            monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
            monkeypatch.setenv("AWS_CA_BUNDLE", str(authority / "cert.pem"))
            report = prove(workspace(), there)
        assert report.passed, report.stages
        assert report.digest in backend.repositories[REPOSITORY]
        assert len(registry.seen) == 1 + 7 + 3
        assert [head.split()[1] for head in proxy.heads] == [f"{ECR_NAME}:443".encode()], "one connection for all"
