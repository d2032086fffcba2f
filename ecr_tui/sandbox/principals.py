"""Who calls: an IAM user or a role session of one of the sandbox's accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ecr_tui.sandbox.backend import Caller


@dataclass(frozen=True)
class Session:
    """Additional data of temporary credentials."""

    token: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    policy: str | None = None
    mfa: bool = False


@dataclass(frozen=True)
class Principal(Caller):
    """``arn`` as in GetCallerIdentity (a session's STS ARN); ``iam_arn`` the user or role behind it."""

    kind: Literal["user", "role"] = "user"
    name: str = ""
    iam_arn: str = ""
    user_id: str = ""
    session: Session | None = None
    partition: str = "aws"


@dataclass(frozen=True)
class Credential:
    """An access key that can sign. ``token`` must accompany it when it is temporary."""

    principal: Principal
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
