"""Repositories and tags by the ECR API, with AWS's pages, limits and texts; and the tagging API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.seed_repositories import seed_many

Aws = Callable[..., Any]
A, B = "111111111111", "222222222222"


def arn(name: str) -> str:
    return f"arn:aws:ecr:eu-central-1:{A}:repository/{name}"


def error(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.fixture
def many(sandbox: Sandbox) -> int:
    """How many repositories A has now: more than a few pages of the smallest default."""
    with sandbox.world.lock:
        seed_many(sandbox.world, 250)
        return len(sandbox.world.records.backend(A, "eu-central-1").repositories)


def test_a_page_is_100_by_default_and_1000_at_most(owner: Any, many: int) -> None:
    first = owner.describe_repositories()
    assert len(first["repositories"]) == 100
    assert first["nextToken"]
    everything = owner.describe_repositories(maxResults=1000)
    assert len(everything["repositories"]) == many
    assert "nextToken" not in everything
    code, message = error(lambda: owner.describe_repositories(maxResults=1001))
    assert code == "InvalidParameterException"
    assert "less than or equal to 1000" in message


@pytest.mark.parametrize("size", [1, 7, 100, 263, 1000])
def test_pages_give_each_repository_once(sandbox: Sandbox, owner: Any, many: int, size: int) -> None:
    pages = owner.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": size})
    found = [one["repositoryName"] for page in pages for one in page["repositories"]]
    assert len(found) == many
    assert set(found) == set(sandbox.world.records.backend(A, "eu-central-1").repositories)


def test_pages_survive_changes_between_them(owner: Any, many: int) -> None:
    first = owner.describe_repositories(maxResults=10)
    seen = [one["repositoryName"] for one in first["repositories"]]
    owner.delete_repository(repositoryName=seen[0], force=True)
    owner.delete_repository(repositoryName=seen[9], force=True)
    owner.create_repository(repositoryName="aaa/new")
    rest = owner.describe_repositories(maxResults=1000, nextToken=first["nextToken"])["repositories"]
    assert len(seen) + len(rest) == many
    assert not set(seen) & {one["repositoryName"] for one in rest}


@pytest.mark.parametrize("token", ["garbage", "eyJrIjogImltYWdlcyIsICJtIjogIngifQ=="])
def test_a_token_of_nobodys_is_refused(owner: Any, token: str) -> None:
    assert error(lambda: owner.describe_repositories(nextToken=token))[0] == "InvalidParameterException"


def test_a_description_is_ecrs(sandbox: Sandbox, owner: Any) -> None:
    (found,) = owner.describe_repositories(repositoryNames=["my-first-repo"])["repositories"]
    assert found["repositoryArn"] == arn("my-first-repo")
    assert found["repositoryUri"] == f"{sandbox.registry_host()}/my-first-repo"
    assert found["registryId"] == A
    assert found["imageTagMutability"] == "MUTABLE"
    assert found["createdAt"] < sandbox.clock()
    assert not {"tags", "policyText"} & set(found)


def test_names_that_are_not_there(owner: Any) -> None:
    code, message = error(lambda: owner.describe_repositories(repositoryNames=["my-first-repo", "no/such"]))
    assert code == "RepositoryNotFoundException"
    assert message == f"The repository with name 'no/such' does not exist in the registry with id '{A}'"
    assert error(lambda: owner.describe_repositories(repositoryNames=[f"x{n}" for n in range(101)]))[0] == (
        "InvalidParameterException"
    )


def test_each_account_sees_its_own(owner: Any, consumer: Any) -> None:
    assert [one["repositoryName"] for one in consumer.describe_repositories()["repositories"]] == ["devtools/runner"]
    assert "devtools/runner" not in [one["repositoryName"] for one in owner.describe_repositories()["repositories"]]


def test_another_region_is_empty(sandbox: Sandbox) -> None:
    import boto3

    elsewhere = boto3.Session(profile_name="account-a", region_name="us-east-1")
    assert elsewhere.client("ecr").describe_repositories()["repositories"] == []
    assert elsewhere.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"] == []
    assert elsewhere.client("ecr").get_authorization_token()["authorizationData"]


def test_create_and_delete(sandbox: Sandbox, owner: Any) -> None:
    made = owner.create_repository(
        repositoryName="team/new", imageTagMutability="IMMUTABLE", tags=[{"Key": "Team", "Value": "New"}]
    )["repository"]
    assert made["repositoryUri"] == f"{sandbox.registry_host()}/team/new"
    assert owner.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [{"Key": "Team", "Value": "New"}]
    again = error(lambda: owner.create_repository(repositoryName="team/new"))
    assert again == (
        "RepositoryAlreadyExistsException",
        f"The repository with name 'team/new' already exists in the registry with id '{A}'",
    )
    owner.delete_repository(repositoryName="team/new")
    assert error(lambda: owner.describe_repositories(repositoryNames=["team/new"]))[0] == "RepositoryNotFoundException"


def test_bad_names_and_settings(owner: Any) -> None:
    assert error(lambda: owner.create_repository(repositoryName="Team/New"))[0] == "InvalidParameterException"
    assert error(lambda: owner.create_repository(repositoryName="ok/ok", imageTagMutability="MAYBE"))[0] == (
        "InvalidParameterException"
    )


def test_a_repository_with_images_needs_force(owner: Any) -> None:
    code, message = error(lambda: owner.delete_repository(repositoryName="my-first-repo"))
    assert code == "RepositoryNotEmptyException"
    assert "cannot be deleted because it still contains images" in message
    assert owner.delete_repository(repositoryName="my-first-repo", force=True)


def test_tags(owner: Any) -> None:
    target = arn("tools/scratch")
    assert owner.list_tags_for_resource(resourceArn=target)["tags"] == []
    owner.tag_resource(resourceArn=target, tags=[{"Key": "Team", "Value": "X"}, {"Key": "Stage", "Value": ""}])
    owner.tag_resource(resourceArn=target, tags=[{"Key": "Team", "Value": "Y"}])
    owner.untag_resource(resourceArn=target, tagKeys=["Stage", "Absent"])
    assert owner.list_tags_for_resource(resourceArn=target)["tags"] == [{"Key": "Team", "Value": "Y"}]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": "aws:mine", "Value": "x"}], "InvalidTagParameterException"),
        ([{"Key": "k" * 129, "Value": "x"}], "InvalidTagParameterException"),
        ([{"Key": "k", "Value": "x" * 257}], "InvalidTagParameterException"),
        ([{"Key": f"k{n}", "Value": ""} for n in range(51)], "TooManyTagsException"),
    ],
)
def test_tags_that_are_refused(owner: Any, tags: list[dict[str, str]], code: str) -> None:
    assert error(lambda: owner.tag_resource(resourceArn=arn("tools/scratch"), tags=tags))[0] == code


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("not-an-arn", "InvalidParameterException"),
        (arn("no/such"), "RepositoryNotFoundException"),
        (arn("x").replace("eu-central-1", "us-east-1"), "InvalidParameterException"),
    ],
)
def test_tags_of_nothing(owner: Any, resource: str, code: str) -> None:
    assert error(lambda: owner.list_tags_for_resource(resourceArn=resource))[0] == code


def test_what_moto_keeps_well_is_motos(owner: Any, consumer: Any) -> None:
    owner.put_image_tag_mutability(repositoryName="my-first-repo", imageTagMutability="IMMUTABLE")
    (found,) = owner.describe_repositories(repositoryNames=["my-first-repo"])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert owner.describe_registry()["registryId"] == A
    assert error(lambda: owner.get_lifecycle_policy(repositoryName="my-first-repo"))[0] == (
        "LifecyclePolicyNotFoundException"
    )
    denied = error(lambda: consumer.get_lifecycle_policy(registryId=A, repositoryName="my-first-repo"))
    assert denied[0] == "AccessDeniedException"


def test_an_operation_that_nobody_has(owner: Any) -> None:
    assert error(lambda: owner.describe_pull_through_cache_rules()) == (
        "UnknownOperationException",
        "The sandbox does not offer ecr:DescribePullThroughCacheRules",
    )


# --- the tagging API


def pages(client: Any, **arguments: Any) -> list[list[str]]:
    found, token = [], ""
    while True:
        page = client.get_resources(PaginationToken=token, **arguments)
        found.append([one["ResourceARN"] for one in page["ResourceTagMappingList"]])
        token = page["PaginationToken"]
        if not token:
            return found


@pytest.fixture
def tagging(aws: Aws) -> Any:
    return aws("account-a", "resourcegroupstaggingapi")


def tagged_arns(sandbox: Sandbox) -> set[str]:
    tags = sandbox.world.records.backend(A, "eu-central-1").tagger.tags
    return {one for one, values in tags.items() if values}


def test_all_tagged_repositories_and_no_others(sandbox: Sandbox, tagging: Any, many: int) -> None:
    found = pages(tagging, ResourceTypeFilters=["ecr:repository"])
    assert [len(page) for page in found[:2]] == [100, 100]
    everything = [one for page in found for one in page]
    assert len(everything) == len(set(everything))
    assert set(everything) == tagged_arns(sandbox)
    assert len(everything) < many
    assert arn("tools/scratch") not in everything


def test_the_tags_come_along(tagging: Any) -> None:
    page = tagging.get_resources(TagFilters=[{"Key": "Stage", "Values": ["prod"]}])
    (found,) = page["ResourceTagMappingList"]
    assert found == {
        "ResourceARN": arn("payments/ledger"),
        "Tags": [{"Key": "Team", "Value": "Payments"}, {"Key": "Stage", "Value": "prod"}],
    }


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([{"Key": "Team", "Values": ["Search"]}], {"search/indexer"}),
        ([{"Key": "Team", "Values": ["Search", "Billing"]}], {"search/indexer", "billing/export"}),
        ([{"Key": "Stage"}], {"payments/ledger"}),
        ([{"Key": "Team", "Values": ["Payments"]}, {"Key": "Stage", "Values": ["test"]}], set()),
        ([{"Key": "team", "Values": ["Payments"]}], set()),
        ([{"Key": "Team", "Values": ["payments"]}], set()),
    ],
)
def test_filters(tagging: Any, filters: list[dict[str, Any]], expected: set[str]) -> None:
    found = {one for page in pages(tagging, TagFilters=filters) for one in page}
    assert found == {arn(name) for name in expected}


def test_small_pages_with_a_filter(tagging: Any) -> None:
    found = pages(tagging, TagFilters=[{"Key": "Team", "Values": ["Payments"]}], ResourcesPerPage=3)
    assert [len(page) for page in found] == [3, 3, 2]
    assert len({one for page in found for one in page}) == 8


def test_other_types_and_arns(tagging: Any) -> None:
    assert pages(tagging, ResourceTypeFilters=["s3"]) == [[]]
    assert len(pages(tagging, ResourceTypeFilters=["ecr"])[0]) > 5
    wanted = [arn("my-first-repo"), arn("tools/scratch"), arn("no/such")]
    found = tagging.get_resources(ResourceARNList=wanted)["ResourceTagMappingList"]
    assert [one["ResourceARN"] for one in found] == [arn("my-first-repo")]


def test_formerly_tagged_repositories_stay_listed(owner: Any, tagging: Any) -> None:
    owner.untag_resource(resourceArn=arn("search/indexer"), tagKeys=["Team"])
    found = {one["ResourceARN"]: one["Tags"] for one in tagging.get_resources()["ResourceTagMappingList"]}
    assert found[arn("search/indexer")] == []
    assert arn("search/indexer") not in str(tagging.get_resources(TagFilters=[{"Key": "Team"}]))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"ResourcesPerPage": 101}, "InvalidParameterException"),
        ({"PaginationToken": "garbage"}, "PaginationTokenExpiredException"),
        ({"ResourceARNList": [arn("x")], "TagFilters": [{"Key": "Team"}]}, "InvalidParameterException"),
        ({"TagFilters": [{"Key": "Team", "Values": [str(n) for n in range(21)]}]}, "InvalidParameterException"),
    ],
)
def test_tagging_requests_that_are_refused(tagging: Any, arguments: dict[str, Any], code: str) -> None:
    assert error(lambda: tagging.get_resources(**arguments))[0] == code


def test_only_ones_own_account_and_only_when_allowed(aws: Aws, sandbox: Sandbox) -> None:
    b = aws("dev-acc", "resourcegroupstaggingapi")
    code, message = error(lambda: b.get_resources())
    assert code == "AccessDeniedException"
    assert message == (
        f"User: arn:aws:iam::{B}:user/devusr2 is not authorized to perform: tag:GetResources on resource: * "
        "because no identity-based policy allows the tag:GetResources action"
    )
    right = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"tag:*","Resource":"*"}]}'
    sandbox.world.directory.backend(B).put_user_policy("devusr2", "Tag", right)
    (found,) = b.get_resources()["ResourceTagMappingList"]
    assert found["ResourceARN"] == f"arn:aws:ecr:eu-central-1:{B}:repository/devtools/runner"


def test_keys_and_values(tagging: Any) -> None:
    keys = tagging.get_tag_keys()["TagKeys"]
    assert {"Team", "Stage", "aws:cloudformation:stack-name"} <= set(keys)
    assert "Payments" in tagging.get_tag_values(Key="Team")["TagValues"]
