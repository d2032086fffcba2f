"""Each state that a user may meet is there from the start."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.policy.actions import Access
from ecr_tui.policy.document import LIMIT, PolicyDocument
from ecr_tui.policy.lint import lint
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.seed_repositories import SEED_DOCUMENT_ACTIONS, seed_many
from ecr_tui.sandbox.seed_states import LEFT_DAYS

A, B, REGION = "111111111111", "222222222222", "eu-central-1"
USER = f"arn:aws:iam::{B}:user/devusr2"
DIGEST = "sha256:" + "0" * 64

STATES: dict[str, tuple[dict[str, str], bool, bool]] = {
    # name: (tags, B may pull, B may push)
    "my-first-repo": ({"Team": "Payments"}, False, False),
    "payments/api": ({"Team": "Payments"}, False, False),
    "payments/ledger": ({"Team": "Payments", "Stage": "prod"}, False, False),
    "search/indexer": ({"Team": "Search"}, False, False),
    "tools/scratch": ({}, False, False),
    "payments/invoice-lambda": ({"Team": "Payments"}, False, False),
    "platform/base-images": ({"Team": "Platform"}, True, False),
    "payments/reports": ({"Team": "Payments"}, False, False),
    "payments/vault": ({"Team": "Payments"}, False, False),
    "platform/sdk": ({"Team": "Platform"}, False, False),
    "billing/export": ({"Team": "Billing"}, False, False),
    "payments/legacy": ({"Team": "Payments"}, True, True),
    "payments/frontend": (
        {
            "Team": "Payments",
            "aws:cloudformation:stack-name": "payments-frontend",
            "aws:cloudformation:logical-id": "Repository",
        },
        False,
        False,
    ),
    "data/quarterly": ({"Team": "Data"}, False, False),
    "data/migration": ({"Team": "Data"}, True, True),
    "data/warehouse": ({"Team": "Data"}, True, False),
    "data/etl": ({"Team": "Data"}, False, False),
    "platform/charts": ({"Team": "Platform"}, True, False),
    "platform/runner": ({"Team": "Platform"}, True, True),
    "identity/tokens": ({"Team": "Identity"}, True, False),
}


def policy(owner: Any, repository: str) -> PolicyDocument:
    return PolicyDocument.parse(owner.get_repository_policy(repositoryName=repository)["policyText"])


def test_there_are_these_and_no_others(owner: Any) -> None:
    assert {one["repositoryName"] for one in owner.describe_repositories()["repositories"]} == set(STATES)


@pytest.mark.parametrize("repository", STATES)
def test_tags(owner: Any, repository: str) -> None:
    arn = f"arn:aws:ecr:{REGION}:{A}:repository/{repository}"
    tags = owner.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == STATES[repository][0]


@pytest.mark.parametrize("repository", STATES)
def test_what_b_may_do(sandbox: Sandbox, repository: str) -> None:
    who = sandbox.world.directory.by_arn(USER)
    assert who is not None
    backend = sandbox.owner_backend()
    pull, push = (
        all(backend.denial(who, action, repository) is None for action in access.actions)
        for access in (Access.PULL, Access.PUSH)
    )
    assert (pull, push) == STATES[repository][1:]


def test_repositories_without_a_policy(owner: Any) -> None:
    for repository in ("my-first-repo", "payments/ledger", "search/indexer", "tools/scratch", "payments/frontend"):
        with pytest.raises(ClientError, match="RepositoryPolicyNotFoundException"):
            policy(owner, repository)


def test_the_immutable_one(owner: Any) -> None:
    (found,) = owner.describe_repositories(repositoryNames=["payments/ledger"])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE"


def test_the_lambda_statement(owner: Any) -> None:
    (statement,) = policy(owner, "payments/invoice-lambda").statements
    assert statement.principals == (("Service", "lambda.amazonaws.com"),)
    assert statement.sid == "LambdaECRImageRetrievalPolicy"


def test_the_open_one(owner: Any) -> None:
    assert policy(owner, "platform/base-images").statements[0].principals == (("AWS", "*"),)


def test_the_dead_principal(owner: Any) -> None:
    names = [name for _, name in policy(owner, "payments/reports").statements[0].principals]
    assert names[0].startswith("AIDA")
    assert names[1] == "arn:aws:iam::333333333333:role/build-agent"


def test_the_explicit_deny(sandbox: Sandbox, consumer: Any) -> None:
    with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
        consumer.initiate_layer_upload(registryId=A, repositoryName="payments/vault")


def test_the_large_one_has_no_room_for_one_more(owner: Any) -> None:
    document = policy(owner, "platform/sdk")
    assert LIMIT - 250 < document.size <= LIMIT
    owner.set_repository_policy(repositoryName="platform/sdk", policyText=document.minified())
    grant = {"Sid": "EcrTui", "Effect": "Allow", "Principal": {"AWS": USER}, "Action": list(Access.PUSH_PULL.actions)}
    wider = document.json["Statement"] + [grant | {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "Platform"}}}]
    text = json.dumps({"Version": "2012-10-17", "Statement": wider}, separators=(",", ":"))
    with pytest.raises(ClientError, match="length less than or equal to 10240"):
        owner.set_repository_policy(repositoryName="platform/sdk", policyText=text)


def test_the_stale_grant(sandbox: Sandbox, owner: Any, consumer: Any) -> None:
    check = {"registryId": A, "repositoryName": "billing/export", "layerDigests": [DIGEST]}
    with pytest.raises(ClientError, match="no resource-based policy allows"):
        consumer.batch_check_layer_availability(**check)
    arn = f"arn:aws:ecr:{REGION}:{A}:repository/billing/export"
    owner.tag_resource(resourceArn=arn, tags=[{"Key": "Team", "Value": "Payments"}])
    consumer.batch_check_layer_availability(**check)


@pytest.mark.parametrize(
    ("repository", "finding"),
    [
        ("data/quarterly", "grant-expired"),
        ("data/etl", "duplicate-statement"),
        ("data/etl", "redundant-statement"),
        ("data/etl", "duplicate-sid"),
        ("platform/base-images", "public"),
        ("platform/runner", "all-actions"),
        ("platform/runner", "grants-permissions"),
        ("platform/sdk", "near-limit"),
        ("identity/tokens", "deny-shadows-grant"),
        ("payments/reports", "dead-principal"),
        ("payments/legacy", "token-action"),
        ("billing/export", "tag-not-met"),
    ],
)
def test_what_is_to_be_found_in_them(owner: Any, repository: str, finding: str) -> None:
    found = lint(policy(owner, repository), tags=STATES[repository][0], account=A, partition="aws")
    assert finding in {one.id for one in found}


def test_the_organisation_is_not_everybody(owner: Any) -> None:
    """A wildcard that a condition on the organisation narrows is not public."""
    assert "public" not in {one.id for one in lint(policy(owner, "platform/charts"), account=A)}


def test_a_grant_that_ends(sandbox: Sandbox, consumer: Any) -> None:
    check = {"registryId": A, "repositoryName": "data/migration", "layerDigests": [DIGEST]}
    consumer.batch_check_layer_availability(**check)
    who = sandbox.world.directory.by_arn(USER)
    assert who is not None
    later = sandbox.clock() + timedelta(days=LEFT_DAYS + 1)
    sandbox.clock = lambda: later
    assert sandbox.owner_backend().denial(who, "ecr:BatchCheckLayerAvailability", "data/migration") is not None


def test_the_guides_document_stands_though_it_would_be_refused_now(owner: Any) -> None:
    document = policy(owner, "payments/legacy")
    assert list(document.statements[0].actions) == SEED_DOCUMENT_ACTIONS
    with pytest.raises(ClientError, match="Invalid repository policy provided"):
        owner.set_repository_policy(repositoryName="payments/legacy", policyText=document.text)


def test_images_are_whole(sandbox: Sandbox, owner: Any) -> None:
    pushed = 0
    for repository in STATES:
        for image in owner.describe_images(repositoryName=repository)["imageDetails"]:
            assert image["imagePushedAt"] < sandbox.clock()
            stored = sandbox.owner_backend().manifest(repository, image["imageDigest"])
            assert stored is not None
            parts = json.loads(stored.body)
            for part in (parts["config"], *parts["layers"]):
                assert sandbox.world.blobs[A, REGION].size(repository, part["digest"]) == part["size"]
            pushed += 1
    assert pushed >= 8


def test_b_has_a_repository_of_its_own(consumer: Any) -> None:
    (found,) = consumer.describe_repositories()["repositories"]
    assert found["repositoryName"] == "devtools/runner"


def test_many_more(sandbox: Sandbox, owner: Any, aws: Any) -> None:
    with sandbox.world.lock:
        seed_many(sandbox.world, 3000)
    pages = owner.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000})
    found = [one for page in pages for one in page["repositories"]]
    assert len(found) == len({one["repositoryName"] for one in found}) == 3000 + len(STATES)
    assert {one["imageTagMutability"] for one in found} == {"MUTABLE", "IMMUTABLE"}
    tags = sandbox.world.records.backend(A, REGION).tagger.tags
    tagged = {one for one, values in tags.items() if values}
    assert len({(values or {}).get("Team") for values in tags.values()}) > 5
    pages = aws("account-a", "resourcegroupstaggingapi").get_paginator("get_resources").paginate(ResourcesPerPage=100)
    assert {one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]} == tagged
    assert len(tagged) < 3000
