"""kill -9 in the middle of a push: the next start knows what was left, offers to clean it up, and does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import docker
import pytest

from ecr_tui.errors import InputError
from ecr_tui.registry.probe import TAG_PREFIX
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.registry_app import RegistryApp, Request, Response
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification.report import StageName
from tests.support.cli import ecr_tui
from tests.support.proving import REPOSITORY, after, grant, images, prove, stage, workspace
from tests.support.terminal import Terminal

pytestmark = pytest.mark.thorough


@contextlib.contextmanager
def killed_while_pushing(sandbox: Sandbox, engine: str, *, stored: bool) -> Iterator[None]:
    """A verification in a process of its own, killed while the registry has its manifest and has not answered.

    ``stored``: the registry keeps the manifest, so that the image is there when the pushing program is not any more.
    """
    reached, release = Event(), Event()

    def hold(account: str, request: Request) -> Response | None:
        if request.method != "PUT" or "/manifests/" not in request.target or reached.is_set():
            return None
        if stored:
            answer = RegistryApp.handle(sandbox._apps[account, sandbox.region], request)
            assert answer.status == 201
        reached.set()
        release.wait(60)
        raise ConnectionResetError

    sandbox.registry_fault = hold
    command = [sys.executable, "-m", "ecr_tui", "verify", REPOSITORY, "--engine", engine, "--isolation", "none"]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        yield
    finally:
        release.set()
        process.kill()
        process.wait()
        sandbox.registry_fault = None


def probes(sandbox: Sandbox) -> list[str]:
    return [tag for tag in images(sandbox) if tag.startswith(TAG_PREFIX)]


@pytest.fixture
def space(sandbox: Sandbox) -> Any:
    space = workspace()
    grant(space)
    return space


@pytest.mark.parametrize("stored", [True, False])
def test_the_image_is_removed_by_the_next_start(sandbox: Sandbox, space: Any, stored: bool) -> None:
    with killed_while_pushing(sandbox, "direct", stored=stored):
        assert len(probes(sandbox)) == stored
        (left,) = space.verification.leftovers()
        assert (left.kind, left.place.name, left.engine) == ("probe", REPOSITORY, "direct")
        assert left.tag.startswith(TAG_PREFIX)
        shown = ecr_tui("cleanup")
        assert shown.code == 2, "confirmation required"
        assert left.tag in shown.out
        assert len(probes(sandbox)) == stored
        done = ecr_tui("cleanup", "--yes", "--json")
    assert done.code == 0, done.err
    assert [(one["kind"], one["repository"], one["cleaned"]) for one in done.json] == [("probe", REPOSITORY, True)]
    assert probes(sandbox) == []
    assert space.verification.leftovers() == ()
    again = ecr_tui("cleanup", "--json")
    assert (again.code, again.json) == (0, [])
    assert images(sandbox) == ["latest"]


@pytest.mark.parametrize(("answer", "code"), [("n", 130), ("y", 0)])
def test_whoever_is_there_is_asked(sandbox: Sandbox, space: Any, tmp_path: Path, answer: str, code: int) -> None:
    with killed_while_pushing(sandbox, "direct", stored=True):
        pass
    terminal = Terminal([sys.executable, "-m", "ecr_tui", "cleanup"], os.environ, tmp_path)
    try:
        terminal.see("Clean up?")
        terminal.send(f"{answer}\r")
        assert terminal.wait(60) == code
    finally:
        terminal.close()
    assert (probes(sandbox) == []) is (answer == "y")


@pytest.mark.docker
def test_what_docker_holds_goes_too(sandbox: Sandbox, space: Any, docker_engine_host: str) -> None:
    name = f"{sandbox.registry_host()}/{REPOSITORY}"
    with contextlib.closing(docker.APIClient(docker_engine_host, version="auto")) as api:
        with killed_while_pushing(sandbox, "docker", stored=True):
            assert api.images(name)
            done = ecr_tui("cleanup", "--yes")
        assert done.code == 0, done.err
        assert api.images(name) == []
    assert probes(sandbox) == []


def test_a_verification_that_runs_is_nobodys_leftover(sandbox: Sandbox, space: Any) -> None:
    """Neither for itself nor for another program of the same user."""
    seen: list[int] = []

    def look() -> None:
        seen.append(len(space.verification.leftovers()))
        seen.append(len(ecr_tui("cleanup", "--yes", "--json").json))

    report = prove(space, on_event=after(StageName.PUSH, look))
    assert report.passed
    assert seen == [0, 0]


def test_a_cleanup_that_failed_is_a_leftover_of_a_program_that_still_runs(sandbox: Sandbox, space: Any) -> None:
    def refuse(call: Any) -> ServiceError | None:
        denied = ServiceError("AccessDeniedException", "User: x is not authorized to perform: ecr:BatchDeleteImage")
        return denied if call.operation == "BatchDeleteImage" else None

    sandbox.fault = refuse
    report = prove(space)
    assert (report.cleaned_up, report.verdict.value) == (False, "allowed")
    assert "ecr-tui cleanup" in stage(report, StageName.CLEANUP).fix
    (left,) = space.verification.leftovers()
    (failed,) = space.verification.clean_leftovers()
    assert failed.error is not None
    assert space.verification.leftovers() == (left,)
    sandbox.fault = None
    (cleaned,) = space.verification.clean_leftovers([left])
    assert cleaned.error is None
    assert probes(sandbox) == []
    assert space.verification.leftovers() == ()


def test_read_only_and_other_accounts_are_kept_out(sandbox: Sandbox, space: Any) -> None:
    with killed_while_pushing(sandbox, "direct", stored=True):
        pass
    with pytest.raises(InputError, match="read-only"):
        workspace(read_only=True).verification.clean_leftovers()
    assert ecr_tui("cleanup", "--read-only", "--yes").code == 2
    other = workspace(profile_a="dev-acc")
    (refused,) = other.verification.clean_leftovers()
    assert refused.error is not None
    assert "111111111111" in refused.message
    assert len(probes(sandbox)) == 1
    assert len(space.verification.leftovers()) == 1


def test_a_record_that_was_tampered_with_deletes_no_other_image(sandbox: Sandbox, space: Any) -> None:
    with killed_while_pushing(sandbox, "direct", stored=False):
        pass
    lines = space.verification.record.path.read_text().splitlines()
    note = next(json.loads(line) for line in lines if '"probe"' in line)
    space.verification.record.path.write_text(json.dumps({**note, "tag": "latest"}) + "\n")
    (refused,) = space.verification.clean_leftovers()
    assert refused.error is not None
    assert images(sandbox) == ["latest"]


def test_a_repository_that_is_gone_takes_the_image_with_it(sandbox: Sandbox, space: Any) -> None:
    import boto3

    with killed_while_pushing(sandbox, "direct", stored=True):
        pass
    boto3.Session(profile_name="account-a").client("ecr").delete_repository(repositoryName=REPOSITORY, force=True)
    (cleaned,) = space.verification.clean_leftovers()
    assert cleaned.error is None
    assert "no longer exists" in cleaned.message
