"""Counter-proofs on real state: any number of neighbours, nothing left behind, and leaks that nobody overlooks."""

from __future__ import annotations

import json
from threading import Event as CancelEvent
from typing import Any

import boto3
import pytest

from ecr_tui.errors import InputError
from ecr_tui.sandbox.registry_app import Request, Response
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification.report import IsolationStatus, StageName, StageStarted, Status, Verdict
from tests.support.cli import ecr_tui
from tests.support.proving import CONSUMER, REPOSITORY, grant, prove, stage, workspace

pytestmark = pytest.mark.thorough

OPEN, CLOSED, EMPTY = "platform/base-images", "search/indexer", "tools/scratch"


@pytest.fixture
def space(sandbox: Sandbox) -> Any:
    space = workspace()
    grant(space)
    return space


def owner() -> Any:
    return boto3.Session(profile_name="account-a").client("ecr")


def test_any_number_of_neighbours(space: Any) -> None:
    report = prove(space, isolation=[space.listing.repository(name) for name in (CLOSED, EMPTY)])
    assert report.passed
    assert [(one.repository, one.status) for one in report.isolations] == [
        (CLOSED, IsolationStatus.DENIED),
        (EMPTY, IsolationStatus.DENIED),
    ]
    assert stage(report, StageName.ISOLATION).message == f"denied on {CLOSED}, {EMPTY}, as expected"


def test_a_leak_among_many_is_the_loudest_result(space: Any) -> None:
    report = prove(space, isolation=[space.listing.repository(name) for name in (CLOSED, OPEN, EMPTY)])
    assert (report.verdict, report.passed, report.exit_code, report.word) == (Verdict.ALLOWED, False, 1, "leak")
    assert report.headline() == f"LEAK: {CONSUMER} also has access to {OPEN}, which was not granted"
    document = report.to_json()
    # The worst one stands where one is expected; the list has them all.
    assert (document["isolation"]["repository"], document["isolation"]["status"]) == (OPEN, "leaked")
    assert [one["status"] for one in document["isolations"]] == ["denied", "leaked", "denied"]
    failed = stage(report, StageName.ISOLATION)
    assert (failed.status, failed.side) == (Status.FAILED, "account A")
    assert OPEN in failed.fix
    assert "LEAK" in report.to_markdown()


def test_all_takes_every_one_whose_policy_gives_nothing(space: Any) -> None:
    report = prove(space, isolation="all")
    names = {one.repository for one in report.isolations}
    assert report.passed
    assert {CLOSED, EMPTY, "billing/export"} <= names
    # Granted to everybody, to B by another statement, or to B for a time: no counter-proofs.
    assert not names & {REPOSITORY, OPEN, "payments/legacy", "payments/vault"}


def test_a_registry_policy_that_lets_b_in_is_found_on_a_neighbour(space: Any) -> None:
    statement = {"Sid": "B", "Effect": "Allow", "Principal": {"AWS": CONSUMER}, "Action": "ecr:*", "Resource": "*"}
    owner().put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    report = prove(space, isolation="auto")
    assert report.word == "leak"
    assert report.isolation is not None
    assert set(report.isolation.actions) == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
    }


def test_a_neighbour_that_b_may_push_to_without_reading_is_a_leak(space: Any) -> None:
    """The registry's read-only questions would not see it."""
    statement = {
        "Sid": "PushOnly",
        "Effect": "Allow",
        "Principal": {"AWS": CONSUMER},
        "Action": ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"],
    }
    owner().set_repository_policy(
        repositoryName=EMPTY, policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    report = prove(space, isolation=[space.listing.repository(EMPTY)])
    assert report.word == "leak"
    assert report.isolation is not None
    assert report.isolation.actions == ("ecr:CompleteLayerUpload",)


def test_it_reads_only_and_leaves_no_upload(sandbox: Sandbox, space: Any) -> None:
    neighbours = [space.listing.repository(name) for name in (CLOSED, OPEN, EMPTY)]
    asked: list[Request] = []
    watching = CancelEvent()

    def watch(_: str, request: Request) -> Response | None:
        if watching.is_set():
            asked.append(request)
        return None

    sandbox.registry_fault = watch

    def on_event(event: object) -> None:
        if isinstance(event, StageStarted):
            (watching.set if event.name is StageName.ISOLATION else watching.clear)()

    prove(space, isolation=neighbours, on_event=on_event)
    assert {request.method for request in asked} == {"GET", "HEAD"}
    assert len(asked) == 2 * len(neighbours)
    assert sum(store.open_uploads() for store in sandbox.world.blobs.values()) == 0


def test_a_neighbour_that_cannot_be_asked_is_not_proved(
    sandbox: Sandbox, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecr_tui.registry.transport.FIRST_PAUSE", 0.001)
    neighbours = [space.listing.repository(name) for name in (CLOSED, EMPTY)]
    sandbox.registry_fault = lambda _, request: Response(500) if CLOSED in request.target else None
    from ecr_tui.sandbox.aws_errors import ServiceError

    def fail(call: Any) -> ServiceError | None:
        return ServiceError("ServerException", "x", 500) if call.operation == "BatchGetImage" else None

    sandbox.fault = fail
    report = prove(space, isolation=neighbours)
    assert (report.verdict, report.exit_code, report.word) == (Verdict.ALLOWED, 1, "isolation unverified")
    assert [one.status for one in report.isolations] == [IsolationStatus.FAILED, IsolationStatus.FAILED]
    assert "was not checked" in report.isolations[1].message


def test_the_neighbours_are_not_looked_for_in_ten_thousand_repositories(sandbox: Sandbox, space: Any) -> None:
    """Without a listing at hand one page is enough; with one, none is read again."""
    calls: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    repository = space.listing.repository(REPOSITORY)
    calls.clear()
    assert prove(space, repository, isolation="auto").passed
    assert calls.count("DescribeRepositories") == 2  # whether it is there still, and the neighbours
    assert "GetResources" not in calls
    space.listing.repositories()
    calls.clear()
    assert prove(space, repository, isolation="auto").passed
    assert calls.count("DescribeRepositories") == 1


def test_a_repository_is_no_counter_proof_of_itself(space: Any) -> None:
    with pytest.raises(InputError, match="needs another repository"):
        prove(space, isolation=[space.listing.repository(REPOSITORY)])
    report = prove(space, isolation=[space.listing.repository(name) for name in (REPOSITORY, CLOSED)])
    assert [one.repository for one in report.isolations] == [CLOSED]


@pytest.mark.parametrize(
    ("flags", "names", "code"),
    [
        (["--isolation", CLOSED, "--isolation", EMPTY], [CLOSED, EMPTY], 0),
        (["--isolation", "none"], [], 0),
        (["--isolation", "all", "--isolation", CLOSED], None, 2),
        (["--isolation", "nowhere"], None, 2),
    ],
)
def test_on_the_command_line(space: Any, flags: list[str], names: list[str] | None, code: int) -> None:
    ran = ecr_tui("verify", REPOSITORY, "--engine", "direct", "--json", *flags)
    assert ran.code == code, ran.err
    if names is not None:
        assert [one["repository"] for one in ran.json["isolations"]] == names
        assert (ran.json["isolation"] is None) == (not names)
