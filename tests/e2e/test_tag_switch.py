"""The tag switch: access ends with the tag, comes back with it, and the tag is back whatever happens in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event as CancelEvent
from typing import Any

import boto3
import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from ecr_tui.verification.report import Report, Status, TagStepEnded, Verdict
from tests.support.cli import ecr_tui
from tests.support.proving import REPOSITORY, grant, prove, workspace
from tests.support.terminal import Terminal

pytestmark = pytest.mark.thorough

TAG = (("Team", "Payments"),)


@pytest.fixture
def space(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("ecr_tui.workspace.verification.SETTLE_SECONDS", 0.0)
    return workspace()


@pytest.fixture
def repository(space: Any) -> Repository:
    return grant(space, tags=TAG)


def tags() -> dict[str, str]:
    client = boto3.Session(profile_name="account-a").client("ecr")
    found = client.list_tags_for_resource(resourceArn=f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}")
    return {tag["Key"]: tag["Value"] for tag in found["tags"]}


def steps(report: Report) -> list[tuple[str, str]]:
    assert report.tag_switch is not None
    return [(one.name, one.status.value) for one in report.tag_switch.steps]


def test_access_ends_with_the_tag_and_comes_back_with_it(space: Any, repository: Repository) -> None:
    told: list[str] = []

    def on_event(event: object) -> None:
        if isinstance(event, TagStepEnded):
            told.append(event.step.name)
            assert ("Team" in tags()) == (event.step.name not in ("remove", "expect denial"))

    report = prove(space, repository, tag_switch=True, on_event=on_event)
    assert report.passed
    assert steps(report) == [("remove", "ok"), ("expect denial", "ok"), ("restore", "ok"), ("expect access", "ok")]
    assert told == [name for name, _ in steps(report)]
    assert tags() == {"Team": "Payments"}
    assert space.verification.leftovers() == ()
    assert report.to_json()["tag_switch"]["tag"] == {"Team": "Payments"}


def test_a_grant_that_does_not_hang_on_a_tag_cannot_be_shown_to(space: Any) -> None:
    repository = grant(space)
    report = prove(space, repository, tag_switch=True)
    assert (report.verdict, report.exit_code, report.word) == (Verdict.ALLOWED, 1, "tag switch failed")
    assert report.tag_switch is not None
    assert "does not depend on a tag" in report.tag_switch.message
    assert steps(report) == []


def test_nothing_is_touched_where_access_is_not_proved(sandbox: Sandbox, space: Any) -> None:
    calls: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    report = prove(space, tag_switch=True)
    assert report.tag_switch is not None
    assert report.tag_switch.status is Status.SKIPPED
    assert not {"TagResource", "UntagResource"} & set(calls)


def refuse(*operations: str) -> Any:
    def fault(call: AwsCall) -> ServiceError | None:
        text = f"User: x is not authorized to perform: ecr:{call.operation}"
        return ServiceError("AccessDeniedException", text) if call.operation in operations else None

    return fault


def test_who_may_not_put_the_tag_back_does_not_take_it_away(
    sandbox: Sandbox, space: Any, repository: Repository
) -> None:
    calls: list[str] = []
    deny = refuse("TagResource")
    sandbox.fault = lambda call: calls.append(call.operation) or deny(call)  # type: ignore[func-returns-value]
    report = prove(space, repository, tag_switch=True)
    assert report.tag_switch is not None
    assert "unchanged:" in report.tag_switch.message
    assert "UntagResource" not in calls


def test_an_untagging_that_is_refused(sandbox: Sandbox, space: Any, repository: Repository) -> None:
    sandbox.fault = refuse("UntagResource")
    report = prove(space, repository, tag_switch=True)
    assert steps(report) == [("remove", "failed"), ("restore", "ok")]
    assert report.exit_code == 1
    assert space.verification.leftovers() == ()


def test_access_that_does_not_end_is_a_failure_and_the_tag_is_back(
    sandbox: Sandbox, space: Any, repository: Repository
) -> None:
    """Everybody, deciding and reading, goes on seeing the tag as it was: as if AWS took its time with a change."""
    records = sandbox.world.records
    live = records.tags
    records.tags = lambda record: {**live(record), "Team": "Payments"} if record.name == REPOSITORY else live(record)  # type: ignore[method-assign]
    try:
        report = prove(space, repository, tag_switch=True)
    finally:
        del records.tags  # type: ignore[method-assign]
    assert ("expect denial", "failed") in steps(report)
    assert ("restore", "ok") in steps(report)
    assert report.exit_code == 1
    assert tags() == {"Team": "Payments"}


@pytest.mark.parametrize("step", ["remove", "expect denial"])
def test_a_cancel_puts_it_back(space: Any, repository: Repository, step: str) -> None:
    cancel = CancelEvent()

    def on_event(event: object) -> None:
        if isinstance(event, TagStepEnded) and event.step.name == step:
            cancel.set()

    report = prove(space, repository, tag_switch=True, on_event=on_event, cancel=cancel)
    assert report.cancelled
    assert report.exit_code == 1
    assert tags() == {"Team": "Payments"}
    assert space.verification.leftovers() == ()
    assert report.cleaned_up


def test_a_value_that_somebody_set_meanwhile_is_left_alone(
    sandbox: Sandbox, space: Any, repository: Repository
) -> None:
    def on_event(event: object) -> None:
        if isinstance(event, TagStepEnded) and event.step.name == "remove":
            boto3.Session(profile_name="account-a").client("ecr").tag_resource(
                resourceArn=repository.arn, tags=[{"Key": "Team", "Value": "Search"}]
            )

    report = prove(space, repository, tag_switch=True, on_event=on_event)
    assert tags() == {"Team": "Search"}
    assert report.tag_switch is not None
    assert report.tag_switch.restored
    assert any("another writer" in one.message for one in report.tag_switch.steps)


def test_a_tag_that_cannot_be_put_back_is_said_loudest_and_can_be_put_back_later(
    sandbox: Sandbox, space: Any, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecr_tui.verification.tag_switch._FIRST_PAUSE", 0.0)

    def on_event(event: object) -> None:
        if isinstance(event, TagStepEnded) and event.step.name == "remove":
            sandbox.fault = refuse("TagResource")

    report = prove(space, repository, tag_switch=True, on_event=on_event)
    assert report.headline().startswith("TAG MISSING: Team")
    assert report.tag_switch is not None
    assert not report.tag_switch.restored
    assert "aws ecr tag-resource" in report.tag_switch.fix
    assert tags() == {}
    # It is a leftover at once, and stays one until it is put right.
    (left,) = space.verification.leftovers()
    assert (left.kind, left.key, left.value) == ("tag", "Team", "Payments")
    (failed,) = space.verification.clean_leftovers()
    assert failed.error is not None
    sandbox.fault = None
    (cleaned,) = space.verification.clean_leftovers()
    assert cleaned.error is None
    assert tags() == {"Team": "Payments"}
    assert space.verification.leftovers() == ()


# The command line


def test_it_asks_first(space: Any, repository: Repository) -> None:
    refused = ecr_tui("verify", REPOSITORY, "--engine", "direct", "--tag-switch")
    assert refused.code == 2
    assert "confirmation required" in refused.err
    assert tags() == {"Team": "Payments"}
    done = ecr_tui("verify", REPOSITORY, "--engine", "direct", "--tag-switch", "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["tag_switch"]["status"] == "ok"
    assert ecr_tui("verify", REPOSITORY, "--tag-switch", "--yes", "--read-only").code == 2


@pytest.mark.parametrize(("answer", "code"), [("n", 130), ("y", 0)])
def test_it_asks_whoever_is_there(space: Any, repository: Repository, tmp_path: Path, answer: str, code: int) -> None:
    command = [sys.executable, "-m", "ecr_tui", "verify", REPOSITORY, "--engine", "direct", "--tag-switch"]
    terminal = Terminal(command, os.environ, tmp_path)
    try:
        shown = terminal.see("Remove the tag temporarily?")
        assert "Other principals" in shown.replace("\n", " ")
        terminal.send(f"{answer}\r")
        assert terminal.wait(60) == code
        assert ("tag: restore" in terminal.text) is (answer == "y")
    finally:
        terminal.close()
    assert tags() == {"Team": "Payments"}


def test_kill_while_the_tag_is_away(sandbox: Sandbox, space: Any, repository: Repository) -> None:
    """The next start knows of it, and puts it back."""
    away, release = CancelEvent(), CancelEvent()

    def hold(call: AwsCall) -> None:
        if call.operation == "ListTagsForResource" and "Team" not in tags_of(sandbox):
            away.set()
            release.wait(60)

    command = [sys.executable, "-m", "ecr_tui", "verify", REPOSITORY, "--engine", "direct", "--tag-switch", "--yes"]
    sandbox.fault = hold
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert away.wait(60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finally:
        release.set()
        process.kill()
    sandbox.fault = None
    assert tags() == {}
    left = [one for one in space.verification.leftovers() if one.kind == "tag"]
    assert [(one.key, one.value, one.place.name) for one in left] == [("Team", "Payments", REPOSITORY)]
    cleaned = ecr_tui("cleanup", "--yes", "--json")
    assert cleaned.code == 0, cleaned.err
    assert {one["kind"]: one["cleaned"] for one in cleaned.json} == {"tag": True, "probe": True}
    assert tags() == {"Team": "Payments"}
    assert space.verification.leftovers() == ()


def tags_of(sandbox: Sandbox) -> dict[str, str]:
    with sandbox.world.lock:
        record = sandbox.world.records.find(sandbox.account_a, sandbox.region, REPOSITORY)
        assert record is not None
        return dict(sandbox.world.records.tags(record))
