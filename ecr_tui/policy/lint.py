"""Find what is wrong, useless or dangerous in a repository policy. The findings themselves are a table (``rules``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ecr_tui.errors import InputError
from ecr_tui.policy import lint_access, lint_conditions
from ecr_tui.policy.actions import (
    TOKEN_ACTION,
    canonical_action,
    is_registry_level,
    is_registry_policy_only,
    matching_actions,
)
from ecr_tui.policy.document import LIMIT, NEW_VERSION, OLD_VERSION, PolicyDocument, Statement
from ecr_tui.policy.findings import Check, Finding, Hit, Setting, finding, place
from ecr_tui.policy.principal import describe, is_account, is_dead, parse_principal, partition_of
from ecr_tui.policy.rules import ERROR, INFO, WARNING

__all__ = ["Finding", "lint"]

NEAR_LIMIT = LIMIT * 85 // 100


_ORDER = {ERROR: 0, WARNING: 1, INFO: 2}
_STATEMENT = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_DOCUMENT = frozenset({"Version", "Id", "Statement"})


def lint(
    document: PolicyDocument | None,
    *,
    tags: Mapping[str, str] | None = None,
    account: str | None = None,
    partition: str | None = None,
    now: datetime | None = None,
) -> tuple[Finding, ...]:
    """Errors first, then in the document's order. ``account`` and ``partition`` are the repository's.

    Without a policy only the repository itself is looked at. ``now`` defaults to the present.
    """
    setting = Setting(tags, account, partition, now or datetime.now(UTC))
    checks: tuple[Check, ...] = (
        _document,
        _statements,
        _actions,
        _principals,
        *lint_conditions.CHECKS,
        *lint_access.CHECKS,
    )
    hits = list(lint_access.repository(setting))
    if document is not None:
        for check in checks:
            hits.extend(check(document, setting))
    found = dict.fromkeys(map(finding, hits))
    return tuple(sorted(found, key=lambda item: _ORDER[item.severity]))


def _document(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    if not document.statements:
        yield Hit("empty-policy", "Statement")
    if "Version" in document.raw and document.version not in (NEW_VERSION, OLD_VERSION):
        yield Hit("bad-version", "Version", str(document.raw["Version"]))
    if not document.expands_variables:
        for statement in document.statements:
            for clause, values in _texts(statement):
                variable = next((text for text in values if "${" in text), None)
                if variable is not None:
                    yield Hit("variables-are-literal", place(statement, clause), variable, statement.name)
    used = f"{document.size:,} of {LIMIT:,} characters ({document.size * 100 // LIMIT} %)"
    if document.size > LIMIT:
        yield Hit("too-large", "", used)
    elif document.size > NEAR_LIMIT:
        yield Hit("near-limit", "", used)
    for key in document.raw:
        if key not in _DOCUMENT:
            yield Hit("unknown-element", key, key)
    sids = Counter(statement.sid for statement in document.statements if statement.sid)
    for statement in document.statements:
        if statement.sid and sids[statement.sid] > 1:
            yield Hit("duplicate-sid", place(statement, "Sid"), statement.sid, statement.name)
        if statement.sid and not (statement.sid.isascii() and statement.sid.isalnum()):
            yield Hit("odd-sid", place(statement, "Sid"), statement.sid, statement.name)


def _texts(statement: Statement) -> Iterator[tuple[str, tuple[str, ...]]]:
    for operator, block in statement.condition.items():
        for key, values in block.items():
            yield f"Condition.{operator}.{key}", values


def _statements(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        raw, name = statement.raw, statement.name
        if not statement.effect:
            yield Hit("bad-effect", place(statement, "Effect"), str(raw.get("Effect", "(missing)")), name)
        if not statement.actions and not statement.not_actions:
            yield Hit("no-action", place(statement), "", name)
        for element in ("Action", "Principal"):
            if element in raw and f"Not{element}" in raw:
                yield Hit("element-pair", place(statement), f"{element} and Not{element}", name)
        for element in ("Resource", "NotResource"):
            if element in raw:
                yield Hit("resource-element", place(statement, element), element, name)
        for key in raw:
            if key not in _STATEMENT:
                yield Hit("unknown-element", place(statement, key), key, name)


def _actions(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        name = statement.name
        for element, patterns in (("Action", statement.actions), ("NotAction", statement.not_actions)):
            listed = isinstance(statement.raw.get(element), list)
            for index, pattern in enumerate(patterns):
                where = place(statement, element, index if listed else None)
                if not matching_actions(pattern):
                    yield Hit("unknown-action", where, pattern, name)
                elif element == "NotAction":
                    continue
                elif canonical_action(pattern) == TOKEN_ACTION:
                    yield Hit("token-action", where, TOKEN_ACTION, name)
                elif is_registry_level(pattern):
                    yield Hit("registry-action", where, canonical_action(pattern) or pattern, name)
                elif is_registry_policy_only(pattern):
                    yield Hit("no-effect-action", where, canonical_action(pattern) or pattern, name)
                elif statement.effect == "Allow" and pattern.lower() in ("*", "ecr:*"):
                    yield Hit("all-actions", where, pattern, name)
        if statement.effect == "Allow" and statement.not_actions:
            yield Hit("not-action", place(statement, "NotAction"), "", name)


def _principals(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        raw, name = statement.raw, statement.name
        negated = "NotPrincipal" in raw and "Principal" not in raw
        element = "NotPrincipal" if negated else "Principal"
        pairs = statement.not_principals if negated else statement.principals
        if not pairs:
            value = raw.get(element)
            if isinstance(value, str) and value:
                yield Hit("bad-principal", place(statement, element), value, name)
            else:
                yield Hit("no-principal", place(statement, element), "", name)
        for kind, value in pairs:
            where = f"{place(statement, element)}.{kind}"
            found = _principal(kind, value, setting)
            if found is not None:
                yield Hit(found, where, value if found == "principal-wildcard" else _shown(value), name)
        if negated and statement.effect == "Allow":
            yield Hit("allow-not-principal", place(statement, element), "", name)
        elif negated and statement.effect == "Deny":
            yield Hit("deny-not-principal", place(statement, element), "", name)


def _shown(value: str) -> str:
    return describe(value) if value.startswith("arn:") and is_account(value) else value


def _principal(kind: str, value: str, setting: Setting) -> str | None:
    if kind == "Service":
        return None if value.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")) else "bad-principal"
    if kind == "Federated":
        return None if value.startswith("arn:") or "." in value else "bad-principal"
    if kind != "AWS":
        return "bad-principal"
    if value == "*":
        return None
    if is_dead(value):
        return "dead-principal"
    if "*" in value or "?" in value:
        return "principal-wildcard"
    try:
        # Without an account for them, the short forms (user/NAME) are no principals: a policy needs whole ARNs.
        parse_principal(value)
    except InputError:
        return "bad-principal"
    partition = partition_of(value)
    if partition is not None and setting.partition is not None and partition != setting.partition:
        return "other-partition"
    return None
