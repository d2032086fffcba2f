"""The minimum IAM policies for account A's operator, by level.

Each action is used by the program; a test removes each one and checks that its feature fails. The resource types of the
actions are from the service authorization reference
(docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html,
…/list_amazonresourcegrouptaggingapi.html, …/list_awscloudtrail.html and …/list_awsiamaccessanalyzer.html).
"""

from __future__ import annotations

from enum import StrEnum

from ecr_tui.policy.document import NEW_VERSION, PolicyDocument


class Operator(StrEnum):
    """Grant, full and registry each extend the previous level; the others are read-only plus one feature."""

    READ_ONLY = "read-only"
    """List, preview, audit, explain."""
    USAGE = "usage"
    """Read CloudTrail's event history, which covers far more of an account than its repositories."""
    WORKLOADS = "workloads"
    """Find the Lambda functions and ECS task definitions that use an image."""
    TROUBLESHOOTER = "troubleshooter"
    """Read AWS's evaluation of a denial, for any principal of the account; needed in each account."""
    ANALYZER = "analyzer"
    """Request a second opinion from IAM Access Analyzer, which creates an access preview."""
    GRANT = "grant"
    """Grant, revoke and undo."""
    FULL = "full"
    """Remove the probe image of a verification, and change a repository's tags."""
    REGISTRY = "registry"
    """Grant in creation templates and on replicated copies."""


REGISTRY = {
    "tag:GetResources": "tags of all repositories in bulk; without it one call per repository",
    "ecr:GetRegistryPolicy": "the registry policy, evaluated with each repository policy",
    "ecr:GetAccountSetting": "whether the registry policy applies to every action",
    "ecr:DescribeRepositoryCreationTemplates": "whether a grant covers repositories created later",
}
"""Read-only actions without resource types, each with its purpose."""

USAGE = {
    "cloudtrail:LookupEvents": "use of repositories, and denied calls",
}
"""No resource types."""

WORKLOADS = {
    "lambda:ListFunctions": "the functions that run an image",
    "lambda:GetFunction": "the image of a function",
    "ecs:ListTaskDefinitions": "the task definitions",
    "ecs:DescribeTaskDefinition": "the images of a task definition",
}

TROUBLESHOOTER = {
    "iam:GetRequestAuthorizationDetails": "AWS's evaluation of a denied request, by the error's authorization id",
}
"""No resource types."""

ANALYZERS = {
    "access-analyzer:ListAnalyzers": "whether there is an active analyzer",
}
"""No resource types."""

ANALYZER = {
    "access-analyzer:ListFindings": "findings of the current policy",
    "access-analyzer:CreateAccessPreview": "findings of the previewed policy",
    "access-analyzer:GetAccessPreview": "whether the preview is complete",
    "access-analyzer:ListAccessPreviewFindings": "the findings of the preview",
}

READ = {
    "ecr:DescribeRepositories": "the list of repositories",
    "ecr:ListTagsForResource": "a repository's tags just before a write",
    "ecr:GetRepositoryPolicy": "access, and the comparison before and after each write",
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
    "ecr:DescribeRegistry": "the replicated copies of a repository",
    "ecr:UpdateRepositoryCreationTemplate": "grants for repositories created later",
}
"""Registry-level actions."""


def operator_policy(
    operator: Operator, *, account: str = "*", region: str = "*", partition: str = "aws"
) -> PolicyDocument:
    """For the user or role of account A that runs this program; ``account`` "*" is its own, ``region`` "*" is any."""
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
