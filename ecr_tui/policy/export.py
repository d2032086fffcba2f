"""Export both sides of a grant as commands and templates."""

from __future__ import annotations

import re
import shlex
from enum import StrEnum

from ecr_tui.errors import InputError
from ecr_tui.policy import _json, hcl
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.identity import Attachment, NeededPolicies
from ecr_tui.policy.principal import describe

POLICY_NAME = "EcrCrossAccountAccess"
"""Name of account B's policy."""


_DYNAMIC = re.compile(r"\{\{resolve:[^{}]*\}\}")


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


def dynamic_references(value: object) -> tuple[str, ...]:
    """Texts and keys of a JSON value that CloudFormation would resolve; a template cannot escape them."""
    found = _DYNAMIC.findall(_json.dumps(value))
    return tuple(dict.fromkeys(found))


def owner_side(form: Format, document: PolicyDocument | None, repository_arn: str) -> str:
    """Account A's side as text. ``document`` None: no policy."""
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
    return _template({"Repository": repository})


def consumer_side(form: Format, needed: NeededPolicies) -> str:
    """Account B's side: the identity policies, attached to the user or role that ``needed`` is for.

    For a principal that cannot have policies, such as an account's root, they are managed policies to attach. As JSON:
    the document, or a list of several. Raises InputError if they exceed IAM's limits in any form.
    """
    if needed.refusal:
        raise InputError(
            f"account B's policy for {describe(needed.principal)} exceeds IAM's limits: {needed.refusal}",
            hint="Grant by tag (--if-tag K=V): one pattern then covers all repositories with that tag.",
        )
    if form is Format.JSON:
        documents = [document.json for document in needed.documents]
        return _json.pretty(documents[0] if len(documents) == 1 else documents) + "\n"
    if form is Format.CLI:
        return "".join(_consumer_commands(needed, suffix, document) for suffix, document in _numbered(needed))
    if form is Format.TERRAFORM:
        return "\n".join(_terraform_consumer(needed, suffix, document) for suffix, document in _numbered(needed))
    return _template(
        {f"EcrAccess{suffix}": _consumer_resource(needed, suffix, document) for suffix, document in _numbered(needed)}
    )


def _numbered(needed: NeededPolicies) -> list[tuple[str, PolicyDocument]]:
    """Each document with its name suffix: "", "2", "3" ..."""
    return [(str(number) if number > 1 else "", one) for number, one in enumerate(needed.documents, 1)]


def _policy_name(needed: NeededPolicies, suffix: str) -> str:
    """A managed policy's name is unique in the account, so it includes the user or role."""
    kind, name = _holder(needed)
    own = f"-{kind}-{name}" if kind and needed.attachment is Attachment.MANAGED else ""
    return f"{POLICY_NAME}{own}{suffix and f'-{suffix}'}"


def _holder(needed: NeededPolicies) -> tuple[str | None, str]:
    """("user" or "role", its name); (None, "") for a principal that cannot have policies."""
    caller = caller_of(needed.principal)
    kind = {"user": "user", "role": "role", "assumed-role": "role"}.get(caller.kind)
    return (kind, caller.name) if kind else (None, "")


def _consumer_commands(needed: NeededPolicies, suffix: str, document: PolicyDocument) -> str:
    kind, name = _holder(needed)
    policy = _policy_name(needed, suffix)
    written = ("--policy-name", policy, "--policy-document", document.minified())
    if needed.attachment is not Attachment.MANAGED:
        return _command("aws", "iam", f"put-{kind}-policy", f"--{kind}-name", name, *written)
    made = _command("aws", "iam", "create-policy", *written)
    if kind is None:
        return made
    partition, account = needed.principal.split(":")[1], needed.principal.split(":")[4]
    arn = f"arn:{partition}:iam::{account}:policy/{policy}"
    return made + _command("aws", "iam", f"attach-{kind}-policy", f"--{kind}-name", name, "--policy-arn", arn)


def _consumer_resource(needed: NeededPolicies, suffix: str, document: PolicyDocument) -> dict[str, object]:
    kind, name = _holder(needed)
    policy = _policy_name(needed, suffix)
    holder: dict[str, object] = {"Users" if kind == "user" else "Roles": [name]} if kind else {}
    if needed.attachment is not Attachment.MANAGED:
        properties = {"PolicyName": policy, "PolicyDocument": document.json, **holder}
        return {"Type": "AWS::IAM::Policy", "Properties": properties}
    properties = {"ManagedPolicyName": policy, "PolicyDocument": document.json, **holder}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}


def _command(*words: str) -> str:
    """One command for a POSIX shell; options on their own lines."""
    lines: list[str] = []
    for word in words:
        if word.startswith("--") or not lines:
            lines.append(shlex.quote(word))
        else:
            lines[-1] += " " + shlex.quote(word)
    return " \\\n  ".join(lines) + "\n"


def _template(resources: dict[str, dict[str, object]]) -> str:
    return _json.pretty({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}) + "\n"


def _terraform_owner(document: PolicyDocument | None, name: str) -> str:
    if document is None:
        return f"# Remove the aws_ecr_repository_policy of {hcl.quote(name)}: the repository has no policy.\n"
    label = hcl.label(name)
    data, policy = _terraform_policy(document, label)
    return data + (
        f'resource "aws_ecr_repository_policy" "{label}" {{\n'
        f"  repository = {hcl.quote(name)}\n"
        f"  policy     = {policy}\n"
        "}\n"
    )


def _terraform_consumer(needed: NeededPolicies, suffix: str, document: PolicyDocument) -> str:
    kind, name = _holder(needed)
    label = hcl.label(f"ecr_{name}" if name else "ecr_access") + suffix
    # A user and a role may have the same name, and these resources have one type for both.
    shared = hcl.label(f"ecr_{kind}_{name}" if name else "ecr_access") + suffix
    data, expression = _terraform_policy(document, shared)
    holder = f"  {kind}   = {hcl.quote(name)}\n" if kind else ""
    named = f"  name   = {hcl.quote(_policy_name(needed, suffix))}\n"
    if needed.attachment is not Attachment.MANAGED:
        inline = f'resource "aws_iam_{kind}_policy" "{label}" {{\n'
        return f"{data}{inline}{named}{holder}  policy = {expression}\n}}\n"
    made = f'{data}resource "aws_iam_policy" "{shared}" {{\n{named}  policy = {expression}\n}}\n'
    if kind is None:
        return made
    return made + (
        f'\nresource "aws_iam_{kind}_policy_attachment" "{label}" {{\n'
        f"  {kind}       = {hcl.quote(name)}\n"
        f"  policy_arn = aws_iam_policy.{shared}.arn\n"
        "}\n"
    )


def _terraform_policy(document: PolicyDocument, label: str) -> tuple[str, str]:
    """(preceding text, expression): a policy document's data source, else the JSON as an expression."""
    data = hcl.policy_document(document, label)
    if data is None:
        return "", f"jsonencode({hcl.literal(document.json, '  ')})"
    return data + "\n", f"data.aws_iam_policy_document.{label}.json"
