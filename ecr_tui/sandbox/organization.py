"""The organization of accounts B and C, and the condition keys that it gives their requests. Account A is outside."""

from __future__ import annotations

from collections.abc import Sequence

ACCOUNT_B = "222222222222"
ACCOUNT_C = "444444444444"
MANAGEMENT = "555555555555"
"""The management account; its credentials are not available."""
ORGANIZATION = "o-ecr7tu1s4n"
ROOT = "r-dem0"
ORGANIZATION_PATH = f"{ORGANIZATION}/{ROOT}/ou-dem0-w0rkl0ads/"
"""aws:PrincipalOrgPaths of account B, directly in that unit."""
PARTNER_PATH = f"{ORGANIZATION_PATH}ou-dem0-partn3rs/"
"""aws:PrincipalOrgPaths of account C, in a unit below B's."""
_PATHS = {ACCOUNT_B: ORGANIZATION_PATH, ACCOUNT_C: PARTNER_PATH}


def is_member(account: str) -> bool:
    return account in _PATHS


def principal_keys(account: str) -> dict[str, str | Sequence[str]]:
    """Condition keys of a request by the account's principals; empty outside the organization."""
    return _keys("aws:Principal", account)


def source_keys(account: str) -> dict[str, str | Sequence[str]]:
    """Condition keys of a service's request on behalf of the account's resource."""
    return _keys("aws:Source", account)


def resource_keys(account: str) -> dict[str, str | Sequence[str]]:
    return _keys("aws:Resource", account)


def _keys(prefix: str, account: str) -> dict[str, str | Sequence[str]]:
    if not is_member(account):
        return {}
    return {f"{prefix}OrgID": ORGANIZATION, f"{prefix}OrgPaths": (_PATHS[account],)}
