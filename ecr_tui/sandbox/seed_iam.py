"""The people of the accounts: their users, roles, policies and keys."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from ecr_tui.policy.actions import Access
from ecr_tui.sandbox.directory import Directory, new_id
from ecr_tui.sandbox.world import ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, ACCOUNT_CI, REGION

OWNER, CONSUMER, NO_ACCESS, PARTNER = "ecr-admin", "devusr2", "newcomer", "partner-dev"
ROLE, MFA_ROLE, CI_ROLE, NODE_ROLE = "EcrDeveloper", "EcrDeveloperMfa", "build-agent", "EksNode"
MFA_SERIAL = f"arn:aws:iam::{ACCOUNT_B}:mfa/{CONSUMER}"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"
_KEY_ALPHABET = string.ascii_uppercase + "234567"

_READS = ("ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetRepositoryPolicy", "ecr:ListImages")


@dataclass(frozen=True)
class Key:
    access_key: str
    secret: str = field(repr=False)
    user_id: str


def new_keys() -> dict[tuple[str, str], Key]:
    """(account, user) -> a key, different at each start."""
    users = ((ACCOUNT_A, OWNER), (ACCOUNT_B, CONSUMER), (ACCOUNT_B, NO_ACCESS), (ACCOUNT_C, PARTNER))
    return {
        user: Key(f"AKIA{_random(_KEY_ALPHABET, 16)}", _random(_SECRET_ALPHABET, 40), new_id("AIDA")) for user in users
    }


def seed_iam(directory: Directory, keys: dict[tuple[str, str], Key]) -> None:
    for (account, name), key in keys.items():
        backend = directory.backend(account)
        user = backend.create_user(region_name="us-east-1", user_name=name)
        user.id = key.user_id
        made = backend.create_access_key(name)
        backend.access_keys.pop(made.access_key_id, None)
        made.access_key_id, made.secret_access_key = key.access_key, key.secret
        backend.access_keys[key.access_key] = made
    directory.backend(ACCOUNT_A).put_user_policy(OWNER, "Administrator", _text([_allow(["*"], "*")]))
    _seed_consumer(directory)
    _seed_partner(directory)
    ci = directory.backend(ACCOUNT_CI)
    ci.create_role(CI_ROLE, _trust({"AWS": f"arn:aws:iam::{ACCOUNT_CI}:root"}), "/", None, "", [], "3600")
    ci.create_user(region_name="us-east-1", user_name="release-bot")


def _seed_consumer(directory: Directory) -> None:
    """devusr2's rights come from all three places a user's can: inline, a group's inline, a group's managed policy."""
    backend = directory.backend(ACCOUNT_B)
    user_arn = f"arn:aws:iam::{ACCOUNT_B}:user/{CONSUMER}"
    backend.put_user_policy(CONSUMER, "PushPullAccountA", _text([_push_pull()]))
    own = [
        _allow(
            ["iam:Get*", "iam:List*"],
            [user_arn, f"arn:aws:iam::{ACCOUNT_B}:group/*", f"arn:aws:iam::{ACCOUNT_B}:policy/*"],
        ),
        _allow(["sts:AssumeRole"], f"arn:aws:iam::{ACCOUNT_B}:role/{ROLE}*"),
        _allow(
            ["iam:GetRequestAuthorizationDetails", "organizations:DescribeOrganization", "lambda:ListFunctions"], "*"
        ),
        _allow(
            ["lambda:CreateFunction", "lambda:DeleteFunction", "lambda:GetFunction", "lambda:UpdateFunctionCode"],
            f"arn:aws:lambda:*:{ACCOUNT_B}:function:*",
        ),
    ]
    backend.put_user_policy(CONSUMER, "OwnIdentity", _text(own))
    backend.create_group("developers")
    backend.add_user_to_group("developers", CONSUMER)
    login = backend.create_policy(
        description="Log in to any ECR registry",
        path="/",
        policy_document=_text([_allow(["ecr:GetAuthorizationToken"], "*")]),
        policy_name="EcrLogin",
        tags=[],
    )
    backend.attach_group_policy(login.arn, "developers")
    own_registry = _allow(["ecr:Describe*", "ecr:List*"], f"arn:aws:ecr:*:{ACCOUNT_B}:repository/*")
    backend.put_group_policy("developers", "OwnRegistry", _text([own_registry]))
    with_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    for role, condition in ((ROLE, None), (MFA_ROLE, with_mfa)):
        backend.create_role(role, _trust({"AWS": user_arn}, condition), "/", None, "", [], "3600")
        rights = [_allow(["ecr:GetAuthorizationToken"], "*"), _push_pull()]
        backend.put_role_policy(role, "PushPullAccountA", _text(rights))


def _seed_partner(directory: Directory) -> None:
    """Account C: a user, and the role of its cluster's nodes, which only pulls and which that user may assume."""
    backend = directory.backend(ACCOUNT_C)
    user_arn = f"arn:aws:iam::{ACCOUNT_C}:user/{PARTNER}"
    login = _allow(["ecr:GetAuthorizationToken"], "*")
    own = [
        _allow(["iam:Get*", "iam:List*"], [user_arn, f"arn:aws:iam::{ACCOUNT_C}:role/{NODE_ROLE}"]),
        _allow(["sts:AssumeRole"], f"arn:aws:iam::{ACCOUNT_C}:role/{NODE_ROLE}"),
        _allow(["organizations:DescribeOrganization"], "*"),
    ]
    backend.put_user_policy(PARTNER, "PushPullAccountA", _text([login, _push_pull(), *own]))
    backend.create_role(NODE_ROLE, _trust({"AWS": user_arn}), "/", None, "", [], "3600")
    pull = _allow([*Access.PULL.actions], f"arn:aws:ecr:{REGION}:{ACCOUNT_A}:repository/*")
    backend.put_role_policy(NODE_ROLE, "PullAccountA", _text([login, pull]))


def _push_pull() -> dict[str, Any]:
    actions = sorted({*Access.PUSH_PULL.actions, *_READS})
    return _allow(actions, f"arn:aws:ecr:*:{ACCOUNT_A}:repository/*")


def _allow(actions: list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _trust(principal: dict[str, str], condition: dict[str, Any] | None = None) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return _text([statement | ({"Condition": condition} if condition else {})])


def _text(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _random(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))
