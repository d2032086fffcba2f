"""Both sides as commands and templates, with nothing in a policy turning into shell or template code."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any

import pytest

from ecr_tui.policy import hcl
from ecr_tui.policy.actions import Access
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.export import Format, consumer_side, owner_side
from ecr_tui.policy.identity import Attachment, NeededPolicies, identity_policy
from tests.policy.build import BOB, CAROL, PULL, REPOSITORY, ROOT_B, SESSION, A, B, allow, deny, policy

NASTY = 'it\'s $HOME `id` "q" \\ %{if} ${x} $(rm) é \u202e \n\t\b\x7f;|&'
HOSTILE = policy(allow(BOB, PULL, {"StringEquals": {"aws:ResourceTag/Team": NASTY}}, Sid="x"))


def attached(document: PolicyDocument, principal: str) -> NeededPolicies:
    """Any document as the one policy of that principal."""
    kinds = {BOB: Attachment.INLINE_USER, ROOT_B: Attachment.MANAGED, SESSION: Attachment.INLINE_ROLE}
    kind = kinds.get(principal, Attachment.INLINE_ROLE if ":role/" in principal else Attachment.INLINE_USER)
    return NeededPolicies(principal, 1, False, kind, kind, document, (document,))


@pytest.mark.parametrize("side", ["owner", "consumer"])
def test_json_is_the_document(side: str) -> None:
    text = (
        owner_side(Format.JSON, HOSTILE, REPOSITORY)
        if side == "owner"
        else consumer_side(Format.JSON, attached(HOSTILE, BOB))
    )
    assert json.loads(text) == HOSTILE.json


def test_the_command_of_account_a_reaches_the_program_unchanged() -> None:
    words = split(owner_side(Format.CLI, HOSTILE, REPOSITORY))
    assert words == [
        *("aws", "ecr", "set-repository-policy", "--registry-id", A, "--repository-name", "team/app"),
        *("--region", "eu-central-1", "--policy-text", HOSTILE.minified()),
    ]


def test_a_real_shell_agrees() -> None:
    command = owner_side(Format.CLI, HOSTILE, REPOSITORY).removeprefix("aws")
    run = subprocess.run(["sh", "-c", f'printf "%s\\0" {command}'], capture_output=True, check=True)
    assert run.stdout.decode().split("\0")[-2] == HOSTILE.minified()


def test_no_policy_is_a_deletion() -> None:
    words = split(owner_side(Format.CLI, None, REPOSITORY))
    assert words[1:3] == ["ecr", "delete-repository-policy"]
    assert "RepositoryPolicyText" not in owner_side(Format.CLOUDFORMATION, None, REPOSITORY)
    assert owner_side(Format.TERRAFORM, None, REPOSITORY).startswith("#")
    assert owner_side(Format.JSON, None, REPOSITORY) == "\n"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (BOB, ["put-user-policy", "--user-name", "bob"]),
        (f"arn:aws:iam::{B}:user/team/bob", ["put-user-policy", "--user-name", "bob"]),
        (f"arn:aws:iam::{B}:role/team/puller", ["put-role-policy", "--role-name", "puller"]),
        (SESSION, ["put-role-policy", "--role-name", "puller"]),
        (ROOT_B, ["create-policy", "--policy-name", "EcrCrossAccountAccess"]),
    ],
)
def test_the_command_of_account_b(principal: str, expected: list[str]) -> None:
    words = split(consumer_side(Format.CLI, attached(HOSTILE, principal)))
    assert words[2 : 2 + len(expected)] == expected
    assert words[-2:] == ["--policy-document", HOSTILE.minified()]


def test_cloudformation_carries_the_document_as_it_is() -> None:
    template = json.loads(owner_side(Format.CLOUDFORMATION, HOSTILE, REPOSITORY))
    resource = template["Resources"]["Repository"]
    assert resource["Type"] == "AWS::ECR::Repository"
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert resource["Properties"] == {"RepositoryName": "team/app", "RepositoryPolicyText": HOSTILE.json}
    for principal, kind, holder in (
        (BOB, "AWS::IAM::Policy", {"Users": ["bob"]}),
        (SESSION, "AWS::IAM::Policy", {"Roles": ["puller"]}),
        (ROOT_B, "AWS::IAM::ManagedPolicy", {}),
    ):
        made = json.loads(consumer_side(Format.CLOUDFORMATION, attached(HOSTILE, principal)))["Resources"]["EcrAccess"]
        assert made["Type"] == kind
        assert made["Properties"]["PolicyDocument"] == HOSTILE.json
        assert holder.items() <= made["Properties"].items()


def split(command: str) -> list[str]:
    """As a shell: a backslash before a line's end continues the line, which shlex does not know."""
    return shlex.split(command.replace(" \\\n", " "))


def unquoted(literal: str) -> str:
    """What Terraform makes of a quoted string without templates."""
    body = literal[1:-1].replace("$${", "${").replace("%%{", "%{")
    text: str = json.loads(f'"{body}"')
    return text


@pytest.mark.parametrize(
    "text", ["", "plain", NASTY, "\\b", "\\\\b\b", "$${", "${", "%%{", '"', "\\${x}", "\f\r\n", "a$b%c"]
)
def test_hcl_strings(text: str) -> None:
    quoted = hcl.quote(text)
    assert unquoted(quoted) == text
    assert "\n" not in quoted
    rest = quoted.replace("$${", "").replace("%%{", "")
    assert "${" not in rest
    assert "%{" not in rest
    assert "\\b" not in quoted.replace("\\\\", "")
    assert "\\f" not in quoted.replace("\\\\", "")


@pytest.mark.parametrize(("name", "label"), [("team/app", "team_app"), ("1x", "_1x"), ("a.b-c", "a_b-c"), ("", "_")])
def test_hcl_labels(name: str, label: str) -> None:
    assert hcl.label(name) == label


def test_terraform_of_account_a() -> None:
    document = policy(
        allow([BOB, CAROL], PULL, {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}, Sid="Pull"),
        deny("*", None, NotAction="ecr:PutImage"),
        allow({"Service": "lambda.amazonaws.com"}, PULL[0]),
    )
    assert (
        owner_side(Format.TERRAFORM, document, REPOSITORY)
        == f'''\
data "aws_iam_policy_document" "team_app" {{
  statement {{
    sid    = "Pull"
    effect = "Allow"
    actions = [
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
    ]

    principals {{
      type        = "AWS"
      identifiers = [
        "{BOB}",
        "{CAROL}",
      ]
    }}

    condition {{
      test     = "StringEquals"
      variable = "aws:ResourceTag/Team"
      values   = ["Payments"]
    }}
  }}

  statement {{
    effect = "Deny"
    not_actions = ["ecr:PutImage"]

    principals {{
      type        = "*"
      identifiers = ["*"]
    }}
  }}

  statement {{
    effect = "Allow"
    actions = ["ecr:BatchGetImage"]

    principals {{
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }}
  }}
}}

resource "aws_ecr_repository_policy" "team_app" {{
  repository = "team/app"
  policy     = data.aws_iam_policy_document.team_app.json
}}
'''
    )


def test_terraform_escapes_what_a_policy_holds() -> None:
    text = owner_side(Format.TERRAFORM, HOSTILE, REPOSITORY)
    assert hcl.quote(NASTY) in text
    variable = policy(allow(BOB, PULL, {"StringEquals": {"aws:ResourceTag/T": "${aws:username}"}}))
    assert '"$${aws:username}"' in owner_side(Format.TERRAFORM, variable, REPOSITORY)


def test_terraform_keeps_an_old_version() -> None:
    assert 'version = "2008-10-17"' in owner_side(Format.TERRAFORM, policy(allow(), version=None), REPOSITORY)
    assert 'policy_id = "x"' in owner_side(Format.TERRAFORM, policy(allow(), Id="x"), REPOSITORY)


@pytest.mark.parametrize(
    "odd",
    [policy(allow(Later=1)), policy(allow(condition=[])), policy({**allow(), "Principal": "bob"}), policy(Later={})],
)
def test_what_the_data_source_cannot_say_is_written_as_json(odd: PolicyDocument) -> None:
    text = owner_side(Format.TERRAFORM, odd, REPOSITORY)
    assert "aws_iam_policy_document" not in text
    assert "jsonencode({" in text


@pytest.mark.parametrize(
    ("principal", "words"),
    [
        (BOB, ['resource "aws_iam_user_policy" "ecr_bob"', 'user   = "bob"']),
        (SESSION, ['resource "aws_iam_role_policy" "ecr_puller"', 'role   = "puller"']),
        (ROOT_B, ['resource "aws_iam_policy" "ecr_access"', 'name   = "EcrCrossAccountAccess"']),
    ],
)
def test_terraform_of_account_b(principal: str, words: list[str]) -> None:
    text = consumer_side(Format.TERRAFORM, attached(identity_policy([REPOSITORY], Access.PULL), principal))
    assert all(word in text for word in words)
    assert 'resources = ["*"]' in text


def test_hcl_literals() -> None:
    value: Any = {"a b": [1, 1.5, True, None, "x"], "e": {}, "l": [], "n": {"${k}": "v"}}
    assert hcl.literal(value) == (
        '{\n  "a b" = [\n    1,\n    1.5,\n    true,\n    null,\n    "x",\n  ]\n  "e" = {}\n  "l" = []\n'
        '  "n" = {\n    "$${k}" = "v"\n  }\n}'
    )
