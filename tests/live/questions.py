"""The open questions about ECR, each as requests whose answers settle it. ``QUESTIONS`` are asked in their order.

What ECR's documentation leaves open, or says in two ways.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.live.kit import Kit, Skipped

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
DIGEST = f"sha256:{'0' * 64}"
DENIED = "AccessDeniedException"


@dataclass(frozen=True)
class Question:
    id: str
    text: str
    ask: Callable[[Kit], None]


QUESTIONS: list[Question] = []


def question(name: str, text: str) -> Callable[[Callable[[Kit], None]], Callable[[Kit], None]]:
    def registered(ask: Callable[[Kit], None]) -> Callable[[Kit], None]:
        QUESTIONS.append(Question(name, text, ask))
        return ask

    return registered


def statement(principal: object, actions: tuple[str, ...] | str = PULL + PUSH, **more: Any) -> dict[str, Any]:
    action: object = actions if isinstance(actions, str) else sorted(actions)
    return {"Sid": "Live", "Effect": "Allow", "Principal": principal, "Action": action, **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def consumer(kit: Kit) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{kit.account_b}:root"}


def set_policy(kit: Kit, step: str, name: str, text: str) -> str:
    """The outcome: "ok", or AWS's code."""
    return str(kit.call(step, "A", "SetRepositoryPolicy", repositoryName=name, policyText=text).get("error", "ok"))


def granted(kit: Kit, name: str, text: str) -> None:
    """Put a policy and wait, without a step, until the registry goes by it, for 60 seconds at the most."""
    kit.client("A", "ecr").set_repository_policy(repositoryName=name, policyText=text)
    for _ in range(60):
        if layer(kit, name)[0] != DENIED:
            return
        time.sleep(1)


def layer(kit: Kit, name: str, side: str = "B") -> tuple[str, str]:
    try:
        kit.client(side, "ecr").batch_check_layer_availability(
            registryId=kit.account_a, repositoryName=name, layerDigests=[DIGEST]
        )
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "ok", ""


def every_action(kit: Kit, prefix: str, name: str, side: str = "B") -> None:
    """One request for each action of a push and a pull, which changes nothing where it is allowed."""
    about = {"registryId": kit.account_a, "repositoryName": name}
    kit.call(f"{prefix}/layer", side, "BatchCheckLayerAvailability", layerDigests=[DIGEST], **about)
    kit.call(f"{prefix}/image", side, "BatchGetImage", imageIds=[{"imageTag": "none"}], **about)
    kit.call(f"{prefix}/url", side, "GetDownloadUrlForLayer", layerDigest=DIGEST, **about)
    kit.call(f"{prefix}/upload", side, "InitiateLayerUpload", **about)
    kit.call(f"{prefix}/manifest", side, "PutImage", imageManifest="{}", imageTag="none", **about)


@question("policy-forms", "Which documents does SetRepositoryPolicy refuse, and in which words?")
def policy_forms(kit: Kit) -> None:
    name = f"{kit.name}/data"
    own = consumer(kit)
    arn = kit.client("A", "ecr").describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"]
    texts = {
        "resource": document(statement(own, Resource=arn)),
        "login": document(statement(own, "ecr:GetAuthorizationToken")),
        "unknown-action": document(statement(own, "ecr:PushImages")),
        "registry-action": document(statement(own, "ecr:DescribeRegistry")),
        "other-service": document(statement(own, "s3:GetObject")),
        "no-such-user": document(statement({"AWS": f"arn:aws:iam::{kit.account_b}:user/ecr-tui-live-nobody"})),
        "wildcard-user": document(statement({"AWS": f"arn:aws:iam::{kit.account_b}:user/*"})),
        "no-such-account": document(statement({"AWS": "000000000000"})),
        "no-principal": document({key: one for key, one in statement(own).items() if key != "Principal"}),
        "empty-action": document(statement(own, ())),
        "no-statement": json.dumps({"Version": "2012-10-17", "Statement": []}),
        "version": json.dumps({"Version": "2020-01-01", "Statement": [statement(own)]}),
        "not-json": "{",
        "duplicate-key": document(statement(own)).replace('"Sid"', '"Effect": "Deny", "Sid"'),
        "unknown-operator": document(statement(own, Condition={"StringMatches": {"aws:PrincipalOrgID": "o-1"}})),
        "too-long": document(statement(own, Condition={"StringEquals": {"aws:PrincipalOrgID": "o" * 10_300}})),
    }
    for step, text in texts.items():
        set_policy(kit, step, name, text)
    if set_policy(kit, "bare-account", name, document(statement({"AWS": kit.account_b}))) == "ok":
        text = kit.client("A", "ecr").get_repository_policy(repositoryName=name)["policyText"]
        kit.fact("bare-account-stored", principal=json.loads(text)["Statement"][0]["Principal"])
        kit.fact("text-stored-as-sent", same=text == document(statement({"AWS": kit.account_b})))
    kit.call("delete", "A", "DeleteRepositoryPolicy", repositoryName=name)
    kit.call("none", "A", "GetRepositoryPolicy", repositoryName=name)
    kit.call("missing-repository", "A", "GetRepositoryPolicy", repositoryName=f"{kit.name}/missing")


@question("tag-condition", "Does ecr:ResourceTag work in a repository policy, for each action?")
def tag_condition(kit: Kit) -> None:
    with_tag, without = kit.repository("tagged", Team="Payments"), kit.repository("untagged")
    for step, key in (
        ("ecr", "ecr:ResourceTag/Team"),
        ("aws", "aws:ResourceTag/Team"),
        ("case", "ecr:ResourceTag/team"),
    ):
        text = document(statement(consumer(kit), Condition={"StringEquals": {key: "Payments"}}))
        kit.client("A", "ecr").set_repository_policy(repositoryName=without, policyText=text)
        granted(kit, with_tag, text)
        every_action(kit, f"{step}/with", with_tag)
        every_action(kit, f"{step}/without", without)


@question("delays", "How long until a grant, a tag and a revoke work, at the API and at the registry?")
def delays(kit: Kit) -> None:
    name = kit.repository("delays", Team="Payments")
    arn = kit.client("A", "ecr").describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"]
    text = document(statement(consumer(kit), Condition={"StringEquals": {"ecr:ResourceTag/Team": "Payments"}}))
    asked = {"registryId": kit.account_a, "repositoryName": name, "layerDigests": [DIGEST]}

    def now(step: str, *, allowed: bool) -> None:
        kit.seen(step, "B", "BatchCheckLayerAvailability", lambda outcome, _: (outcome != DENIED) is allowed, **asked)

    kit.call("grant", "A", "SetRepositoryPolicy", repositoryName=name, policyText=text)
    now("granted", allowed=True)
    kit.http("granted-registry", "B", "HEAD", f"/v2/{name}/blobs/{DIGEST}")
    kit.call("untag", "A", "UntagResource", resourceArn=arn, tagKeys=["Team"])
    now("untagged", allowed=False)
    kit.call("tag", "A", "TagResource", resourceArn=arn, tags=[{"Key": "Team", "Value": "Payments"}])
    now("tagged", allowed=True)
    kit.call("revoke", "A", "DeleteRepositoryPolicy", repositoryName=name)
    now("revoked", allowed=False)
    kit.http("revoked-registry", "B", "HEAD", f"/v2/{name}/blobs/{DIGEST}")


@question("tag-index", "How far does the tagging API lag behind ECR's tags?")
def tag_index(kit: Kit) -> None:
    name = kit.repository("indexed")
    arn = kit.client("A", "ecr").describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"]
    asked: dict[str, Any] = {
        "service": "resourcegroupstaggingapi",
        "ResourceTypeFilters": ["ecr:repository"],
        "TagFilters": [{"Key": "Team", "Values": [kit.name]}],
    }

    def found(answer: dict[str, Any]) -> bool:
        return any(one["ResourceARN"] == arn for one in answer.get("ResourceTagMappingList", ()))

    kit.call("tag", "A", "TagResource", resourceArn=arn, tags=[{"Key": "Team", "Value": kit.name}])
    kit.seen("indexed", "A", "GetResources", lambda _, answer: found(answer), **asked)
    kit.call("untag", "A", "UntagResource", resourceArn=arn, tagKeys=["Team"])
    kit.seen("unindexed", "A", "GetResources", lambda outcome, one: outcome == "ok" and not found(one), **asked)


@question("denials", "Which side does a denial name, at the API and at the registry?")
def denials(kit: Kit) -> None:
    name = kit.repository("denied")
    every_action(kit, "no-policy", name)
    kit.http("no-policy/head-blob", "B", "HEAD", f"/v2/{name}/blobs/{DIGEST}")
    kit.http("no-policy/head-manifest", "B", "HEAD", f"/v2/{name}/manifests/none")
    kit.http("no-policy/get-manifest", "B", "GET", f"/v2/{name}/manifests/none")
    kit.http("no-policy/post", "B", "POST", f"/v2/{name}/blobs/uploads/")
    every_action(kit, "missing-repository", f"{kit.name}/missing")
    kit.http("missing-repository/post", "B", "POST", f"/v2/{kit.name}/missing/blobs/uploads/")
    kit.http("missing-repository/post-owner", "A", "POST", f"/v2/{kit.name}/missing/blobs/uploads/")
    deny = {**statement(consumer(kit), PULL), "Sid": "Deny", "Effect": "Deny"}
    kit.client("A", "ecr").set_repository_policy(
        repositoryName=name, policyText=document(statement(consumer(kit)), deny)
    )
    every_action(kit, "denied-by-policy", name)
    granted(kit, name, document(statement(consumer(kit))))
    kit.http("allowed/head-blob", "B", "HEAD", f"/v2/{name}/blobs/{DIGEST}")
    kit.http("allowed/get-manifest", "B", "GET", f"/v2/{name}/manifests/none")


@question("both-sides", "Which side is named first where both lack the permission?")
def both_sides(kit: Kit) -> None:
    name = kit.repository("sides")
    kit.limited({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]})
    every_action(kit, "both-lack", name, "B-limited")
    granted(kit, name, document(statement(consumer(kit))))
    every_action(kit, "identity-lacks", name, "B-limited")
    kit.call("login", "B-limited", "GetAuthorizationToken")


@question("deleted-principal", "What becomes of a deleted principal, and does it fail the next write?")
def deleted_principal(kit: Kit) -> None:
    name, user = kit.repository("stale"), kit.name.replace("/", "-")
    iam, ecr = kit.client("A", "iam"), kit.client("A", "ecr")
    try:
        arn = iam.create_user(UserName=user)["User"]["Arn"]
    except ClientError as error:
        raise Skipped("profile A may not create IAM users") from error
    kit.later(f"user {user}", lambda: iam.delete_user(UserName=user))
    for _ in range(30):  # a new user is unknown to ECR for some seconds
        try:
            ecr.set_repository_policy(repositoryName=name, policyText=document(statement({"AWS": arn}, PULL)))
            break
        except ClientError:
            time.sleep(2)
    iam.delete_user(UserName=user)
    kit.seen(
        "shown",
        "A",
        "GetRepositoryPolicy",
        lambda _, answer: "AIDA" in answer.get("policyText", ""),
        repositoryName=name,
    )
    text = ecr.get_repository_policy(repositoryName=name)["policyText"]
    set_policy(kit, "written-again", name, text)


@question("lockout", "When does SetRepositoryPolicy demand force?")
def lockout(kit: Kit) -> None:
    name = kit.repository("lockout")
    deny = {**statement("*", "ecr:SetRepositoryPolicy"), "Effect": "Deny"}
    set_policy(kit, "deny-everybody", name, document(deny))
    kit.call("delete", "A", "DeleteRepositoryPolicy", repositoryName=name)
    deny = {**statement(consumer(kit), "ecr:SetRepositoryPolicy"), "Effect": "Deny"}
    set_policy(kit, "deny-other-account", name, document(deny))


@question("abandoned-upload", "Does an upload that nobody completes leave anything?")
def abandoned_upload(kit: Kit) -> None:
    name = kit.repository("abandoned")
    kit.call("begin", "A", "InitiateLayerUpload", repositoryName=name)
    kit.http("begin-registry", "A", "POST", f"/v2/{name}/blobs/uploads/")
    images = kit.call("images", "A", "ListImages", repositoryName=name).get("imageIds")
    kit.fact("left", images=images)
    kit.call("delete", "A", "DeleteRepository", repositoryName=name)


@question("immutable", "In which words are an existing tag, and deleting a used repository, refused?")
def immutable(kit: Kit) -> None:
    name = kit.repository("immutable", immutable=True)
    kit.push("first", "immutable", "one")
    kit.push("again", "immutable", "one")
    kit.call("delete-with-image", "A", "DeleteRepository", repositoryName=name)
    kit.call("no-image", "A", "BatchGetImage", repositoryName=name, imageIds=[{"imageTag": "none"}])
    kit.http("no-manifest", "A", "GET", f"/v2/{name}/manifests/none")
