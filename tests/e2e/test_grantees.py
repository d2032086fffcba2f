"""Each kind of grantee through the command line: denied, granted, allowed, a neighbour denied, revoked, denied."""

from __future__ import annotations

import json

import boto3
import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ORGANIZATION, ORGANIZATION_PATH
from tests.support.cli import ecr_tui

REPOSITORY = "my-first-repo"
UNIT = ORGANIZATION_PATH.rstrip("/")


def statements() -> list[dict[str, object]]:
    client = boto3.Session(profile_name="account-a").client("ecr")
    try:
        return list(json.loads(client.get_repository_policy(repositoryName=REPOSITORY)["policyText"])["Statement"])
    except client.exceptions.RepositoryPolicyNotFoundException:
        return []


def verdict() -> tuple[str, str]:
    """(the verdict of account B on the repository, what the isolation check found)."""
    report = ecr_tui("verify", REPOSITORY, "--engine", "direct", "--json").json
    return report["verdict"], (report["isolation"] or {}).get("status", "")


@pytest.mark.parametrize(
    "grantee", ["222222222222", "user/devusr2", f"org/{ORGANIZATION}", f"ou/{UNIT}", f"ou/{UNIT}/*"]
)
def test_the_story_for_each_kind_of_grantee(sandbox: Sandbox, grantee: str) -> None:
    assert verdict()[0] == "denied"
    granted = ecr_tui("grant", REPOSITORY, "--to", grantee, "--if-tag", "Team=Pay*", "--yes", "--json")
    assert granted.code == 0, granted.err
    assert len(statements()) == 1
    assert verdict() == ("allowed", "denied")
    again = ecr_tui("grant", REPOSITORY, "--to", grantee, "--if-tag", "Team=Pay*", "--yes", "--json")
    assert again.json[0]["changed"] is False
    revoked = ecr_tui("revoke", REPOSITORY, "--to", grantee, "--yes")
    assert revoked.code == 0, revoked.err
    assert statements() == []
    assert verdict()[0] == "denied"


def test_another_organization_does_not_reach_it(sandbox: Sandbox) -> None:
    assert ecr_tui("grant", REPOSITORY, "--to", "org/o-a1b2c3d4e5", "--yes").code == 0
    assert verdict()[0] == "denied"


def test_lambda_brings_the_account_of_its_functions_and_pulls_only(sandbox: Sandbox) -> None:
    granted = ecr_tui("grant", REPOSITORY, "--to", "service/lambda.amazonaws.com", "--yes", "--json")
    assert granted.code == 0, granted.err
    service, account = statements()
    assert service["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert service["Condition"] == {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:222222222222:function:*"}}
    assert account["Principal"] == {"AWS": "arn:aws:iam::222222222222:root"}
    for one in (service, account):
        assert "ecr:PutImage" not in one["Action"]  # type: ignore[operator]
        assert {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"} <= set(one["Action"])  # type: ignore[call-overload]
    refused = ecr_tui("grant", REPOSITORY, "--to", "service/lambda.amazonaws.com", "--access", "push-pull", "--yes")
    assert (refused.code, "Lambda only pulls" in refused.err) == (2, True)
    assert ecr_tui("revoke", REPOSITORY, "--to", "service/lambda.amazonaws.com", "--yes").code == 0
    assert statements() == []


def test_an_organization_is_a_risk_that_is_asked_about(sandbox: Sandbox) -> None:
    (plan,) = ecr_tui("plan", REPOSITORY, "--to", f"org/{ORGANIZATION}", "--json").json
    assert any(f"organization {ORGANIZATION}" in risk for risk in plan["risks"])


@pytest.mark.parametrize(
    ("grantee", "hint"),
    [
        ("org/whatever", "org/o-a1b2c3d4e5"),
        ("ou/ou-dem0-w0rkl0ads", "from the organization"),
        ("service/codebuild.amazonaws.com", "service/codebuild.amazonaws.com@"),
        ("devusr2", "user/devusr2 or role/devusr2"),
    ],
)
def test_a_wrong_form_names_the_right_one(sandbox: Sandbox, grantee: str, hint: str) -> None:
    refused = ecr_tui("grant", REPOSITORY, "--to", grantee, "--yes")
    assert (refused.code, hint in refused.err) == (2, True)
    assert statements() == []
