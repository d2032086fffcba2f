"""Background details of repositories: policies, image counts, and B's access by the policies.

:mod:`ecr_tui.listing.policy_reader` reads visible rows first, on separate clients, so that throttling never delays user
actions. Answers arrive on its threads and are processed in batches by the interface.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from ecr_tui.access.registry_policy import Accesses
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.access import together
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.ui import jobs

if TYPE_CHECKING:
    from ecr_tui.access.registry_policy import Accesses
    from ecr_tui.aws.model import RegistryFacts, Repository
    from ecr_tui.listing.policy_reader import Answer, BackgroundReader, Readers
    from ecr_tui.policy.access import AccessSummary
    from ecr_tui.policy.document import PolicyDocument
    from ecr_tui.workspace import Workspace


@lru_cache(maxsize=4096)
def parse(text: str) -> PolicyDocument:
    """Many repositories share one policy text."""
    return PolicyDocument.parse(text)


@lru_cache(maxsize=2048)
def _asks_for_time(text: str) -> bool:
    lower = text.lower()
    return "aws:currenttime" in lower or "aws:epochtime" in lower


JUDGED_SECONDS = 60.0
"""Seconds for which a time-dependent answer is valid: an expired grant disappears within a minute."""


class Details:
    """``policies`` and ``images`` have the processed answers by ARN; they change only in :meth:`take` and on
    invalidation."""

    def __init__(self, node: Widget, workspace: Workspace, *, read: Callable[[], object]) -> None:
        """``read`` is called on the node when there are new answers."""
        self._node = node
        self._read = read
        self._workspace = workspace
        self._ends: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._inbox: list[tuple[BackgroundReader[Any], Answer[Any]]] = []
        self.policies: dict[str, Answer[str | None]] = {}
        self.images: dict[str, Answer[Any]] = {}
        self._access: dict[str, AccessSummary | EcrTuiError] = {}
        self._accesses: tuple[Accesses, ...] = ()
        self._judged_for: tuple[str, ...] = ()
        self._judged_at = 0.0
        self._timed: set[str] = set()
        """ARNs whose answers depend on the time."""
        self._registries: dict[str, RegistryFacts | None] = {}
        self._registry_lock = threading.Lock()

    @cached_property
    def _readers(self) -> Readers:
        """Created on demand: the first frame does not use the workspace."""
        readers = self._workspace.listing.readers()
        self._ends += [reader.listen(self._hear(reader)) for reader in readers]
        return readers

    def _hear(self, reader: BackgroundReader[Any]) -> Any:
        def heard(answer: Answer[Any]) -> None:
            """Called on a reader's thread."""
            if reader is self._readers.policies:
                self._read_registry(answer.repository.region)
            with self._lock:
                first = not self._inbox
                self._inbox.append((reader, answer))
            if first:
                jobs.call(self._node, self._read)

        return heard

    def _read_registry(self, region: str) -> None:
        """Read once per region, before its first policy is evaluated, because it applies to all of them."""
        with self._registry_lock:
            if region in self._registries:
                return
            try:
                self._registries[region] = self._workspace.access.registry_facts(region)
            except EcrTuiError:
                self._registries[region] = None

    # -- requests --------------------------------------------------------------------------------------------------

    def want(self, repositories: Iterable[Repository], first: Repository | None = None) -> None:
        """Read missing facts of these and drop previous requests, because the user has scrolled."""
        rows = list(repositories)
        self._readers.policies.want(rows, first)
        self._readers.images.want(rows, first)

    def need_policy(self, repository: Repository) -> None:
        """Read this policy first."""
        self._readers.policies.need(repository)

    # -- answers -------------------------------------------------------------------------------------------------

    def take(self) -> tuple[list[str], bool]:
        """ARNs of policies read since the last call, and whether anything was."""
        with self._lock:
            inbox, self._inbox = self._inbox, []
        read: list[str] = []
        for reader, answer in inbox:
            arn = answer.repository.arn
            if reader.last(arn) is not answer:
                continue  # invalidated in between
            if reader is self._readers.images:
                self.images[arn] = answer
                continue
            self.policies[arn] = answer
            self._access.pop(arn, None)
            read.append(arn)
        return read, bool(inbox)

    def forget_policy(self, arn: str) -> None:
        """Invalidate after a write or conflict, including an answer in progress."""
        self._readers.policies.invalidate(arn)
        self.policies.pop(arn, None)
        self._access.pop(arn, None)

    def forget_all(self) -> None:
        for reader in self._readers:
            reader.forget()
        self.policies.clear()
        self.images.clear()
        self._access.clear()
        self._accesses = ()
        with self._registry_lock:
            self._registries.clear()

    def stop(self) -> None:
        for end in self._ends:
            end()
        for reader in self._readers if self._ends else ():
            reader.close()

    # -- B's access -------------------------------------------------------------------------------------

    def access(self, repository: Repository, principals: tuple[str, ...]) -> AccessSummary | EcrTuiError | None:
        """Access of the principals by A's side; an error if the policy is unreadable; None while unknown."""
        answer = self.policies.get(repository.arn)
        if answer is None or not principals:
            return None
        if answer.error is not None:
            return answer.error
        if answer.value and repository.tags is None:
            return None  # tag conditions cannot be evaluated yet
        if principals != self._judged_for:
            self._access.clear()
            self._accesses, self._judged_for = (), principals
        if self._timed and time.monotonic() - self._judged_at > JUDGED_SECONDS:
            for arn in self._timed:
                self._access.pop(arn, None)
            self._timed.clear()
            self._accesses = ()
        found = self._access.get(repository.arn)
        if found is None:
            found = self._access[repository.arn] = self._judge(answer.value, repository, principals)
        return found

    def _judge(
        self, text: str | None, repository: Repository, principals: tuple[str, ...]
    ) -> AccessSummary | EcrTuiError:
        if not self._accesses:
            self._accesses = tuple(Accesses(one, self._registries) for one in principals)
            self._judged_at = time.monotonic()
        if text and _asks_for_time(text):
            self._timed.add(repository.arn)
        try:
            document = parse(text) if text else None
            return together(one.of(repository, document) for one in self._accesses)
        except EcrTuiError as error:
            return error
