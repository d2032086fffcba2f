"""Replication: what is pushed after a rule was set arrives where it says, with neither policy nor tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import DEMO_REGIONS, Sandbox
from ecr_tui.sandbox.seed_repositories import push_image

A, B, REGION, OTHER = Sandbox.account_a, Sandbox.account_b, *DEMO_REGIONS


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(regions=DEMO_REGIONS) as sandbox:
        yield sandbox


def client(profile: str, region: str) -> Any:
    return boto3.Session(profile_name=profile).client("ecr", region)


@pytest.fixture
def there(sandbox: Sandbox) -> Any:
    """ECR as account A in the second region."""
    return client("account-a", OTHER)


def rule(*destinations: tuple[str, str], prefixes: tuple[str, ...] = ()) -> dict[str, Any]:
    filters = [{"filter": one, "filterType": "PREFIX_MATCH"} for one in prefixes]
    return {"destinations": [{"region": region, "registryId": account} for region, account in destinations]} | (
        {"repositoryFilters": filters} if filters else {}
    )


def replicate(owner: Any, *rules: dict[str, Any]) -> Any:
    return owner.put_replication_configuration(replicationConfiguration={"rules": list(rules)})


def push(sandbox: Sandbox, owner: Any, name: str, tag: str) -> str:
    """By the API, as a client pushes: an image of the repository under another tag."""
    with sandbox.world.lock:
        digest = push_image(sandbox.world, A, REGION, name, f"{tag}-seed", tag)
    (image,) = owner.batch_get_image(repositoryName=name, imageIds=[{"imageDigest": digest}])["images"]
    owner.put_image(repositoryName=name, imageManifest=image["imageManifest"], imageTag=tag)
    return digest


def names(there: Any) -> list[str]:
    return [one["repositoryName"] for one in there.describe_repositories()["repositories"]]


def test_the_seed_has_one_copy_without_a_policy(owner: Any, there: Any) -> None:
    (found,) = owner.describe_registry()["replicationConfiguration"]["rules"]
    assert found == rule((OTHER, A), prefixes=("search/",))
    (copy,) = there.describe_repositories()["repositories"]
    assert copy["repositoryName"] == "search/indexer"
    assert there.list_tags_for_resource(resourceArn=copy["repositoryArn"])["tags"] == [
        {"Key": "Team", "Value": "Search"}
    ]
    with pytest.raises(there.exceptions.RepositoryPolicyNotFoundException):
        there.get_repository_policy(repositoryName="search/indexer")
    here, copied = (one.describe_images(repositoryName="search/indexer")["imageDetails"] for one in (owner, there))
    assert [one["imageDigest"] for one in here] == [one["imageDigest"] for one in copied]


def test_only_what_is_pushed_after_the_rule_and_matches_it_is_copied(sandbox: Sandbox, owner: Any, there: Any) -> None:
    replicate(owner, rule((OTHER, A), prefixes=("payments/",)))
    push(sandbox, owner, "my-first-repo", "v1")
    digest = push(sandbox, owner, "payments/api", "v9")
    assert names(there) == ["payments/api", "search/indexer"]
    images = there.describe_images(repositoryName="payments/api")["imageDetails"]
    assert [(one["imageDigest"], one["imageTags"]) for one in images] == [(digest, ["v9"])]
    backend = sandbox.owner_backend(A, OTHER)
    assert backend.manifest("payments/api", "v9") is not None
    (found,) = there.describe_repositories(repositoryNames=["payments/api"])["repositories"]
    assert there.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == []


def test_a_pushed_manifest_is_copied_with_its_blobs_and_no_further(sandbox: Sandbox, owner: Any, there: Any) -> None:
    replicate(owner, rule((OTHER, A)))
    replicate(there, rule((REGION, A)))
    backend = sandbox.owner_backend()
    seeded = backend.manifest("payments/vault", "v7")
    assert seeded is not None
    backend.put_manifest("payments/vault", "v8", seeded.media_type, seeded.body)
    layer = json.loads(seeded.body)["layers"][0]["digest"]
    with sandbox.world.lock:
        assert sandbox.world.blobs[A, OTHER].size("payments/vault", layer)
    assert sandbox.owner_backend(A, OTHER).tags("payments/vault") == ["v8"]


def test_a_template_for_replication_gives_a_new_copy_tags_and_policy(sandbox: Sandbox, owner: Any, there: Any) -> None:
    replicate(owner, rule((OTHER, A)))
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": B}, "Action": "ecr:BatchGetImage"}],
    }
    for prefix, applied, team in (("ROOT", "REPLICATION", "Root"), ("payments", "CREATE_ON_PUSH", "Push")):
        there.create_repository_creation_template(
            prefix=prefix,
            appliedFor=[applied],
            resourceTags=[{"Key": "Team", "Value": team}],
            imageTagMutability="IMMUTABLE",
            repositoryPolicy=json.dumps(policy),
        )
    push(sandbox, owner, "payments/ledger", "v1")
    (copy,) = there.describe_repositories(repositoryNames=["payments/ledger"])["repositories"]
    assert copy["imageTagMutability"] == "IMMUTABLE"
    tags = there.list_tags_for_resource(resourceArn=copy["repositoryArn"])["tags"]
    assert tags == [{"Key": "Team", "Value": "Root"}]
    assert B in there.get_repository_policy(repositoryName="payments/ledger")["policyText"]


def test_another_account_must_allow_it(sandbox: Sandbox, owner: Any) -> None:
    replicate(owner, rule((REGION, B)))
    push(sandbox, owner, "payments/api", "v9")
    theirs = sandbox.owner_backend(B)
    assert not theirs.has_repository("payments/api")
    with sandbox.world.lock:
        statement = {
            "Sid": "Replication",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{A}:root"},
            "Action": ["ecr:ReplicateImage", "ecr:CreateRepository"],
            "Resource": f"arn:aws:ecr:{REGION}:{B}:repository/*",
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sandbox.world.records.backend(B, REGION).registry_policy = text
    push(sandbox, owner, "payments/api", "v10")
    assert theirs.tags("payments/api") == ["v10"]


@pytest.mark.parametrize(
    "wanted",
    [
        rule((REGION, A)),
        rule((OTHER, A)) | {"repositoryFilters": [{"filter": "api", "filterType": "SUFFIX"}]},
    ],
)
def test_impossible_rules(owner: Any, wanted: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        replicate(owner, wanted)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
