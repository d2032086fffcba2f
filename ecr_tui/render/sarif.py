"""Findings of audits as a SARIF 2.1.0 log: one run, a rule for each id, the repository as the logical location.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0. A policy is not a file, so there are no
physical locations. A failed audit is a notification of level error, which means that the results are incomplete
(3.20.21).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ecr_tui import __version__
from ecr_tui.policy.rules import ERROR, INFO, RULES, WARNING, Rule
from ecr_tui.render.audit_findings import UNAUDITED, UNLISTED, UNREADABLE, Reported

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {ERROR: "error", WARNING: "warning", INFO: "note"}
FINGERPRINT = "ecrTuiFinding/v1"
_RULES = (*RULES.values(), UNREADABLE)
_INDEX = {rule.id: index for index, rule in enumerate(_RULES)}
_INCOMPLETE = (UNLISTED, UNAUDITED)
_NO_SID = re.compile(r"statement \d+")


def sarif_json(rows: Sequence[Reported]) -> dict[str, Any]:
    """The log. Fingerprints of findings that differ only in their places include their order."""
    incomplete = [row for row in rows if row.rule not in _INDEX]
    seen: Counter[tuple[str, ...]] = Counter()
    results = []
    for row in rows:
        if row.rule in _INDEX:
            key = _identity(row)
            seen[key] += 1
            results.append(_result(row, (*key, str(seen[key]))))
    driver = {
        "name": "ecr-tui",
        "version": __version__,
        "rules": [_descriptor(rule) for rule in _RULES],
        "notifications": [_descriptor(rule) for rule in _INCOMPLETE],
    }
    invocation = {
        "executionSuccessful": not incomplete,
        "toolExecutionNotifications": [_notification(row) for row in incomplete],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "invocations": [invocation], "results": results}],
    }


def _descriptor(rule: Rule) -> dict[str, Any]:
    title = rule.why if rule.title == "{subject}" else rule.title.replace("{subject}", "…")
    return {
        "id": rule.id,
        "shortDescription": _message(title),
        "fullDescription": _message(rule.why),
        "help": _message(rule.fix),
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"source": rule.source},
    }


def _result(row: Reported, identity: Sequence[str]) -> dict[str, Any]:
    return {
        "ruleId": row.rule,
        "ruleIndex": _INDEX[row.rule],
        "level": LEVELS[row.severity],
        "message": _message(_sentences(row)),
        "locations": _locations(row.repository, row.arn, "resource"),
        "partialFingerprints": {FINGERPRINT: hashlib.sha256("\n".join(identity).encode()).hexdigest()},
        "properties": {
            "account": row.account,
            "region": row.region,
            "statement": row.statement,
            "place": row.where,
        },
    }


def _notification(row: Reported) -> dict[str, Any]:
    where = _locations(row.region, f"{row.account}/{row.region}", "namespace") if row.account else []
    return {
        "descriptor": {"id": row.rule},
        "level": LEVELS[row.severity],
        "message": _message(_sentences(row)),
        "locations": where,
    }


def _locations(name: str, whole: str, kind: str) -> list[dict[str, Any]]:
    return [{"logicalLocations": [{"name": name, "fullyQualifiedName": whole, "kind": kind}]}]


def _identity(row: Reported) -> tuple[str, ...]:
    """A fingerprint independent of other statements. It includes the title, which names the subject, so that a finding
    dismissed for one principal still appears for another."""
    title = "" if row.rule == UNREADABLE.id else row.title
    statement = "" if _NO_SID.fullmatch(row.statement) else row.statement
    return (row.rule, row.arn, statement, title)


def _sentences(row: Reported) -> str:
    return f"{row.title.rstrip('.')}. {row.fix}"


def _message(text: str) -> dict[str, str]:
    """Braces mark placeholders in a message; literal ones are doubled (3.11.5)."""
    return {"text": text.replace("{", "{{").replace("}", "}}")}
