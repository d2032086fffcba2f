"""An audit's findings as SARIF, CSV and Markdown: complete, stable, and safe in what reads them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator

from ecr_tui.access.audit import examine
from ecr_tui.access.audit_reading import Entry
from ecr_tui.access.audit_result import Audit
from ecr_tui.aws.model import Repository
from ecr_tui.errors import DeniedError
from ecr_tui.policy.rules import RULES
from ecr_tui.policy.trusted import Trusted
from ecr_tui.render.audit_findings import HEADS, Reported, findings_csv, findings_markdown, reported
from ecr_tui.render.audit_owners import OwnerAudit, owners_reported, owners_text
from ecr_tui.render.sarif import FINGERPRINT, sarif_json

A, B, C = "111111111111", "222222222222", "333333333333"
REGION = "eu-central-1"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def entry(name: str, *statements: dict[str, Any], unreadable: str = "") -> Entry:
    repository = Repository(name, f"arn:aws:ecr:{REGION}:{A}:repository/{name}", "", REGION, A, {})
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None
    return Entry(repository, text, unreadable)


def allow(principal: str, action: Any = "ecr:BatchGetImage", **more: Any) -> dict[str, Any]:
    named = "*" if principal == "*" else {"AWS": principal}
    return {"Effect": "Allow", "Principal": named, "Action": action, **more}


def audit(*entries: Entry, **more: Any) -> Audit:
    return examine(entries, account=A, now=NOW, **more)


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


# The names, types and required names of SARIF 2.1.0 for the objects that are used here; none of theirs may have others.
_TEXT, _BAG, _INDEX = {"type": "string"}, {"type": "object"}, {"type": "integer", "minimum": -1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_MESSAGE = _object({"text": {"type": "string", "minLength": 1}}, "text")
_DESCRIPTOR = _object(
    {
        "id": _TEXT,
        "shortDescription": _MESSAGE,
        "fullDescription": _MESSAGE,
        "help": _MESSAGE,
        "defaultConfiguration": _object({"level": _LEVEL}),
        "properties": _BAG,
    },
    "id",
)
_LOGICAL = _object({"name": _TEXT, "fullyQualifiedName": _TEXT, "kind": _TEXT})
_LOCATIONS = _array(_object({"logicalLocations": {**_array(_LOGICAL), "uniqueItems": True}}))
_RESULT = _object(
    {
        "ruleId": _TEXT,
        "ruleIndex": _INDEX,
        "level": _LEVEL,
        "message": _MESSAGE,
        "locations": _LOCATIONS,
        "partialFingerprints": {"type": "object", "additionalProperties": _TEXT},
        "properties": _BAG,
    },
    "message",
)
_NOTIFICATION = _object(
    {"descriptor": _object({"id": _TEXT}, "id"), "level": _LEVEL, "message": _MESSAGE, "locations": _LOCATIONS},
    "message",
)
_DRIVER = _object(
    {"name": _TEXT, "version": _TEXT, "rules": _array(_DESCRIPTOR), "notifications": _array(_DESCRIPTOR)}, "name"
)
_INVOCATION = _object(
    {"executionSuccessful": {"type": "boolean"}, "toolExecutionNotifications": _array(_NOTIFICATION)},
    "executionSuccessful",
)
_RUN = _object(
    {"tool": _object({"driver": _DRIVER}, "driver"), "invocations": _array(_INVOCATION), "results": _array(_RESULT)},
    "tool",
)
_LOG = _object(
    {"$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"}, "runs": _array(_RUN)},
    "version",
    "runs",
)


def run_of(rows: list[Reported]) -> dict[str, Any]:
    """The only run of a log that is valid SARIF."""
    log = json.loads(json.dumps(sarif_json(rows)))
    assert [f"{error.json_path}: {error.message}" for error in Draft202012Validator(_LOG).iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert len({json.dumps(one["partialFingerprints"]) for one in run["results"]}) == len(run["results"])
    return dict(run)


def prints(found: Audit) -> dict[str, str]:
    return {
        one["partialFingerprints"][FINGERPRINT]: one["message"]["text"] for one in run_of(reported(found))["results"]
    }


def test_sarif_has_every_finding_with_its_rule_level_and_repository() -> None:
    found = audit(entry("web", allow("*", "ecr:*")), entry("api", allow(B)), trusted=Trusted(accounts=(B,)))
    run = run_of(reported(found))
    wanted = sorted((one.id, item.repository.arn) for item in found.repositories for one in item.findings)
    told = [(one["ruleId"], one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]) for one in run["results"]]
    assert sorted(told) == wanted
    levels = {one["ruleId"]: one["level"] for one in run["results"]}
    assert (levels["public"], levels["trusted-partner"]) == ("error", "note")
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert set(RULES) <= set(rules)
    assert rules["public"]["shortDescription"]["text"] == "Public access: every AWS account may …"
    assert rules["stranger"]["defaultConfiguration"] == {"level": "warning"}
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_what_is_not_known_is_in_every_format_and_fails_the_run() -> None:
    found = audit(entry("locked", unreadable="AccessDenied"))
    found = replace(found, failures={"eu-west-1": "Throttled"})
    run = run_of(reported(found))
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("policy-unreadable", "error")
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert (notification["level"], "Throttled" in notification["message"]["text"]) == ("error", True)
    for text in (findings_csv(reported(found)), findings_markdown(reported(found))):
        assert "AccessDenied" in text
        assert "Throttled" in text


def test_a_fingerprint_stays_when_other_statements_come_and_differs_for_another_principal() -> None:
    trusted = Trusted(accounts=(A,))
    first = prints(audit(entry("web", allow(B)), trusted=trusted))
    more = prints(audit(entry("web", allow(A, Sid="New"), allow(B)), trusted=trusted))
    other = prints(audit(entry("web", allow(C)), trusted=trusted))
    strangers = {mark for mark, text in first.items() if "stranger" in text}
    assert strangers
    assert strangers <= set(more)
    assert not strangers & set(other)


def test_braces_of_a_policy_are_no_placeholders_of_a_message() -> None:
    (result,) = run_of([Reported("error", "public", "may ${aws:username} {0}", "Fix", A, REGION, "web", "arn")])[
        "results"
    ]
    assert result["message"]["text"] == "may ${{aws:username}} {{0}}. Fix"


def test_a_spreadsheet_gets_no_formula_and_one_line_for_each_finding() -> None:
    rows = [Reported("error", "public", '=HYPERLINK("x")\nnext', "@fix", A, REGION, "-web", "arn", "+sid")]
    (heads, cells) = list(csv.reader(findings_csv(rows).splitlines()))
    assert tuple(heads) == HEADS
    told = dict(zip(heads, cells, strict=True))
    assert told["title"] == '\'=HYPERLINK("x")␊next'
    assert (told["fix"], told["statement"], told["repository"]) == ("'@fix", "'+sid", "'-web")
    assert told["account"] == A


def test_markdown_from_a_policy_stays_text_in_its_cell() -> None:
    rows = [Reported("warning", "public", "a|b\n| c | <img src=x> [l](u) `x` *y*", "", A, REGION, "web_1")]
    numbers, _, heads, rule, line = findings_markdown(rows).split("\n")
    assert numbers == "Errors: 0, warnings: 1, notes: 0."
    assert heads.count("|") == rule.count("|") == line.replace("\\|", "").count("|")
    assert "a\\|b␊\\| c \\| \\<img src=x\\> \\[l\\](u) \\`x\\` \\*y\\*" in line
    assert "web\\_1" in line
    assert findings_markdown([]) == "No findings."


def test_owners_are_told_apart_and_one_that_failed_is_no_clean_one() -> None:
    good = audit(entry("web", allow("*")))
    owners = [
        OwnerAudit("a", good),
        OwnerAudit("c", replace(good, account=C)),
        OwnerAudit("x", DeniedError("it was", detail="denied.", hint="Allow it.")),
    ]
    rows = owners_reported(owners)
    assert {row.account for row in rows if row.rule == "public"} == {A, C}
    (notification,) = run_of([*owners_reported(owners[2:])])["invocations"][0]["toolExecutionNotifications"]
    assert notification["locations"] == []
    assert notification["message"]["text"].endswith("profile x: it was denied. Allow it.")
    assert "profile x: it was denied" in findings_markdown(rows)
    heads = [line for line in owners_text(owners).splitlines() if line.startswith("==")]
    assert heads == ["== Profile a ==", "== Profile c ==", "== Profile x =="]
    assert [one.exit_code("error") for one in owners] == [1, 1, 1]
    assert [one.exit_code(None) for one in owners] == [0, 0, 1]


def test_the_most_severe_come_first() -> None:
    found = audit(entry("a", allow(B), unreadable=""), entry("web", allow("*")), trusted=Trusted(accounts=(B,)))
    order = [row.severity for row in reported(found)]
    assert order == sorted(order, key=("error", "warning", "info").index)
    assert len(set(order)) > 1
