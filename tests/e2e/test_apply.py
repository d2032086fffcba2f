"""``ecr-tui apply``: a file of grants on the sandbox."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from ecr_tui.cli.schemas import schema_of
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A, AwsCall
from tests.support.cli import Ran, ecr_tui

REGION = "eu-central-1"
FILE = """\
[[grants]]
repositories = ["my-first-repo", "search/*"]
to = ["user/devusr2"]
access = "push-pull"
if-tag = ["Team=Payments"]
reason = "OPS-1"

[[grants]]
repositories = "payments/api"
consumer = "partner"
access = "pull"
until = 2031-01-31
"""
CONFIG = """\
[[consumers]]
name = "partner"
account = "333333333333"
"""


@pytest.fixture(autouse=True)
def space(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECR_TUI_PROFILE_B", "dev-acc")
    Path("grants.toml").write_text(FILE)
    Path("config.toml").write_text(CONFIG)
    monkeypatch.setenv("ECR_TUI_CONFIG", str(tmp_path / "config.toml"))


def policy(sandbox: Sandbox, name: str) -> str | None:
    with sandbox.world.lock:
        record = sandbox.world.records.find(ACCOUNT_A, REGION, name)
        assert record is not None
        return record.policy


def policies(sandbox: Sandbox) -> dict[str, str | None]:
    with sandbox.world.lock:
        found = sandbox.world.records.backend(ACCOUNT_A, REGION).repositories
        return {name: record.policy for name, record in found.items()}


def apply(*arguments: str) -> Ran:
    return ecr_tui("apply", "grants.toml", *arguments)


def test_drift_is_found_written_once_and_taken_back(sandbox: Sandbox) -> None:
    before = policies(sandbox)
    found = apply("--check")
    assert found.code == 1
    assert "Drift: 3 of " in found.out
    assert "identity/tokens (eu-central-1): push-pull of user devusr2 in 222222222222" in found.out
    shown = apply("--plan", "--json")
    assert (shown.code, policies(sandbox)) == (0, before)
    assert [one["repository"] for one in shown.json["drift"]] == ["my-first-repo", "payments/api", "search/indexer"]
    assert {one["repository"] for one in shown.json["unwanted"]} >= {"identity/tokens", "billing/export"}

    calls: Counter[str] = Counter()

    def count(call: AwsCall) -> None:
        calls[call.operation] += 1

    sandbox.fault = count  # type: ignore[assignment]
    ran = apply("--yes", "--json")
    sandbox.fault = None
    assert ran.code == 0, ran.err
    assert all(one["written"] for one in ran.json["drift"])
    repositories = len(before)
    # All once; three again on live tags, and around their writes.
    assert calls["GetRepositoryPolicy"] == repositories + 4 * 3
    assert (calls["SetRepositoryPolicy"], calls["ListTagsForResource"]) == (3, 3)
    statements = json.loads(policy(sandbox, "payments/api") or "")["Statement"]
    assert statements[0] == json.loads(before["payments/api"] or "")["Statement"][0], "the foreign one, as it was"
    assert statements[1]["Principal"] == {"AWS": "arn:aws:iam::333333333333:root"}

    assert apply("--check").code == 0
    again = apply("--yes")
    assert again.code == 0
    assert "No drift" in again.out
    rows = ecr_tui("history", "--json").json
    assert {(row["kind"], row["repository"], row["reason"]) for row in rows} == {
        ("apply", "my-first-repo", "OPS-1"),
        ("apply", "search/indexer", "OPS-1"),
        ("apply", "payments/api", None),
    }
    assert ecr_tui("undo", "--yes").code == 0
    assert policies(sandbox) == before


def test_prune_takes_what_no_row_wants_within_the_scope(sandbox: Sandbox) -> None:
    file = FILE.replace("search/*", "billing/*")
    Path("grants.toml").write_text(file + '[scope]\nrepositories = ["*-repo", "b*", "pa*"]')
    before = policies(sandbox)
    assert ecr_tui("grant", "billing/export", "--to", "444444444444", "--access", "pull", "--yes").code == 0
    assert apply("--yes").code == 0
    kept = policies(sandbox)
    assert "444444444444" in (kept["billing/export"] or "")
    assert apply("--check").code == 0
    stale = apply("--check", "--prune")
    assert stale.code == 1
    assert "- Allow arn:aws:iam::444444444444:root" in stale.out
    ran = apply("--prune", "--yes", "--reason", "OPS-9")
    assert ran.code == 0, ran.err
    now = policies(sandbox)
    assert "444444444444" not in (now["billing/export"] or "")
    assert now["identity/tokens"] == before["identity/tokens"], "out of scope"
    assert apply("--check", "--prune").code == 0
    assert ecr_tui("history", "--limit", "1", "--json").json[0]["reason"] == "OPS-9"


def test_what_does_not_fit_is_refused_with_its_line_and_nothing_is_written(sandbox: Sandbox) -> None:
    before = policies(sandbox)

    def refused(text: str, *said: str) -> None:
        Path("grants.toml").write_text(text)
        ran = apply("--yes")
        assert ran.code == 2, ran.out
        assert all(one in ran.err for one in said), ran.err

    refused(
        FILE.replace("my-first-repo", "my-frist-repo"), "grants.toml:2: no repository 'my-frist-repo'", "my-first-repo"
    )
    refused(FILE + 'account = "999999999999"\n', "grants.toml:13:", "999999999999", "111111111111")
    refused(FILE.replace('"partner"', '"partnr"'), "grants.toml:10:", "'partner'")
    refused(FILE.replace("access =", "acess ="), "grants.toml:4: unknown setting 'acess'", "'access'")
    Path("grants.toml").write_text(FILE)
    assert ecr_tui("apply", "grants.toml").code == 2, "nobody to confirm"
    assert "read-only" in apply("--yes", "--read-only").err
    assert ecr_tui("apply").code == 2
    assert ecr_tui("apply", "grants.toml", "--check", "--plan").code == 2
    assert policies(sandbox) == before


def test_what_is_in_force_is_exported_and_applies_without_drift(sandbox: Sandbox) -> None:
    ended = "data/quarterly"
    text = ecr_tui("export", "--grants")
    assert text.code == 0, text.err
    assert f"# {ended} (eu-central-1): expired: pull of user devusr2" in text.out
    assert "# payments/vault (eu-central-1): not by ecr-tui: " in text.out
    Path("grants.toml").write_text(text.out)
    found = apply("--check", "--json")
    assert (found.code, found.json["drift"]) == (0, []), found.err
    assert [one["repository"] for one in found.json["unwanted"]] == [ended]
    Path("grants.toml").write_text(ecr_tui("export", "--grants", "identity/tokens", "my-first-repo").out)
    assert apply("--check", "--prune").code == 0
    assert ecr_tui("export", "--grants", "--to", "222222222222").code == 2


def test_the_documents_match_their_schema(sandbox: Sandbox) -> None:
    from jsonschema import Draft202012Validator

    valid = Draft202012Validator(schema_of("apply"))
    for arguments in (("--plan",), ("--check", "--prune"), ("--yes",)):
        valid.validate(apply("--json", *arguments).json)
