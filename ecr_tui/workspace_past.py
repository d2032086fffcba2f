"""The part of a workspace for what was written before: to look at, to take back, and to do again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ecr_tui.config import Settings
from ecr_tui.journal import REDO, Entry, Journal
from ecr_tui.policy_reader import PolicyReader

if TYPE_CHECKING:
    from ecr_tui.aws.policies import RepositoryPolicies
    from ecr_tui.aws.sessions import AwsSession
    from ecr_tui.grants import Outcome
    from ecr_tui.past_writes import PastWrites


class Undoing:
    """To be inherited by the workspace, which owns the sessions. Thread-safe."""

    settings: Settings
    journal: Journal
    policies: PolicyReader
    _granted_at: dict[str, float]

    if TYPE_CHECKING:

        def _to_write(self) -> tuple[AwsSession, str]: ...
        def _store(self, *, background: bool = False) -> RepositoryPolicies: ...

    def past_writes(self) -> PastWrites:
        """Everything that was written with this journal, by any instance. Asks nothing of AWS."""
        from ecr_tui.past_writes import PastWrites

        return PastWrites(self.journal.read())

    def live_text(self, entry: Entry) -> str | None:
        """What is there now of what the entry wrote."""
        from ecr_tui.undoing import repository_of

        return self._store(background=True).read(repository_of(entry))

    def undo(self) -> Outcome:
        """Take back the last write of this account that was not taken back yet."""
        return self._undo_last(redo=False)

    def redo(self) -> Outcome:
        """Take back the last undo of this account, unless something was written upon it."""
        return self._undo_last(redo=True)

    def undo_entry(self, identifier: str) -> Outcome:
        """Take back that write. InputError where that is done already, ConflictError where it is not the live state."""
        return self._take_back(identifier, redo=False)

    def redo_entry(self, identifier: str) -> Outcome:
        """Write again what was taken back."""
        return self._take_back(identifier, redo=True)

    def _undo_last(self, *, redo: bool) -> Outcome:
        from ecr_tui.aws.policies import RepositoryPolicies
        from ecr_tui.undoing import undo

        session, read_only = self._to_write()
        owner = session.identity()
        outcome = undo(
            lambda entry: RepositoryPolicies(session),
            self.journal,
            account=owner.account,
            operator=owner.arn,
            read_only=read_only,
            redo=redo,
        )
        return self._taken_back(outcome)

    def _take_back(self, identifier: str, *, redo: bool) -> Outcome:
        from ecr_tui.aws.policies import RepositoryPolicies
        from ecr_tui.undoing import take_back

        session, read_only = self._to_write()
        owner = session.identity()
        outcome = take_back(
            lambda entry: RepositoryPolicies(session),
            self.journal,
            identifier,
            account=owner.account,
            operator=owner.arn,
            read_only=read_only,
            redo=redo,
        )
        return self._taken_back(outcome)

    def _taken_back(self, outcome: Outcome) -> Outcome:
        if outcome.plan.kind == REDO:
            # It may have been a grant, and AWS takes its time with those.
            self._granted_at[outcome.plan.repository.arn] = time.monotonic()
        else:
            self._granted_at.pop(outcome.plan.repository.arn, None)
        self.policies.invalidate(outcome.plan.repository.arn)
        return outcome
