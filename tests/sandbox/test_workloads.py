"""Lambda with images of other accounts, and what the accounts' own functions and task definitions say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import Sandbox

Aws = Callable[..., Any]
A, B, REGION = "111111111111", "222222222222", "eu-central-1"
ROOT = {"AWS": f"arn:aws:iam::{B}:root"}
SERVICE = {"Service": "lambda.amazonaws.com"}
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
OF_B = {"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{B}:function:*"}}
DENIED = "Lambda does not have permission to access the ECR image. Check the ECR permissions."


def allow(principal: Any, condition: Any = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": PULL}
    return statement | ({"Condition": condition} if condition else {})


def create(client: Any, name: str, image: str) -> str:
    """ "" when done, else Lambda's message."""
    role = f"arn:aws:iam::{B}:role/EcrDeveloper"
    try:
        client.create_function(FunctionName=name, PackageType="Image", Role=role, Code={"ImageUri": image})
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


@pytest.mark.parametrize(
    ("statements", "answer"),
    [
        ([], DENIED),
        ([allow(ROOT)], DENIED),
        ([allow(SERVICE, OF_B)], DENIED),
        ([allow(ROOT), allow(SERVICE, OF_B)], ""),
        ([allow(ROOT), allow(SERVICE, {"StringEquals": {"aws:SourceAccount": B}})], ""),
        ([allow(ROOT), allow(SERVICE, {"StringEquals": {"aws:SourceAccount": A}})], DENIED),
        ([allow(ROOT), allow(SERVICE, OF_B), allow(SERVICE) | {"Effect": "Deny"}], DENIED),
    ],
)
def test_another_accounts_image_needs_the_account_and_the_service(
    aws: Aws, sandbox: Sandbox, statements: list[Any], answer: str
) -> None:
    if statements:
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        aws("account-a", "ecr").set_repository_policy(repositoryName="my-first-repo", policyText=text)
    assert create(aws("dev-acc", "lambda"), "one", f"{sandbox.registry_host()}/my-first-repo:latest") == answer


def test_an_image_must_exist_and_be_named_as_lambda_wants_it(aws: Aws, sandbox: Sandbox) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow(ROOT), allow(SERVICE, OF_B)]})
    aws("account-a", "ecr").set_repository_policy(repositoryName="my-first-repo", policyText=text)
    client, name = aws("dev-acc", "lambda"), f"{A}.dkr.ecr.{REGION}.amazonaws.com/my-first-repo"
    assert create(client, "one", name) == f"Source image {name} is not valid. Provide a valid source image."
    missing = f"{name}:none"
    assert create(client, "one", missing) == f"Source image {missing} does not exist. Provide a valid source image."
    assert create(client, "one", f"{name}:latest") == ""
    assert create(client, "one", f"{name}:latest") == "Function already exist: one"
    found = client.get_function(FunctionName="one")
    assert found["Code"]["ImageUri"] == f"{name}:latest"
    assert found["Code"]["ResolvedImageUri"].startswith(f"{name}@sha256:")
    assert [one["FunctionName"] for one in client.list_functions()["Functions"]] == ["one"]
    aws("account-a", "ecr").delete_repository_policy(repositoryName="my-first-repo")
    with pytest.raises(ClientError, match="does not have permission to access the ECR image"):
        client.update_function_code(FunctionName="one", ImageUri=f"{name}:latest")
    client.delete_function(FunctionName="one")
    with pytest.raises(ClientError, match="Function not found"):
        client.get_function(FunctionName="one")


def test_in_its_own_account_lambda_adds_its_statement(aws: Aws, sandbox: Sandbox) -> None:
    assert create(aws("account-a", "lambda"), "own", f"{sandbox.registry_host()}/my-first-repo:latest") == ""
    stored = aws("account-a", "ecr").get_repository_policy(repositoryName="my-first-repo")["policyText"]
    (statement,) = json.loads(stored)["Statement"]
    assert (statement["Sid"], statement["Principal"]) == ("LambdaECRImageRetrievalPolicy", SERVICE)


def test_task_definitions_of_a(aws: Aws, sandbox: Sandbox) -> None:
    client = aws("account-a", "ecs")
    pages = client.get_paginator("list_task_definitions").paginate(PaginationConfig={"PageSize": 1})
    named = [arn.rpartition("/")[2] for page in pages for arn in page["taskDefinitionArns"]]
    assert named == ["checkout:1", "payments-api:1", "payments-api:2"]
    latest = client.describe_task_definition(taskDefinition="payments-api")["taskDefinition"]
    assert [one["image"] for one in latest["containerDefinitions"]] == [
        f"{sandbox.registry_host()}/payments/api:v1.4.2",
        f"{sandbox.registry_host()}/platform/base-images:3.20",
    ]
    with pytest.raises(ClientError) as caught:
        aws("dev-acc", "ecs").list_task_definitions()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
