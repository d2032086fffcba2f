"""The one policy in what people give as a policy file; everything else is refused by the name of what it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_tui.policy._json import PolicyError
from ecr_tui.policy.change import equivalent
from ecr_tui.policy.incoming import decoded, read_incoming
from tests.policy.build import BOB, CAROL, PULL, SEED, A, allow, policy

PLAIN = policy(allow(BOB, PULL, Sid="Pull"))
OTHER = policy(allow(CAROL, PULL, Sid="Other"))
TRUST = policy({"Effect": "Allow", "Principal": {"AWS": BOB}, "Action": "sts:AssumeRole"})


def template(properties: dict[str, Any], kind: str = "AWS::ECR::Repository") -> dict[str, Any]:
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Repo": {"Type": kind, "Properties": properties}}}


def terraform(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"address": f"{kind}.this", "mode": "managed", "type": kind, "name": "this", "values": values}


ROLE = terraform("aws_iam_role", {"name": "x", "assume_role_policy": TRUST.text})
POLICY = terraform("aws_ecr_repository_policy", {"repository": "team/app", "policy": PLAIN.text})
SHOWN_PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.9.0",
    "planned_values": {"root_module": {"child_modules": [{"resources": [ROLE, POLICY]}]}},
    "resource_changes": [
        {
            "type": "aws_ecr_repository_policy",
            "change": {"actions": ["update"], "before": {"policy": OTHER.text}, "after": {"policy": PLAIN.text}},
        }
    ],
    "prior_state": {
        "values": {"root_module": {"resources": [terraform("aws_ecr_repository_policy", {"policy": OTHER.text})]}}
    },
}
STATE = {
    "version": 4,
    "terraform_version": "1.9.0",
    "resources": [
        {
            "mode": "managed",
            "type": "aws_ecr_repository_policy",
            "instances": [{"attributes": {"repository": "team/app", "registry_id": A, "policy": PLAIN.text}}],
        },
        {"mode": "managed", "type": "aws_iam_role", "instances": [{"attributes": {"assume_role_policy": TRUST.text}}]},
    ],
}
DATA = {
    "type": "aws_iam_policy_document",
    "values": {"json": PLAIN.text, "statement": [{"actions": PULL, "principals": [{"identifiers": [BOB]}]}]},
}

WRAPPED: dict[str, Any] = {
    "get-repository-policy": {"registryId": A, "repositoryName": "team/app", "policyText": PLAIN.text},
    "set-repository-policy --cli-input-json": {"repositoryName": "team/app", "policyText": PLAIN.text, "force": False},
    "--query policyText": PLAIN.text,
    "a template": template({"RepositoryName": "team/app", "RepositoryPolicyText": PLAIN.json}),
    "a template with text": template({"RepositoryPolicyText": PLAIN.text}),
    "get-template": {"StagesAvailable": ["Original"], "TemplateBody": template({"RepositoryPolicyText": PLAIN.json})},
    "a resource of a template": template({"RepositoryPolicyText": PLAIN.json})["Resources"]["Repo"],
    "the properties of a resource": {"RepositoryPolicyText": PLAIN.json},
    "cloudcontrol get-resource": {
        "TypeName": "AWS::ECR::Repository",
        "ResourceDescription": {"Identifier": "x", "Properties": json.dumps({"RepositoryPolicyText": PLAIN.json})},
    },
    "a template with roles": {
        "Resources": {
            "Repo": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryPolicyText": PLAIN.json}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST.json}},
        }
    },
    "terraform show -json of a plan": SHOWN_PLAN,
    "a terraform state": STATE,
    "a resource of terraform": {"repository": "team/app", "policy": PLAIN.text},
    "terraform's JSON syntax": {"resource": {"aws_ecr_repository_policy": {"this": {"policy": PLAIN.text}}}},
    "terraform output -json": {"policy": {"sensitive": False, "type": "string", "value": PLAIN.text}},
    "a rendered data source": DATA,
    "pulumi stack export": {
        "deployment": {
            "resources": [
                {
                    "type": "aws:ecr/repositoryPolicy:RepositoryPolicy",
                    "inputs": {"policy": PLAIN.text},
                    "outputs": {"policy": PLAIN.text},
                }
            ]
        }
    },
    "iam get-policy-version": {"PolicyVersion": {"Document": PLAIN.json, "VersionId": "v1"}},
    "ecr-tui export": {
        "account_a": [{"repository": "team/app", "document": PLAIN.json}],
        "account_b": [{"principal": BOB, "document": policy({"Effect": "Allow", "Action": "ecr:*"}).json}],
    },
    "ecr-tui plan --json": [
        {"repository": "team/app", "before": OTHER.json, "after": PLAIN.json, "diff": [], "identity_policy": SEED}
    ],
}


@pytest.mark.parametrize("value", WRAPPED.values(), ids=WRAPPED)
def test_one_policy_is_unwrapped_and_its_place_told(value: Any) -> None:
    found = read_incoming(json.dumps(value))
    assert equivalent(found.document, PLAIN)
    assert len(found.notes) == 1
    assert found.notes[0].startswith("Unwrapped from ")


def test_a_bare_policy_needs_no_note() -> None:
    found = read_incoming(PLAIN.pretty())
    assert (found.document, found.notes) == (PLAIN, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_no_part_of_it(encoding: str) -> None:
    raw = PLAIN.pretty().replace("\n", "\r\n").encode(encoding)
    assert equivalent(read_incoming(decoded(raw)).document, PLAIN)
    assert equivalent(read_incoming("\ufeff" + PLAIN.text).document, PLAIN)


def test_names_in_lower_case_are_respelled_and_told() -> None:
    statement = {"sid": "Pull", "effect": "allow", "principal": {"aws": BOB}, "action": PULL}
    for data in (
        {"version": "2012-10-17", "statement": [statement]},
        {"Version": "2012-10-17", "Statement": statement},
    ):
        found = read_incoming(json.dumps(data))
        assert equivalent(found.document, PLAIN)
        assert "IAM's spelling" in found.notes[0]


@pytest.mark.parametrize("several", [False, True])
def test_statements_without_a_document(several: bool) -> None:
    statement = allow(BOB, PULL, Sid="Pull")
    found = read_incoming(json.dumps([statement, allow(CAROL, PULL)] if several else statement))
    assert len(found.document.statements) == 1 + several
    assert found.document.version == "2012-10-17"
    assert "without a document" in found.notes[0]


DRAWN = allow(BOB, PULL, {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}})

REFUSED: dict[str, tuple[Any, str]] = {
    "empty object": ({}, "empty JSON object"),
    "empty list": ([], "empty JSON list"),
    "a number": (5, "5"),
    "no statements": ({"Version": "2012-10-17", "Statement": []}, "no statements"),
    "no statement": ({"Version": "2012-10-17"}, "without a Statement"),
    "describe-repositories": ({"repositories": [{"repositoryName": "x"}]}, "describe-repositories"),
    "describe-images": ({"imageDetails": []}, "describe-images"),
    "get-lifecycle-policy": (
        {"registryId": A, "repositoryName": "x", "lifecyclePolicyText": '{"rules":[]}'},
        "lifecycle",
    ),
    "a lifecycle policy": ({"rules": [{"rulePriority": 1}]}, "lifecycle"),
    "get-registry-policy": ({"registryId": A, "policyText": PLAIN.text}, "registry policy"),
    "a registry policy of terraform": (
        terraform("aws_ecr_registry_policy", {"policy": PLAIN.text}),
        "aws_ecr_registry_policy",
    ),
    "a bucket policy of a template": (
        template({"PolicyDocument": PLAIN.json}, "AWS::S3::BucketPolicy"),
        "AWS::S3::BucketPolicy",
    ),
    "an empty template": (template({"RepositoryName": "x"}), "CloudFormation"),
    "get-role": ({"Role": {"RoleName": "x", "AssumeRolePolicyDocument": TRUST.json}}, "trust policy"),
    "a trust policy": (TRUST.json, "trust policy"),
    "a bucket policy": (policy({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}).json, "policy for s3"),
    "an identity policy": (policy({"Effect": "Allow", "Action": PULL, "Resource": "*"}).json, "identity policy"),
    "two policies": (
        {
            "Resources": {
                n: template({"RepositoryPolicyText": p.json})["Resources"]["Repo"]
                for n, p in (("A", PLAIN), ("B", OTHER))
            }
        },
        "2 policies",
    ),
    "a list of policies": ([PLAIN.json, OTHER.json], "2 policies"),
    "functions of CloudFormation": (
        policy(allow({"AWS": {"Fn::Sub": "arn:aws:iam::${B}:root"}}, PULL)).json,
        "Fn::Sub",
    ),
    "a function as the policy": (template({"RepositoryPolicyText": {"Fn::Transform": {}}}), "CloudFormation"),
    "an expression of terraform": (
        {"resource": {"aws_ecr_repository_policy": {"x": {"policy": "${data.aws_iam_policy_document.x.json}"}}}},
        "unrendered",
    ),
    "an unrendered principal": (policy(allow("${aws_iam_role.b.arn}", PULL)).json, "unrendered principal"),
    "a data source that is not rendered": (
        {"statement": [{"effect": "Allow", "actions": PULL, "principals": [{"identifiers": [BOB]}]}]},
        "actions, principals",
    ),
    "one name in two cases": ({"Statement": [], "statement": [allow(BOB, PULL)]}, "twice"),
    "a lone statement with a variable": (DRAWN, "Version"),
    "a test case of simulate": ([{"name": "x", "request": {"action": "ecr:PutImage"}}], "simulate"),
    "an error of AWS": ({"__type": "RepositoryPolicyNotFoundException", "message": "no"}, "__type"),
}


@pytest.mark.parametrize(("value", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_certain_policy_is_refused_by_its_name(value: Any, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_incoming(json.dumps(value))
    assert words in f"{caught.value.title} {caught.value.hint}"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("policy = <<EOF\n{}\nEOF", "Terraform"),
        ("Version: '2012-10-17'\nStatement: []", "YAML"),
        ('{"Statement": [] // none\n}', "comments"),
        ("<html></html>", "HTML"),
    ],
)
def test_text_that_is_no_json_is_named(text: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_incoming(text)
    assert words in f"{caught.value.title} {caught.value.hint}"
