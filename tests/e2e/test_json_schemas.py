"""The documents of ``--json`` are those of ``ecr-tui schema``: no name is missing, and none is there unannounced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click
import pytest
from jsonschema import Draft202012Validator

from ecr_tui.aws.model import Repository
from ecr_tui.cli import cli, schemas
from ecr_tui.cli.schemas import NAMES, schema_of
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification.records import Verifications
from tests.support.cli import Ran, ecr_tui

REPOSITORY, OTHER = "my-first-repo", "search/indexer"
TO = ("--to", "user/devusr2")
DIRECT = ("--engine", "direct", "--isolation", "none")
CASES = [
    {
        "request": {
            "action": "ecr:BatchGetImage",
            "principal": "arn:aws:iam::222222222222:user/devusr2",
            "resource": "arn:aws:ecr:eu-central-1:111111111111:repository/my-first-repo",
        },
        "resourcePolicy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "S",
                    "Effect": effect,
                    "Principal": "*",
                    "Action": "ecr:*",
                    "Condition": {"StringEquals": {"aws:ResourceTag/Team": "X"}},
                }
            ],
        },
        "identityPolicies": [
            {"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": "*", "Resource": "*"}}
        ],
        **expected,
    }
    for effect, expected in (("Allow", {"expected": {"response": "Allowed"}}), ("Deny", {}))
]


def valid(name: str, document: Any) -> Any:
    problems = [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(document)]
    assert problems == []
    return document


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(name), format_checker=Draft202012Validator.FORMAT_CHECKER)


def said(name: str, *arguments: str, code: int = 0) -> Any:
    ran: Ran = ecr_tui(*arguments, *(() if name == "export" else ("--json",)))
    assert ran.code == code, (ran.out, ran.err)
    return valid(name, ran.json)


@pytest.fixture
def owner(sandbox: Sandbox) -> Any:
    return boto3.Session(profile_name="account-a").client("ecr")


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name}-")
        else:
            yield prefix + name, command


def test_every_document_has_a_schema() -> None:
    speaking = {name for name, command in commands(cli) if any("--json" in one.opts for one in command.params)}
    assert speaking | {"verify-report", "verify-history", "history-disagreements", "export"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_is_closed(name: str) -> None:
    """Every object lists its names, or says of what kind its values are; only policies are as they are."""
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    open_ones = []

    def look(part: Any, place: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "object" and "additionalProperties" not in part:
                open_ones.append(place.rpartition("/")[2])
            for key, value in part.items():
                look(value, f"{place}/{key}")
        elif isinstance(part, list):
            for value in part:
                look(value, place)

    look(schema, "")
    assert set(open_ones) <= {"document", "condition", "anyOf", "allOf"}
    assert not validator(name).is_valid({"surprise": 1})
    assert not validator(name).is_valid([{"surprise": 1}])


def test_the_command_prints_them() -> None:
    listing = ecr_tui("schema")
    assert listing.code == 0
    assert [line.split()[0] for line in listing.out.splitlines()] == list(NAMES)
    assert ecr_tui("schema", "plan").json == schema_of("plan")
    assert ecr_tui("schema", "config", "show").json == schema_of("config-show")
    unknown = ecr_tui("schema", "plann")
    assert (unknown.code, unknown.out) == (2, "")
    assert "verify-report" in unknown.err


def test_looking(sandbox: Sandbox, owner: Any) -> None:
    rows = said("list", "list")
    assert {row["access"] is None for row in rows} == {False}
    assert said("list", "list", "--filter", "zzz") == []
    owner.put_registry_policy(
        policyText=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "NoPush",
                        "Effect": "Deny",
                        "Principal": {"AWS": "arn:aws:iam::222222222222:user/devusr2"},
                        "Action": "ecr:PutImage",
                        "Resource": "*",
                    }
                ],
            }
        )
    )
    owner.create_repository_creation_template(
        prefix="ROOT", appliedFor=["CREATE_ON_PUSH"], resourceTags=[{"Key": "Team", "Value": "Payments"}]
    )
    (plan,) = said("plan", "plan", REPOSITORY, *TO, "--if-tag", "Team=Payments", "--until", "2030-01-31")
    assert plan["registry_policy"]["effects"]
    assert plan["creation_template"]
    assert plan["verdicts"]
    matrix = said("matrix", "matrix")
    assert {cell["pull"] for row in matrix["repositories"] for cell in row["cells"]} == {"yes", "no", "depends"}
    audit = said("audit", "audit")
    for part in ("principals", "external_accounts", "public", "services", "stale", "registry", "asked", "repositories"):
        assert audit[part], part
    assert audit["registry"][0]["changes"]
    assert any(one["findings"] for one in audit["repositories"])
    for form in ("json", "cloudformation"):
        assert said("export", "export", REPOSITORY, *TO, "--format", form)["account_b"]


def test_changing(sandbox: Sandbox) -> None:
    granted = said("grant", "grant", REPOSITORY, OTHER, *TO, "--until", "2030-01-31", "--yes")
    assert all(one["written"] for one in granted)
    assert said("grant", "grant", REPOSITORY, *TO, "--until", "2030-01-31", "--yes")[0]["written"] is False
    assert said("audit", "audit")["ends"]
    assert said("revoke", "revoke", REPOSITORY, *TO, "--yes")[0]["diff"]
    assert said("repair", "repair", "payments/reports", "--dry-run")[0]["changed"]
    assert said("plan", "plan", "payments/reports", *TO, code=1)[0]["refusals"]
    said("undo", "undo")
    assert said("redo", "redo")[0]["written"]
    assert len(said("undo", "undo", said("history", "history", "--limit", "1")[0]["id"])) == 1
    past = said("history", "history")
    (tagged,) = said("tag", "tag", REPOSITORY, "--set", "Team=Other", "--unset", "Owner", "--yes")
    assert tagged["written"]
    newest = said("history", "history", "--limit", "1")[0]
    assert newest["subject"] == "tags"
    assert said("undo", "undo", newest["id"], "--yes")[0]["written"]
    assert {one["kind"] for one in past} == {"grant", "revoke", "undo", "redo"}
    assert any(one["run"] for one in past)
    assert any(one["undone_by"] for one in past)


def test_proving(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_STATE_DIR", str(tmp_path))
    denied = said("verify", "verify", REPOSITORY, *DIRECT, code=1)
    assert denied["verdict"] == "denied"
    assert ecr_tui("grant", REPOSITORY, *TO, "--if-tag", "Team=Payments", "--yes").code == 0
    proved = said("verify", "verify", REPOSITORY, "--engine", "direct", "--isolation", "all", "--tag-switch", "--yes")
    assert proved["isolations"]
    assert proved["tag_switch"]["steps"]
    assert any(one["proof"] for one in said("matrix", "matrix", REPOSITORY, *TO)["repositories"][0]["cells"])
    assert ecr_tui("grant", OTHER, *TO, "--access", "pull", "--yes").code == 0
    file = tmp_path / "report.json"
    both = ("verify", REPOSITORY, OTHER, "--engine", "direct", "--isolation", OTHER, "--report", str(file))
    several = said("verify", *both, code=1)
    assert [one["repository"] for one in several] == [REPOSITORY, OTHER]
    assert any(one["isolation"] and one["isolation"]["status"] == "leaked" for one in several)
    assert len(valid("verify-report", json.loads(file.read_text()))["verifications"]) == 2
    assert len(said("verify-history", "verify", "--history")) == 4

    record = Verifications(tmp_path / "verifications.jsonl")
    arn = f"arn:aws:ecr:eu-central-1:111111111111:repository/{REPOSITORY}"
    place = Repository(REPOSITORY, arn, "", "eu-central-1", "1" * 12)
    record.leave(record.untagging(place, "Team", "Payments"))
    record.leave(record.probe(place, "ecr-tui-verify-gone", "direct"))
    assert len(said("cleanup", "cleanup", "--yes")) == 2
    assert said("cleanup", "cleanup") == []


def test_one_that_could_not_start(sandbox: Sandbox) -> None:
    from ecr_tui.errors import EnvironmentFailure
    from ecr_tui.verification.batch import Batch, Result

    row = Repository("gone", "arn:aws:ecr:eu-central-1:111111111111:repository/gone", "", "eu-central-1", "1" * 12)
    result = Result(row, error=EnvironmentFailure("no", detail="d", hint="h", side="account A"))
    valid("verify", [result.to_json()])
    now = datetime.now(UTC)
    valid("verify-report", Batch((result,), now, now).to_json())


def test_offline(sandbox: Sandbox, tmp_path: Path) -> None:
    assert said("explain", "explain", "denied: Your authorization token has expired. Reauthenticate and try again.")[
        "fix"
    ]
    assert said("explain", "explain", "the moon is full")["pattern"] == "unknown"
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(CASES))
    first, second = said("simulate", "simulate", str(file), code=1)
    assert first["matches"] is False
    assert {one["kind"] for one in (*first["reasons"], *second["reasons"])} >= {"near", "deny"}


def test_settings(sandbox: Sandbox, tmp_path: Path) -> None:
    assert said("config-show", "config", "show", "--region", "eu-central-1")["settings"]
    assert said("config-path", "config", "path")["named_by"]
    assert said("config-keys", "config", "keys")


def test_what_is_not_listed_is_not_valid(sandbox: Sandbox) -> None:
    row = said("list", "list")[0]
    assert not validator("list").is_valid([{**row, "new": 1}])
    for name in row:
        assert not validator("list").is_valid([{key: value for key, value in row.items() if key != name}]), name
    assert schemas.title_of("list")
