"""Policies and image counts of the rows in view, read in the background: visible first, late answers dropped."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from textual.widget import Widget

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.access import AccessSummary, access_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import ImagesRead, PolicyRead
from ecr_tui.ui.port import Workspace

Kind = Literal["policy", "images"]


@dataclass(frozen=True)
class PolicyState:
    """``text`` None with no error: no policy. ``read_at`` is monotonic seconds."""

    text: str | None
    error: EcrTuiError | None
    read_at: float


@dataclass(frozen=True)
class ImagesState:
    count: int | None
    last_push: datetime | None
    error: EcrTuiError | None = None


@lru_cache(maxsize=2048)
def _parse(text: str) -> PolicyDocument:
    """Many repositories share one policy text."""
    return PolicyDocument.parse(text)


class Details:
    """``THREADS`` stays small: each answer costs CPU that the interface wants too."""

    THREADS = 6
    TTL = 60.0

    def __init__(self, node: Widget, workspace: Workspace, clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[tuple[Kind, Repository]] = deque()
        self._running: set[tuple[Kind, str, int]] = set()
        self._threads = 0
        self._generation = 0
        self._bumps: dict[str, int] = {}
        self.policies: dict[str, PolicyState] = {}
        self.images: dict[str, ImagesState] = {}
        self._access: dict[tuple[str, str], AccessSummary | EcrTuiError] = {}
        self._stopped = False

    # -- asking --------------------------------------------------------------------------------------------------

    def want(self, repositories: Iterable[Repository], first: Repository | None = None) -> None:
        """Read what is missing of these, and nothing that was wanted before: the user has scrolled on."""
        wanted: list[tuple[Kind, Repository]] = []
        rows = ([first] if first else []) + [r for r in repositories if first is None or r.arn != first.arn]
        wanted += [("policy", r) for r in rows if not self._fresh(r.arn)]
        wanted += [("images", r) for r in rows if r.arn not in self.images]
        with self._lock:
            self._queue = deque(job for job in wanted if self._ticket(*job) not in self._running)
        self._serve()

    def need_policy(self, repository: Repository) -> None:
        """Put this policy before everything else."""
        if self._fresh(repository.arn):
            return
        with self._lock:
            if self._ticket("policy", repository) in self._running:
                return
            self._queue = deque(j for j in self._queue if (j[0], j[1].arn) != ("policy", repository.arn))
            self._queue.appendleft(("policy", repository))
        self._serve()

    def _serial(self, arn: str) -> int:
        """Grows whenever answers about this repository that are still under way stop counting."""
        return self._generation + self._bumps.get(arn, 0)

    def _ticket(self, kind: Kind, repository: Repository) -> tuple[Kind, str, int]:
        return kind, repository.arn, self._serial(repository.arn)

    def _fresh(self, arn: str) -> bool:
        state = self.policies.get(arn)
        return state is not None and self._clock() - state.read_at < self.TTL

    def _serve(self) -> None:
        with self._lock:
            missing = 0 if self._stopped else min(self.THREADS, len(self._queue) + self._threads) - self._threads
            self._threads += max(missing, 0)
        for _ in range(missing):
            jobs.start(self._node, self._work, failed=lambda _: None, group="details", exclusive=False)

    def _work(self) -> None:
        """On a thread: serve the queue until it is empty."""
        while True:
            with self._lock:
                # Deciding to end and being counted out are one step, or a new wish could find nobody to serve it.
                if not self._queue or self._stopped:
                    self._threads -= 1
                    return
                kind, repository = self._queue.popleft()
                ticket = self._ticket(kind, repository)
                self._running.add(ticket)
            message = self._read(kind, repository, ticket[2])
            with self._lock:
                self._running.discard(ticket)
            jobs.post(self._node, message)

    def _read(self, kind: Kind, repository: Repository, generation: int) -> PolicyRead | ImagesRead:
        arn = repository.arn
        try:
            if kind == "policy":
                return PolicyRead(generation, arn, self._workspace.policy_text(repository))
            summary: Any = self._workspace.images(repository)
            return ImagesRead(generation, arn, summary.count, summary.last_push)
        except Exception as error:
            failure = jobs.as_error(error)
            if kind == "policy":
                return PolicyRead(generation, arn, None, failure)
            return ImagesRead(generation, arn, None, None, failure)

    # -- answers -------------------------------------------------------------------------------------------------

    def take_policy(self, message: PolicyRead) -> bool:
        """Whether the answer still counts."""
        if message.generation != self._serial(message.arn):
            return False
        self.policies[message.arn] = PolicyState(message.text, message.error, self._clock())
        self._forget_access(message.arn)
        return True

    def take_images(self, message: ImagesRead) -> bool:
        if message.generation != self._serial(message.arn):
            return False
        self.images[message.arn] = ImagesState(message.count, message.last_push, message.error)
        return True

    def forget_policy(self, arn: str) -> None:
        """After a write or a conflict: only a new answer counts, also not one that is under way."""
        with self._lock:
            self._bumps[arn] = self._bumps.get(arn, 0) + 1
        self.policies.pop(arn, None)
        self._forget_access(arn)

    def forget_all(self) -> None:
        with self._lock:
            self._generation += 1
            self._queue.clear()
        self.policies.clear()
        self.images.clear()
        self._access.clear()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._queue.clear()

    def _forget_access(self, arn: str) -> None:
        for key in [key for key in self._access if key[0] == arn]:
            del self._access[key]

    # -- what a policy gives B -------------------------------------------------------------------------------------

    def access(self, repository: Repository, principal: str | None) -> AccessSummary | EcrTuiError | None:
        """What A's side allows the principal there; the error where the policy can't be read; None while unknown."""
        state = self.policies.get(repository.arn)
        if state is None or principal is None:
            return None
        if state.error is not None:
            return state.error
        if state.text and repository.tags is None:
            return None  # a condition on a tag can't be judged yet
        key = (repository.arn, principal)
        found = self._access.get(key)
        if found is None:
            found = self._access[key] = self._judge(state.text, repository, principal)
        return found

    @staticmethod
    def _judge(text: str | None, repository: Repository, principal: str) -> AccessSummary | EcrTuiError:
        try:
            document = _parse(text) if text else None
            return access_of(document, principal, repository_arn=repository.arn, tags=repository.tags or {})
        except EcrTuiError as error:
            return error
