"""``plan --aws-preview`` and ``history --disagreements``: IAM Access Analyzer's API, live, beside our own answer."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import boto3
from jsonschema import Draft202012Validator

from ecr_tui.cli.schemas import schema_of
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from tests.support.cli import ecr_tui

REPOSITORY = "my-first-repo"
USER, PARTNER = "arn:aws:iam::222222222222:user/devusr2", "444444444444"
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PLAN = ("plan", REPOSITORY, "--to", "user/devusr2", "--access", "pull", "--aws-preview")


def arn_of(repository: str) -> str:
    return f"arn:aws:ecr:eu-central-1:111111111111:repository/{repository}"


def opinion(*arguments: str) -> Any:
    ran = ecr_tui(*(arguments or PLAN), "--json")
    assert [one.message for one in Draft202012Validator(schema_of("plan")).iter_errors(ran.json)] == []
    return ran.json[0]["access_analyzer"]


def test_a_new_access_is_previewed_and_both_agree(sandbox: Sandbox) -> None:
    ran = ecr_tui(*PLAN)
    assert ran.code == 0
    assert ran.out.splitlines()[-2:] == [
        "my-first-repo: Access Analyzer agrees with ecr-tui (external-access, ACCOUNT)",
        "  NEW  user devusr2 in 222222222222: pull",
    ]
    assert ecr_tui("grant", *PLAN[1:-1], "--yes").code == 0
    found = opinion("plan", REPOSITORY, "--to", PARTNER, "--access", "pull", "--aws-preview")
    assert {(one["principals"][0], one["change"]) for one in found["preview"]["findings"]} == {
        (USER, "UNCHANGED"),
        (PARTNER, "NEW"),
    }
    assert [one["principals"] for one in found["existing"]] == [[USER]]
    assert found["after"]["agreed"] == [USER, PARTNER]
    assert (found["after"]["disagreements"], found["unavailable"]) == ([], [])
    assert ecr_tui("history", "--disagreements").out == "No disagreements found.\n"
    assert ecr_tui("plan", REPOSITORY, "--to", "user/devusr2", "--json").json[0]["access_analyzer"] is None


def test_a_disagreement_has_both_sides_and_is_recorded(sandbox: Sandbox, isolated_environment: Path) -> None:
    with sandbox.world.lock:
        sandbox.front.analyzers.insist(arn_of(REPOSITORY), PARTNER, *PULL)
    ran = ecr_tui(*PLAN)
    assert ran.code == 0
    head, about, theirs, ours, where = ran.out.splitlines()[-7:][:1] + ran.out.splitlines()[-4:]
    assert head == f"{REPOSITORY}: Access Analyzer disagrees with ecr-tui on 1 point (external-access, ACCOUNT)"
    assert about == "  ! disagreement on this plan and the current policy: account 444444444444, pull"
    assert theirs.startswith("      Access Analyzer: reported (finding ")
    assert ours == "      ecr-tui: not allowed"
    assert where.startswith("      inspect: aws accessanalyzer list-access-preview-findings --access-preview-id ")
    found = ecr_tui("history", "--disagreements", "--json").json
    assert [one.message for one in Draft202012Validator(schema_of("history-disagreements")).iter_errors(found)] == []
    told = [(one["when"], one["principal"], one["actions"], one["ecr_tui"], one["access_analyzer"]) for one in found]
    assert told == [("now", PARTNER, PULL, "no", "yes"), ("after", PARTNER, PULL, "no", "yes")]
    assert found[0]["findings"] == found[1]["findings"]  # of the existing one, since a preview's goes with it
    assert ecr_tui("history", "--disagreements", "--repository", "payments/api", "--json").json == []
    assert "account 444444444444" in ecr_tui("history", "--disagreements").out
    (file,) = isolated_environment.rglob("disagreements.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_opinion_is_a_line_that_says_what_to_do_and_no_failure(sandbox: Sandbox) -> None:
    def unavailable(*arguments: str) -> list[str]:
        ran = ecr_tui(*(arguments or PLAN), "--json")
        assert ran.code == 0, ran.err
        found: list[str] = ran.json[0]["access_analyzer"]["unavailable"]
        return found

    def failing(operation: str, error: ServiceError) -> None:
        def fault(call: AwsCall) -> ServiceError | None:
            return error if call.operation == operation else None

        sandbox.fault = fault

    (line,) = unavailable("--read-only", *PLAN)
    assert line.startswith("No preview in read-only mode")
    failing("CreateAccessPreview", ServiceError("AccessDeniedException", "User: x is not authorized", 403))
    assert unavailable() == [
        "access-analyzer:CreateAccessPreview was denied. Allow it: ecr-tui operator-policy analyzer"
    ]
    failing("GetAccessPreview", ServiceError("ResourceNotFoundException", "It is gone.", 404))
    assert unavailable()[0].startswith(
        "access-analyzer:GetAccessPreview failed: ResourceNotFoundException: It is gone."
    )
    failing("ListFindings", ServiceError("ServiceQuotaExceededException", "no", 402))
    assert unavailable()[0].endswith("An analyzer allows 1,000 previews per hour: retry later.")
    sandbox.fault = None
    analyzers = sandbox.front.analyzers
    place = ("111111111111", "eu-central-1")
    with sandbox.world.lock:
        analyzers.kinds[place] = {"whole": "ORGANIZATION"}
    found = opinion()
    assert (found["preview"], found["existing"]) == (None, [])
    assert found["unavailable"][0].startswith("No preview: whole is of type ORGANIZATION. Create one: aws access")
    with sandbox.world.lock:
        analyzers.kinds[place] = {"unused": "ACCOUNT_UNUSED_ACCESS"}
    ran = ecr_tui(*PLAN)
    assert ran.code == 0
    assert ran.out.splitlines()[-2:] == [
        f"{REPOSITORY}: no result from Access Analyzer",
        "  No analyzer of external access in eu-central-1. Create one: aws accessanalyzer create-analyzer "
        "--analyzer-name external-access --type ACCOUNT --region eu-central-1",
    ]


def test_the_sandbox_answers_as_the_service_does(sandbox: Sandbox) -> None:
    client = boto3.Session(profile_name="account-a").client("accessanalyzer")
    (analyzer,) = client.list_analyzers(type="ACCOUNT")["analyzers"]
    about = {"analyzerArn": analyzer["arn"]}
    bad = {arn_of(REPOSITORY): {"ecrRepository": {"repositoryPolicy": "{}"}}}
    made = client.create_access_preview(**about, configurations=bad)["id"]
    states = [client.get_access_preview(accessPreviewId=made, **about)["accessPreview"] for _ in range(2)]
    assert [one["status"] for one in states] == ["CREATING", "FAILED"]
    assert states[1]["statusReason"] == {"code": "INVALID_CONFIGURATION"}
    # Without the policy, its current access would be resolved; the organization appears with its condition.
    charts = arn_of("platform/charts")
    made = client.create_access_preview(**about, configurations={charts: {"ecrRepository": {"repositoryPolicy": ""}}})[
        "id"
    ]
    client.get_access_preview(accessPreviewId=made, **about)
    (gone,) = client.list_access_preview_findings(accessPreviewId=made, **about)["findings"]
    assert (gone["changeType"], gone["status"], gone["existingFindingStatus"]) == ("CHANGED", "RESOLVED", "ACTIVE")
    assert (gone["principal"], gone["condition"]) == ({"AWS": "*"}, {"aws:PrincipalOrgID": "o-ecr7tu1s4n"})
