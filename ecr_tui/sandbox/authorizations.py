"""What AWS keeps of a denial for its Access Troubleshooter, and the words by which the denial's text leads there.

IAM User Guide, "Troubleshoot access denied error messages with authorization ID": kept for 24 hours in the region of
the denial, and there a moment after it; told to principals of the denied one's account or organization, without what
belongs to another organization. Of the services that the guide lists there is IAM alone, with most of its APIs.
"""

from __future__ import annotations

import secrets
import string
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ecr_tui.policy.compiled import Grip
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import EXPLICIT, Decision, Policies, Request, standings
from ecr_tui.policy.known import Known
from ecr_tui.sandbox.directory import Documents
from ecr_tui.sandbox.organization import is_member
from ecr_tui.sandbox.principals import Principal

KEPT = 10_000
LIFETIME = timedelta(hours=24)
_ALPHABET = string.digits + string.ascii_lowercase
_GLOBAL_REGION = "us-east-1"
_UNTOLD = "iam:GetRequestAuthorizationDetails"
"""Whether its own denials have an id is not documented."""
_OF_RESOURCE = ("aws:resource", "ecr:resourcetag/")

Parse = Callable[[str], PolicyDocument]


@dataclass(frozen=True)
class Statement:
    """A statement that matched, in the policy ``uri``."""

    uri: str
    sid: str
    deny: bool


@dataclass(frozen=True)
class Check:
    """One requirement, by CheckType of the API model, with the policies that are its own."""

    type: str
    side: str
    policy_type: str
    attached_to: str
    documents: tuple[tuple[str, PolicyDocument], ...]


@dataclass(frozen=True)
class Denied:
    """A denial, as it was decided. ``checks`` hold the caller's own policies, and the resource's of another account."""

    principal: Principal
    request: Request
    decision: Decision
    checks: tuple[Check, ...]

    @property
    def own(self) -> bool:
        """Whether the resource is in the caller's account or organization, so that its details are returned."""
        owner = self.request.resource_account
        return owner == self.principal.account or (is_member(owner) and is_member(self.principal.account))

    def matched(self, check: Check) -> Iterator[Statement]:
        bounded = any(one.side == "boundary" for one in self.checks)
        known, attached = Known.all(self.request, bounded), check.side == "resource"
        for uri, document in check.documents:
            rules = standings((document,), known, self.request.action, self.request.resource, attached=attached)
            for rule, standing in rules:
                if standing.must != Grip.NONE:
                    yield Statement(uri, rule.statement.sid or f"Statement{rule.statement.index + 1}", rule.deny)

    def arn_of_deny(self, side: str) -> str:
        """Of the policy that denies, where the text names it: a managed one, within an account or an organization."""
        checks = [check for check in self.checks if check.side == side] if self.own else []
        denying = (one.uri for check in checks for one in self.matched(check) if one.deny)
        return next((uri for uri in denying if uri.startswith("arn:")), "")


class Authorizations:
    """Callers hold the world's lock.

    ``services``: those whose denials get an id. ``unready``: how many of the next questions come before the details.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._kept: deque[tuple[str, str, datetime, Denied]] = deque(maxlen=KEPT)
        self.clear()

    def clear(self) -> None:
        self._kept.clear()
        self.services = frozenset({"iam"})
        self.unready = 0

    def record(self, denied: Denied) -> str:
        """The suffix of the denial's text; "" for a service without ids."""
        service = denied.request.action.partition(":")[0]
        if service not in self.services or denied.request.action == _UNTOLD:
            return ""
        identifier = "".join(secrets.choice(_ALPHABET) for _ in range(24))
        region = _GLOBAL_REGION if service == "iam" else denied.request.resource.split(":")[3]
        self._kept.append((identifier, region, self._clock(), denied))
        page = f"https://{region}.console.aws.amazon.com/iam/home?region={region}#/authorization-details/{identifier}"
        return (
            f". Go to {page} for complete details, or call the GetRequestAuthorizationDetails API with the following "
            f"authorization id: {identifier}"
        )

    def find(self, identifier: str, region: str, reader: Principal) -> Denied | None:
        """None if missing, not yet available, or not visible to the reader."""
        if self.unready:
            self.unready -= 1
            return None
        for known, where, at, denied in self._kept:
            if (known, where) == (identifier, region) and self._clock() < at + LIFETIME:
                account = denied.principal.account
                beside = is_member(reader.account) and is_member(account)
                return denied if reader.account == account or beside else None
        return None


def details(denied: Denied) -> dict[str, Any]:
    """The answer of GetRequestAuthorizationDetails; its forms as in the examples of the API reference."""
    context = {key: _text(key, value) for key, value in denied.request.context.items()}
    of_resource = {key: value for key, value in context.items() if key.lower().startswith(_OF_RESOURCE)}
    shown = [check for check in denied.checks if denied.own or check.side != "resource"]
    evaluation = {
        "action": denied.request.action,
        "resource": denied.request.resource,
        "context": of_resource if denied.own else {},
        "evaluatedEffect": "EXPLICIT_DENY" if denied.decision.response == EXPLICIT else "IMPLICIT_DENY",
        "matchedPolicies": _matched(one for check in shown for one in denied.matched(check)),
        "checks": [_check(denied, check, shown=check in shown) for check in denied.checks],
    }
    return {
        "requestContext": {key: value for key, value in context.items() if key not in of_resource},
        "evaluations": [evaluation],
        "policies": [
            {
                "type": check.policy_type,
                "inline": not uri.startswith("arn:"),
                "uri": uri,
                "attachedTo": [{"arn": check.attached_to}],
            }
            for check in shown
            for uri, _ in check.documents
        ],
    }


def checks_of(
    principal: Principal, request: Request, decision: Decision, documents: Documents, policies: Policies, parse: Parse
) -> tuple[Check, ...]:
    """In the order of the API. Within the account the resource's own policies matter to a denial by their Deny only."""
    found = []
    if request.resource_account != principal.account or {"resource", "registry"} & set(decision.denied_by):
        attached = (("inline:resource", policies.resource), ("inline:registry", policies.registry))
        theirs = tuple((uri, document) for uri, document in attached if document is not None)
        found.append(Check("RESOURCE", "resource", "RESOURCE_BASED_POLICY", request.resource, theirs))
    own = [("PRINCIPAL", "identity", "IDENTITY_BASED_POLICY", documents.identity)]
    if documents.boundaries:
        own.append(("PERMISSIONS_BOUNDARY", "boundary", "PERMISSIONS_BOUNDARY", documents.boundaries))
    if documents.session is not None:
        own.append(("SESSION", "session", "SESSION_POLICY", (documents.session,)))
    for kind, side, policy_type, texts in own:
        parsed = tuple((one.uri, parse(one.text)) for one in texts)
        found.append(Check(kind, side, policy_type, principal.iam_arn, parsed))
    return tuple(found)


def _check(denied: Denied, check: Check, *, shown: bool) -> dict[str, Any]:
    matched = tuple(denied.matched(check))
    if any(one.deny for one in matched):
        effect = "EXPLICIT_DENY"
    elif matched:
        effect = "ALLOW"
    else:
        effect = "IMPLICIT_DENY"
    found: dict[str, Any] = {"checkType": check.type, "evaluatedEffect": effect}
    if shown:
        found["relevantPolicyTypes"] = [check.policy_type]
    return found | {"matchedPolicies": _matched(matched) if shown else []}


def _matched(statements: Iterable[Statement]) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, str]]] = {}
    for one in statements:
        effect = "DENY" if one.deny else "ALLOW"
        found.setdefault(one.uri, []).append({"sid": one.sid, "evaluatedEffect": effect})
    return [{"uri": uri, "matchedStatements": matched} for uri, matched in found.items()]


def _text(key: str, value: Any) -> str:
    if isinstance(value, str):
        return f"{value}/32" if key == "aws:SourceIp" else value
    return f"[{', '.join(map(str, value))}]"
