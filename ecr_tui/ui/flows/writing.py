"""Writes to one repository: one at a time, each exactly the plan that was shown. Of many: :mod:`.bulk`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.widget import Widget

from ecr_tui.changes.attempts import TOLD
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Outcome, Plan
    from ecr_tui.changes.entries import Entry
    from ecr_tui.policy.change import Grant
    from ecr_tui.workspace import Workspace

T = TypeVar("T")
Take = Callable[[T | EcrTuiError], None]


class Writer:
    """:attr:`busy` from the moment a write is decided until its outcome is known; meanwhile nothing else is written.

    Every ``take`` is called on the app's thread, with what was found or done, or with the reason why not.
    """

    def __init__(self, node: Widget, workspace: Workspace, retries: Callable[[], object] = lambda: None) -> None:
        """``retries`` is called whenever :attr:`retrying` has changed."""
        self._node = node
        self._workspace = workspace
        self.busy = ""
        """What is being done, for the status line; "" when nothing is."""
        self.retrying = ""
        """Why the write under way is tried again; "" as long as it is not."""
        self._retries = retries

    def plan(self, repository: Repository, grant: Grant, *, revoke: bool, take: Take[Plan]) -> None:
        """Make a plan from the live policy, for a confirmation."""
        workspace = self._workspace
        if revoke:
            self.do("planning", lambda: workspace.changes.plan_revoke(repository, grant.principals), take)
        else:
            self.do("planning", lambda: workspace.changes.plan(repository, grant), take)

    def write(self, plan: Plan, take: Take[Outcome]) -> None:
        self.do("writing", lambda: self._workspace.changes.apply(plan), take)

    def find_undo(self, take: Take[tuple[Entry, ...]]) -> None:
        """Look up what an undo would take back: nothing, one write, or all of a run, newest first."""
        self.do("looking", lambda: self._workspace.changes.bulk().last_action(), take)

    def undo(self, take: Take[Outcome]) -> None:
        self.do("undoing", self._workspace.changes.undo, take)

    def do(self, what: str, work: Callable[[], T], take: Take[T]) -> None:
        """``what`` for the status line, ``work`` on a thread."""
        self.busy = what

        def ended(found: T | EcrTuiError) -> None:
            self.busy = self.retrying = ""
            take(found)

        def told(reason: str) -> None:
            jobs.post(self._node, Answered(lambda: retried(reason)))

        def retried(reason: str) -> None:
            self.retrying = reason
            self._retries()

        def run() -> Answered:
            TOLD.set(told)
            found = work()
            return Answered(lambda: ended(found))

        jobs.start(self._node, run, failed=lambda error: Answered(lambda: ended(error)), group="write")
