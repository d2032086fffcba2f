"""Protocols of a verification for the two accounts, the registry and the record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Event
from typing import NamedTuple, Protocol, TypeVar

from ecr_tui.aws.images import TaggedImage
from ecr_tui.aws.model import Identity, RegistryToken, Repository
from ecr_tui.registry.engine import Credentials, Engine
from ecr_tui.registry.running import run

T = TypeVar("T")


class Consumer(Protocol):
    """Account B: calls made as B."""

    def identity(self) -> Identity: ...

    def token(self, region: str) -> RegistryToken: ...

    def probe(self, repository: Repository, action: str) -> str | None:
        """Make a read-only API call that needs ``action``: None if allowed, else AWS's denial, verbatim.

        Raises ``EcrTuiError`` for an action without such a call, and for any failure except a denial.
        """


class Owner(Protocol):
    """Account A: calls that only the owner may make."""

    def policy_text(self, repository: Repository) -> str | None: ...

    def delete_image(self, repository: Repository, *, digest: str = "", tag: str = "") -> None:
        """Delete the probe image; a missing image is not an error."""

    def image(self, repository: Repository, tag: str = "") -> TaggedImage | None:
        """The image with ``tag``; without ``tag``, the newest tagged image that is not a probe. None if there is
        none."""

    def ungranted(self, repository: Repository, principal: str, limit: int) -> list[Repository]:
        """Up to ``limit`` other repositories of the same region whose policies do not allow ``principal`` anything."""

    def tags(self, repository: Repository) -> dict[str, str]:
        """Live tags, as seen by policy conditions."""

    def set_tag(self, repository: Repository, key: str, value: str) -> None: ...

    def remove_tag(self, repository: Repository, key: str) -> None: ...


class RegistryCheck(Protocol):
    """Read-only requests to a repository through the registry protocol (``registry.direct``)."""

    def check(
        self, host: str, repository: str, credentials: Credentials, cancel: Event | None = None
    ) -> dict[str, str]:
        """Per ECR action: "allowed", "denied" or "unknown"."""


class Notes(Protocol):
    """Notes for cleanup if the program is killed (``records``). Methods raise EcrTuiError on failure."""

    def probe(self, repository: Repository, tag: str, engine: str) -> str:
        """Note a probe image before it is created; returns the note's id."""

    def untagging(self, repository: Repository, key: str, value: str) -> str:
        """Note a tag before it is removed temporarily; returns the note's id."""

    def settle(self, identifier: str) -> None:
        """Cleanup succeeded."""

    def leave(self, identifier: str, why: str) -> None:
        """Cleanup failed."""


class Parties(NamedTuple):
    """The parties and timing of one verification of ``repository``.

    ``second_opinion`` creates an engine that shows reasons, if ``engine`` hides them; None if it shows them. ``wait``
    waits for seconds, or until canceled.
    """

    repository: Repository
    consumer: Consumer
    owner: Owner
    engine: Engine
    second_opinion: Callable[[], Engine] | None
    registry_check: RegistryCheck
    notes: Notes
    cancel: Event
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep

    def ask(self, call: Callable[[], T]) -> T:
        """As :func:`interruptible`, with this verification's cancel."""
        return interruptible(call, self.cancel)


def interruptible(ask: Callable[[], T], cancel: Event) -> T:
    """The result of ``ask``, or Cancelled shortly after ``cancel``; a call in progress is abandoned.

    No time limit: AWS calls have their own, and an MFA prompt may take long.
    """
    return run(lambda _: ask(), cancel=cancel, abort=lambda: None, silence=math.inf)
