"""Findings about the principals of a repository policy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ecr_tui.errors import InputError
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Check, Hit, Setting, place
from ecr_tui.policy.principal import describe, is_account, is_dead, parse_principal, partition_of

_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/(.+)")


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
            elif not _holds_values(value):
                yield Hit("no-principal", place(statement, element), "", name)
        for kind, value in pairs:
            found, fix = _principal(kind, value, setting)
            if found:
                shown = value if found in ("principal-wildcard", "session-principal") else _shown(value)
                yield Hit(found, f"{place(statement, element)}.{kind}", shown, name, fix)
        if negated and statement.effect == "Allow":
            yield Hit("allow-not-principal", place(statement, element), "", name)
        elif negated and statement.effect == "Deny":
            yield Hit("deny-not-principal", place(statement, element), "", name)


def _holds_values(value: object) -> bool:
    """Whether a value is not text, which is a finding about the form."""
    if isinstance(value, Mapping):
        return any(names not in ("", [], ()) for names in value.values())
    return value not in (None, "", [], ())


def _shown(value: str) -> str:
    return describe(value) if value.startswith("arn:") and is_account(value) else value


def _principal(kind: str, value: str, setting: Setting) -> tuple[str, str]:
    """The rule that a principal breaks ("" for none), and a more specific fix if known."""
    if kind == "Service":
        known = value.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"))
        return ("" if known else "bad-principal"), ""
    if kind == "Federated":
        return ("" if value.startswith("arn:") or "." in value else "bad-principal"), ""
    if kind != "AWS":
        return "bad-principal", 'Write {"AWS": ...}, {"Service": ...} or "*".'
    if value == "*":
        return "", ""
    if is_dead(value):
        return ("dead-principal" if setting.stored is None or value in setting.stored else "unique-id"), ""
    if "*" in value or "?" in value:
        return "principal-wildcard", ""
    try:
        # No account, so that short forms (user/NAME) are rejected: a policy needs full ARNs.
        parse_principal(value)
    except InputError:
        return "bad-principal", _corrected(value)
    partition = partition_of(value)
    if partition is not None and setting.partition is not None and partition != setting.partition:
        return "other-partition", ""
    session = _SESSION.fullmatch(value)
    if session is not None:
        role = f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}"
        return "session-principal", f"Name the role: {role}, with its path if it has one."
    return "", ""


def _corrected(value: str) -> str:
    """The fix for common invalid forms."""
    found = re.fullmatch(r"arn:(aws[a-z-]*):iam::([0-9]{12}):assumed-role/([^/]+)(?:/.*)?", value)
    if found is not None:
        return f"Name the role: arn:{found[1]}:iam::{found[2]}:role/{found[3]}."
    if ":group/" in value:
        return "Name the users of the group, or a role that they can assume."
    if re.fullmatch(r"[0-9]{1,11}", value):
        return f'Write "{value.zfill(12)}" if leading zeros were lost: an account id has 12 digits.'
    if re.fullmatch(r"[0-9]{4}-[0-9]{4}-[0-9]{4}", value):
        return f'Write the account id without hyphens: "{value.replace("-", "")}".'
    return ""


CHECKS: tuple[Check, ...] = (_principals,)
