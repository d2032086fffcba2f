"""CloudTrail's LookupEvents, which moto lacks: the caller's own account, the call's region, the last 90 days."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from ecr_tui.sandbox import paging
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import HttpRequest
from ecr_tui.sandbox.decisions import Decisions
from ecr_tui.sandbox.trail import Happened
from ecr_tui.sandbox.world import AwsCall, World

PAGE = 50
HISTORY = timedelta(days=90)

_ATTRIBUTES: dict[str, Callable[[Happened, str, str], bool]] = {
    "EventId": lambda event, account, value: event.ids[account] == value,
    "EventName": lambda event, account, value: event.name == value,
    "EventSource": lambda event, account, value: event.source == value,
    "ReadOnly": lambda event, account, value: _truth(event.reads) == value,
    "Username": lambda event, account, value: event.caller.name == value,
    "AccessKeyId": lambda event, account, value: event.caller.access_key == value,
    "ResourceName": lambda event, account, value: event.arn == value,
    "ResourceType": lambda event, account, value: bool(event.arn) and value == "AWS::ECR::Repository",
}


class TrailApi:
    def __init__(self, world: World, decisions: Decisions) -> None:
        self._world = world
        self._decisions = decisions

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any]:
        return self._decisions.serve("cloudtrail", {"LookupEvents": self.lookup}, call)

    def lookup(self, call: AwsCall) -> dict[str, Any]:
        """Newest first. A token is good for the parameters that it came with, and no others (API reference)."""
        size = self._size(call)
        start, end = self._times(call)
        matches = _attribute(call)
        account = call.principal.account
        kind = _kind(call)
        try:
            before = int(paging.marker_of(call.params.get("NextToken"), kind) or 0)
        except ServiceError:
            raise ServiceError("InvalidNextTokenException", "Invalid NextToken") from None
        found = (
            event
            for event in self._world.trail.of(account, call.region)
            if start <= event.at <= end and matches(event, account)
        )
        if before:
            for event in found:
                if event.number == before:
                    break
        page = list(islice(found, size))
        answer: dict[str, Any] = {"Events": [self._event(event, account) for event in page]}
        if next(found, None) is not None:
            answer["NextToken"] = paging.token_of(str(page[-1].number), kind)
        return answer

    def _event(self, event: Happened, account: str) -> dict[str, Any]:
        resources = [{"ResourceType": "AWS::ECR::Repository", "ResourceName": event.arn}] if event.arn else []
        return {
            "EventId": event.ids[account],
            "EventName": event.name,
            "ReadOnly": _truth(event.reads),
            "AccessKeyId": event.caller.access_key,
            "EventTime": event.at.timestamp(),
            "EventSource": event.source,
            "Username": event.caller.name,
            "Resources": resources,
            "CloudTrailEvent": json.dumps(self._world.trail.record(event, account), separators=(",", ":")),
        }

    def _times(self, call: AwsCall) -> tuple[datetime, datetime]:
        now = self._world.clock()
        given = [call.params.get(name) for name in ("StartTime", "EndTime")]
        start, end = (datetime.fromtimestamp(one, UTC) if isinstance(one, int | float) else None for one in given)
        if start is not None and end is not None and start > end:
            raise ServiceError("InvalidTimeRangeException", "The start time is after the end time")
        return max(start or now - HISTORY, now - HISTORY), end or now

    def _size(self, call: AwsCall) -> int:
        wanted = call.params.get("MaxResults", PAGE)
        if not isinstance(wanted, int) or not 1 <= wanted <= PAGE:
            raise ServiceError("InvalidMaxResultsException", f"MaxResults must be between 1 and {PAGE}")
        return wanted


def _attribute(call: AwsCall) -> Callable[[Happened, str], bool]:
    given = call.params.get("LookupAttributes") or []
    if not isinstance(given, list) or len(given) > 1:
        raise ServiceError("InvalidLookupAttributesException", "You can specify only one lookup attribute")
    if not given:
        return lambda event, account: True
    test = _ATTRIBUTES.get(str(given[0].get("AttributeKey")))
    if test is None:
        raise ServiceError("InvalidLookupAttributesException", "Unknown attribute key")
    value = str(given[0].get("AttributeValue", ""))
    return lambda event, account: test(event, account, value)


def _kind(call: AwsCall) -> str:
    """Of the tokens for these parameters."""
    asked = {name: value for name, value in call.params.items() if name not in ("NextToken", "MaxResults")}
    return "events " + hashlib.sha256(json.dumps([call.region, asked], sort_keys=True).encode()).hexdigest()[:16]


def _truth(value: bool) -> str:
    return "true" if value else "false"
