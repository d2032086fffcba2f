"""Pacing of calls by a rate learned from throttling.

AWS limits most control calls by a token bucket of unpublished size. Before the first throttling nothing is delayed.
Throttling means that the bucket is empty, so the calls accepted just before it show its refill rate. The pace is set
a little below, which leaves room for the user's own actions during a long run. Without throttling the rate grows
again, slowly at first, since other callers may have stopped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_HEADROOM = 0.97
_GROWTH = ((0.0, 0.02), (3.0, 0.10), (8.0, 0.30))
"""Growth per second, by seconds since the last cut."""
_SEARCH = 3.0
"""Growth per second after the first throttling, which may have had too few calls to measure."""
_STEP = 0.95
"""Factor of the rate after isolated throttling."""
_SAMPLE = 20
"""Accepted calls per measurement: fewer are imprecise, more are slow."""
_SHORTEST, _LONGEST = 0.5, 3.0
"""Seconds of a measurement."""
_FIRST_GUESS, _FIRST_GUESS_LEAST = 0.25, 5.0
"""Share of the calls accepted before the first throttling, which mostly used the initial bucket; and the minimum
calls per second."""
_SLOWEST, _FASTEST = 0.5, 1000.0
"""Minimum calls per second, to notice the end of throttling."""


class Pacer:
    """Thread-safe. Each call waits for :meth:`turn`, then reports :meth:`accepted` or :meth:`throttled`."""

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
        """Clock time of the last accepted call."""
        self.calls = self.refusals = 0

    @property
    def rate(self) -> float | None:
        """Calls per second, None while unlimited."""
        return self._rate

    def turn(self) -> float:
        """Seconds to wait before the next call."""
        with self._lock:
            now = self._clock()
            if self._began is None:
                self._began = now
            self.calls += 1
            if self._rate is None:
                return 0.0
            if self._next > now:
                # A rate that does not limit is not measured.
                self._grow(self._rate, now)
            self._grown = now
            at = max(now, self._next)
            self._next = at + 1 / self._rate
            return at - now

    def accepted(self) -> None:
        """The call was not throttled; its result does not matter."""
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
        # Not before the last cut: calls accepted earlier were the burst of a full bucket.
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
            # Calls queue, so the effect of a rate shows late; limit its growth until then.
            growth, limit = _SEARCH, max(rate, 2 * self._measured(now, _SHORTEST))
        self._rate = min(rate * (1 + growth * min(now - max(self._grown, self._cut), 1.0)), limit)
