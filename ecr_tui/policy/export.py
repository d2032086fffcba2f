"""A grant in other forms: what account B has to add, and both sides as commands and templates."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import StrEnum

from ecr_tui.policy import _json, hcl
from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import NEW_VERSION, PolicyDocument

POLICY_NAME = "EcrCrossAccountAccess"
"""The name under which account B's policy is created."""


class Format(StrEnum):
    JSON = "json"
    CLI = "cli"
    TERRAFORM = "terraform"
    CLOUDFORMATION = "cloudformation"

    @property
    def words(self) -> str:
        return {
            "json": "policy JSON",
            "cli": "AWS CLI commands",
            "terraform": "Terraform",
            "cloudformation": "CloudFormation",
        }[self.value]


def identity_policy(repository_arns: Sequence[str], access: Access) -> PolicyDocument:
    """What B's user or role must be allowed by its own policy: the other half of a cross-account grant.

    The token is registry-level, so it stands on "*"; the rest on account A's repositories.
    """
    return PolicyDocument.from_json(
        {
            "Version": NEW_VERSION,
            "Statement": [
                {"Sid": "EcrToken", "Effect": "Allow", "Action": TOKEN_ACTION, "Resource": "*"},
                {
                    "Sid": "EcrRepositories",
                    "Effect": "Allow",
                    "Action": list(access.actions),
                    "Resource": repository_arns[0] if len(repository_arns) == 1 else list(repository_arns),
                },
            ],
        }
    )


def owner_side(form: Format, document: PolicyDocument | None, repository_arn: str) -> str:
    """Account A's side as text to run or to keep. ``document`` None stands for no policy."""
    _, _, _, region, account, rest = repository_arn.split(":", 5)
    name = rest.removeprefix("repository/")
    if form is Format.JSON:
        return (document.pretty() if document is not None else "") + "\n"
    if form is Format.CLI:
        where = ["--registry-id", account, "--repository-name", name, "--region", region]
        if document is None:
            return _command("aws", "ecr", "delete-repository-policy", *where)
        return _command("aws", "ecr", "set-repository-policy", *where, "--policy-text", document.minified())
    if form is Format.TERRAFORM:
        return _terraform_owner(document, name)
    repository: dict[str, object] = {
        "Type": "AWS::ECR::Repository",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"RepositoryName": name},
    }
    if document is not None:
        repository["Properties"] = {"RepositoryName": name, "RepositoryPolicyText": document.json}
    return _template("Repository", repository)


def consumer_side(form: Format, document: PolicyDocument, principal: str) -> str:
    """Account B's side: the identity policy, attached to the user or role that ``principal`` (an ARN) names.

    For an account's root, or anything else that carries no policies, it becomes a policy of its own to attach.
    """
    caller = caller_of(principal)
    kind = {"user": "user", "role": "role", "assumed-role": "role"}.get(caller.kind)
    if form is Format.JSON:
        return document.pretty() + "\n"
    if form is Format.CLI:
        if kind is None:
            return _command(
                "aws", "iam", "create-policy", "--policy-name", POLICY_NAME, "--policy-document", document.minified()
            )
        return _command(
            "aws",
            "iam",
            f"put-{kind}-policy",
            f"--{kind}-name",
            caller.name,
            "--policy-name",
            POLICY_NAME,
            "--policy-document",
            document.minified(),
        )
    if form is Format.TERRAFORM:
        return _terraform_consumer(document, kind, caller.name)
    properties: dict[str, object] = {"PolicyName": POLICY_NAME, "PolicyDocument": document.json}
    if kind is None:
        properties = {"ManagedPolicyName": POLICY_NAME, "PolicyDocument": document.json}
        return _template("EcrAccess", {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties})
    properties["Users" if kind == "user" else "Roles"] = [caller.name]
    return _template("EcrAccess", {"Type": "AWS::IAM::Policy", "Properties": properties})


def _command(*words: str) -> str:
    """One command a POSIX shell takes as it is; options on their own lines."""
    lines: list[str] = []
    for word in words:
        if word.startswith("--") or not lines:
            lines.append(shlex.quote(word))
        else:
            lines[-1] += " " + shlex.quote(word)
    return " \\\n  ".join(lines) + "\n"


def _template(name: str, resource: dict[str, object]) -> str:
    return _json.pretty({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {name: resource}}) + "\n"


def _terraform_owner(document: PolicyDocument | None, name: str) -> str:
    if document is None:
        return f"# {hcl.quote(name)} has no repository policy: remove its aws_ecr_repository_policy.\n"
    label = hcl.label(name)
    data, policy = _terraform_policy(document, label)
    return data + (
        f'resource "aws_ecr_repository_policy" "{label}" {{\n'
        f"  repository = {hcl.quote(name)}\n"
        f"  policy     = {policy}\n"
        "}\n"
    )


def _terraform_consumer(document: PolicyDocument, kind: str | None, name: str) -> str:
    label = hcl.label(f"ecr_{name}" if name else "ecr_access")
    data, policy = _terraform_policy(document, label)
    if kind is None:
        return data + (
            f'resource "aws_iam_policy" "{label}" {{\n  name   = {hcl.quote(POLICY_NAME)}\n  policy = {policy}\n}}\n'
        )
    return data + (
        f'resource "aws_iam_{kind}_policy" "{label}" {{\n'
        f"  name   = {hcl.quote(POLICY_NAME)}\n"
        f"  {kind}   = {hcl.quote(name)}\n"
        f"  policy = {policy}\n"
        "}\n"
    )


def _terraform_policy(document: PolicyDocument, label: str) -> tuple[str, str]:
    """(text that comes before, expression): a policy document's data source, else the JSON as an expression."""
    data = hcl.policy_document(document, label)
    if data is None:
        return "", f"jsonencode({hcl.literal(document.json, '  ')})"
    return data + "\n", f"data.aws_iam_policy_document.{label}.json"
