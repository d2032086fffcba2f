"""Registries and daemons that stall, reset, vanish or lie in the middle of a verification: it ends, it can be stopped,
and it cleans up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event as CancelEvent
from typing import Any

import pytest

from ecr_tui.errors import Cancelled, InputError
from ecr_tui.registry import docker_engine, transport, wiring
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.registry_app import RegistryApp, Request, Response
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification.report import Report, StageName, Status, Verdict
from tests.support.faults import FakeDockerd, fake_dockerd, stall, unix_server
from tests.support.proving import REPOSITORY, grant, images, prove, stage, workspace

pytestmark = pytest.mark.thorough

PUSHING = [{"status": "Preparing", "id": "a"}, {"status": "Pushing", "id": "a", "progressDetail": {"current": 1}}]


@pytest.fixture
def space(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.001)
    space = workspace()
    grant(space)
    return space


@contextmanager
def holding(sandbox: Sandbox, part: str, *, after_storing: bool = False) -> Iterator[CancelEvent]:
    """The registry keeps the answers to "METHOD target" with ``part`` back, until the test is over."""
    reached, release = CancelEvent(), CancelEvent()

    def hold(account: str, request: Request) -> Response | None:
        if part not in f"{request.method} {request.target}":
            return None
        if after_storing:
            RegistryApp.handle(sandbox._apps[account, sandbox.region], request)
        reached.set()
        release.wait(60)
        raise ConnectionResetError

    sandbox.registry_fault = hold
    try:
        yield reached
    finally:
        release.set()
        sandbox.registry_fault = None


def cancel_when(reached: CancelEvent) -> CancelEvent:
    cancel = CancelEvent()
    threading.Thread(target=lambda: reached.wait(60) and cancel.set(), daemon=True).start()
    return cancel


def ended_clean(sandbox: Sandbox, space: Any, report: Report) -> None:
    assert report.cleaned_up, report.stages[-1]
    assert images(sandbox) == ["latest"]
    assert space.verification.leftovers() == ()


PARTS = ["HEAD", "POST", "PUT /v2/my-first-repo/blobs", "PUT /v2/my-first-repo/manifests"]


@pytest.mark.parametrize(
    ("engine", "part"),
    [
        *(("direct", part) for part in PARTS),
        # Docker asks HEAD only of layers that it believes to be there.
        *(pytest.param("docker", part, marks=pytest.mark.docker) for part in PARTS[1:]),
    ],
)
def test_a_cancel_does_not_wait_for_a_registry_that_stalls(
    sandbox: Sandbox, space: Any, request: pytest.FixtureRequest, engine: str, part: str
) -> None:
    if engine == "docker":
        request.getfixturevalue("docker_engine_host")
    with holding(sandbox, part) as reached:
        report = prove(space, engine=engine, cancel=cancel_when(reached))
        # It is over, cleanup included, while the registry still holds its answer back.
        assert reached.is_set()
        assert report.cancelled
        assert stage(report, StageName.PUSH).status is Status.FAILED
        assert stage(report, StageName.CLEANUP).status is Status.OK
    ended_clean(sandbox, space, report)


def test_an_image_that_arrived_although_the_answer_did_not_is_removed(sandbox: Sandbox, space: Any) -> None:
    with holding(sandbox, "PUT /v2/my-first-repo/manifests", after_storing=True) as reached:
        report = prove(space, cancel=cancel_when(reached))
    assert report.cancelled
    ended_clean(sandbox, space, report)


def test_a_registry_that_stalls_for_good_ends_the_verification(
    sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "READ_SECONDS", 0.2)
    with holding(sandbox, "PUT /v2/my-first-repo/blobs"):
        report = prove(space)
        assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
        failure = report.failure
        assert failure is not None
        assert (failure.name, failure.side, failure.pattern) == (StageName.PUSH, "network", "timeout")
    ended_clean(sandbox, space, report)


@pytest.mark.parametrize(
    ("answer", "pattern"),
    [
        (Response(200, {"Content-Type": "text/html"}, b"<html><title>Welcome</title></html>"), "garbage"),
        (Response(202, {}, b""), "garbage"),
        (Response(500, {}, b"\xff\xfe\x00"), "registry-failure"),
    ],
)
def test_garbage_in_the_middle_of_a_push(sandbox: Sandbox, space: Any, answer: Response, pattern: str) -> None:
    sandbox.registry_fault = lambda _, request: answer if request.method == "POST" else None
    report = prove(space)
    assert report.verdict is Verdict.ERROR
    assert report.failure is not None
    assert report.failure.pattern == pattern
    ended_clean(sandbox, space, report)


def test_a_manifest_that_comes_back_as_another(sandbox: Sandbox, space: Any) -> None:
    other = Response(200, {"Content-Type": "application/json"}, b'{"schemaVersion":2,"config":{},"layers":[]}')
    sandbox.registry_fault = lambda _, r: other if r.method == "GET" and "/manifests/" in r.target else None
    report = prove(space)
    assert report.verdict is Verdict.ERROR
    assert stage(report, StageName.PULL).status is Status.FAILED
    ended_clean(sandbox, space, report)


# Daemons


@contextmanager
def daemon(monkeypatch: pytest.MonkeyPatch, push: list[Any]) -> Iterator[FakeDockerd]:
    with fake_dockerd(login=(200, {}), load=(200, []), push=(200, push)) as (found, url):
        monkeypatch.setenv("DOCKER_HOST", url)
        yield found


@pytest.mark.parametrize("end", ["cut", "stall"])
def test_a_daemon_that_vanishes_or_stalls_in_the_middle_of_a_push(
    sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(docker_engine, "SILENCE_SECONDS", 0.3)
    with daemon(monkeypatch, [*PUSHING, end]):
        report = prove(space, engine="docker")
    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    failure = report.failure
    assert failure is not None
    assert (failure.name, failure.side, failure.pattern) == (StageName.PUSH, "docker", "docker-stalled")
    # The registry takes the same push from the direct engine, so that is said, and its image removed.
    assert report.can_push
    assert any("without the container engine" in note for note in report.notes)
    ended_clean(sandbox, space, report)


def test_a_daemon_that_is_gone_for_good_leaves_a_leftover(
    sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can say what it still holds; A's repository is cleaned all the same."""
    with daemon(monkeypatch, [*PUSHING, "stall"]) as found:
        threading.Thread(target=lambda: found.events_sent.wait(60) and found.server.close(), daemon=True).start()
        report = prove(space, engine="docker")
    assert report.verdict is Verdict.ERROR
    assert not report.cleaned_up
    assert images(sandbox) == ["latest"]
    (left,) = space.verification.leftovers()
    assert (left.engine, left.place.name) == ("docker", REPOSITORY)
    (cleaned,) = space.verification.clean_leftovers()
    assert cleaned.error is None
    assert f"docker rmi {sandbox.registry_host()}/{REPOSITORY}:{left.tag}" in cleaned.message


def test_a_cancel_does_not_wait_for_a_daemon_that_stalls(
    sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon(monkeypatch, [*PUSHING, "stall"]) as found:
        report = prove(space, engine="docker", cancel=cancel_when(found.events_sent))
    assert report.cancelled
    assert stage(report, StageName.PUSH).message == "Cancelled"
    ended_clean(sandbox, space, report)


def test_a_cancel_does_not_wait_for_a_daemon_that_is_being_looked_for(
    space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts the connection and says nothing; nothing has been made yet that needs to be cleaned up."""
    with unix_server(stall) as (server, url):
        monkeypatch.setenv("DOCKER_HOST", url)
        with pytest.raises(Cancelled):
            prove(space, engine="docker", cancel=cancel_when(server.arrived))
    assert not space.busy()


# The command line


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_cleanup(sandbox: Sandbox, space: Any, sign: signal.Signals) -> None:
    command = [sys.executable, "-m", "ecr_tui", "verify", REPOSITORY, "--engine", "direct", "--json"]
    with holding(sandbox, "PUT /v2/my-first-repo/manifests", after_storing=True) as reached:
        process = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert reached.wait(60)
            process.send_signal(sign)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 130
    assert "Cancelling" in err
    document = json.loads(out)
    assert (document["verdict"], document["cleaned_up"]) == ("error", True)
    assert images(sandbox) == ["latest"]
    assert space.verification.leftovers() == ()


def test_nothing_is_pushed_to_a_name_that_is_gone(sandbox: Sandbox, space: Any) -> None:
    """A registry that creates on push would make a repository of it."""
    there = space.listing.repository(REPOSITORY)
    gone = replace(there, name="was-here", arn=there.arn.replace(REPOSITORY, "was-here"))
    asked: list[str] = []
    sandbox.registry_fault = lambda account, request: asked.append(request.target)
    try:
        with pytest.raises(InputError, match=r"the repository 'was-here' in .* no longer exists; nothing was pushed"):
            prove(space, gone)
        assert asked == []
        # Where A may not ask, the push tells.
        denied = ServiceError("AccessDeniedException", "User: x is not authorized to perform: ecr:DescribeRepositories")
        sandbox.fault = lambda call: denied if call.operation == "DescribeRepositories" else None
        assert prove(space, there).passed
    finally:
        sandbox.registry_fault = sandbox.fault = None
