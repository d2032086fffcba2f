"""State of the matrix screen: repositories, grantees, and arriving policies."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ecr_tui.access.matrix import AccessMatrix, Grantee, proof_key
from ecr_tui.errors import EcrTuiError
from ecr_tui.listing.filters.policies import findings, principals
from ecr_tui.policy.principal import canonical

if TYPE_CHECKING:
    from ecr_tui.access.matrix import Policy, Proof, ProofKey
    from ecr_tui.aws.model import Repository
    from ecr_tui.config import Consumer
    from ecr_tui.listing.policy_reader import Answer
    from ecr_tui.policy.access import AccessSummary
    from ecr_tui.policy.who import Row
    from ecr_tui.workspace import Workspace

SLICE = 0.02
"""Maximum seconds per step to process arrived policies on the event loop."""


class MatrixReading:
    """``asked`` have a column even if no policy names them. The reading thread writes into a queue, which :meth:`take`
    processes. Also the filter's facts of policies (``filters.Policies``)."""

    def __init__(self, workspace: Workspace, rows: Sequence[Repository], asked: Iterable[str]) -> None:
        self._workspace = workspace
        self.rows = rows
        self.matrix: AccessMatrix | None = None
        self.columns: tuple[Grantee, ...] = ()
        self.read = 0
        self.over = False
        """Everything was read and processed."""
        self.everyone = True
        """Show principals named in policies; else only the requested ones."""
        self.acting: dict[str, Consumer] = {}
        """Consumers with a profile, by the column principals that they act as."""
        self._callers: dict[ProofKey, Consumer] = {}
        self._asked = {canonical(one): one for one in asked}
        self._inbox: deque[Answer[str | None]] = deque()
        self._reader = workspace.listing.readers().policies
        self._wanted = {row.arn for row in rows}
        self._heard: set[str] = set()
        self._end = self._reader.listen(self._hear)
        self._reads = 0
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._named: tuple[Grantee, ...] = ()
        self.chosen = ""
        """The principal of ``access:`` in the filter: that of the cursor's column."""
        self._findings: dict[str, Collection[tuple[str, str]]] = {}

    def stop(self) -> None:
        self._cancel.set()
        self._end()

    # -- on a thread -------------------------------------------------------------------------------------------------

    def begin(self) -> AccessMatrix:
        """Read the registry facts and the consumers' identities. Raises EcrTuiError."""
        workspace = self._workspace
        for consumer in workspace.settings.consumers:
            with contextlib.suppress(EcrTuiError):
                principals = workspace.accounts.consumer_principals(consumer)
                self._asked |= {canonical(one): one for one in principals}
            if consumer.profile is not None:
                with contextlib.suppress(EcrTuiError):
                    self._callers.setdefault(proof_key("", workspace.accounts.consumer(consumer).arn), consumer)
        return workspace.access.matrix(proofs=workspace.verification.proofs(), principals=tuple(self._asked.values()))

    def read_all(self, rows: Sequence[Repository]) -> None:
        """Queue each policy for :meth:`take` as it arrives. Raises EcrTuiError."""
        self._heard.clear()
        try:
            for answer in self._reader.read_all(rows, cancel=self._cancel):
                if answer.repository.arn not in self._heard:
                    self._inbox.append(answer)
        finally:
            with self._lock:
                self._reads -= 1

    def _hear(self, answer: Answer[str | None]) -> None:
        """Also policies read elsewhere, which are newer."""
        if answer.repository.arn in self._wanted:
            self._heard.add(answer.repository.arn)
            self._inbox.append(answer)

    # -- on the event loop -------------------------------------------------------------------------------------------

    def start(self, matrix: AccessMatrix) -> None:
        self.matrix, self.read = matrix, 0
        self._find_columns()

    def prove(self, proofs: Mapping[ProofKey, Proof]) -> None:
        """Update after new verifications, or writes that make old ones stale."""
        if self.matrix is not None:
            self.matrix.proofs = proofs

    def again(self) -> None:
        """Prepare for :meth:`read_all`."""
        with self._lock:
            self._reads += 1
        self.over = False

    def want(self, rows: Iterable[Repository]) -> None:
        """Read visible ones first."""
        if not self.over:
            self._reader.want([row for row in rows if self.policy(row) is None])

    def forget(self) -> None:
        """Mark all policies to be read again, even fresh ones."""
        for row in self.rows:
            self._reader.invalidate(row.arn)

    def outdated(self) -> list[Repository]:
        """Read ones whose policies were written since."""
        return [row for row in self.rows if self.policy(row) is not None and self._reader.last(row.arn) is None]

    def take(self, clock: Callable[[], float] = time.monotonic) -> tuple[bool, bool]:
        """Process arrived policies for at most :data:`SLICE`; returns (whether any, whether columns changed)."""
        matrix, any_taken, end = self.matrix, False, clock() + SLICE
        if matrix is None:
            return False, False
        while self._inbox and clock() < end:
            answer = self._inbox.popleft()
            unreadable = "" if answer.error is None else answer.error.one_line
            first = matrix.policy(answer.repository) is None
            matrix.read(answer.repository, answer.value, unreadable)
            self._findings.pop(answer.repository.arn, None)
            self.read += first
            any_taken = True
        self.over = not self._reads and not self._inbox
        return any_taken, any_taken and self._find_columns()

    def turn(self) -> None:
        """Switch between all principals and only the requested ones."""
        self.everyone = not self.everyone
        self._find_columns()

    def _find_columns(self) -> bool:
        if self.matrix is None:
            return False
        named = self.matrix.named() if self.everyone else ()
        if named is self._named and self.columns:
            return False
        self._named = named
        found = self.matrix.columns((*(one.principal for one in named), *self._asked.values()))
        changed = found != self.columns
        self.columns = found
        callers = ((one.principal, self._callers.get(proof_key("", one.principal))) for one in found)
        self.acting = {principal: consumer for principal, consumer in callers if consumer is not None}
        return changed

    # -- cells -------------------------------------------------------------------------------------------------------

    def policy(self, row: Repository) -> Policy | None:
        return None if self.matrix is None else self.matrix.policy(row)

    def cell(self, row: Repository, principal: str) -> Row | None:
        return None if self.matrix is None else self.matrix.row(row, principal)

    def proof(self, row: Repository, principal: str) -> Proof | None:
        return None if self.matrix is None else self.matrix.proof(row, principal)

    def grantee(self, principal: str) -> Grantee | None:
        return next((one for one in self.columns if one.principal == principal), None)

    # -- for the filter ----------------------------------------------------------------------------------------------

    def access(self, row: Repository) -> AccessSummary | None:
        """Access of the grantee under the cursor, like account B's in the list."""
        found = self.cell(row, self.chosen) if self.chosen else None
        return None if found is None else found.summary

    def principals(self, row: Repository) -> Collection[str] | None:
        policy = self.policy(row)
        return None if policy is None or policy.unreadable else principals(policy.document)

    def findings(self, row: Repository) -> Collection[tuple[str, str]] | None:
        policy = self.policy(row)
        if self.matrix is None or policy is None or policy.unreadable or row.tags is None:
            return None
        if row.arn not in self._findings:
            self._findings[row.arn] = findings(policy.document, row, self.matrix.now)
        return self._findings[row.arn]
