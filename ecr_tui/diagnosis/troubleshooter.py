"""AWS's evaluation of a denied request, from its Access Troubleshooter.

Forms and values: IAM Toolbox API Reference, GetRequestAuthorizationDetails. AWS adds fields and values while the
service is in preview, so unknown values are kept and missing ones are accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ALLOW, EXPLICIT, IMPLICIT = "ALLOW", "EXPLICIT_DENY", "IMPLICIT_DENY"
"""Effects of evaluations and checks; checks have more values."""


@dataclass(frozen=True)
class Matched:
    """A policy with statements that applied: (Sid, "ALLOW" or "DENY") each. ``uri``: an ARN, or opaque if inline."""

    uri: str
    statements: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Check:
    """One requirement. ``target``: the root, unit or account of the organization that the policies belong to, or ""."""

    type: str
    effect: str
    target: str = ""
    matched: tuple[Matched, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """One action on one resource. ``checks`` None: not returned, as for callers outside the principal's organization.

    ``context``: condition keys in addition to the request's.
    """

    action: str
    resource: str
    effect: str
    checks: tuple[Check, ...] | None = None
    matched: tuple[Matched, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluatedPolicy:
    """``inline`` None: unknown."""

    uri: str
    type: str = ""
    inline: bool | None = None
    attached_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Details:
    context: Mapping[str, str]
    evaluations: tuple[Evaluation, ...]
    policies: tuple[EvaluatedPolicy, ...] = ()


def read_details(pages: Iterable[Mapping[str, Any]]) -> Details:
    """Merge the pages of one response."""
    context: dict[str, str] = {}
    evaluations: list[Evaluation] = []
    policies: dict[str, EvaluatedPolicy] = {}
    for page in pages:
        context |= _context(page.get("requestContext"))
        evaluations += map(_evaluation, _items(page.get("evaluations")))
        for item in _items(page.get("policies")):
            attached = tuple(_text(one, "arn") for one in _items(item.get("attachedTo")))
            inline = item.get("inline")
            uri = _text(item, "uri")
            policies[uri] = EvaluatedPolicy(
                uri, _text(item, "type"), inline if isinstance(inline, bool) else None, tuple(filter(None, attached))
            )
    return Details(context, tuple(evaluations), tuple(policies.values()))


def _evaluation(item: Mapping[str, Any]) -> Evaluation:
    checks = item.get("checks")
    return Evaluation(
        _text(item, "action"),
        _text(item, "resource"),
        _text(item, "evaluatedEffect"),
        tuple(map(_check, _items(checks))) if isinstance(checks, list) else None,
        _matched(item.get("matchedPolicies")),
        _context(item.get("context")),
    )


def _check(item: Mapping[str, Any]) -> Check:
    return Check(
        _text(item, "checkType"),
        _text(item, "evaluatedEffect"),
        _text(item, "targetArn"),
        _matched(item.get("matchedPolicies")),
    )


def _matched(value: object) -> tuple[Matched, ...]:
    return tuple(
        Matched(
            _text(item, "uri"),
            tuple((_text(one, "sid"), _text(one, "evaluatedEffect")) for one in _items(item.get("matchedStatements"))),
        )
        for item in _items(value)
    )


def _items(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _context(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for key, one in value.items()
    }


def region_of(details_url: str) -> str:
    """The region in a denial's link, which stores its details; "" if none."""
    found = re.search(r"[?&]region=([a-z0-9-]+)", details_url) or re.match(
        r"https://([a-z]{2,}-[a-z0-9-]+-\d)\.console\.", details_url
    )
    return found[1] if found else ""
