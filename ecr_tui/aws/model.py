"""What the other rooms know of AWS: plain values, importable without boto3."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ecr_tui.secret import Secret


class Role(StrEnum):
    """Which of the two accounts a session belongs to; messages name it so that a denial has a side."""

    OWNER = "account A"
    CONSUMER = "account B"


@dataclass(frozen=True)
class Profile:
    """A profile of the user's AWS config.

    ``kind``: "sso", "assume-role", "process", "keys", "web-identity" or "other".
    """

    name: str
    kind: str
    region: str | None = None


@dataclass(frozen=True)
class Identity:
    """The answer of sts:GetCallerIdentity for a profile."""

    role: Role
    profile: str | None
    account: str
    arn: str
    user_id: str
    region: str | None
    expires_at: datetime | None = None
    """When temporary credentials end (UTC); None for long-term keys or where the provider does not tell."""

    @property
    def partition(self) -> str:
        return self.arn.split(":", 2)[1]


@dataclass(frozen=True)
class Repository:
    """A repository of account A. ``tags`` is None while they are unknown, {} when it has none."""

    name: str
    arn: str
    uri: str
    region: str
    account: str
    tags: dict[str, str] | None = field(default=None, hash=False)
    mutability: str = "MUTABLE"
    created_at: datetime | None = None

    @property
    def host(self) -> str:
        """The registry host, always taken from A's repositoryUri (never built, never the token's proxyEndpoint)."""
        return self.uri.split("/", 1)[0]

    @property
    def partition(self) -> str:
        return self.arn.split(":", 2)[1]


@dataclass(frozen=True)
class MfaPrompt:
    """What an MFA question must show: the profile that asks and the device's ARN."""

    profile: str
    device: str


@dataclass(frozen=True)
class RegistryToken:
    """The answer of ecr:GetAuthorizationToken: Basic credentials of the *caller*, good for every registry it may use.

    It carries no registry: which repositories it opens is decided at each request (reference: AWS calls
    ``registryIds`` deprecated, "doesn't change the permissions scope"). Lives for 12 hours on AWS.
    """

    username: str
    password: Secret
    expires_at: datetime | None


@dataclass(frozen=True)
class ImagesSummary:
    """How many images a repository holds and when the last one was pushed (UTC).

    ``complete`` is False when counting stopped at its bound: then ``count`` is "at least".
    """

    count: int
    last_push: datetime | None
    complete: bool = True
