"""The matrix as a screen has it: repositories, grantees, and policies that arrive while it is looked at."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ecr_tui.access.matrix import AccessMatrix, Grantee
from ecr_tui.listing.filters.policies import findings, principals
from ecr_tui.policy.principal import canonical

if TYPE_CHECKING:
    from ecr_tui.access.matrix import Policy, Proof, ProofKey
    from ecr_tui.aws.model import Repository
    from ecr_tui.listing.policy_reader import Answer
    from ecr_tui.policy.access import AccessSummary
    from ecr_tui.policy.who import Row
    from ecr_tui.workspace import Workspace

SLICE = 0.02
"""Seconds at a time that the event loop is held for policies that have arrived."""


class MatrixReading:
    """``asked`` have a column even where no policy names them. The thread that reads writes into a queue, which
    :meth:`take` works off; it also is what a filter knows of policies (``filters.Policies``)."""

    def __init__(self, workspace: Workspace, rows: Sequence[Repository], asked: Iterable[str]) -> None:
        self._workspace = workspace
        self.rows = rows
        self.matrix: AccessMatrix | None = None
        self.columns: tuple[Grantee, ...] = ()
        self.read = 0
        self.over = False
        """All that was to be read has been taken."""
        self._asked = {canonical(one): one for one in asked}
        self._inbox: deque[Answer[str | None]] = deque()
        self._arrived = False
        self._cancel = threading.Event()
        self._principals: tuple[str, ...] = ()
        self._findings: dict[str, Collection[tuple[str, str]]] = {}

    def stop(self) -> None:
        self._cancel.set()

    # -- on a thread -------------------------------------------------------------------------------------------------

    def begin(self) -> AccessMatrix:
        """What decides beside the policies. Raises EcrTuiError."""
        workspace = self._workspace
        return workspace.access.matrix(proofs=workspace.verification.proofs(), principals=tuple(self._asked.values()))

    def read_all(self, rows: Sequence[Repository]) -> None:
        """Give each policy to :meth:`take` as it arrives. Raises EcrTuiError."""
        reader, seen = self._workspace.listing.readers().policies, set[str]()
        wanted = {row.arn for row in rows}

        def heard(answer: Answer[str | None]) -> None:
            if answer.repository.arn in wanted:
                seen.add(answer.repository.arn)
                self._inbox.append(answer)

        end = reader.listen(heard)
        try:
            for answer in reader.read_all(rows, cancel=self._cancel):
                if answer.repository.arn not in seen:
                    self._inbox.append(answer)
        finally:
            end()
            self._arrived = True

    # -- on the event loop -------------------------------------------------------------------------------------------

    def start(self, matrix: AccessMatrix) -> None:
        self.matrix, self.read = matrix, 0
        self._find_columns()

    def prove(self, proofs: dict[ProofKey, Proof]) -> None:
        """There are new verifications, or writes that make former ones stale."""
        if self.matrix is not None:
            self.matrix.proofs = proofs

    def again(self) -> None:
        """Some are going to be read again."""
        self._arrived = self.over = False

    def forget(self) -> None:
        """The policies of all are to be read anew, even those that are fresh."""
        reader = self._workspace.listing.readers().policies
        for row in self.rows:
            reader.invalidate(row.arn)

    def take(self, clock: Callable[[], float] = time.monotonic) -> tuple[bool, bool]:
        """Policies that have arrived, for :data:`SLICE` at most: (whether there was one, whether columns changed)."""
        matrix, any_taken, end = self.matrix, False, clock() + SLICE
        if matrix is None:
            return False, False
        while self._inbox and clock() < end:
            answer = self._inbox.popleft()
            unreadable = "" if answer.error is None else " ".join(answer.error.text().split())
            first = matrix.policy(answer.repository) is None
            matrix.read(answer.repository, answer.value, unreadable)
            self._findings.pop(answer.repository.arn, None)
            self.read += first
            any_taken = True
        self.over = self._arrived and not self._inbox
        return any_taken, any_taken and self._find_columns()

    def _find_columns(self) -> bool:
        if self.matrix is None:
            return False
        found = self.matrix.columns((*(one.principal for one in self.matrix.named()), *self._asked.values()))
        changed = found != self.columns
        self.columns, self._principals = found, tuple(one.principal for one in found)
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
        """Of all grantees together: ``access:pull`` finds where one of them may pull."""
        return None if self.matrix is None else self.matrix.summary(row, self._principals)

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
