"""Whether both sides let the previewed grant through: decided on a thread, for the plan in view and for no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.timer import Timer
from textual.widget import Widget

from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Sided

if TYPE_CHECKING:
    from ecr_tui.access.creation_templates import Fit
    from ecr_tui.access.two_sided import TwoSided
    from ecr_tui.changes.apply import Plan
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.workspace import Workspace

DEBOUNCE = 0.15
"""Seconds in which a choice that goes on changing asks IAM nothing."""


class BothSides(NamedTuple):
    """``verdicts`` None: not known yet, or ``error`` says why it cannot be."""

    verdicts: tuple[TwoSided, ...] | None = None
    template: Fit | None = None
    error: EcrTuiError | None = None


class Sides:
    """Owns what is known of both sides of one plan."""

    def __init__(self, node: Widget, workspace: Workspace) -> None:
        self._node = node
        self._workspace = workspace
        self._generation = 0
        self._timer: Timer | None = None
        self._plan: Plan | None = None
        self.both = BothSides()

    def show(self, plan: Plan | None, *, wanted: bool) -> BothSides:
        """What is known for ``plan``; asks for it where it is ``wanted`` and was not asked for yet."""
        if plan is not self._plan:
            self._forget()
        if wanted and plan is not None and self._plan is None:
            self._plan = plan
            self._timer = self._node.set_timer(DEBOUNCE, self._ask)
        return self.both

    def _forget(self) -> None:
        self._generation += 1
        self._plan = None
        self.both = BothSides()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _ask(self) -> None:
        plan, generation, workspace = self._plan, self._generation, self._workspace
        if plan is None:
            return

        def work() -> Sided:
            verdicts = workspace.access.verdicts(plan.repository, plan)
            return Sided(generation, verdicts, workspace.access.new_repositories(plan.repository, plan))

        jobs.start(self._node, work, failed=lambda error: Sided(generation, None, None, error), group="sides")

    def take(self, message: Sided) -> bool:
        """Whether the answer is about the plan in view."""
        if message.generation != self._generation:
            return False
        self.both = BothSides(message.verdicts, message.template, message.error)
        return True
