"""Read test cases for ``simulate``, strictly: misspelled and malformed fields are errors.

The format is a JSON list of cases: {"name", "request": {"action", "resource": {"resource", "accountId"}, "principal",
"context"}, "identityPolicies", "resourcePolicy", "permissionBoundaries", "sessionPolicy", "serviceControlPolicies",
"resourceControlPolicies": [{"orgIdentifier", "policies"}], "registryPolicy", "expected": {"response"}}. Only "request"
is required; "identityPolicies": null means that they are unreadable. A policy may be wrapped as {"name", "policy"}.
"source", "description", "comment" and "note" are free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ecr_tui.errors import InputError
from ecr_tui.policy import _json
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.conditions import MULTI_VALUED_KEYS
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.evaluate import ALLOWED, EXPLICIT, IMPLICIT, UNKNOWN, Policies, Request
from ecr_tui.policy.keys import type_of
from ecr_tui.policy.principal import parse_principal

RESPONSES = (ALLOWED, IMPLICIT, EXPLICIT, UNKNOWN)

_TEXTS = ("name", "source", "description", "comment", "note")
_POLICIES = (
    "identityPolicies",
    "resourcePolicy",
    "permissionBoundaries",
    "sessionPolicy",
    "serviceControlPolicies",
    "resourceControlPolicies",
    "registryPolicy",
)
_FIELDS = (*_TEXTS, "request", *_POLICIES, "expected")
_REQUEST = ("action", "resource", "principal", "context")
_FORM = (
    'Write each case as {"request": {"action", "resource": {"resource", "accountId"}, "principal", "context"}, '
    '"identityPolicies": [...], "resourcePolicy": {...}, "expected": {"response"}}'
)
_SHOWN = 20


@dataclass(frozen=True)
class Case:
    """``expected`` is one of :data:`RESPONSES`, or None without an expectation.

    ``documents``: each policy with its field.
    """

    name: str
    request: Request
    policies: Policies
    expected: str | None
    documents: tuple[tuple[str, PolicyDocument], ...] = ()


class _Problem(Exception):
    """Why a case cannot be decided."""


def read_cases(text: str) -> tuple[Case, ...]:
    """Raises InputError (PolicyError for bad JSON) naming the case; its detail lists the problems of all cases."""
    data = _json.loads(text)
    items = data if isinstance(data, list) else [data]
    if not items:
        raise InputError("no cases in the file", hint=_FORM)
    cases, problems = [], []
    for number, item in enumerate(items, start=1):
        name = _name(item, number)
        try:
            cases.append(_case(item, name))
        except _Problem as problem:
            problems.append(f"{name}: {problem}" if isinstance(item, Mapping) else str(problem))
        except PolicyError as error:
            problems.append(f"{name}: {error.title}")
    if problems:
        raise undecidable(problems)
    return tuple(cases)


def undecidable(problems: Sequence[str]) -> InputError:
    """The error for cases that cannot be decided; each problem names its case."""
    first, *others = (" ".join(problem.split()) for problem in problems)
    more = len(others) - _SHOWN
    shown = [*others[:_SHOWN], *([f"and {more:,} more"] if more > 0 else [])]
    return InputError(first, detail="\n".join(shown), hint=_FORM)


def _name(item: object, number: int) -> str:
    given = item.get("name") if isinstance(item, Mapping) else None
    name = " ".join(given.split()) if isinstance(given, str) else ""
    return name or f"case {number}"


def _case(item: object, name: str) -> Case:
    if not isinstance(item, Mapping):
        raise _Problem(f"{name} is not an object")
    _demand_fields(item, _FIELDS, "")
    for field in _TEXTS:
        if not isinstance(item.get(field, ""), str):
            raise _Problem(f"{field} is not a string")
    request = _request(item.get("request"))
    documents: list[tuple[str, PolicyDocument]] = []
    policies = _policies(item, documents)
    return Case(name, request, policies, _expected(item.get("expected")), tuple(documents))


def _demand_fields(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for field in data:
        if field in known:
            continue
        lower = {name.lower(): name for name in known}
        similar = get_close_matches(field.lower(), lower, n=1, cutoff=0.7)
        meant = f'; did you mean "{lower[similar[0]]}"?' if similar else f" (known: {', '.join(known)})"
        raise _Problem(f'unknown field "{field}"{where}{meant}')


# --- the request ---------------------------------------------------------------------------------------------------


def _request(data: object) -> Request:
    if not isinstance(data, Mapping):
        raise _Problem("request is missing")
    _demand_fields(data, _REQUEST, " in request")
    resource = data.get("resource")
    account: object = None
    if isinstance(resource, Mapping):
        _demand_fields(resource, ("resource", "accountId"), " in request.resource")
        account = resource.get("accountId")
        resource = resource.get("resource")
    texts = {"action": data.get("action"), "resource": resource, "principal": data.get("principal")}
    for field, value in texts.items():
        if not isinstance(value, str) or not value:
            raise _Problem(f"request has no {field}")
    action, arn, principal = map(str, texts.values())
    if not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9]+", action):
        raise _Problem(f'action "{action}" is not a single action such as ecr:PutImage')
    _check_principal(principal)
    context = data.get("context", {})
    if not isinstance(context, Mapping):
        raise _Problem("context is not an object")
    _check_context(context)
    return Request(action, arn, _account(arn, account), principal, dict(context))


def _account(resource: str, account: object) -> str:
    """The account of the resource: as given, else from its ARN."""
    parts = resource.split(":", 5)
    if resource != "*" and (len(parts) != 6 or parts[0] != "arn"):
        raise _Problem(f'resource "{resource}" is neither an ARN nor "*"')
    own = parts[4] if len(parts) == 6 else ""
    if account is None:
        return own
    if not isinstance(account, str):
        raise _Problem("accountId is not a string")
    if own and account != own:
        raise _Problem(f"accountId {account} differs from the account of the resource, {own}")
    return account


def _check_principal(principal: str) -> None:
    caller = caller_of(principal)
    if caller.kind in ("service", "root"):
        return
    try:
        parse_principal(principal)
    except InputError as error:
        raise _Problem(
            f"principal is neither the ARN of a user, role or session nor a service: {error.title}"
        ) from None


def _check_context(context: Mapping[str, Any]) -> None:
    seen: dict[str, str] = {}
    for key, value in context.items():
        first = seen.setdefault(key.lower(), key)
        if first != key:
            raise _Problem(f"context has the same condition key twice, as {first} and {key}")
        if not _is_value(value):
            raise _Problem(f"context key {key} is not a string, number, boolean, or a list of those")
        several = isinstance(value, list)
        if key.lower() in MULTI_VALUED_KEYS and not several:
            raise _Problem(f"context key {key} is multivalued: write a list, even for one value")
        if several and type_of(key) is not None and key.lower() not in MULTI_VALUED_KEYS:
            raise _Problem(f"context key {key} is single-valued, not a list")


def _is_value(value: object) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(isinstance(item, str | bool | int | float) for item in items)


# --- the policies --------------------------------------------------------------------------------------------------

_Found = list[tuple[str, PolicyDocument]]


def _policies(item: Mapping[str, Any], found: _Found) -> Policies:
    identity = item.get("identityPolicies", [])
    return Policies(
        identity=None if identity is None else _documents(identity, "identityPolicies", found),
        resource=_document(item.get("resourcePolicy"), "resourcePolicy", found),
        boundaries=_documents(item.get("permissionBoundaries") or [], "permissionBoundaries", found),
        session=_document(item.get("sessionPolicy"), "sessionPolicy", found),
        scps=tuple(_levels(item.get("serviceControlPolicies") or [], "serviceControlPolicies", found)),
        rcps=tuple(_levels(item.get("resourceControlPolicies") or [], "resourceControlPolicies", found)),
        registry=_document(item.get("registryPolicy"), "registryPolicy", found),
    )


def _documents(data: object, field: str, found: _Found) -> tuple[PolicyDocument, ...]:
    if not isinstance(data, list):
        raise _Problem(f"{field} is not a list")
    documents = (_document(item, f"{field}[{index}]", found) for index, item in enumerate(data))
    return tuple(document for document in documents if document is not None)


def _document(data: object, field: str, found: _Found) -> PolicyDocument | None:
    if data is None:
        return None
    if isinstance(data, Mapping) and "Statement" not in data and isinstance(data.get("policy"), Mapping):
        _demand_fields(data, ("name", "policy"), f" in {field}")
        data = data["policy"]
    if not isinstance(data, Mapping):
        raise _Problem(f"{field} is not a policy")
    document = PolicyDocument.from_json(data)
    found.append((field, document))
    return document


def _levels(data: object, field: str, found: _Found) -> Iterator[tuple[PolicyDocument, ...]]:
    if not isinstance(data, list):
        raise _Problem(f"{field} is not a list")
    for index, level in enumerate(data):
        if not isinstance(level, Mapping):
            raise _Problem(f"{field} contains an item that is not a level with policies")
        _demand_fields(level, ("orgIdentifier", "policies", "name"), f" in {field}[{index}]")
        if "policies" not in level:
            raise _Problem(f"{field}[{index}] has no policies")
        yield _documents(level["policies"], f"{field}[{index}].policies", found)


def _expected(data: object) -> str | None:
    if isinstance(data, Mapping):
        _demand_fields(data, ("response",), " in expected")
        if "response" not in data:
            raise _Problem("expected has no response")
        data = data["response"]
    if data is None:
        return None
    if data not in RESPONSES:
        raise _Problem(f"unknown expected response {data!r}; use one of {', '.join(RESPONSES)}")
    return str(data)
