"""The delay between a key and its write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

GRANT_DELAY = 0.4
"""Seconds between ``g`` and its write. A second ``g`` in that time means vim's "go to top"; Esc cancels."""


class Countdown:
    """One delayed action at a time. ``clock`` returns monotonic seconds."""

    def __init__(self, *, delay: float, clock: Callable[[], float]) -> None:
        self._delay = delay
        self._clock = clock
        self._pressed: float | None = None
        self._canceled: asyncio.Event | None = None

    @property
    def pending(self) -> bool:
        return self._canceled is not None

    def press(self) -> bool:
        """Register a key press. True if it follows another one within the delay.

        So a key that is held down counts as a first press only once.
        """
        now, before = self._clock(), self._pressed
        self._pressed = now
        return before is not None and now - before < self._delay

    async def run_out(self) -> bool:
        """Wait for the delay. False if :meth:`cancel` came first."""
        if self._delay <= 0:
            return True
        self.cancel()
        canceled = self._canceled = asyncio.Event()
        try:
            await asyncio.wait_for(canceled.wait(), self._delay)
        except TimeoutError:
            return True
        finally:
            if self._canceled is canceled:
                self._canceled = None
        return False

    def cancel(self) -> bool:
        """Whether something was pending."""
        if self._canceled is None:
            return False
        self._canceled.set()
        self._canceled = None
        return True
