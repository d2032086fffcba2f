"""What was written, taking any of it back, and doing it again: the command line on the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui

FIRST, SECOND = "my-first-repo", "search/indexer"


def _policy(name: str) -> str | None:
    import boto3

    client = boto3.Session(profile_name="account-a").client("ecr")
    try:
        return str(client.get_repository_policy(repositoryName=name)["policyText"])
    except client.exceptions.RepositoryPolicyNotFoundException:
        return None


def test_history_undo_and_redo_by_id(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_STATE_DIR", str(tmp_path))
    empty = ecr_tui("history", "--json")
    assert (empty.code, empty.json) == (0, [])
    assert ecr_tui("redo").code == 2
    before = {name: _policy(name) for name in (FIRST, SECOND)}
    assert ecr_tui("grant", FIRST, SECOND, "--to", "user/devusr2", "--yes").code == 0
    granted = {name: _policy(name) for name in (FIRST, SECOND)}
    assert granted != before

    listed = ecr_tui("history", "--json").json
    assert {(row["kind"], row["outcome"], row["undone_by"]) for row in listed} == {("grant", "written", None)}
    (run,) = {row["run"] for row in listed}
    first = next(row for row in listed if row["repository"] == FIRST)
    assert first["after"] == json.loads(granted[FIRST] or "")
    assert {one["op"] for one in first["diff"]} == {"add"}
    told = ecr_tui("history", "--repository", FIRST)
    assert "grant push-pull to user devusr2 in 222222222222" in told.out
    assert SECOND not in told.out

    # One of a run alone.
    undone = ecr_tui("undo", first["id"], "--json")
    assert undone.code == 0, undone.err
    assert (_policy(FIRST), _policy(SECOND)) == (before[FIRST], granted[SECOND])
    assert ecr_tui("undo", first["id"]).code == 2
    assert f"undone by {ecr_tui('history', '--limit', '1', '--json').json[0]['id']}" in ecr_tui("history").out
    assert ecr_tui("redo", first["id"]).code == 0
    assert json.loads(_policy(FIRST) or "") == first["after"]

    # The run as a whole, whatever became of its parts meanwhile.
    assert ecr_tui("undo", run, "--yes").code == 0
    assert {name: _policy(name) for name in before} == before
    assert ecr_tui("undo", run, "--yes").code == 2
    assert ecr_tui("redo", "--yes").code == 0
    assert {name: _policy(name) for name in granted} == granted
    assert [row["kind"] for row in ecr_tui("history", "--limit", "2", "--json").json] == ["redo", "redo"]

    # Somebody else writes: refused, with what differs.
    import boto3

    other = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:ListImages"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [other]})
    boto3.Session(profile_name="account-a").client("ecr").set_repository_policy(
        repositoryName=FIRST, policyText=document
    )
    refused = ecr_tui("undo", first["id"])
    assert refused.code == 4
    assert "ecr:ListImages" in refused.err

    # A broken line is told, and stops nobody.
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines, b"{nonsense\n"]))
    ran = ecr_tui("history", "--json")
    assert (ran.code, len(ran.json)) == (0, len(ecr_tui("history", "--json").json))
    assert f"line {len(lines) + 1} skipped" in ran.err
    assert ecr_tui("undo", ran.json[0]["id"] if ran.json[0]["repository"] == SECOND else ran.json[1]["id"]).code == 0
    assert _policy(SECOND) == before[SECOND]


def test_a_reason_is_kept_with_every_write(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_STATE_DIR", str(tmp_path))
    given = ecr_tui("grant", FIRST, SECOND, "--to", "user/devusr2", "--yes", "--json", "--reason", "OPS-1:  audit\nday")
    assert [one["reason"] for one in given.json] == ["OPS-1: audit day"] * 2
    assert ecr_tui("tag", FIRST, "--set", "Stage=dev", "--yes", "--reason", "OPS-2").code == 0
    undone = ecr_tui("undo", given.json and ecr_tui("history", "--json").json[-1]["run"], "--yes", "--reason", "OPS-3")
    assert undone.code == 0, undone.err
    assert ecr_tui("redo", "--one", "--yes").code == 0
    assert ecr_tui("revoke", SECOND, "--to", "user/devusr2", "--yes", "--reason", "OPS-4").code in (0, 1)

    rows = ecr_tui("history", "--json").json
    assert [(row["kind"], row["reason"]) for row in rows if row["kind"] in ("grant", "undo", "tag", "redo")] == [
        ("redo", None),
        ("undo", "OPS-3"),
        ("undo", "OPS-3"),
        ("tag", "OPS-2"),
        ("grant", "OPS-1: audit day"),
        ("grant", "OPS-1: audit day"),
    ]
    assert "reason: OPS-3" in ecr_tui("history").out
