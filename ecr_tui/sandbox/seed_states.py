"""More policies that a user may meet: grants that end, that are too wide, that cancel or repeat each other."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ecr_tui.policy.actions import Access
from ecr_tui.policy.ours import Grant, Own
from ecr_tui.sandbox.seed_iam import CI_ROLE, CONSUMER
from ecr_tui.sandbox.world import ACCOUNT_B, ACCOUNT_CI, ORGANIZATION

EXPIRED_DAYS, LEFT_DAYS = 40, 30
_B_ROOT = f"arn:aws:iam::{ACCOUNT_B}:root"
_B_USER = f"arn:aws:iam::{ACCOUNT_B}:user/{CONSUMER}"
_CI = f"arn:aws:iam::{ACCOUNT_CI}:role/{CI_ROLE}"

State = tuple[str, dict[str, str], dict[str, Any]]
"""(repository, tags, policy)"""


def states(now: datetime) -> list[State]:
    past, future = now - timedelta(days=EXPIRED_DAYS), now + timedelta(days=LEFT_DAYS)
    data, platform = {"Team": "Data"}, {"Team": "Platform"}
    return [
        ("data/quarterly", data, _policy(_own(Grant((_B_USER,), Access.PULL, (), past)))),
        ("data/migration", data, _policy(_own(Grant((_B_USER,), Access.PUSH_PULL, (), future)))),
        ("data/warehouse", data, _policy(_own(Grant((_B_ROOT,), Access.PULL, (("Team", "Data"),))))),
        ("data/etl", data, _policy(*_repeated())),
        ("platform/charts", platform, _policy(_organisation())),
        ("platform/runner", platform, _policy(_everything())),
        ("identity/tokens", {"Team": "Identity"}, _policy(*_shadowed())),
    ]


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _own(grant: Grant) -> dict[str, Any]:
    return Own.of_grant(grant)[0].statement()


def _statement(sid: str, effect: str, principal: Any, actions: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": effect, "Principal": principal, "Action": actions}


def _organisation() -> dict[str, Any]:
    """Everyone in the organization: B and C are members, the build servers' account is not."""
    limit = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    return _statement("OrganisationPull", "Allow", "*", list(Access.PULL.actions)) | {"Condition": limit}


def _everything() -> dict[str, Any]:
    return _statement("TemporaryFullAccess", "Allow", {"AWS": _B_ROOT}, "ecr:*")


def _repeated() -> list[dict[str, Any]]:
    """One Sid twice with the same content, and a third that the first covers."""
    pull = list(Access.PULL.actions)
    return [
        _statement("BuildPull", "Allow", {"AWS": _CI}, pull),
        _statement("BuildPull", "Allow", {"AWS": [_CI]}, pull[::-1]),
        _statement("BuildRead", "Allow", {"AWS": _CI}, "ecr:BatchGetImage"),
    ]


def _shadowed() -> list[dict[str, Any]]:
    return [
        _own(Grant((_B_USER,), Access.PUSH_PULL)),
        _statement("FreezeForAudit", "Deny", {"AWS": _B_ROOT}, ["ecr:PutImage", "ecr:InitiateLayerUpload"]),
    ]
