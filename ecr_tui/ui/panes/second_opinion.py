"""Access Analyzer's opinion on the previewed plan: requested on demand, cancelable, dropped with its plan."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.widget import Widget

from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.text.second_opinion import Asked

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Plan
    from ecr_tui.workspace import Workspace


class AnalyzerQuestion:
    """``changed`` is called on the app's thread when :attr:`asked` changes."""

    def __init__(self, node: Widget, workspace: Workspace, changed: Callable[[], None]) -> None:
        self._node = node
        self._workspace = workspace
        self._changed = changed
        self._cancel = threading.Event()
        self.asked = Asked()

    def ask(self, plan: Plan) -> None:
        """Does nothing if the same request is in progress."""
        if self.asked.plan is plan and self.asked.waited is not None:
            return
        self.stop()
        self._cancel = cancel = threading.Event()
        self._set(Asked(plan, 0.0))
        self._node.run_worker(self._answer(plan, cancel), group="analyzer", exclusive=True)

    async def _answer(self, plan: Plan, cancel: threading.Event) -> None:
        def waits(passed: float) -> None:
            jobs.call(self._node, self._told, cancel, Asked(plan, passed))

        ask = self._workspace.second_opinions.ask
        try:
            opinion = await jobs.on_thread(lambda: ask(plan, on_wait=waits, cancel=cancel))
        except EcrTuiError as error:
            self._told(cancel, Asked(plan, error=error))
        else:
            self._told(cancel, Asked(plan, opinion=opinion))

    def _told(self, cancel: threading.Event, asked: Asked) -> None:
        """Ignore progress after the answer."""
        if not cancel.is_set() and self.asked.waited is not None:
            self._set(asked)

    def _set(self, asked: Asked) -> None:
        self.asked = asked
        self._changed()

    def cancel(self) -> bool:
        """Cancel; returns whether a request was in progress."""
        if self.asked.waited is None:
            return False
        self.stop()
        self._set(Asked(self.asked.plan, error=Cancelled()))
        return True

    def is_about(self, plan: Plan | None) -> None:
        """Another plan is shown: drop the previous answer or request."""
        if self.asked.plan is not None and self.asked.plan != plan:
            self.stop()
            self.asked = Asked()

    def stop(self) -> None:
        self._cancel.set()
