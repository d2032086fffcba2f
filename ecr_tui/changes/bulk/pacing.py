"""As fast as the service allows, and not faster: a rate that is found out from its refusals.

AWS limits most control calls by a token bucket whose size it does not publish. Before the first refusal nothing is
held back. A refusal means that the bucket is empty, so what was accepted just before it tells the rate at which it
fills: that becomes the rate, a little below, which leaves room for the user's own action beside a long run. Without
refusals the rate grows again, at first hardly, later faster, since others may have used up a part that is free now.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_HEADROOM = 0.97
_GROWTH = ((0.0, 0.02), (3.0, 0.10), (8.0, 0.30))
"""Growth a second, by seconds since the rate was last cut."""
_SEARCH = 3.0
"""Growth a second after the very first refusal, before which there may have been too little to measure anything."""
_STEP = 0.95
"""Of the rate after a refusal out of the blue: it was a little too high."""
_SAMPLE = 20
"""Accepted calls that a measurement should count: fewer make it coarse, more make it slow."""
_SHORTEST, _LONGEST = 0.5, 3.0
"""Seconds that a measurement spans."""
_FIRST_GUESS, _FIRST_GUESS_LEAST = 0.25, 5.0
"""Of what was accepted before the very first refusal, which was mostly the bucket's first filling; and at least that
many calls a second."""
_SLOWEST, _FASTEST = 0.5, 1000.0
"""Calls a second. The slowest are always tried: it is how the end of a refusal is noticed."""


class Pacer:
    """Thread-safe. Each call first waits as long as :meth:`turn` says, then tells :meth:`accepted` or
    :meth:`throttled`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rate: float | None = None
        self._next = 0.0
        self._accepted: deque[float] = deque(maxlen=4096)
        self._began: float | None = None
        self._cut = self._grown = float("-inf")
        self._cuts = 0
        self._refused = float("-inf")
        self.last_accepted = float("-inf")
        """When the service last accepted a call, by the clock."""
        self.calls = self.refusals = 0

    @property
    def rate(self) -> float | None:
        """Calls a second, None while nothing limits them."""
        return self._rate

    def turn(self) -> float:
        """Seconds to wait before the next call may be sent."""
        with self._lock:
            now = self._clock()
            if self._began is None:
                self._began = now
            self.calls += 1
            if self._rate is None:
                return 0.0
            if self._next > now:
                # Where the rate is not what limits, nothing is learnt of it.
                self._grow(self._rate, now)
            self._grown = now
            at = max(now, self._next)
            self._next = at + 1 / self._rate
            return at - now

    def accepted(self) -> None:
        """The service did what was asked, or refused it for another reason than its rate."""
        with self._lock:
            self.last_accepted = self._clock()
            self._accepted.append(self.last_accepted)

    def throttled(self) -> None:
        with self._lock:
            now = self._clock()
            self.refusals += 1
            span = self._span()
            if now - self._cut >= span / 2:
                self._rate = self._cut_rate(now, span)
                self._cut = now
                self._cuts += 1
                self._next = max(self._next, now + 1 / self._rate)
            self._grown = self._refused = now

    def _cut_rate(self, now: float, span: float) -> float:
        if self._rate is None:
            return max(_FIRST_GUESS_LEAST, self._measured(now, span) * _FIRST_GUESS)
        if now - self._refused > span:
            return max(_SLOWEST, self._rate * _STEP)
        return max(_SLOWEST, self._measured(now, span) * _HEADROOM)

    def _span(self) -> float:
        return _SHORTEST if self._rate is None else min(max(_SAMPLE / self._rate, _SHORTEST), _LONGEST)

    def _measured(self, now: float, span: float) -> float:
        # Not reaching back over the last cut: what was accepted before it was a full bucket's burst.
        span = min(span, now - max(self._cut, self._began if self._began is not None else now))
        span = max(span, _SHORTEST / 2)
        count = 0
        for at in reversed(self._accepted):
            if at <= now - span:
                break
            count += 1
        return count / span

    def _grow(self, rate: float, now: float) -> None:
        quiet = now - self._cut
        growth = next(each for least, each in reversed(_GROWTH) if quiet >= least)
        limit = _FASTEST
        if self._cuts == 1:
            # Calls wait for their turn, so what a rate brings is seen late: it must not run away meanwhile.
            growth, limit = _SEARCH, max(rate, 2 * self._measured(now, _SHORTEST))
        self._rate = min(rate * (1 + growth * min(now - max(self._grown, self._cut), 1.0)), limit)
