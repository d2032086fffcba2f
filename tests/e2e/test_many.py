"""Many verifications at once: bounded, one line each, a summary, a report for a ticket, and a memory of it all."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from threading import Event as CancelEvent
from typing import Any

import pytest

from ecr_tui.errors import Cancelled
from ecr_tui.policy.actions import Access
from ecr_tui.sandbox.registry_app import Request, Response
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification.batch import Result
from ecr_tui.verification.report import Event, StageEnded, StageName, stages_of
from ecr_tui.workspace import verification
from tests.support.cli import ecr_tui
from tests.support.proving import REPOSITORY, grant, images, prove, workspace

NAMES = [REPOSITORY, "payments/vault", "payments/legacy", "search/indexer"]


@pytest.fixture
def space(sandbox: Sandbox) -> Any:
    space = workspace()
    grant(space)
    return space


def test_each_has_its_own_result_in_the_order_asked_for(sandbox: Sandbox, space: Any) -> None:
    repositories = [space.listing.repository(name) for name in NAMES]
    events: dict[str, list[StageName]] = {}
    ended: list[str] = []

    def on_event(repository: Any, event: Event) -> None:
        if isinstance(event, StageEnded):
            events.setdefault(repository.name, []).append(event.stage.name)

    def on_result(result: Result) -> None:
        assert threading.current_thread() is threading.main_thread()
        ended.append(result.repository.name)

    batch = space.verification.run_many(
        repositories, engine="direct", isolation="auto", on_event=on_event, on_result=on_result, cancel=CancelEvent()
    )
    assert [(one.repository.name, one.word) for one in batch.results] == [
        (REPOSITORY, "allowed"),
        ("payments/vault", "denied"),
        ("payments/legacy", "allowed"),
        ("search/indexer", "denied"),
    ]
    expected = set(stages_of(Access.PUSH_PULL))
    assert {name: set(stages) for name, stages in events.items()} == dict.fromkeys(NAMES, expected)
    assert sorted(ended) == sorted(NAMES)
    assert (batch.passed, batch.exit_code) == (False, 1)
    assert batch.summary() == "2 of 4 passed: 2 allowed, 2 denied"
    # One of those that are verified is no counter-proof for another.
    neighbours = {one.report.isolation.repository for one in batch.results if one.report and one.report.isolation}
    assert not neighbours & set(NAMES)


def test_no_more_at_a_time_than_the_pool_holds(sandbox: Sandbox, space: Any) -> None:
    """Two pushes are let through only once two are waiting, and never is there a third."""
    names = ["payments/api", "payments/ledger", "payments/frontend", "payments/invoice-lambda"]
    repositories = [grant(space, name) for name in names]
    running: set[str] = set()
    most: list[int] = []
    lock, both = threading.Lock(), threading.Barrier(2)

    def gather(_: str, request: Request) -> Response | None:
        if request.method == "PUT" and "/manifests/" in request.target:
            with lock:
                running.add(request.target)
                most.append(len(running))
            both.wait(60)
            with lock:
                running.discard(request.target)
        return None

    sandbox.registry_fault = gather
    batch = space.verification.run_many(repositories, engine="direct", isolation="none", pool=2, cancel=CancelEvent())
    assert batch.passed
    assert max(most) == 2


def test_a_token_and_a_policy_are_asked_for_once(sandbox: Sandbox, space: Any) -> None:
    repositories = [grant(space, name) for name in (REPOSITORY, "payments/api", "payments/ledger")]
    calls: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    assert space.verification.run_many(repositories, engine="direct", isolation="auto", cancel=CancelEvent()).passed
    assert calls.count("GetAuthorizationToken") == 1
    assert calls.count("GetCallerIdentity") <= 1
    # One listing for the counter-proofs; and each is looked for before it is pushed to.
    assert calls.count("DescribeRepositories") == 1 + len(repositories)
    # The neighbour's policy, and whatever was looked at before it, once.
    assert calls.count("GetRepositoryPolicy") <= 2


def test_a_cancel_ends_those_that_run_and_starts_no_other(sandbox: Sandbox, space: Any) -> None:
    repositories = [grant(space, name) for name in (REPOSITORY, "payments/api", "payments/ledger")]
    before = {one.name: images(sandbox, one.name) for one in repositories}
    cancel = CancelEvent()

    def on_event(_: Any, event: Event) -> None:
        if isinstance(event, StageEnded) and event.stage.name is StageName.PUSH:
            cancel.set()

    batch = space.verification.run_many(
        repositories, engine="direct", isolation="none", pool=1, on_event=on_event, cancel=cancel
    )
    assert batch.results[0].report is not None
    assert batch.results[0].report.cancelled
    assert [type(one.error) for one in batch.results[1:]] == [Cancelled, Cancelled]
    assert {one.name: images(sandbox, one.name) for one in repositories} == before


def test_an_engine_that_does_not_answer_is_waited_for_once(
    sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecr_tui.registry import choose

    real, chosen = choose.choose_engine, []

    def count(name: str = "auto", host: str = "") -> Any:
        chosen.append(name)
        return real(name, host)

    monkeypatch.setattr(verification, "choose_engine", count)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    repositories = [space.listing.repository(name) for name in NAMES]
    batch = space.verification.run_many(repositories, engine="auto", isolation="none", cancel=CancelEvent())
    assert chosen == ["auto"]
    reports = [one.report for one in batch.results if one.report is not None]
    assert {report.engine for report in reports} == {"direct"}
    assert all("no Docker engine answers" in report.engine_description for report in reports)


def test_one_that_cannot_start_stops_no_other(sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker goes away between two of them."""
    from ecr_tui.errors import EnvironmentFailure
    from ecr_tui.registry import choose

    real, left = choose.choose_engine, [1]

    def sometimes(name: str = "auto", host: str = "") -> Any:
        if left:
            left.pop()
            raise EnvironmentFailure("No Docker engine answers", hint="Start it.", side="docker")
        return real(name, host)

    monkeypatch.setattr(verification, "choose_engine", sometimes)
    repositories = [space.listing.repository(name) for name in (REPOSITORY, "payments/legacy")]
    batch = space.verification.run_many(repositories, engine="direct", isolation="none", pool=1, cancel=CancelEvent())
    assert [one.word for one in batch.results] == ["error", "allowed"]
    assert batch.exit_code == 3
    document = batch.results[0].to_json()
    assert (document["verdict"], document["error"]["side"]) == ("error", "docker")
    assert set(document) - {"error"} <= set(batch.results[1].to_json())
    assert "No Docker engine answers" in batch.to_markdown()


# The command line


def test_a_line_each_and_a_summary(space: Any) -> None:
    ran = ecr_tui("verify", *NAMES, "--engine", "direct", "--parallel", "2")
    assert ran.code == 1, ran.err
    lines = ran.out.splitlines()
    marks = {line.split(":")[0] for line in lines[:4]}
    assert marks == {"✓ my-first-repo", "✗ payments/vault", "✓ payments/legacy", "✗ search/indexer"}
    assert lines[-1] == "2 of 4 passed: 2 allowed, 2 denied"
    assert "explicit deny" in ran.out


def test_json_is_a_list_in_the_order_given(space: Any) -> None:
    ran = ecr_tui("verify", *reversed(NAMES), "--engine", "direct", "--json", "--isolation", "none")
    assert [one["repository"] for one in ran.json] == NAMES[::-1]
    assert [one["verdict"] for one in ran.json] == ["denied", "allowed", "denied", "allowed"]


@pytest.mark.parametrize("name", ["report.md", "report.json"])
@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_a_report_for_a_ticket(space: Any, tmp_path: Path, name: str, names: list[str]) -> None:
    file = tmp_path / name
    ran = ecr_tui("verify", *names, "--engine", "direct", "--report", str(file))
    text = file.read_text()
    consumer = "arn:aws:iam::222222222222:user/devusr2"
    assert consumer in text
    assert "sha256:" in text
    for one in names:
        assert one in text
    if name.endswith(".json"):
        document = json.loads(text)
        assert [one["repository"] for one in document["verifications"]] == names
        assert {"started_at", "finished_at", "passed", "summary"} < set(document)
        assert document["passed"] is (ran.code == 0)
    else:
        assert text.startswith("# Verified access to Amazon ECR\n")
        assert "| my-first-repo | ALLOWED | `sha256:" in text
        assert ("DENIED at push" in text) is (len(names) > 1)
        assert "UTC" in text


@pytest.mark.parametrize("file", ["report.txt", "report", "nowhere/report.md"])
def test_a_report_that_cannot_be_written_is_said_before_anything_is_pushed(
    sandbox: Sandbox, space: Any, tmp_path: Path, file: str
) -> None:
    asked: list[str] = []
    sandbox.registry_fault = lambda _, request: asked.append(request.method)  # type: ignore[func-returns-value]
    assert ecr_tui("verify", REPOSITORY, "--engine", "direct", "--report", str(tmp_path / file)).code == 2
    assert asked == []


# The memory


def test_what_was_found_is_remembered(sandbox: Sandbox, space: Any) -> None:
    repository, other = space.listing.repository(REPOSITORY), space.listing.repository("payments/vault")
    assert space.verification.history() == ()
    prove(space, repository)
    prove(space, other)
    prove(space, repository, isolation=[space.listing.repository("platform/base-images")])
    found = space.verification.history(repository)
    assert [(one.verdict, one.passed) for one in found] == [("allowed", False), ("allowed", True)]
    assert found[0].headline.startswith("LEAK")
    assert [one.repository for one in space.verification.history()] == [REPOSITORY, "payments/vault", REPOSITORY]
    last = space.verification.latest()
    assert {arn: one.headline.split(" ")[0] for arn, one in last.items()} == {
        repository.arn: "LEAK:",
        other.arn: "DENIED",
    }
    # Another run of the program knows it, too.
    assert workspace().verification.history(repository) == found


def test_the_record_is_for_its_owner_and_holds_no_secret(sandbox: Sandbox, space: Any) -> None:
    secrets: list[str] = []

    def listen(_: str, request: Request) -> None:
        secrets.append(request.headers.get("authorization", "").removeprefix("Basic "))

    sandbox.registry_fault = listen
    prove(space)
    path = space.verification.record.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    import base64

    assert any(secrets)
    for one in filter(None, secrets):
        assert one not in text
        assert base64.b64decode(one).decode().partition(":")[2] not in text


def test_a_record_that_cannot_be_written_keeps_nobody_from_verifying(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    grant(workspace())
    space = workspace(state_dir=tmp_path / "file" / "below")
    report = prove(space)
    assert report.passed
    assert [note for note in report.notes if "recorded" in note]
    assert [note for note in report.notes if "not recorded for cleanup" in note]


def test_history_on_the_command_line(sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prove(space)
    prove(space, "payments/vault")
    calls: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    shown = ecr_tui("verify", "--history")
    assert shown.code == 0
    assert [line.split()[2:4] for line in shown.out.splitlines()[1:]] == [
        ["failed", "payments/vault"],
        ["passed", REPOSITORY],
    ]
    one = ecr_tui("verify", REPOSITORY, "--history", "--json")
    assert [(past["repository"], past["verdict"]) for past in one.json] == [(REPOSITORY, "allowed")]
    assert calls == []
