"""Read CloudTrail events into a record that later calls extend.

Events come newest first, so the covered period grows backwards from the present. A second that may continue on the next
page counts only with that page; after an interruption it is read again and counted once. Events arrive late (within
some 15 minutes; CloudTrail User Guide, "Getting and viewing your CloudTrail log files": on average 5, not guaranteed),
so each call reads the latest part again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from ecr_tui.access.usage import Range, Tally, complete_from, covering, gaps
from ecr_tui.aws.trail import INTERVAL, TrailEvent, TrailPage
from ecr_tui.errors import Throttled

PAGES = 600
"""Default maximum of calls: some five minutes at CloudTrail's rate limit, 30,000 events."""
LATE = timedelta(minutes=15)
SAVE_EVERY = 10.0
"""Seconds."""
SECOND = timedelta(seconds=1)

LookUp = Callable[[datetime, datetime, str], TrailPage]
"""As ``aws.trail.look_up``, beginning with its ``start``."""
OnPage = Callable[[int, datetime], None]
"""(events read so far, how far back), on the calling thread."""


@dataclass
class Record:
    """Events of an account's trail in a region. ``settled``: those in ``covered``; ``recent``: those in ``latest``,
    which is read again. ``at``: time of the last reading."""

    account: str
    region: str
    covered: tuple[Range, ...] = ()
    settled: Tally = field(default_factory=Tally)
    latest: Range | None = None
    recent: Tally = field(default_factory=Tally)
    unreadable: int = 0
    at: datetime | None = None

    @property
    def tally(self) -> Tally:
        return self.settled.joined(self.recent)

    @property
    def complete_from(self) -> datetime | None:
        """Since when all events up to the last reading are known; None before the first successful one."""
        if self.latest is None:
            return None
        return complete_from(covering(self.covered, self.latest), self.latest[1])


class Reading(NamedTuple):
    """``stopped``: "" for complete, "limit", "throttled" or "cancelled"."""

    pages: int = 0
    events: int = 0
    stopped: str = ""


def read(
    record: Record,
    look_up: LookUp,
    *,
    start: datetime,
    now: datetime,
    pages: int = PAGES,
    cancel: threading.Event | None = None,
    on_page: OnPage | None = None,
    save: Callable[[], None] = lambda: None,
) -> Reading:
    """Read into ``record`` the missing events from ``start`` to ``now``, newest first, with at most ``pages`` calls.

    ``save`` is called periodically and at the end, also if a call fails (raises EcrTuiError). Throttling ends the
    reading; the next call continues.
    """
    reader = _Reader(record, look_up, now, pages, cancel or threading.Event(), on_page, save)
    end = now.replace(microsecond=0) + SECOND
    try:
        for gap in gaps(record.covered, start.replace(microsecond=0), end):
            if not reader.read(gap):
                break
    except Throttled:
        reader.stopped = "throttled"
    finally:
        save()
    return Reading(reader.pages, reader.events, reader.stopped)


class _Reader:
    def __init__(
        self,
        record: Record,
        look_up: LookUp,
        now: datetime,
        limit: int,
        cancel: threading.Event,
        on_page: OnPage | None,
        save: Callable[[], None],
    ) -> None:
        self._record = record
        self._look_up = look_up
        self._now = now
        self._settled = (now - LATE).replace(microsecond=0)
        self._end = now.replace(microsecond=0) + SECOND
        self._limit = limit
        self._cancel = cancel
        self._on_page = on_page
        self._save = save
        self._called = float("-inf")
        self._saved = time.monotonic()
        self.pages = self.events = 0
        self.stopped = ""

    def read(self, gap: Range) -> bool:
        """Whether it was read completely."""
        start, end = gap
        held: list[TrailEvent] = []
        token = ""
        while True:
            page = self._page(start, end, token)
            if page is None:
                return False
            held += page.events
            token = page.token
            oldest = min((event.at for event in held), default=end - SECOND) if token else start - SECOND
            self._take([event for event in held if event.at > oldest], (oldest + SECOND, end))
            held = [event for event in held if event.at <= oldest]
            if self._on_page is not None:
                self._on_page(self.events, max(oldest, start))
            if not token:
                return True
            if time.monotonic() - self._saved > SAVE_EVERY:
                self._save()
                self._saved = time.monotonic()

    def _page(self, start: datetime, end: datetime, token: str) -> TrailPage | None:
        if self.pages >= self._limit:
            self.stopped = "limit"
            return None
        if self._cancel.wait(max(0.0, self._called + INTERVAL - time.monotonic())):
            self.stopped = "cancelled"
            return None
        self._called = time.monotonic()
        page = self._look_up(start, end - SECOND, token)
        if not self.pages:
            self._record.recent, self._record.latest, self._record.at = Tally(), None, self._now
        self.pages += 1
        self.events += len(page.events)
        self._record.unreadable += page.unreadable
        return page

    def _take(self, events: list[TrailEvent], known: Range) -> None:
        record = self._record
        record.settled.add(event for event in events if event.at < self._settled)
        record.recent.add(event for event in events if event.at >= self._settled)
        start, end = known
        record.covered = covering(record.covered, (start, min(end, self._settled)))
        if end > self._settled:
            record.latest = (max(start, self._settled), self._end)
