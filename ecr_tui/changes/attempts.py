"""How attempts at one write follow each other: whether another is worth it, and how long to wait before it.

AWS knows no revision of a policy or of tags, so a write is as safe as the look just before it. Each attempt is one
request, and the caller looks again before the next. Only a refusal by AWS says that an attempt wrote nothing; one
without an answer may have been carried out, or may be carried out later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol

from ecr_tui.errors import (
    Cancelled,
    ConflictError,
    CredentialsError,
    DeniedError,
    EcrTuiError,
    InputError,
    RefusedError,
    Throttled,
    UnknownPrincipal,
)

ATTEMPTS = 3
PAUSES = (0.3, 1.0)
"""Seconds before the second and the third attempt."""
LONGEST = 6.0
"""Seconds that an attempt may have taken for another to follow: after a time-out the user should hear of it."""
FIRST_WAIT = 1.0
"""Seconds of the first wait for a new principal; each further one is twice as long."""


class Pace(Protocol):
    """One object paces one write."""

    def turn(self) -> None:
        """Wait until a look and the write after it may be sent without a pause between them. Raises Cancelled."""

    def again(self, error: EcrTuiError, /) -> None:
        """Wait until another attempt may begin. Raises ``error`` where none is worth it, and Cancelled."""


TOLD: ContextVar[Callable[[str], None] | None] = ContextVar("told", default=None)
"""Called with the reason before each wait for another attempt, on the thread that writes. Set by who shows it."""


def reason(error: EcrTuiError) -> str:
    """Why an attempt is followed by another, in a few words."""
    if isinstance(error, Throttled):
        return "rate limited"
    if isinstance(error, UnknownPrincipal):
        return "ECR does not know the principal yet"
    return error.title


def refused(error: BaseException) -> bool:
    """Whether the attempt that met ``error`` wrote nothing: AWS refused it, or it was never sent."""
    return isinstance(error, DeniedError | InputError | RefusedError | CredentialsError | Throttled | Cancelled)


class Patience:
    """For a write of its own: up to three attempts, and a wait for a principal that is seconds old."""

    def __init__(
        self, wait: Callable[[float], object] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._wait = wait
        self._clock = clock
        self._began = clock()
        self._attempts = 0
        self._waited = 0.0
        self._pause = 0.0
        self._next_wait = FIRST_WAIT

    def turn(self) -> None:
        self._began = time.monotonic()

    def again(self, error: EcrTuiError) -> None:
        self._next(error)
        pause, self._pause = self._pause, 0.0
        if (told := TOLD.get()) is not None:
            told(reason(error))
        self._wait(pause)

    def _next(self, error: EcrTuiError) -> None:
        """Choose the pause before the next attempt. Raises ``error`` where none is worth it."""
        if isinstance(error, UnknownPrincipal):
            self._for_principal(error)
            return
        if isinstance(error, ConflictError) or (refused(error) and not isinstance(error, Throttled)):
            raise error
        self._attempts += 1
        if self._attempts >= ATTEMPTS or time.monotonic() - self._began > LONGEST:
            raise error
        self._pause = PAUSES[self._attempts - 1]

    def _for_principal(self, error: UnknownPrincipal) -> None:
        left = error.patience - self._waited
        if left <= 0:
            raise error
        pause = min(self._next_wait, left)
        self._next_wait *= 2
        self._waited += pause
        self._pause = pause
