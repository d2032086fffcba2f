"""What account A's operator must be allowed: the least with which this program does its work, by how much it may do.

Each action is here because a part of the program asks for it, and a test takes each away and sees that part fail. Which
actions take a repository as their resource, and which only "*", is from the service authorization reference
(docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html,
…/list_amazonresourcegrouptaggingapi.html, …/list_awscloudtrail.html and …/list_awsiamaccessanalyzer.html).
"""

from __future__ import annotations

from enum import StrEnum

from ecr_tui.policy.document import NEW_VERSION, PolicyDocument


class Operator(StrEnum):
    """Grant, full and registry may what the one before them may, and more; the others are read-only and one thing
    more."""

    READ_ONLY = "read-only"
    """List, preview, audit, explain."""
    USAGE = "usage"
    """Read CloudTrail's event history, which tells much more of an account than its repositories."""
    WORKLOADS = "workloads"
    """Tell which Lambda functions and ECS task definitions use an image."""
    TROUBLESHOOTER = "troubleshooter"
    """Read AWS's own evaluation of a denial, of any principal of the account; each account needs it for its own."""
    ANALYZER = "analyzer"
    """Ask IAM Access Analyzer for a second opinion, which makes an access preview there."""
    GRANT = "grant"
    """Grant, revoke and undo."""
    FULL = "full"
    """Remove the probe image of a verification, and change a repository's tags."""
    REGISTRY = "registry"
    """Grants in creation templates and on the copies that replication makes."""


REGISTRY = {
    "tag:GetResources": "tags of all repositories in bulk; without it one call per repository",
    "ecr:GetRegistryPolicy": "the registry policy, evaluated with each repository policy",
    "ecr:GetAccountSetting": "whether the registry policy applies to every action",
    "ecr:DescribeRepositoryCreationTemplates": "whether a grant covers repositories created later",
}
"""Read-only actions that know no repository, each with what it is for."""

USAGE = {
    "cloudtrail:LookupEvents": "who used which repository, and what was denied",
}
"""Knows no resource."""

WORKLOADS = {
    "lambda:ListFunctions": "the functions that run an image",
    "lambda:GetFunction": "the image of a function",
    "ecs:ListTaskDefinitions": "the task definitions",
    "ecs:DescribeTaskDefinition": "the images of a task definition",
}

TROUBLESHOOTER = {
    "iam:GetRequestAuthorizationDetails": "AWS's evaluation of a denied request, by the error's authorization id",
}
"""Knows no resource."""

ANALYZERS = {
    "access-analyzer:ListAnalyzers": "whether there is an analyzer to ask",
}
"""Knows no resource."""

ANALYZER = {
    "access-analyzer:ListFindings": "what it finds of the policy in force",
    "access-analyzer:CreateAccessPreview": "what it would find of the previewed policy",
    "access-analyzer:GetAccessPreview": "whether the preview is complete",
    "access-analyzer:ListAccessPreviewFindings": "the findings of the preview",
}

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
SETTINGS = {
    "ecr:DescribeRegistry": "the copies that replication makes of a repository",
    "ecr:UpdateRepositoryCreationTemplate": "grants for repositories created later",
}
"""Of the registry, so for no repository."""


def operator_policy(
    operator: Operator, *, account: str = "*", region: str = "*", partition: str = "aws"
) -> PolicyDocument:
    """For the user or role of account A that runs this program; ``account`` and ``region`` "*" mean its own, any."""
    repositories = f"arn:{partition}:ecr:{region}:{account}:repository/*"
    analyzers = f"arn:{partition}:access-analyzer:{region}:{account}:analyzer/*"
    parts = {
        "EcrTuiRegistry": (REGISTRY, "*", tuple(Operator)),
        "EcrTuiRead": (READ, repositories, tuple(Operator)),
        "EcrTuiUsage": (USAGE, "*", (Operator.USAGE,)),
        "EcrTuiWorkloads": (WORKLOADS, "*", (Operator.WORKLOADS,)),
        "EcrTuiTroubleshooter": (TROUBLESHOOTER, "*", (Operator.TROUBLESHOOTER,)),
        "EcrTuiAnalyzers": (ANALYZERS, "*", (Operator.ANALYZER,)),
        "EcrTuiAnalyzer": (ANALYZER, analyzers, (Operator.ANALYZER,)),
        "EcrTuiGrant": (GRANT, repositories, (Operator.GRANT, Operator.FULL, Operator.REGISTRY)),
        "EcrTuiFull": (FULL, repositories, (Operator.FULL, Operator.REGISTRY)),
        "EcrTuiSettings": (SETTINGS, "*", (Operator.REGISTRY,)),
    }
    statements = [
        {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
        for sid, (actions, resource, operators) in parts.items()
        if operator in operators
    ]
    return PolicyDocument.from_json({"Version": NEW_VERSION, "Statement": statements})
