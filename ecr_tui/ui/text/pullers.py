"""The principal to grant to for each workload, with an example.

Sources: EKS User Guide, "Amazon EKS node IAM role"; ECR User Guide, "Using Amazon ECR images with Amazon ECS"; Lambda
Developer Guide, "Amazon ECR cross-account permissions"; CodeBuild API reference, imagePullCredentialsType; GitHub Docs,
"Configuring OpenID Connect in Amazon Web Services"; ECR User Guide, "Private repository policies".
"""

from __future__ import annotations

from typing import NamedTuple

from ecr_tui.policy import grantees


class Puller(NamedTuple):
    """``name``: the workload. ``whom``: its principal, with a reason. ``begin``: prefilled text. ``example``: shown."""

    name: str
    whom: str
    why: str
    begin: str
    example: str


PULLERS = (
    Puller(
        "EKS or Kubernetes on EC2",
        "the node role",
        "Name the IAM role of the nodes (on Fargate the pod execution role): the kubelet pulls with it, never with a "
        "pod's own role.",
        "role/",
        "role/AmazonEKSNodeRole",
    ),
    Puller(
        "ECS",
        "the task execution role",
        "Name the task execution role, not the task role: the agent pulls before the container runs. On EC2 instances "
        "without one it is the container instance role.",
        "role/",
        "role/ecsTaskExecutionRole",
    ),
    Puller(
        "Lambda",
        "the service, for account B's functions",
        "Name the Lambda service with account B's functions as its source; the grant adds account B itself, which "
        "Lambda needs as well.",
        grantees.SERVICE + grantees.LAMBDA,
        f"{grantees.SERVICE}{grantees.LAMBDA}@arn:aws:lambda:*:222222222222:function:*",
    ),
    Puller(
        "CodeBuild",
        "the project's service role",
        "Name the service role of the build project: an image of another account is pulled with it "
        "(imagePullCredentialsType SERVICE_ROLE).",
        "role/",
        "role/service-role/codebuild-app-service-role",
    ),
    Puller(
        "GitHub Actions",
        "the role that the workflow assumes",
        "Name the role of role-to-assume: the workflow logs in to ECR with its session.",
        "role/",
        "role/github-actions",
    ),
    Puller(
        "A person",
        "a user, or the role of an Identity Center permission set",
        "Name the IAM user; of Identity Center name the role of the permission set in full, with its path "
        "(iam get-role shows it).",
        "user/",
        "user/devusr2, or arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0123456789",
    ),
)
