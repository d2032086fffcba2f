"""ECR events in account A's CloudTrail, one page of LookupEvents at a time.

LookupEvents (CloudTrail API Reference): management events of a region, of the last 90 days, newest first, at most 50
per page and two calls per second in an account and region, by one attribute and a time range. All ECR API calls are
such events, and Docker's pushes and pulls cause them as well (Amazon ECR User Guide, "Logging Amazon ECR actions with
AWS CloudTrail").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecr_tui.aws.sessions import AwsSession
from ecr_tui.policy.principal import without_session

HISTORY_DAYS = 90
PAGE = 50
INTERVAL = 0.5
"""Seconds from one call to the next."""
SOURCE = "ecr.amazonaws.com"


class Caller(NamedTuple):
    """The caller in an event. ``arn``: a user's, or a role's without its session; "" if the event has only the account,
    then ``id`` is the principal id ("AIDA...", "AROA...:session"). ``service``: the calling AWS service."""

    account: str = ""
    arn: str = ""
    id: str = ""
    service: str = ""


class TrailEvent(NamedTuple):
    """``repositories``: names of the call's repositories in the trail's account. ``code``: AWS's error. ``by_us``: an
    API call of ecr-tui, by its user agent, which registry pushes and pulls lack."""

    at: datetime
    name: str
    caller: Caller
    repositories: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    by_us: bool = False


class TrailPage(NamedTuple):
    """``unreadable``: number of unreadable events. ``token``: of the next page, "" for the last one."""

    events: tuple[TrailEvent, ...]
    token: str = ""
    unreadable: int = 0


def look_up(
    session: AwsSession, region: str, account: str, start: datetime, end: datetime, token: str = ""
) -> TrailPage:
    """ECR's events of ``start`` to ``end``, both included. ``account``: the session's. ``token``: from the previous
    page of the same time range. Raises EcrTuiError."""
    client = session.client("cloudtrail", region, background=True)
    asked: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": SOURCE}],
        "StartTime": start,
        "EndTime": end,
        "MaxResults": PAGE,
    }
    if token:
        asked["NextToken"] = token
    with session.calling("cloudtrail:LookupEvents"):
        answer = client.lookup_events(**asked)
        found = [parsed(str(event.get("CloudTrailEvent", "")), account) for event in answer.get("Events", ())]
    events = tuple(event for event in found if event is not None)
    return TrailPage(events, answer.get("NextToken") or "", len(found) - len(events))


def parsed(text: str, account: str) -> TrailEvent | None:
    """Parse a CloudTrail record of ``account`` (CloudTrail User Guide, "CloudTrail record contents"); None without a
    valid time, name or caller."""
    try:
        record = json.loads(text)
        at = datetime.fromisoformat(record["eventTime"]).astimezone(UTC).replace(microsecond=0)
        return TrailEvent(
            at,
            str(record["eventName"]),
            _caller(record["userIdentity"]),
            _repositories(record, account),
            str(record.get("errorCode") or ""),
            str(record.get("errorMessage") or ""),
            "ecr-tui/" in str(record.get("userAgent") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _caller(identity: Mapping[str, Any]) -> Caller:
    """By "CloudTrail userIdentity element": a session's role is its issuer; AWSAccount has no ARN."""
    account, arn = str(identity.get("accountId") or ""), str(identity.get("arn") or "")
    invoked_by = str(identity.get("invokedBy") or "")
    service = invoked_by if invoked_by.endswith((".amazonaws.com", ".amazonaws.com.cn")) else ""
    if identity.get("type") == "AssumedRole":
        issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
        arn = str(issuer.get("arn") or "") or without_session(arn)
        account = str(issuer.get("accountId") or "") or account
    return Caller(account, arn, "" if arn else str(identity.get("principalId") or ""), service)


def _repositories(record: Mapping[str, Any], account: str) -> tuple[str, ...]:
    """From the record's resources; else from the request, whose registry defaults to this account's."""
    arns = [str(one.get("ARN") or "").split(":", 5) for one in _list(record.get("resources"))]
    found = [
        parts[5].removeprefix("repository/")
        for parts in arns
        if len(parts) == 6 and parts[2] == "ecr" and parts[4] == account and parts[5].startswith("repository/")
    ]
    request = record.get("requestParameters") or {}
    if not any(len(parts) == 6 for parts in arns) and str(request.get("registryId") or account) == account:
        found += [str(one) for one in (request.get("repositoryName"), *_list(request.get("repositoryNames"))) if one]
    return tuple(dict.fromkeys(found))


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
