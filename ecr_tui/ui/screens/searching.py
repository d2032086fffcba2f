"""The filter's other half: what is known of access, what is said of a query, and reading all policies when asked to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from textual.content import Content
from textual.timer import Timer

from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.policy.access import AccessSummary
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.ui.slices import Slices
from ecr_tui.ui.text import MUTED, NO, count, safe

if TYPE_CHECKING:
    from ecr_tui.ui.screens.main import MainScreen

AT_A_STROKE = 100
"""Policies judged between two chances for a key: 2 ms."""
AGAIN = 0.2
"""Seconds in which answers are gathered before the rows are filtered again; progress is told as often."""


class Searching:
    """Judges policies as they are read, for ``access:``; nothing else is read for it but what :meth:`read_all` asks."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._judging = Slices(screen)
        self._again: Timer | None = None
        self._cancel: threading.Event | None = None
        self.progress: tuple[int, int] | None = None
        """Of reading all policies: how many of how many."""

    # -- what is known of access ---------------------------------------------------------------------------------

    def learn(self, arns: Iterable[str]) -> None:
        """These policies were read, or are known no longer."""
        self._judging.add(self._judge(list(arns)))

    def learn_anew(self) -> None:
        """Another principal, or other rows: judge everything that was read."""
        self._judging.clear()
        self._screen.table.forget_access()
        self.learn(self._screen.details.policies)

    def _judge(self, arns: list[str]) -> Iterator[None]:
        screen = self._screen
        for number, arn in enumerate(arns, 1):
            row = screen.table.find(arn)
            if row is not None:
                found = screen.details.access(row, screen.choosing.principal)
                screen.table.set_access(arn, found if isinstance(found, AccessSummary) else None)
            if number % AT_A_STROKE == 0:
                yield
        if screen.table.parsed.needs_access and self._again is None:
            self._again = screen.set_timer(AGAIN, self._look_again)

    def _look_again(self) -> None:
        self._again = None
        self._screen.table.look_again()

    # -- what is said of a query -----------------------------------------------------------------------------------

    def note(self) -> Content:
        """One line under the filter; empty where there is nothing to say."""
        table = self._screen.table
        query, result = table.parsed, table.result
        parts: list[Content] = []
        if query.problems:
            problem = next((p for p in query.problems if not p.unfinished), query.problems[0])
            words = f"{problem.message}. {problem.hint}" if problem.hint else problem.message
            if problem.unfinished:
                parts.append(Content.styled(safe(words), MUTED))
            else:
                parts.append(Content.styled(f"{NO} {safe(words)}", "$text-error"))
        if result is not None and result.loose and result.rows:
            parts.append(Content.styled("≈ no exact match, similar:", "$text-warning"))
        if result is not None and result.unknown:
            parts.append(self._unknown(result.unknown))
        if self.progress is not None:
            done, total = self.progress
            parts.append(Content.styled(f"reading policies: {done:,} of {total:,}, esc stops", "$text-primary"))
        return Content("  ·  ").join(parts)

    def _unknown(self, number: int) -> Content:
        screen = self._screen
        parsed = screen.table.parsed
        if not parsed.needs_access or (parsed.needs_tags and screen.table.tags_missing):
            return Content.styled(f"{number:,} not known yet", MUTED)
        if screen.choosing.principal is None:
            return Content.styled("access of whom? Account B is not known: choose a principal with b", "$text-warning")
        words = f"access of {count(number, 'repository', 'repositories')} is not known"
        if self.progress is None:
            words += ": P reads their policies" if screen.focused is screen.table else ": enter, then P reads them"
        return Content.styled(words, "$text-warning")

    # -- reading all policies --------------------------------------------------------------------------------------

    def read_all(self) -> None:
        """Those of the rows that the rest of the filter lets through. ECR has no call for several at once."""
        screen = self._screen
        if self.progress is not None:
            return
        if screen.choosing.principal is None:
            screen.app.notify("Access of whom? Account B is not known: choose a principal with b.", severity="warning")
            return
        rows = screen.table.undecided()
        if not rows:
            screen.app.notify("The policies of all repositories shown are known.")
            return
        cancel = self._cancel = threading.Event()
        self.progress = (0, len(rows))
        policies = screen.workspace.readers().policies
        told = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told >= AGAIN:
                told = time.monotonic()
                jobs.post(screen, Answered(lambda: self._tell((done, total), cancel)))

        def read() -> Answered:
            policies.read_all(rows, on_progress=tell, cancel=cancel)
            return Answered(lambda: self._ended(cancel))

        def failed(error: EcrTuiError) -> Answered:
            return Answered(lambda: self._ended(cancel, error))

        jobs.start(screen, read, failed=failed, group="policies")
        self.show()

    def _tell(self, progress: tuple[int, int], cancel: threading.Event) -> None:
        if cancel is self._cancel:
            self.progress = progress
            self.show()

    def _ended(self, cancel: threading.Event, error: EcrTuiError | None = None) -> None:
        if cancel is not self._cancel:
            return
        self._cancel = self.progress = None
        if error is not None and not isinstance(error, Cancelled):
            self._screen.app.notify(safe(error.title), severity="warning")
        self.show()

    def cancel(self) -> bool:
        """Whether there was something to stop. What was read stays."""
        if self._cancel is None:
            return False
        self._cancel.set()
        self._cancel = self.progress = None
        self.show()
        return True

    def stop(self) -> None:
        if self._cancel is not None:
            self._cancel.set()

    def show(self) -> None:
        self._screen.repositories.show_note(self.note())
