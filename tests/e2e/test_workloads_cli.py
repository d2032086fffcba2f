"""``ecr-tui workloads``: what uses an image, in both accounts, and what could not be read."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from jsonschema import Draft202012Validator

from ecr_tui.access.image_users import ImageUsers
from ecr_tui.aws import workloads as reading
from ecr_tui.aws.model import Repository
from ecr_tui.aws.workloads import Workload
from ecr_tui.cli.schemas import schema_of
from ecr_tui.config import Settings
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from ecr_tui.workspace import Workspace
from tests.support.cli import ecr_tui

REPOSITORY = "my-first-repo"
DENIED_IN_B = "unknown: ecs:ListTaskDefinitions is denied (account B 222222222222, eu-central-1)"


def named(repository: str) -> list[tuple[str, str, str | None]]:
    (found,) = ecr_tui("workloads", repository, "--json").json
    return [(one["account"][0], one["name"], one["container"]) for one in found["workloads"]]


def test_those_of_a_and_of_b_are_told_and_what_is_denied(sandbox: Sandbox) -> None:
    assert named("payments/invoice-lambda") == [("1", "invoice-pdf", None)]
    assert named("payments/api") == [("1", "payments-api:2", "api")]
    assert named("platform/base-images") == [("1", "payments-api:2", "proxy")]
    assert ecr_tui("grant", REPOSITORY, "--to", "service/lambda.amazonaws.com", "--yes").code == 0
    image = {"ImageUri": f"{sandbox.registry_host()}/{REPOSITORY}:latest"}
    function = {"FunctionName": "pull", "PackageType": "Image", "Role": "arn:aws:iam::222222222222:role/EcrDeveloper"}
    boto3.Session(profile_name="dev-acc").client("lambda").create_function(**function, Code=image)
    shown = ecr_tui("workloads", REPOSITORY, "search/indexer")
    assert shown.out.splitlines() == [
        REPOSITORY,
        "  ECS task definition checkout:1 uses latest in container web (account A 111111111111, eu-central-1)",
        "  Lambda function pull uses latest (account B 222222222222, eu-central-1)",
        f"  {DENIED_IN_B}",
        "search/indexer",
        "  no Lambda function or ECS task definition is known to use it",
        f"  {DENIED_IN_B}",
    ]
    document = ecr_tui("workloads", REPOSITORY, "--json").json
    assert [one.message for one in Draft202012Validator(schema_of("workloads")).iter_errors(document)] == []


@pytest.fixture
def workspace(sandbox: Sandbox) -> Any:
    work = Workspace(Settings(profile_a="account-a"))
    yield work
    work.close()


def test_what_is_denied_or_too_many_is_said(
    sandbox: Sandbox, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def deny(call: AwsCall) -> ServiceError | None:
        asked.append(call.operation)
        return ServiceError("AccessDeniedException", "no", 403) if call.operation == "GetFunction" else None

    sandbox.fault = deny
    monkeypatch.setattr(reading, "ASKED_ABOUT", 2)
    found = workspace.access.workloads(workspace.listing.repository("payments/api"))
    # Of two families the newest revisions come first.
    assert [(one.name, one.reference) for _, one in found.found] == [("payments-api:2", "v1.4.2")]
    assert found.unknown == (
        "lambda:GetFunction is denied, for 1 of 1 (account A 111111111111, eu-central-1)",
        "read 2 of 3 ECS task definitions (account A 111111111111, eu-central-1)",
    )
    asked.clear()
    again: ImageUsers | None = workspace.access.workloads_known(workspace.listing.repository("payments/api"))
    assert again == found
    assert workspace.access.workloads(workspace.listing.repository(REPOSITORY)).found
    assert {*asked} <= {"DescribeRepositories", "ListTagsForResource"}
    workspace.access.forget()
    monkeypatch.setattr(reading, "MAX_PAGES", 0)
    cut = workspace.access.workloads(workspace.listing.repository("payments/api"))
    assert "lambda:ListFunctions has more than the 0 that were read" in cut.unknown[0]


@pytest.mark.parametrize(
    ("image", "uses", "reference"),
    [
        ("111111111111.dkr.ecr.eu-central-1.amazonaws.com/team/app:v1", True, "v1"),
        ("111111111111.dkr-ecr.eu-central-1.on.aws/team/app:v1", True, "v1"),
        ("111111111111.dkr.ecr.eu-central-1.amazonaws.com/team/app", True, "latest"),
        ("localhost:5000/team/app:v1@sha256:ab", True, "sha256:ab"),
        ("localhost:5000/team/app-2:v1", False, "v1"),
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1", False, "v1"),
        ("222222222222.dkr.ecr.eu-central-1.amazonaws.com/team/app:v1", False, "v1"),
        ("team/app:v1", False, "v1"),
        ("", False, "latest"),
    ],
)
def test_an_image_is_of_a_repository_under_any_of_its_names(image: str, uses: bool, reference: str) -> None:
    arn = "arn:aws:ecr:eu-central-1:111111111111:repository/team/app"
    repository = Repository("team/app", arn, "localhost:5000/team/app", "eu-central-1", "111111111111", {})
    one = Workload("x", "y", image)
    assert (one.uses(repository), one.reference) == (uses, reference)
