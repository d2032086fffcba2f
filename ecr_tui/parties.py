"""The two accounts as a verification sees them: what it asks of each, without knowing how AWS is reached."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ecr_tui.aws.model import Identity, Repository
from ecr_tui.registry.engine import Credentials
from ecr_tui.secret import Secret


class Token(Protocol):
    """What GetAuthorizationToken gives (``aws.tokens.RegistryToken``)."""

    @property
    def username(self) -> str: ...
    @property
    def password(self) -> Secret: ...
    @property
    def expires_at(self) -> datetime | None: ...


class Consumer(Protocol):
    """Account B, for the questions asked as B."""

    def identity(self) -> Identity: ...

    def token(self, region: str) -> Token: ...

    def probe(self, repository: Repository, action: str) -> str | None:
        """A read-only API call that needs ``action``: None when allowed, else AWS's denial, verbatim.

        Raises ``EcrTuiError`` for an action that has no read-only call, and for any failure but a denial.
        """


class Owner(Protocol):
    """Account A, for what only the owner may do."""

    def policy_text(self, repository: Repository) -> str | None: ...

    def delete_image(self, repository: Repository, *, digest: str = "", tag: str = "") -> None:
        """Delete the probe image; one that is not there is fine."""

    def ungranted_neighbour(self, repository: Repository, principal: str) -> Repository | None:
        """Another repository of the same region whose policy gives ``principal`` nothing; None when there is none."""


class RegistryCheck(Protocol):
    """A read-only look at a repository through the registry protocol (``registry.direct``)."""

    def check(self, host: str, repository: str, credentials: Credentials) -> dict[str, str]:
        """Per ECR action: "allowed", "denied" or "unknown"."""
