"""What account A's operator must be allowed: the least with which this program does its work, by how much it may do.

Each action is here because a part of the program asks for it, and a test takes each away and sees that part fail. Which
actions take a repository as their resource, and which only "*", is from the service authorization reference
(docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html and
…/list_amazonresourcegrouptaggingapi.html).
"""

from __future__ import annotations

from enum import StrEnum

from ecr_tui.policy.document import NEW_VERSION, PolicyDocument


class Operator(StrEnum):
    """Each may what the one before it may, and more."""

    READ_ONLY = "read-only"
    """List, preview, audit, explain."""
    GRANT = "grant"
    """Grant, revoke and undo."""
    FULL = "full"
    """Remove the probe image of a verification, and change a repository's tags."""


REGISTRY = {
    "tag:GetResources": "tags of all repositories in bulk; without it one call per repository",
    "ecr:GetRegistryPolicy": "the registry policy, evaluated with each repository policy",
    "ecr:GetAccountSetting": "whether the registry policy applies to every action",
    "ecr:DescribeRepositoryCreationTemplates": "whether a grant covers repositories created later",
}
"""Read-only actions that know no repository, each with what it is for."""

READ = {
    "ecr:DescribeRepositories": "the list of repositories",
    "ecr:ListTagsForResource": "a repository's tags just before a write",
    "ecr:GetRepositoryPolicy": "who has access, and the comparison before and after each write",
    "ecr:DescribeImages": "number of images, last push",
}
GRANT = {
    "ecr:SetRepositoryPolicy": "grant, revoke, undo",
    "ecr:DeleteRepositoryPolicy": "revoke or undo of the last statement: ECR keeps no empty policy",
}
FULL = {
    "ecr:BatchDeleteImage": "removing the probe image of a verification",
    "ecr:TagResource": "editing tags, and restoring the tag that `verify --tag-switch` removed",
    "ecr:UntagResource": "editing tags, and `verify --tag-switch`",
}


def operator_policy(
    operator: Operator, *, account: str = "*", region: str = "*", partition: str = "aws"
) -> PolicyDocument:
    """For the user or role of account A that runs this program; ``account`` and ``region`` "*" mean its own, any."""
    statements = [
        _statement("EcrTuiRegistry", list(REGISTRY), "*"),
        _statement("EcrTuiRead", list(READ), f"arn:{partition}:ecr:{region}:{account}:repository/*"),
    ]
    for sid, actions, least in (("EcrTuiGrant", GRANT, Operator.GRANT), ("EcrTuiFull", FULL, Operator.FULL)):
        if list(Operator).index(operator) >= list(Operator).index(least):
            statements.append(_statement(sid, list(actions), f"arn:{partition}:ecr:{region}:{account}:repository/*"))
    return PolicyDocument.from_json({"Version": NEW_VERSION, "Statement": statements})


def _statement(sid: str, actions: list[str], resource: str) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
