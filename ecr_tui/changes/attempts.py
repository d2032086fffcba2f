"""Retries of one write: whether to retry, and how long to wait.

AWS has no revision of a policy or of tags, so the caller reads the live state again before each attempt, and each
attempt is one request. Only an error response from AWS proves that nothing was written; a request without a
response may have been executed, or may be executed later.
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
"""Seconds before the second and third attempt."""
LONGEST = 6.0
"""Seconds after which an attempt is not retried: after a timeout the user gets the error."""
FIRST_WAIT = 1.0
"""Seconds of the first wait for a new principal; doubled each time."""


class Pace(Protocol):
    """One object paces one write."""

    def turn(self) -> None:
        """Wait until a read and the following write may be sent without a pause. Raises Cancelled."""

    def again(self, error: EcrTuiError, /) -> None:
        """Wait before the next attempt. Raises ``error`` if it should not be retried, or Cancelled."""


TOLD: ContextVar[Callable[[str], None] | None] = ContextVar("told", default=None)
"""Called with the reason before each wait, on the writing thread."""


def reason(error: EcrTuiError) -> str:
    """Reason for a retry, in a few words."""
    if isinstance(error, Throttled):
        return "rate limited"
    if isinstance(error, UnknownPrincipal):
        return "ECR does not know the principal yet"
    return error.title


def refused(error: BaseException) -> bool:
    """Whether the attempt certainly wrote nothing: AWS refused it, or it was not sent."""
    return isinstance(error, DeniedError | InputError | RefusedError | CredentialsError | Throttled | Cancelled)


class Patience:
    """Up to three attempts, and a wait for a principal that is seconds old."""

    def __init__(self, wait: Callable[[float], object] = time.sleep) -> None:
        self._wait = wait
        self._began = time.monotonic()
        self._attempts = 0
        self._waited = 0.0
        self._next_wait = FIRST_WAIT

    def turn(self) -> None:
        self._began = time.monotonic()

    def again(self, error: EcrTuiError) -> None:
        pause = self._pause(error)
        if (told := TOLD.get()) is not None:
            told(reason(error))
        self._wait(pause)

    def _pause(self, error: EcrTuiError) -> float:
        """Seconds before the next attempt. Raises ``error`` if it should not be retried."""
        if isinstance(error, UnknownPrincipal):
            pause = min(self._next_wait, error.patience - self._waited)
            if pause <= 0:
                raise error
            self._next_wait *= 2
            self._waited += pause
            return pause
        if isinstance(error, ConflictError) or (refused(error) and not isinstance(error, Throttled)):
            raise error
        self._attempts += 1
        if self._attempts >= ATTEMPTS or time.monotonic() - self._began > LONGEST:
            raise error
        return PAUSES[self._attempts - 1]
