"""Documents that AWS rejects, and parts of a stored document that never apply."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ecr_tui.policy import lint_actions, lint_conditions, lint_form, lint_principals, lint_values
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Check, Finding, Hit, Setting, finding, place
from ecr_tui.policy.rules import RULES

ATTACHED = ("resourcePolicy", "registryPolicy")
"""Fields with resource-based policies, whose statements have principals."""

_WITH_PRINCIPALS = (*ATTACHED, "resourceControlPolicies")
_SETTING = Setting(None, None, None, datetime(1970, 1, 1, tzinfo=UTC), frozenset())

_LOST = frozenset({"unknown-operator", "bad-variable", "bad-principal", "principal-wildcard"})
"""Findings for which AWS rejects a document, although it could be evaluated: the statement never applies.

This is safe for an Allow. A Deny would silently have no effect.
"""
_VOID = _LOST | {
    "key-without-service",
    "set-operator-missing",
    "bad-value",
    "unlikely-value",
    "literal-wildcard",
    "unknown-variable",
    "unknown-action",
    "unique-id",
}


def _all(document: PolicyDocument, field: str) -> Iterator[Finding]:
    checks: list[Check] = [*lint_form.CHECKS, *lint_conditions.FORM, *lint_values.CHECKS]
    if field in ATTACHED:
        checks += [*lint_principals.CHECKS, lint_actions.SPELLING]
    elif field not in _WITH_PRINCIPALS:
        checks.append(_no_principals)
    if field not in ATTACHED:
        checks.append(_resources)
    for check in checks:
        yield from map(finding, check(document, _SETTING))


def _no_principals(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        for element in ("Principal", "NotPrincipal"):
            if element in statement.raw:
                yield Hit("principal-not-taken", place(statement, element), element, statement.name)


def _resources(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        if "Resource" not in statement.raw and "NotResource" not in statement.raw:
            yield Hit("no-resource", place(statement), "", statement.name)


def refusals(document: PolicyDocument, field: str) -> list[Finding]:
    """Why AWS rejects the document; empty if it can be evaluated. ``field``: its field in the case."""
    denies = {statement.name for statement in document.statements if statement.effect == "Deny"}
    return [
        found
        for found in _all(document, field)
        if RULES[found.id].refused or (found.id in _LOST and found.statement in denies)
    ]


def voids(document: PolicyDocument, field: str) -> list[Finding]:
    """Parts of the document that never match a request and were ignored."""
    return [found for found in _all(document, field) if found.id in _VOID]
