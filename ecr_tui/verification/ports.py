"""What a verification asks of the two accounts, of the registry and of its own record, without knowing who answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Protocol, TypeVar

from ecr_tui.aws.model import Identity, Repository
from ecr_tui.registry.engine import Credentials
from ecr_tui.registry.running import run
from ecr_tui.secret import Secret

T = TypeVar("T")


class Token(Protocol):
    """What GetAuthorizationToken gives (``aws.tokens.RegistryToken``)."""

    @property
    def username(self) -> str: ...
    @property
    def password(self) -> Secret: ...
    @property
    def expires_at(self) -> datetime | None: ...


class StoredImage(Protocol):
    """An image in A's repository (``aws.images.TaggedImage``); ``size`` in bytes, None where ECR does not tell."""

    @property
    def tag(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> int | None: ...


class Consumer(Protocol):
    """Account B, for the questions asked as B."""

    def identity(self) -> Identity: ...

    def token(self, region: str) -> Token: ...

    def probe(self, repository: Repository, action: str) -> str | None:
        """An API call that needs ``action`` and changes nothing: None when allowed, else AWS's denial, verbatim.

        Raises ``EcrTuiError`` for an action that has no such call, and for any failure but a denial.
        """


class Owner(Protocol):
    """Account A, for what only the owner may do."""

    def policy_text(self, repository: Repository) -> str | None: ...

    def delete_image(self, repository: Repository, *, digest: str = "", tag: str = "") -> None:
        """Delete the probe image; one that is not there is fine."""

    def image(self, repository: Repository, tag: str = "") -> StoredImage | None:
        """The image under ``tag``, without one the newest tagged image that is no probe; None when there is none."""

    def ungranted(self, repository: Repository, principal: str, limit: int) -> list[Repository]:
        """Up to ``limit`` other repositories of the same region whose policies give ``principal`` nothing."""

    def tags(self, repository: Repository) -> dict[str, str]:
        """Live: what a condition in a policy sees."""

    def set_tag(self, repository: Repository, key: str, value: str) -> None: ...

    def remove_tag(self, repository: Repository, key: str) -> None: ...


class RegistryCheck(Protocol):
    """A read-only look at a repository through the registry protocol (``registry.direct``)."""

    def check(
        self, host: str, repository: str, credentials: Credentials, cancel: Event | None = None
    ) -> dict[str, str]:
        """Per ECR action: "allowed", "denied" or "unknown"."""


class Notes(Protocol):
    """What must not be forgotten if the program is killed (``verifications``). Raises EcrTuiError when it cannot."""

    def probe(self, repository: Repository, tag: str, engine: str) -> str:
        """A probe image is about to be made; returns the note's id."""

    def untagging(self, repository: Repository, key: str, value: str) -> str:
        """A tag is about to be taken away for a moment; returns the note's id."""

    def settle(self, identifier: str) -> None:
        """It has been put right."""

    def leave(self, identifier: str, why: str) -> None:
        """It could not be put right."""


def interruptible(ask: Callable[[], T], cancel: Event) -> T:
    """What ``ask`` returns or raises, or Cancelled within a moment of ``cancel``; the call on its way is left behind.

    It has no limit of its own: AWS calls have theirs, and a question for an MFA code may take its time.
    """
    return run(lambda _: ask(), cancel=cancel, abort=lambda: None, silence=math.inf)
