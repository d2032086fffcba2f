"""audit, plan with both sides, export and simulate, as a user or a CI job runs them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from jsonschema import Draft202012Validator

from ecr_tui.cli.schemas import schema_of
from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui

A, B, REGION = Sandbox.account_a, Sandbox.account_b, Sandbox.region
USER = f"arn:aws:iam::{B}:user/devusr2"
ROOT = f"arn:aws:iam::{B}:root"


@pytest.fixture
def owner(sandbox: Sandbox) -> Any:
    return boto3.Session(profile_name="account-a").client("ecr")


def registry_deny(owner: Any, action: str = "ecr:PutImage") -> None:
    statement = {
        "Sid": "NoPartners",
        "Effect": "Deny",
        "Principal": {"AWS": B},
        "Action": action,
        "Resource": f"arn:aws:ecr:{REGION}:{A}:repository/*",
    }
    owner.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def by_name(rows: list[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
    return next(row for row in rows if row[key] == value)


def test_audit_tells_the_seeded_states(sandbox: Sandbox, owner: Any) -> None:
    ran = ecr_tui("audit", "--json")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    assert (found["account"], found["regions"]) == (A, [REGION])
    assert (
        found["summary"]["repositories"]
        == len(found["repositories"])
        == len(owner.describe_repositories(maxResults=1000)["repositories"])
    )
    assert found["summary"]["unreadable"] == 0
    assert {one["repository"] for one in found["public"]} == {"platform/base-images", "platform/charts"}
    public = by_name(found["public"], "repository", "platform/charts")
    assert public["pull"]["verdict"] == "if"
    assert "aws:PrincipalOrgID" in public["pull"]["reason"]
    assert [one["repositories"][0].rpartition("repository/")[2] for one in found["stale"]] == ["payments/reports"]
    assert [(one["principal"], one["repository"]) for one in found["services"]] == [
        ("lambda.amazonaws.com", "payments/invoice-lambda")
    ]
    assert {B, "333333333333"} <= {one["account"] for one in found["external_accounts"]}
    assert {one["repository"]: one["expired"] for one in found["ends"]} == {
        "data/quarterly": True,
        "data/migration": False,
    }
    drift = found["drift"]
    assert (drift["tag"], drift["origin"], drift["principals"]) == ({"Team": "Payments"}, "most used", [USER])
    assert "my-first-repo" in {one["repository"] for one in drift["tagged_not_granted"]}
    assert [one["repository"] for one in drift["granted_not_tagged"]] == ["billing/export"]
    legacy = by_name(found["repositories"], "repository", "payments/legacy")
    assert legacy["access"][0]["principal"] == USER
    assert "AllowCrossAccountPushAndPull" in legacy["access"][0]["pull"]["reason"]
    assert legacy["asked"][0]["both_sides"] == {"pull": "Allowed", "push": "Allowed"}
    assert by_name(legacy["findings"], "id", "token-action")["severity"] == "error"
    (asked,) = found["asked"]
    assert asked["identity"]["readable"] is True
    assert {policy["name"] for policy in asked["identity"]["policies"]} >= {"PushPullAccountA", "EcrLogin"}


def test_access_to_what_nobody_pulls_is_told_when_asked_for(sandbox: Sandbox) -> None:
    assert ecr_tui("audit", "--json").json["not_pulled"] is None
    assert (
        ecr_tui("verify", "payments/legacy", "--engine", "direct", "--access", "pull", "--isolation", "none").code == 0
    )
    found = ecr_tui("audit", "--json", "--not-pulled", "30").json["not_pulled"]
    names = {one["repository"]: one for one in found["repositories"]}
    assert (found["days"], found["unknown"]) == (30, [])
    assert "payments/legacy" not in names, "just pulled"
    assert "my-first-repo" not in names, "nobody else may pull"
    assert names["data/etl"]["principals"] == ["arn:aws:iam::333333333333:role/build-agent"]
    assert names["data/etl"]["last_pull"] is None
    text = ecr_tui("audit", "--not-pulled", "30").out
    assert "[info] data/etl: role build-agent in 333333333333 may pull; last recorded pull: none" in text

    rows = {one["repository"]: one["images"] for one in ecr_tui("list", "--images", "--json").json}
    assert rows["payments/legacy"]["last_pull"] > rows["payments/legacy"]["last_push"]
    assert rows["data/etl"]["last_pull"] is None
    assert "LAST PULL" in ecr_tui("list", "--images").out


def test_audit_in_words_for_a_given_tag_fails_a_build_when_told_to(sandbox: Sandbox, owner: Any) -> None:
    registry_deny(owner)
    ran = ecr_tui("audit", "--tag", "Team=Search", "--fail-on", "error")
    assert ran.code == 1
    for words in (
        "Drift (tag Team=Search, as requested)",
        "search/indexer",
        "[error] public",
        "platform/base-images",
        "Public access",
        "AIDA",
        "the registry policy (scope V2) applies to every request",
        "becomes denied",
        "Both accounts for user devusr2",
        "NoPartners",
    ):
        assert words in ran.out, words
    # All repositories are audited, also those without the tag.
    assert "billing/export" in ran.out


def test_an_audit_of_what_cannot_be_read(sandbox: Sandbox, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Account A's caller may not read one policy, B's may not read its own: both are told with AWS's words."""
    lock = {"Sid": "Lock", "Effect": "Deny", "Principal": "*", "Action": "ecr:GetRepositoryPolicy"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [lock]})
    owner.set_repository_policy(repositoryName="tools/scratch", policyText=text)
    ran = ecr_tui("audit", "--profile-b", "no-access", "--json", "--fail-on", "error")
    assert ran.code == 1
    found = ran.json
    (unknown,) = found["unknown"]
    assert unknown["repository"] == "tools/scratch"
    assert "with an explicit deny in a resource-based policy" in unknown["reason"]
    row = by_name(found["repositories"], "repository", "tools/scratch")
    assert (row["policy"], row["access"], row["reason"]) == ("unreadable", [], unknown["reason"])
    (asked,) = found["asked"]
    assert asked["identity"]["readable"] is False
    assert "is not authorized to perform: iam:GetUser" in asked["identity"]["reason"]
    images = by_name(found["repositories"], "repository", "platform/base-images")
    assert images["asked"][0]["both_sides"] == {"pull": "Unknown", "push": "Denied"}


def test_plan_tells_both_sides_and_what_b_needs(sandbox: Sandbox, owner: Any) -> None:
    registry_deny(owner)
    owner.create_repository_creation_template(prefix="ROOT", appliedFor=["CREATE_ON_PUSH"])
    ran = ecr_tui("plan", "my-first-repo", "--to", "user/devusr2", "--if-tag", "Team=Payments", "--json")
    assert ran.code == 0
    (plan,) = ran.json
    assert list(plan)[:8] == ["repository", "arn", "changed", "written", "before", "after", "diff", "findings"]
    (verdict,) = plan["verdicts"]
    assert (verdict["principal"], verdict["response"], verdict["access"]) == (USER, "Denied", "push-pull")
    put = by_name(verdict["actions"], "action", "ecr:PutImage")
    assert (put["response"], put["missing"]) == ("Denied", ["account A"])
    assert put["account_a"]["allows"] is False
    assert "NoPartners of the registry policy denies it" in put["account_a"]["reason"]
    assert put["account_b"]["allows"] is True
    token = by_name(verdict["actions"], "action", "ecr:GetAuthorizationToken")
    assert (token["response"], token["account_a"], token["resource"]) == ("Allowed", None, "*")
    assert by_name(plan["findings"], "id", "registry-deny")["severity"] == "error"
    assert plan["registry_policy"]["effects"][0]["denies"] == ["ecr:PutImage"]
    assert any("would have no effect" in risk for risk in plan["risks"])
    needs = plan["identity_policy"]["Statement"]
    assert [one["Resource"] for one in needs] == ["*", plan["arn"].replace("my-first-repo", "*")]
    assert needs[1]["Condition"] == {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
    (size,) = plan["identity_size"]
    assert (size["scope"], size["attached"], size["limit"], size["refused"]) == ("tag", "inline-user", 2048, None)
    assert size["characters"] == [len(json.dumps(plan["identity_policy"], separators=(",", ":")))]
    assert plan["creation_template"]["lacking"] == {"Team": "Payments"}


def test_account_bs_policy_is_told_against_iams_limit(sandbox: Sandbox, owner: Any) -> None:
    names = [f"team/with-a-long-name/service-number-{number:03}" for number in range(30)]
    for name in names:
        owner.create_repository(repositoryName=name)
    grant = (*names, "--to", "user/devusr2", "--access", "pull")
    ran = ecr_tui("plan", *grant, "--if-tag", "none", "--json")
    assert ran.code == 0
    for plan in ran.json:
        (size,) = plan["identity_size"]
        assert (size["repositories"], size["scope"], size["attached"]) == (30, "repositories", "managed")
        assert size["limit"] == 6144
        assert by_name(plan["findings"], "id", "identity-too-large")["severity"] == "warning"
    told = ecr_tui("plan", *grant, "--if-tag", "none").out
    assert "Account B policy of user devusr2 in 222222222222 for 30 repositories: " in told
    assert "characters; the limit for the inline policies of a user is 2,048" in told
    exported = ecr_tui("export", *grant, "--if-tag", "none", "--side", "b")
    assert "aws iam attach-user-policy" in exported.out
    assert "# Account B policy of user devusr2 in 222222222222 for 30 repositories: " in exported.out
    bare = ecr_tui("export", *grant, "--if-tag", "Team=Payments", "--side", "b", "--format", "json")
    assert "of 2,048 characters for the inline policies of a user" in bare.err
    assert [one["Resource"] for one in bare.json["Statement"]] == ["*", f"arn:aws:ecr:{REGION}:{A}:repository/*"]


def test_a_template_that_cloudformation_would_change_is_warned_of(sandbox: Sandbox, owner: Any) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/Note": "{{resolve:ssm:/their/secret}}"}}
    foreign = {"Effect": "Allow", "Principal": {"AWS": A}, "Action": "ecr:BatchGetImage", "Condition": condition}
    owner.set_repository_policy(
        repositoryName="my-first-repo", policyText=json.dumps({"Version": "2012-10-17", "Statement": [foreign]})
    )
    grant = ("my-first-repo", "--to", "user/devusr2")
    ran = ecr_tui("export", *grant, "--format", "cloudformation")
    assert ran.code == 0
    assert "Warning: my-first-repo: CloudFormation replaces {{resolve:ssm:/their/secret}} in this policy" in ran.err
    assert "Warning" not in ecr_tui("export", *grant, "--format", "json").err
    assert "Warning" not in ecr_tui("export", *grant, "--format", "cloudformation", "--side", "b").err
    assert "dynamic-reference" in ecr_tui("plan", *grant).out


def test_plan_where_bs_side_is_not_readable(sandbox: Sandbox) -> None:
    ran = ecr_tui("plan", "my-first-repo", "--profile-b", "dev-role", "--to", "role/EcrDeveloper")
    assert ran.code == 0
    assert "account B: unknown, not readable: iam:GetRole" in ran.out
    assert "account B needs this identity policy" in ran.out
    assert "access of role EcrDeveloper" in ran.out


def test_a_grant_with_an_end(sandbox: Sandbox, owner: Any) -> None:
    ran = ecr_tui("grant", "my-first-repo", "--to", B, "--access", "pull", "--until", "2099-12-31", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert any("2100-01-01 00:00 UTC" in note for note in ran.json[0]["notes"])
    statement = json.loads(owner.get_repository_policy(repositoryName="my-first-repo")["policyText"])["Statement"][0]
    assert statement["Condition"] == {"DateLessThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"}}
    past = ecr_tui("plan", "my-first-repo", "--to", B, "--until", "2020-01-01")
    assert (past.code, past.out) == (2, "")
    assert "is in the past" in past.err


def test_export_gives_both_sides(sandbox: Sandbox, owner: Any) -> None:
    ran = ecr_tui("export", "my-first-repo", "payments/ledger", "--to", "user/devusr2", "--format", "json")
    assert ran.code == 0
    assert [one["repository"] for one in ran.json["account_a"]] == ["my-first-repo", "payments/ledger"]
    (b,) = ran.json["account_b"]
    assert b["principal"] == USER
    assert b["document"]["Statement"][1]["Resource"] == [one["arn"] for one in ran.json["account_a"]]
    commands = ecr_tui("export", "my-first-repo", "--to", "user/devusr2")
    assert "aws ecr set-repository-policy" in commands.out
    assert "aws iam put-user-policy" in commands.out
    with pytest.raises(owner.exceptions.RepositoryPolicyNotFoundException):
        owner.get_repository_policy(repositoryName="my-first-repo")


CASE = {
    "name": "pull is granted",
    "request": {
        "action": "ecr:BatchGetImage",
        "resource": {"resource": f"arn:aws:ecr:{REGION}:{A}:repository/x", "accountId": A},
        "principal": USER,
        "context": {},
    },
    "identityPolicies": [{"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}],
    "resourcePolicy": {"Statement": [{"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": B}, "Action": "ecr:*"}]},
    "expected": {"response": "Allowed"},
}


def test_simulate_is_a_unit_test_for_policies(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps([CASE]))
    bad.write_text(json.dumps([CASE | {"name": "push [x]", "expected": {"response": "ExplicitlyDenied"}}]))
    ran = ecr_tui("simulate", str(good), str(bad), "--json")
    assert ran.code == 1
    assert [(one["name"], one["response"], one["expected"], one["matches"]) for one in ran.json] == [
        ("pull is granted", "Allowed", "Allowed", True),
        ("push [x]", "Allowed", "ExplicitlyDenied", False),
    ]
    assert any("Pull of the repository policy allows it" in reason["text"] for reason in ran.json[0]["reasons"])
    words = ecr_tui("simulate", "-", stdin=good.read_text())
    assert words.code == 0
    assert "✓ -: pull is granted: Allowed" in words.out
    assert "1 decided, 1 as expected, 0 unexpected" in words.out
    bad.write_text(json.dumps([{**CASE, "expect": CASE["expected"]}]))
    ran = ecr_tui("simulate", str(bad))
    assert (ran.code, ran.out) == (2, "")
    assert 'unknown field "expect"; did you mean "expected"?' in ran.err
    denied = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Condition": {"Bool": {"aws:ViaAWSService": "no"}}}
    lacking = {"resourcePolicy": {"Statement": [*CASE["resourcePolicy"]["Statement"], denied]}}
    ran = ecr_tui("simulate", "-", "--json", stdin=json.dumps(CASE | lacking))
    assert "aws:ViaAWSService" in " ".join(ran.json[0]["notes"])
    broken = tmp_path / "broken.json"
    broken.write_text("[{]")
    ran = ecr_tui("simulate", str(good), str(broken))
    assert (ran.code, ran.out) == (2, "")
    assert "broken.json" in ran.err
    assert "line 1" in ran.err


def test_a_partner_is_told_from_a_stranger(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text('[trusted]\naccounts = ["222222222222"]\n')
    found = ecr_tui("audit", "--json").json
    trusted = {one["account"]: one["trusted"] for one in found["external_accounts"]}
    assert (trusted["222222222222"], trusted["333333333333"]) == (True, False)
    severities = {
        (one["id"], one["severity"]) for row in found["repositories"] for one in row["findings"]
        if one["id"] in ("stranger", "trusted-partner")
    }  # fmt: skip
    assert severities == {("stranger", "warning"), ("trusted-partner", "info")}
    told = ecr_tui("audit").out
    assert "(trusted)" in told
    (tmp_path / "config.toml").write_text("")
    assert {one["trusted"] for one in ecr_tui("audit", "--json").json["external_accounts"]} == {None}


def test_findings_in_the_formats_of_other_tools(sandbox: Sandbox) -> None:
    found = ecr_tui("audit", "--format", "json").json
    wanted = sorted((one["id"], row["arn"]) for row in found["repositories"] for one in row["findings"])
    sarif = ecr_tui("audit", "--format", "sarif", "--fail-on", "error")
    assert (sarif.code, sarif.err) == (1, "")
    (run,) = sarif.json["runs"]
    told = [(one["ruleId"], one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]) for one in run["results"]]
    assert sorted(told) == wanted
    rows = list(csv.DictReader(ecr_tui("audit", "--format", "csv").out.splitlines()))
    assert sorted((row["finding"], row["arn"]) for row in rows) == wanted
    assert {row["account"] for row in rows} == {A}
    table = ecr_tui("audit", "--format", "markdown").out
    assert len(table.splitlines()) == len(wanted) + 4
    assert f"| error | {A} | {REGION} | platform/base-images | public |" in table
    for contradiction in (("--json", "--format", "csv"), ("--format", "sarif", "--not-pulled", "30")):
        ran = ecr_tui("audit", *contradiction)
        assert (ran.code, ran.out) == (2, "")


def test_several_owners_in_one_report_and_one_that_fails(sandbox: Sandbox) -> None:
    """The partner's account may not be listed: the report says so, and has the other account's findings."""
    several = ("audit", "--profile-a", "account-a", "--profile-a", "partner-c")
    ran = ecr_tui(*several, "--format", "json")
    assert ran.code == 1
    assert "Profile partner-c: account A: ecr:DescribeRepositories" in ran.err
    Draft202012Validator(schema_of("audit")).validate(ran.json)
    first, second = ran.json["owners"]
    assert (first["profile"], first["audit"]["account"], first["error"]) == ("account-a", A, None)
    assert (second["profile"], second["audit"]) == ("partner-c", None)
    assert "was denied" in second["error"]
    text = ecr_tui(*several).out
    assert text.index("== Profile account-a ==") < text.index(f"Account {A}") < text.index("== Profile partner-c ==")
    assert "Not audited." in text
    rows = list(csv.DictReader(ecr_tui(*several, "--format", "csv").out.splitlines()))
    assert {row["account"] for row in rows if row["finding"] != "account-not-audited"} == {A}
    (failed,) = [row for row in rows if row["finding"] == "account-not-audited"]
    assert "profile partner-c" in failed["title"]
    (run,) = ecr_tui(*several, "--format", "sarif").json["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["results"]) == len(rows) - 1
    # The worst decides: 2 for an unknown profile, though a denial comes after it.
    worst = ecr_tui("audit", "--profile-a", "nobody", "--profile-a", "account-a", "--profile-a", "partner-c", "--json")
    assert worst.code == 2
    assert [one["error"] is None for one in worst.json["owners"]] == [False, True, False]
