"""The IAM records that moto keeps, read the way a decision needs them.

Everything is read on each call, so a changed policy, a deleted user or a new key takes effect immediately.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from moto.iam.models import Group, IAMBackend, Role, User, iam_backends

from ecr_tui.sandbox.principals import Credential, Principal, Session

PARTITION = "aws"
BOUNDARY = "permissions_boundary"
"""The attribute in which moto looks for a user's boundary when GetUser shows it, though nothing of moto sets it."""
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Document(NamedTuple):
    """``uri``: as Access Troubleshooter has it, the ARN of a managed policy, and "inline:..." of another."""

    text: str
    uri: str


@dataclass(frozen=True)
class Documents:
    """Policies that bear on one principal's identity side."""

    identity: tuple[Document, ...] = ()
    boundaries: tuple[Document, ...] = ()
    session: Document | None = None
    tags: dict[str, str] = field(default_factory=dict)


class Directory:
    """``accounts`` have IAM records here; ``outsiders`` are accounts that merely exist, as principals may name them."""

    def __init__(self, accounts: tuple[str, ...], outsiders: tuple[str, ...] = ()) -> None:
        self.accounts = accounts
        self.known = frozenset(accounts + outsiders)

    def backend(self, account: str) -> IAMBackend:
        return iam_backends[account][PARTITION]

    def user(self, account: str, name: str) -> User | None:
        return self.backend(account).users.get(name) if account in self.accounts else None

    def role(self, account: str, name: str) -> Role | None:
        if account not in self.accounts:
            return None
        return next((role for role in list(self.backend(account).roles.values()) if role.name == name), None)

    def credential(self, access_key: str) -> Credential | None:
        """A user's active long-term key."""
        for account in self.accounts:
            for user in list(self.backend(account).users.values()):
                for key in list(user.access_keys):
                    if key.access_key_id == access_key and key.status == "Active":
                        return Credential(self.user_principal(user, access_key), key.secret_access_key)
        return None

    def user_principal(self, user: User, access_key: str, session: Session | None = None) -> Principal:
        return Principal(
            account=user.account_id,
            arn=user.arn,
            access_key=access_key,
            kind="user",
            name=user.name,
            iam_arn=user.arn,
            user_id=user_id(user),
            session=session,
            partition=PARTITION,
        )

    def role_principal(self, role: Role, session_name: str, access_key: str, session: Session) -> Principal:
        return Principal(
            account=role.account_id,
            arn=f"arn:{PARTITION}:sts::{role.account_id}:assumed-role/{role.name}/{session_name}",
            access_key=access_key,
            kind="role",
            name=role.name,
            iam_arn=role.arn,
            user_id=f"{role.id}:{session_name}",
            session=session,
            partition=PARTITION,
        )

    def by_arn(self, arn: str, access_key: str = "") -> Principal | None:
        """The principal behind an ARN that GetCallerIdentity would give."""
        account, kind, names = _split(arn)
        if kind == "user" and (user := self.user(account, names[-1])) is not None and user.arn == arn:
            return self.user_principal(user, access_key)
        return None

    def documents(self, principal: Principal) -> Documents:
        """All of it; a user or role that is gone, or that was made again under its name, has nothing."""
        passed = principal.session.policy if principal.session else None
        session = _inline(passed, principal.arn) if passed is not None else None
        if principal.kind == "user":
            user = self.user(principal.account, principal.name)
            if user is None or user_id(user) != principal.user_id:
                return Documents()
            texts = [*_attached(user)]
            for group in list(self.backend(principal.account).groups.values()):
                if any(member.name == user.name for member in group.users):
                    texts += _attached(group)
            tags = {tag["Key"]: tag["Value"] for tag in user.tags or ()}
            limit = boundary_of(user)
            limits = (Document(self.managed_policy(principal.account, limit), limit),) if limit else ()
            return Documents(tuple(texts), limits, session, tags)
        role = self.role(principal.account, principal.name)
        if role is None or role.id != principal.user_id.split(":")[0]:
            return Documents()
        boundaries: tuple[Document, ...] = ()
        if arn := role.permissions_boundary_arn:
            boundaries = (Document(self.managed_policy(principal.account, arn), arn),)
        tags = {tag["Key"]: tag["Value"] for tag in role.tags or ()}
        return Documents(tuple(_attached(role)), boundaries, session, tags)

    def managed_policy(self, account: str, arn: str) -> str:
        """The default version's text; a policy that allows nothing if the ARN is unknown."""
        policy = self.backend(account).managed_policies.get(arn)
        return _default_version(policy) if policy is not None else '{"Version":"2012-10-17","Statement":[]}'

    def principals(self) -> Iterator[tuple[str, str]]:
        """(unique id, ARN) of every user and role."""
        for account in self.accounts:
            for user in list(self.backend(account).users.values()):
                yield user_id(user), user.arn
            for role in list(self.backend(account).roles.values()):
                yield role.id, role.arn


def user_id(user: User) -> str:
    """moto's own ids do not look like AWS's (AIDA...), which policies and people tell apart by their prefix."""
    if not user.id.startswith("AIDA"):
        user.id = new_id("AIDA")
    return user.id


def boundary_of(user: User) -> str:
    """The ARN of the user's permissions boundary, "" for none."""
    found = getattr(user, BOUNDARY, None)
    return str(found["PermissionsBoundaryArn"]) if found else ""


def new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ID_ALPHABET) for _ in range(17))


def _attached(owner: User | Role | Group) -> Iterator[Document]:
    for name, text in list(owner.policies.items()):
        yield _inline(text, f"{owner.arn}/{name}")
    for arn, policy in list(owner.managed_policies.items()):
        yield Document(_default_version(policy), arn)


def _inline(text: str, name: str) -> Document:
    return Document(text, f"inline:{hashlib.sha256(name.encode()).hexdigest()[:16]}")


def _default_version(policy: object) -> str:
    versions = getattr(policy, "versions", [])
    default = getattr(policy, "default_version_id", "v1")
    document: str = next((one.document for one in versions if one.version_id == default), "{}")
    return document


def _split(arn: str) -> tuple[str, str, list[str]]:
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return "", "", [""]
    kind, *names = parts[5].split("/")
    return parts[4], kind, names or [""]
