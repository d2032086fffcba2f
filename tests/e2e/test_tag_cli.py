"""``ecr-tui tag`` on the sandbox, which decides by tags: what is announced is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui

REPOSITORY = "my-first-repo"


def _tags() -> dict[str, str]:
    import boto3

    client = boto3.Session(profile_name="account-a").client("ecr")
    arn = client.describe_repositories(repositoryNames=[REPOSITORY])["repositories"][0]["repositoryArn"]
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def _verdict() -> str:
    return str(ecr_tui("verify", REPOSITORY, "--engine", "direct", "--isolation", "none", "--json").json["verdict"])


def test_tags_decide_are_announced_and_taken_back(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECR_TUI_STATE_DIR", str(tmp_path))
    before = _tags()
    assert before["Team"] == "Payments"
    assert ecr_tui("grant", REPOSITORY, "--to", "user/devusr2", "--if-tag", "Team=Payments", "--yes").code == 0

    # Nobody's access changes: nothing is asked.
    harmless = ecr_tui("tag", REPOSITORY, "--set", "Owner=me")
    assert harmless.code == 0, harmless.err
    assert "adding Owner=me changes no access" in harmless.out
    refused = ecr_tui("tag", REPOSITORY, "--unset", "Team")
    assert refused.code == 2
    assert "removing Team revokes 1 principal: user devusr2 in 222222222222 (pull, push)" in refused.out
    assert "--yes" in refused.err
    assert _verdict() == "allowed"

    done = ecr_tui("tag", REPOSITORY, "--unset", "Team", "--unset", "Owner", "--set", "Env=x y", "--yes", "--json")
    assert done.code == 0, done.err
    (row,) = done.json
    assert (row["written"], row["after"]) == (True, {**{k: v for k, v in before.items() if k != "Team"}, "Env": "x y"})
    assert row["effects"][0]["loses"] == ["pull", "push"]
    assert _tags() == row["after"]
    assert _verdict() == "denied"
    assert ecr_tui("tag", REPOSITORY, "--set", "aws:x=1", "--yes").code == 2

    listed = ecr_tui("history", "--limit", "1", "--json").json[0]
    assert (listed["kind"], listed["subject"], listed["after"]) == ("tag", "tags", row["after"])
    asked = ecr_tui("undo")
    assert asked.code == 2
    assert "GRANTS access to 1 principal: user devusr2" in asked.out
    assert ecr_tui("undo", listed["id"], "--yes").code == 0
    assert _tags() == {**before, "Owner": "me"}
    assert _verdict() == "allowed"
    assert ecr_tui("redo", "--yes").code == 0
    assert _tags() == row["after"]
