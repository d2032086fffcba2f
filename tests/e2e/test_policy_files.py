"""--from with what people have at hand: unwrapped and said, or refused with exit code 2 and its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui

REPOSITORY = "my-first-repo"
STATEMENT = {
    "Sid": "Pull",
    "Effect": "Allow",
    "Principal": {"AWS": "222222222222"},
    "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}
POLICY: dict[str, Any] = {"Version": "2012-10-17", "Statement": [STATEMENT]}
SAVED = {"registryId": "111111111111", "repositoryName": "x", "policyText": json.dumps(POLICY)}


def test_saved_output_is_unwrapped_said_and_granted(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    file.write_bytes(json.dumps(SAVED).encode("utf-16"))
    (plan,) = ecr_tui("plan", REPOSITORY, "--from", str(file), "--json").json
    assert plan["changed"]
    assert plan["notes"][0] == "Unwrapped from policyText."
    assert "note: Unwrapped from policyText." in ecr_tui("plan", REPOSITORY, "--from", str(file)).out
    granted = ecr_tui("grant", REPOSITORY, "--from", "-", "--yes", "--json", stdin="\ufeff" + json.dumps(SAVED))
    assert granted.json[0]["written"]
    (again,) = ecr_tui("plan", REPOSITORY, "--from", str(file), "--json").json
    assert not again["changed"]


def test_a_dropped_resource_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "guide.json"
    file.write_text(json.dumps({**POLICY, "Statement": {**STATEMENT, "Resource": "*"}}))
    (plan,) = ecr_tui("plan", REPOSITORY, "--from", str(file), "--json").json
    assert any('Resource "*" was removed' in note for note in plan["notes"])
    assert "Resource" not in json.dumps(plan["after"])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "empty JSON object"),
        ({"repositories": []}, "describe-repositories"),
        ({**POLICY, "Statement": {**STATEMENT, "Resource": ["*", "arn:aws:ecr:*:*:repository/x"]}}, "has a Resource"),
    ],
)
def test_what_is_no_policy_is_refused(sandbox: Sandbox, tmp_path: Path, value: Any, words: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(json.dumps(value))
    for command in (("plan",), ("grant", "--yes")):
        ran = ecr_tui(*command, REPOSITORY, "--from", str(file), "--json")
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err


@pytest.mark.parametrize("option", ["--if-tag", "--tag"])
def test_tag_keys_that_differ_in_case_never_both_hold(sandbox: Sandbox, option: str) -> None:
    names = () if option == "--tag" else (REPOSITORY,)
    ran = ecr_tui("plan", *names, option, "Team=Payments", option, "team=Payments", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "differ only in case" in ran.err
