"""A grant in other forms: what account B has to add, and the same as commands and templates."""

from __future__ import annotations

from collections.abc import Sequence

from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.document import NEW_VERSION, PolicyDocument


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
