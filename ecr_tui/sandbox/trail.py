"""CloudTrail's records: every call that the sandbox answered, as the trails of the accounts concerned show it.

An event goes to the caller's account, and where another account owns the repository, to that one as well, each with an
id of its own and one sharedEventID (CloudTrail User Guide, "CloudTrail record contents"). Calls through a registry's
Docker API come from "AWS Internal" (aws/containers-roadmap#1634). AWS shows no event of ECR that another account
caused, so how much of the caller its owner sees is not known: ``names_others`` False leaves the account and the
principal id, as in the events of STS.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ecr_tui.sandbox.principals import Principal

KEPT = 50_000
"""Events at most; the oldest go first."""
INTERNAL = "AWS Internal"
_READING = ("Get", "BatchGet", "BatchCheck", "Describe", "List", "Lookup")
_UNTOLD = frozenset({"layerPartBlob"})


@dataclass(frozen=True)
class Happened:
    """One call. ``owner``: the account that owns ``arn``, "" for calls without a repository. ``at`` in whole seconds.

    ``ids``: the event's id in the trail of each account.
    """

    number: int
    at: datetime
    source: str
    name: str
    region: str
    caller: Principal
    ids: Mapping[str, str]
    params: Mapping[str, object] | None = None
    owner: str = ""
    arn: str = ""
    code: str = ""
    message: str = ""
    address: str = INTERNAL
    agent: str = INTERNAL
    shared: str = field(default_factory=lambda: str(uuid.uuid4()))
    request: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def reads(self) -> bool:
        return self.name.startswith(_READING)


class Trail:
    """Callers hold the world's lock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._events: deque[Happened] = deque(maxlen=KEPT)
        self._number = 0
        self.names_others = True

    def note(
        self,
        source: str,
        name: str,
        region: str,
        caller: Principal,
        *,
        params: Mapping[str, object] | None = None,
        owner: str = "",
        arn: str = "",
        code: str = "",
        message: str = "",
        address: str = INTERNAL,
        agent: str = INTERNAL,
    ) -> None:
        self._number += 1
        accounts = dict.fromkeys((caller.account, owner or caller.account))
        told = None if params is None else {key: value for key, value in params.items() if key not in _UNTOLD}
        self._events.append(
            Happened(
                self._number,
                self._clock().astimezone(UTC).replace(microsecond=0),
                source,
                name,
                region,
                caller,
                {account: str(uuid.uuid4()) for account in accounts},
                told,
                owner,
                arn,
                "AccessDenied" if code == "AccessDeniedException" else code,
                message,
                address,
                agent,
            )
        )

    def of(self, account: str, region: str) -> Iterator[Happened]:
        """Newest first."""
        mine = (one for one in self._events if account in one.ids and one.region == region)
        return iter(sorted(mine, key=lambda one: (one.at, one.number), reverse=True))

    def record(self, event: Happened, account: str) -> dict[str, Any]:
        """The event as the trail of ``account`` has it."""
        found: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": self._identity(event.caller, account),
            "eventTime": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": event.source,
            "eventName": event.name,
            "awsRegion": event.region,
            "sourceIPAddress": event.address,
            "userAgent": event.agent,
            "requestParameters": event.params,
            "responseElements": None,
            "requestID": event.request,
            "eventID": event.ids[account],
            "readOnly": event.reads,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
        }
        if event.arn:
            found["resources"] = [{"ARN": event.arn, "accountId": event.owner}]
        if event.code:
            found |= {"errorCode": event.code, "errorMessage": event.message}
        if len(event.ids) > 1:
            found["sharedEventID"] = event.shared
        return found

    def _identity(self, caller: Principal, account: str) -> dict[str, Any]:
        if caller.account != account and not self.names_others:
            return {"type": "AWSAccount", "principalId": caller.user_id, "accountId": caller.account}
        found: dict[str, Any] = {
            "type": "AssumedRole" if caller.kind == "role" else "IAMUser",
            "principalId": caller.user_id,
            "arn": caller.arn,
            "accountId": caller.account,
            "accessKeyId": caller.access_key,
        }
        if caller.kind != "role":
            return found | {"userName": caller.name}
        issuer = {
            "type": "Role",
            "principalId": caller.user_id.partition(":")[0],
            "arn": caller.iam_arn,
            "accountId": caller.account,
            "userName": caller.name,
        }
        return found | {"sessionContext": {"sessionIssuer": issuer}}

    def clear(self) -> None:
        self._events.clear()
        self.names_others = True
