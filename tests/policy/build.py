"""Short ways to write policies and requests in tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Decision, Policies, Request, decide

VECTORS = Path(__file__).parent / "vectors"

A = "111111111111"
B = "222222222222"
REPOSITORY = f"arn:aws:ecr:eu-central-1:{A}:repository/team/app"
BOB = f"arn:aws:iam::{B}:user/bob"
CAROL = f"arn:aws:iam::{B}:user/carol"
ROOT_B = f"arn:aws:iam::{B}:root"
SESSION = f"arn:aws:sts::{B}:assumed-role/puller/s1"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

SEED = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:GetDownloadUrlForLayer",
                "ecr:GetRepositoryPolicy",
                "ecr:DescribeRepositories",
                "ecr:ListImages",
                "ecr:DescribeImages",
                "ecr:BatchGetImage",
                "ecr:InitiateLayerUpload",
                "ecr:UploadLayerPart",
                "ecr:CompleteLayerUpload",
                "ecr:PutImage",
            ],
            "Condition": {"StringLike": {"aws:ResourceTag/Team": "Payments"}},
            "Principal": {"AWS": ["arn:aws:iam::222222222222:user/devusr2"]},
            "Sid": "AllowCrossAccountPushAndPull",
        }
    ],
}
"""The repository policy of miztiik/cross-account-ecr-access-control, with account B filled in."""


def policy(*statements: dict[str, Any], version: str | None = "2012-10-17", **more: Any) -> PolicyDocument:
    data: dict[str, Any] = {"Version": version} if version else {}
    return PolicyDocument.from_json({**data, **more, "Statement": list(statements)})


def allow(principal: Any = BOB, action: Any = "ecr:*", condition: Any = None, **more: Any) -> dict[str, Any]:
    """A statement of a repository policy; ``principal`` an ARN, a list, or a whole Principal element."""
    return _statement("Allow", principal, action, condition, more)


def deny(principal: Any = "*", action: Any = "ecr:*", condition: Any = None, **more: Any) -> dict[str, Any]:
    return _statement("Deny", principal, action, condition, more)


def _statement(effect: str, principal: Any, action: Any, condition: Any, more: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect}
    if principal is not None:
        whole = principal == "*" or isinstance(principal, dict)
        made["Principal"] = principal if whole else {"AWS": principal}
    if action is not None:
        made["Action"] = action
    if condition is not None:
        made["Condition"] = condition
    return {**made, **more}


FULL = policy({"Effect": "Allow", "Action": "ecr:*", "Resource": "*"})
"""An identity policy that stands in nobody's way."""


def ask(
    resource: PolicyDocument | None,
    *,
    context: dict[str, Any] | None = None,
    principal: str = BOB,
    action: str = "ecr:BatchGetImage",
    identity: Any = (FULL,),
    **policies: Any,
) -> Decision:
    request = Request(action, REPOSITORY, A, principal, context or {})
    return decide(request, Policies(identity, resource, **policies))


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))
