"""What a verification asks of the two accounts, of the registry and of its own record, without knowing who answers."""

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
    """Account B, for the questions asked as B."""

    def identity(self) -> Identity: ...

    def token(self, region: str) -> RegistryToken: ...

    def probe(self, repository: Repository, action: str) -> str | None:
        """An API call that needs ``action`` and changes nothing: None when allowed, else AWS's denial, verbatim.

        Raises ``EcrTuiError`` for an action that has no such call, and for any failure but a denial.
        """


class Owner(Protocol):
    """Account A, for what only the owner may do."""

    def policy_text(self, repository: Repository) -> str | None: ...

    def delete_image(self, repository: Repository, *, digest: str = "", tag: str = "") -> None:
        """Delete the probe image; one that is not there is fine."""

    def image(self, repository: Repository, tag: str = "") -> TaggedImage | None:
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
    """What must not be forgotten if the program is killed (``records``). Raises EcrTuiError when it cannot."""

    def probe(self, repository: Repository, tag: str, engine: str) -> str:
        """A probe image is about to be made; returns the note's id."""

    def untagging(self, repository: Repository, key: str, value: str) -> str:
        """A tag is about to be taken away for a moment; returns the note's id."""

    def settle(self, identifier: str) -> None:
        """It has been put right."""

    def leave(self, identifier: str, why: str) -> None:
        """It could not be put right."""


class Parties(NamedTuple):
    """Everybody that one verification of ``repository`` talks to, and its time.

    ``second_opinion`` makes an engine that shows reasons, where ``engine`` itself hides them; None where it is one.
    ``wait`` lets seconds go by, as long as nobody cancels.
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
        """As :func:`interruptible`, by this verification's cancel."""
        return interruptible(call, self.cancel)


def interruptible(ask: Callable[[], T], cancel: Event) -> T:
    """What ``ask`` returns or raises, or Cancelled within a moment of ``cancel``; the call on its way is left behind.

    It has no limit of its own: AWS calls have theirs, and a question for an MFA code may take its time.
    """
    return run(lambda _: ask(), cancel=cancel, abort=lambda: None, silence=math.inf)
