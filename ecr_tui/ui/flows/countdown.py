"""The moment between a key and the write that it starts."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget

GRANT_DELAY = 0.4
"""Seconds between ``g`` and its write. A second ``g`` in that time is vim's "go to top"; Esc cancels."""


class Countdown:
    """One delayed action at a time. ``clock`` returns monotonic seconds."""

    def __init__(self, node: Widget, *, delay: float, clock: Callable[[], float]) -> None:
        self._node = node
        self._delay = delay
        self._clock = clock
        self._pressed: float | None = None
        self._timer: Timer | None = None

    @property
    def pending(self) -> bool:
        return self._timer is not None

    def press(self) -> bool:
        """Count a press of the key. True where it follows another one within the delay.

        A key that is held down therefore never is a first press again.
        """
        now, before = self._clock(), self._pressed
        self._pressed = now
        return before is not None and now - before < self._delay

    def start(self, then: Callable[[], None]) -> None:
        """Call ``then`` after the delay, unless :meth:`cancel` comes first."""
        self.cancel()
        if self._delay <= 0:
            then()
            return

        def due() -> None:
            self._timer = None
            then()

        self._timer = self._node.set_timer(self._delay, due)

    def cancel(self) -> bool:
        """Whether something was pending."""
        if self._timer is None:
            return False
        self._timer.stop()
        self._timer = None
        return True
