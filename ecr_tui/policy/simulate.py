"""Decide test cases offline: unit tests for policies, as a team keeps them beside its infrastructure code.

The format is a JSON list of cases: {"name", "request": {"action", "resource": {"resource", "accountId"}, "principal",
"context"}, "identityPolicies", "resourcePolicy", "permissionBoundaries", "sessionPolicy", "serviceControlPolicies",
"resourceControlPolicies": [{"orgIdentifier", "policies"}], "registryPolicy", "expected": {"response"}}. All but the
request may be missing; "identityPolicies": null says that they cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecr_tui.errors import InputError
from ecr_tui.policy import _json
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.evaluate import ALLOWED, EXPLICIT, IMPLICIT, UNKNOWN, Policies, Reason, Request, decide

RESPONSES = (ALLOWED, IMPLICIT, EXPLICIT, UNKNOWN)


@dataclass(frozen=True)
class Case:
    """``expected`` is one of :data:`RESPONSES`, or None where the case expects nothing."""

    name: str
    request: Request
    policies: Policies
    expected: str | None


@dataclass(frozen=True)
class CaseResult:
    """``matches`` is None where nothing was expected."""

    name: str
    response: str
    expected: str | None
    matches: bool | None
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "response": self.response,
            "expected": self.expected,
            "matches": self.matches,
            "reasons": [reason.to_json() for reason in self.reasons],
        }


def simulate(text: str) -> tuple[CaseResult, ...]:
    """Decide every case of a file's text. Raises InputError (PolicyError for bad JSON), naming the case."""
    return tuple(run(case) for case in read_cases(text))


def run(case: Case) -> CaseResult:
    decision = decide(case.request, case.policies)
    matches = None if case.expected is None else decision.response == case.expected
    return CaseResult(case.name, decision.response, case.expected, matches, decision.reasons)


def read_cases(text: str) -> tuple[Case, ...]:
    data = _json.loads(text)
    items = data if isinstance(data, list) else [data]
    return tuple(_case(item, number) for number, item in enumerate(items, start=1))


def _case(item: object, number: int) -> Case:
    if not isinstance(item, Mapping):
        raise InputError(f"case {number} is not an object", hint=_FORM)
    given = item.get("name")
    name = " ".join(given.split()) if isinstance(given, str) else ""
    name = name or f"case {number}"
    try:
        return Case(name, _request(item.get("request")), _policies(item), _expected(item.get("expected")))
    except _Problem as problem:
        raise InputError(f"{name}: {problem}", hint=_FORM) from None
    except PolicyError as error:
        raise InputError(f"{name}: {error.title}") from None


class _Problem(Exception):
    pass


_FORM = (
    'a case is {"request": {"action", "resource": {"resource", "accountId"}, "principal", "context"}, '
    '"identityPolicies": [...], "resourcePolicy": {...}, "expected": {"response"}}'
)


def _request(data: object) -> Request:
    if not isinstance(data, Mapping):
        raise _Problem("it has no request")
    resource = data.get("resource")
    account: object = None
    if isinstance(resource, Mapping):
        account = resource.get("accountId")
        resource = resource.get("resource")
    texts = {"action": data.get("action"), "resource": resource, "principal": data.get("principal")}
    for field, value in texts.items():
        if not isinstance(value, str) or not value:
            raise _Problem(f"its request has no {field}")
    if account is None:
        account = str(resource).split(":")[4] if str(resource).count(":") >= 5 else ""
    if not isinstance(account, str):
        raise _Problem("its accountId is not text")
    context = data.get("context", {})
    if not isinstance(context, Mapping):
        raise _Problem("its context is not an object")
    return Request(str(texts["action"]), str(resource), account, str(texts["principal"]), dict(context))


def _policies(item: Mapping[str, Any]) -> Policies:
    identity = item.get("identityPolicies", [])
    return Policies(
        identity=None if identity is None else _documents(identity, "identityPolicies"),
        resource=_document(item.get("resourcePolicy"), "resourcePolicy"),
        boundaries=_documents(item.get("permissionBoundaries") or [], "permissionBoundaries"),
        session=_document(item.get("sessionPolicy"), "sessionPolicy"),
        scps=_levels(item.get("serviceControlPolicies") or [], "serviceControlPolicies"),
        rcps=_levels(item.get("resourceControlPolicies") or [], "resourceControlPolicies"),
        registry=_document(item.get("registryPolicy"), "registryPolicy"),
    )


def _documents(data: object, field: str) -> tuple[PolicyDocument, ...]:
    if not isinstance(data, list):
        raise _Problem(f"its {field} is not a list")
    found = (_document(item, f"{field}[{index}]") for index, item in enumerate(data))
    return tuple(document for document in found if document is not None)


def _document(data: object, field: str) -> PolicyDocument | None:
    if data is None:
        return None
    if isinstance(data, Mapping) and "Statement" not in data and isinstance(data.get("policy"), Mapping):
        data = data["policy"]
    if not isinstance(data, Mapping):
        raise _Problem(f"its {field} is not a policy")
    return PolicyDocument.from_json(data)


def _levels(data: object, field: str) -> tuple[tuple[PolicyDocument, ...], ...]:
    if not isinstance(data, list):
        raise _Problem(f"its {field} is not a list")
    levels = []
    for level in data:
        if not isinstance(level, Mapping):
            raise _Problem(f"its {field} holds something else than levels with policies")
        levels.append(_documents(level.get("policies", []), f"{field} policies"))
    return tuple(levels)


def _expected(data: object) -> str | None:
    if isinstance(data, Mapping):
        data = data.get("response")
    if data is None:
        return None
    if data not in RESPONSES:
        raise _Problem(f"it expects {data!r}, which is none of {', '.join(RESPONSES)}")
    return str(data)
