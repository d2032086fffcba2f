"""Policy writes: one at a time, each exactly the plan that was shown."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EcrTuiError, EnvironmentFailure
from ecr_tui.policy.change import Grant
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Planned, UndoFound, Undone, WriteProgress, Written
from ecr_tui.ui.port import Workspace

if TYPE_CHECKING:
    from ecr_tui.grants import Outcome, Plan


class Writer:
    """:attr:`busy` from the moment a write is decided until its outcome is known; meanwhile nothing else is written."""

    def __init__(self, node: Widget, workspace: Workspace) -> None:
        self._node = node
        self._workspace = workspace
        self._cancel = threading.Event()
        self.busy = ""
        """What is being done, for the status line; "" when nothing is."""

    def plan(self, repositories: Sequence[Repository], grant: Grant, *, revoke: bool) -> None:
        """Make plans from the live policies, for a confirmation."""
        self.busy = "planning"
        self._cancel.clear()
        node, workspace, cancel = self._node, self._workspace, self._cancel

        def one(repository: Repository) -> Plan:
            if revoke:
                return workspace.plan_revoke(repository, grant.principal)
            return workspace.plan(repository, grant)

        def work() -> Planned:
            plans = jobs.gather(
                one,
                repositories,
                cancel=cancel,
                on_done=lambda done: jobs.post(node, WriteProgress(done, len(repositories))),
            )
            return Planned(repositories, grant, plans, revoke)

        jobs.start(node, work, failed=lambda error: Planned(repositories, grant, [error], revoke), group="write")

    def write(self, plans: Sequence[Plan]) -> None:
        self.busy = "writing"
        self._cancel.clear()
        node, workspace, cancel = self._node, self._workspace, self._cancel

        def work() -> Written:
            outcomes: list[Outcome | EcrTuiError | None] = []
            for plan in plans:
                if cancel.is_set():
                    break
                try:
                    outcomes.append(workspace.apply(plan))
                except Exception as error:
                    outcomes.append(jobs.as_error(error))
                    if isinstance(error, EnvironmentFailure):
                        # Without credentials or network the next one can only fail the same way.
                        break
                if len(plans) > 1:
                    jobs.post(node, WriteProgress(len(outcomes), len(plans)))
            outcomes += [None] * (len(plans) - len(outcomes))
            return Written(plans, outcomes)

        jobs.start(node, work, failed=lambda error: Written(plans, [error]), group="write")

    def undo(self) -> None:
        self.busy = "undoing"
        jobs.start(
            self._node,
            lambda: Undone(self._workspace.undo()),
            failed=lambda error: Undone(None, error),
            group="write",
        )

    def find_undo(self) -> None:
        """Look up what :meth:`undo` would take back."""
        self.busy = "looking"
        workspace = self._workspace
        jobs.start(
            self._node,
            lambda: UndoFound(workspace.journal.last_undoable(workspace.owner().account)),
            failed=lambda error: UndoFound(None, error),
            group="write",
        )

    def done(self) -> None:
        self.busy = ""

    def stop(self) -> None:
        """Begin nothing further; a write that has begun is finished."""
        self._cancel.set()
