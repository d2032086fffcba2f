"""May this principal do that? Answered by ``policy.evaluate`` from live records, in AWS's words when not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Required, TypedDict, TypeVar, Unpack

from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.evaluate import Policies, Request, decide
from ecr_tui.sandbox.authorizations import Denied, checks_of
from ecr_tui.sandbox.aws_errors import ServiceError, unknown_operation
from ecr_tui.sandbox.bindings import to_arns
from ecr_tui.sandbox.directory import Documents
from ecr_tui.sandbox.organization import principal_keys, resource_keys, source_keys
from ecr_tui.sandbox.principals import Principal
from ecr_tui.sandbox.world import LOOPBACK, AwsCall, World

T = TypeVar("T")
Context = Mapping[str, str | Sequence[str]]

_NOTHING = PolicyDocument.empty()
_DENY_PLACES = {
    "identity": "an identity-based policy",
    "resource": "a resource-based policy",
    "registry": "a resource-based policy",
    "boundary": "a permissions boundary",
    "session": "a session policy",
    "scp": "a service control policy",
    "rcp": "a resource control policy",
}
_MISSING = (
    ("identity", "identity-based policy"),
    ("boundary", "permissions boundary"),
    ("session", "session policy"),
    ("scp", "service control policy"),
    ("resource", "resource-based policy"),
    ("rcp", "resource control policy"),
)
"""In the order in which AWS names one when several are missing: the caller's own side first."""


class About(TypedDict, total=False):
    """Of a resource: its owner, its own policy and that of its registry, its tags, and what else the request tells."""

    account: Required[str]
    policy: str | None
    registry_policy: str | None
    tags: Mapping[str, str] | None
    context: Context | None


class Decisions:
    def __init__(self, world: World) -> None:
        self._world = world

    def denial(self, principal: Principal, action: str, resource: str, **about: Unpack[About]) -> str | None:
        """None when allowed, else AWS's message."""
        with self._world.lock:
            documents = self._world.directory.documents(principal)
        policies = self._policies(documents, about)
        request = _request(principal.arn, action, resource, self.context(principal, documents.tags), about)
        decision = decide(request, policies)
        if decision.response == "Allowed":
            return None
        checks = checks_of(principal, request, decision, documents, policies, parsed)
        denied = Denied(principal, request, decision, checks)
        with self._world.lock:
            return denial_text(denied) + self._world.authorizations.record(denied)

    def _policies(self, documents: Documents, about: About) -> Policies:
        return self._attached(about)._replace(
            identity=tuple(parsed(one.text) for one in documents.identity),
            boundaries=tuple(parsed(one.text) for one in documents.boundaries),
            session=parsed(documents.session.text) if documents.session else None,
        )

    def lets_service_in(
        self, service: str, source_arn: str, action: str, resource: str, **about: Unpack[About]
    ) -> bool:
        """Whether a service may, on behalf of the resource ``source_arn``."""
        account = source_arn.split(":")[4]
        context: dict[str, str | Sequence[str]] = {
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": service,
            "aws:SourceArn": source_arn,
            "aws:SourceAccount": account,
            **source_keys(account),
            **self._call_keys(),
        }
        return decide(_request(service, action, resource, context, about), self._attached(about)).allowed

    def _attached(self, about: About) -> Policies:
        """The resource's own policy and that of its registry, and none of a caller's."""
        policy, registry_policy = about.get("policy"), about.get("registry_policy")
        with self._world.lock:
            live = frozenset(self._world.directory.principals())
        return Policies(
            identity=(),
            resource=parsed(to_arns(policy, live)) if policy else None,
            registry=parsed(registry_policy) if registry_policy else None,
        )

    def require(self, principal: Principal, action: str, resource: str, **about: Unpack[About]) -> None:
        """Raises ServiceError AccessDeniedException (HTTP 400, as ECR and the tagging API do)."""
        message = self.denial(principal, action, resource, **about)
        if message is not None:
            raise ServiceError("AccessDeniedException", message)

    def serve(self, service: str, operations: Mapping[str, Callable[[AwsCall], T]], call: AwsCall) -> T:
        """An operation on no resource. Raises ServiceError for one that there is not, or that is denied."""
        operation = operations.get(call.operation)
        if operation is None:
            raise unknown_operation(service, call.operation)
        self.require(call.principal, f"{service}:{call.operation}", "*", account=call.principal.account)
        return operation(call)

    def context(self, principal: Principal, tags: Mapping[str, str]) -> dict[str, str | Sequence[str]]:
        found: dict[str, str | Sequence[str]] = {
            "aws:PrincipalArn": principal.iam_arn,
            "aws:PrincipalAccount": principal.account,
            "aws:PrincipalType": "User" if principal.kind == "user" else "AssumedRole",
            "aws:userid": principal.user_id,
            "aws:SourceIp": LOOPBACK,
            "aws:ViaAWSService": "false",
            "aws:PrincipalIsAWSService": "false",
            **self._call_keys(),
        }
        if principal.kind == "user":
            found["aws:username"] = principal.name
        found |= principal_keys(principal.account)
        if principal.session is not None:
            found["aws:MultiFactorAuthPresent"] = "true" if principal.session.mfa else "false"
            found["aws:TokenIssueTime"] = principal.session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        for key, value in tags.items():
            found[f"aws:PrincipalTag/{key}"] = value
        return found

    def _call_keys(self) -> dict[str, str | Sequence[str]]:
        """Condition keys of every request."""
        now = self._world.clock()
        return {
            "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:EpochTime": str(int(now.timestamp())),
            # Loopback represents AWS's endpoints, which accept only TLS.
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": self._world.regions[0],
        }


def _request(
    principal: str, action: str, resource: str, context: Mapping[str, str | Sequence[str]], about: About
) -> Request:
    account = about["account"]
    keys = {**context, **_resource_context(account, action, about.get("tags")), **(about.get("context") or {})}
    return Request(action, resource, account, principal, keys)


def _resource_context(account: str, action: str, tags: Mapping[str, str] | None) -> dict[str, str | Sequence[str]]:
    found: dict[str, str | Sequence[str]] = {"aws:ResourceAccount": account, **resource_keys(account)}
    for key, value in (tags or {}).items():
        found[f"aws:ResourceTag/{key}"] = value
        if action.startswith("ecr:"):
            found[f"ecr:ResourceTag/{key}"] = value
    return found


def denial_text(denied: Denied) -> str:
    """AWS's message, without an authorization id."""
    action, decision = denied.request.action, denied.decision
    start = (
        f"User: {denied.principal.arn} is not authorized to perform: {action} on resource: {denied.request.resource}"
    )
    for place in decision.denied_by:
        arn = denied.arn_of_deny(place)
        return f"{start} with an explicit deny in {_DENY_PLACES[place]}{f': {arn}' if arn else ''}"
    for side, words in _MISSING:
        if side in decision.missing:
            return f"{start} because no {words} allows the {action} action"
    return start


@lru_cache(maxsize=8192)
def parsed(text: str) -> PolicyDocument:
    """A stored text that is no policy at all allows nothing."""
    try:
        return PolicyDocument.parse(text)
    except PolicyError:
        return _NOTHING
