"""LookupEvents answers with the calls that the sandbox had, as CloudTrail does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.backend import Caller
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import utc_now

A, B, REGION = Sandbox.account_a, Sandbox.account_b, Sandbox.region
USER = f"arn:aws:iam::{B}:user/devusr2"
ECR = [{"AttributeKey": "EventSource", "AttributeValue": "ecr.amazonaws.com"}]


@pytest.fixture
def trail(aws: Callable[..., Any]) -> Any:
    return aws("account-a", "cloudtrail")


def records(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(event["CloudTrailEvent"]) for event in answer["Events"]]


def pull(sandbox: Sandbox, repository: str, times: int = 1, arn: str = USER) -> None:
    for _ in range(times):
        sandbox.owner_backend().denial(Caller(B, arn, ""), "ecr:BatchGetImage", repository)


def test_a_call_from_another_account_is_in_both_trails(sandbox: Sandbox, trail: Any, consumer: Any) -> None:
    with pytest.raises(ClientError):
        consumer.batch_get_image(registryId=A, repositoryName="my-first-repo", imageIds=[{"imageTag": "v1"}])
    (mine,) = records(trail.lookup_events(LookupAttributes=ECR))
    with sandbox.world.lock:
        theirs = sandbox.world.trail.record(next(sandbox.world.trail.of(B, REGION)), B)
    assert (mine["eventName"], mine["errorCode"], mine["recipientAccountId"]) == ("BatchGetImage", "AccessDenied", A)
    assert mine["errorMessage"].startswith(f"User: {USER} is not authorized to perform: ecr:BatchGetImage")
    assert mine["userIdentity"]["arn"] == USER
    assert mine["requestParameters"]["repositoryName"] == "my-first-repo"
    assert mine["resources"][0] == {
        "ARN": f"arn:aws:ecr:{REGION}:{A}:repository/my-first-repo",
        "accountId": A,
    }
    assert mine["sharedEventID"] == theirs["sharedEventID"]
    assert mine["eventID"] != theirs["eventID"]
    sandbox.world.trail.names_others = False
    (mine,) = records(trail.lookup_events(LookupAttributes=ECR))
    assert mine["userIdentity"]["type"] == "AWSAccount"
    assert "arn" not in mine["userIdentity"]
    assert mine["userIdentity"]["accountId"] == B


def test_pages_are_newest_first_and_their_tokens_are_for_the_same_question(sandbox: Sandbox, trail: Any) -> None:
    for day in (40, 30, 20):
        sandbox.clock = lambda day=day: utc_now() - timedelta(days=day)  # type: ignore[misc]
        pull(sandbox, "payments/legacy", 30)
    sandbox.clock = utc_now
    first = trail.lookup_events(LookupAttributes=ECR)
    second = trail.lookup_events(LookupAttributes=ECR, NextToken=first["NextToken"])
    assert (len(first["Events"]), len(second["Events"]), "NextToken" in second) == (50, 40, False)
    times = [event["EventTime"] for event in (*first["Events"], *second["Events"])]
    assert times == sorted(times, reverse=True)
    assert len({event["EventId"] for event in (*first["Events"], *second["Events"])}) == 90
    with pytest.raises(ClientError, match="InvalidNextToken"):
        trail.lookup_events(NextToken=first["NextToken"])
    between = {"StartTime": utc_now() - timedelta(days=35), "EndTime": utc_now() - timedelta(days=25)}
    assert len(trail.lookup_events(LookupAttributes=ECR, **between)["Events"]) == 30


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"LookupAttributes": [*ECR, {"AttributeKey": "EventName", "AttributeValue": "PutImage"}]}, "LookupAttributes"),
        ({"StartTime": utc_now(), "EndTime": utc_now() - timedelta(days=1)}, "InvalidTimeRange"),
        ({"NextToken": "nonsense"}, "InvalidNextToken"),
    ],
)
def test_what_cloudtrail_refuses(sandbox: Sandbox, trail: Any, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        trail.lookup_events(**asked)


def test_whoever_is_not_allowed_learns_nothing(sandbox: Sandbox, aws: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="cloudtrail:LookupEvents"):
        aws("no-access", "cloudtrail").lookup_events()
