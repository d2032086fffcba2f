"""Background reader of one fact of many repositories: visible rows first, then the rest.

ECR has no batch call for policies and publishes no rate limit, so a bounded pool serves two queues: visible rows
(:meth:`BackgroundReader.want`, :meth:`~BackgroundReader.need`), then bulk reads (:meth:`~BackgroundReader.read_all`).
Answers are kept for a minute, a repository is never read twice at once, and an answer in progress during a write to its
repository is dropped.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from ecr_tui.aws.model import Repository
from ecr_tui.errors import Cancelled, EcrTuiError, Throttled

T = TypeVar("T")

THREADS = 8
WITHOUT_ANSWER = 20.0
"""Seconds of throttling of one read, without any other success, after which the rest fails as well, for the same
time."""
TTL = 60.0
"""Seconds for which an answer may be displayed. Writes never depend on it."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The value or the error; ``value`` is valid only without ``error``. ``at`` is monotonic seconds."""

    repository: Repository
    value: T | None
    error: EcrTuiError | None
    at: float


class BackgroundReader(Generic[T]):
    """Thread-safe. ``read`` is called from up to ``threads`` daemon threads, which live while there is work.

    Its exceptions become the answer's error. :data:`PolicyReader` is the one for policies.
    """

    def __init__(
        self,
        read: Callable[[Repository], T],
        *,
        threads: int = THREADS,
        ttl: float = TTL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._limit = threads
        self._ttl = ttl
        self._clock = clock
        self._lock = threading.RLock()
        self._wanted: deque[Repository] = deque()
        self._queued: deque[Repository] = deque()
        self._awaited: dict[str, list[queue.SimpleQueue[Answer[T]]]] = {}
        self._running: set[tuple[str, int]] = set()
        self._serials: Counter[str] = Counter()
        self._generation = 0
        self._answers: dict[str, Answer[T]] = {}
        self._texts: dict[str, str] = {}
        self._listeners: list[Callable[[Answer[T]], None]] = []
        self._threads = 0
        self._closed = False
        self._heard = float("-inf")
        self._hopeless: Answer[T] | None = None
        """The last throttling error without a success since: other reads would wait as long for the same error."""

    # -- answers -------------------------------------------------------------------------------------------

    def known(self, arn: str) -> Answer[T] | None:
        """A fresh answer, or None."""
        found = self._answers.get(arn)
        return found if found is not None and self._clock() - found.at < self._ttl else None

    def last(self, arn: str) -> Answer[T] | None:
        """The latest answer of any age, for display until the next one."""
        return self._answers.get(arn)

    def listen(self, heard: Callable[[Answer[T]], None]) -> Callable[[], None]:
        """Call ``heard`` with every valid answer, on the reading thread; returns a function that unsubscribes.

        A listener that raises is removed.
        """
        with self._lock:
            self._listeners.append(heard)
        return lambda: self._unlisten(heard)

    def _unlisten(self, heard: Callable[[Answer[T]], None]) -> None:
        with self._lock:
            if heard in self._listeners:
                self._listeners.remove(heard)

    # -- requests --------------------------------------------------------------------------------------------------

    def want(self, repositories: Iterable[Repository], first: Repository | None = None) -> None:
        """Read those without a fresh answer, and drop previous requests, because the user has scrolled."""
        rows = {row.arn: row for row in ((first,) if first is not None else ())}
        rows |= {row.arn: row for row in repositories if row.arn not in rows}
        with self._lock:
            self._wanted = deque(row for row in rows.values() if self._missing(row.arn))
        self._serve()

    def need(self, repository: Repository) -> None:
        """Read this one first."""
        with self._lock:
            if not self._missing(repository.arn):
                return
            self._wanted = deque(row for row in self._wanted if row.arn != repository.arn)
            self._wanted.appendleft(repository)
        self._serve()

    def read_all(
        self,
        repositories: Sequence[Repository],
        *,
        on_progress: Callable[[int, int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> list[Answer[T]]:
        """A fresh answer for each, in order, read after visible rows.

        ``on_progress(done, total)`` is called in this thread, not for every answer. Raises Cancelled within 0.1 s of
        ``cancel``, or if the reader is closed; calls in progress are abandoned.
        """
        found: dict[str, Answer[T]] = {}
        missing: dict[str, Repository] = {}
        inbox: queue.SimpleQueue[Answer[T]] = queue.SimpleQueue()
        with self._lock:
            for row in {row.arn: row for row in repositories}.values():
                fresh = self.known(row.arn)
                if fresh is not None:
                    found[row.arn] = fresh
                    continue
                missing[row.arn] = row
                inboxes = self._awaited.setdefault(row.arn, [])
                if not inboxes and self._missing(row.arn):
                    self._queued.append(row)
                inboxes.append(inbox)
        self._serve()
        total = len(found) + len(missing)
        try:
            while missing:
                if self._closed or (cancel is not None and cancel.is_set()):
                    raise Cancelled
                for answer in _arrived(inbox):
                    found[answer.repository.arn] = answer
                    missing.pop(answer.repository.arn, None)
                if on_progress is not None:
                    on_progress(len(found), total)
        finally:
            with self._lock:
                for arn in missing:
                    self._leave(arn, inbox)
        return [found[row.arn] for row in repositories]

    def _leave(self, arn: str, inbox: queue.SimpleQueue[Answer[T]]) -> None:
        inboxes = self._awaited.get(arn, [])
        if inbox in inboxes:
            inboxes.remove(inbox)
        if not inboxes:
            self._awaited.pop(arn, None)

    # -- invalidation ----------------------------------------------------------------------------------------------

    def invalidate(self, arn: str) -> None:
        """Invalidate after a write, including an answer in progress."""
        with self._lock:
            self._serials[arn] += 1
            self._answers.pop(arn, None)

    def forget(self) -> None:
        """Invalidate everything and drop requests, such as after a change of account."""
        with self._lock:
            self._generation += 1
            self._wanted.clear()
            self._answers.clear()
            self._texts.clear()

    def close(self) -> None:
        """Start no more reads. Threads end after their current call, without a join."""
        with self._lock:
            self._closed = True
            self._wanted.clear()
            self._queued.clear()

    # -- worker threads
    # -------------------------------------------------------------------------------------------------

    def _ticket(self, arn: str) -> tuple[str, int]:
        return arn, self._generation + self._serials[arn]

    def _missing(self, arn: str) -> bool:
        """Whether it is neither fresh nor being read."""
        return self.known(arn) is None and self._ticket(arn) not in self._running

    def _serve(self) -> None:
        with self._lock:
            work = len(self._wanted) + len(self._queued) + len(self._running)
            new = 0 if self._closed else max(0, min(self._limit, work) - self._threads)
            self._threads += new
        for _ in range(new):
            threading.Thread(target=self._work, name="policy-reader", daemon=True).start()

    def _next(self) -> Repository | None:
        """Callers hold the lock. Skips repositories that were answered or are no longer needed."""
        while self._wanted:
            row = self._wanted.popleft()
            if self._missing(row.arn):
                return row
        while self._queued:
            row = self._queued.popleft()
            if row.arn in self._awaited and self._missing(row.arn):
                return row
        return None

    def _work(self) -> None:
        while True:
            with self._lock:
                # Deciding to end and deregistering are one step; otherwise a new request could find no worker.
                row = None if self._closed else self._next()
                if row is None:
                    self._threads -= 1
                    return
                ticket = self._ticket(row.arn)
                self._running.add(ticket)
            answer = self._ask(row)
            with self._lock:
                self._running.discard(ticket)
                counts = ticket == self._ticket(row.arn) and not self._closed
                listeners = tuple(self._listeners) if counts else ()
                if counts:
                    self._answers[row.arn] = answer
                    for inbox in self._awaited.pop(row.arn, ()):
                        inbox.put(answer)
                elif row.arn in self._awaited:
                    self._queued.appendleft(row)
            for heard in listeners:
                try:
                    heard(answer)
                except Exception:
                    # A failing listener would fail again, and must not block the others.
                    self._unlisten(heard)

    def _ask(self, row: Repository) -> Answer[T]:
        if self._hopeless is not None and self._clock() - self._hopeless.at < WITHOUT_ANSWER:
            return Answer(row, None, self._hopeless.error, self._clock())
        asked = self._clock()
        try:
            value = self._read(row)
        except Throttled as error:
            refused: Answer[T] = Answer(row, None, error, self._clock())
            if self._heard < asked and refused.at - asked > WITHOUT_ANSWER:
                self._hopeless = refused
            return refused
        except EcrTuiError as error:
            return Answer(row, None, error, self._clock())
        except Exception as fault:
            unexpected = EcrTuiError(f"reading {row.name} failed", detail=repr(fault))
            return Answer(row, None, unexpected, self._clock())
        self._heard = self._clock()
        if isinstance(value, str):
            # Thousands of repositories may share one policy text.
            with self._lock:
                value = self._texts.setdefault(value, value)  # type: ignore[assignment]
        return Answer(row, value, None, self._clock())


def _arrived(inbox: queue.SimpleQueue[Answer[T]]) -> Iterator[Answer[T]]:
    """The available answers, waiting briefly for the first."""
    with contextlib.suppress(queue.Empty):
        yield inbox.get(timeout=0.1)
        while True:
            yield inbox.get_nowait()


PolicyReader = BackgroundReader[str | None]
"""Values are exact policy texts; None without a policy."""


class Readers(NamedTuple):
    """The background readers; values of ``images`` are summaries from ``aws.images``."""

    policies: PolicyReader
    images: BackgroundReader[Any]
