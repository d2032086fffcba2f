"""The filter's other half: what is known of the policies, what is said of a query, and reading all policies."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.listing.filters.policies import findings, principals
from ecr_tui.policy.access import AccessSummary
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.ui.text import MUTED, NO, count, safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.screens.main import MainScreen

SLICE = 0.005
"""Seconds of judging policies between two chances for a key."""
AGAIN = 0.2
"""Seconds in which answers are gathered before the rows are filtered again; progress is told as often."""

_parse = lru_cache(maxsize=4096)(PolicyDocument.parse)


class Judged:
    """What the filter knows of policies that were read (``filters.Policies``), by ARN."""

    def __init__(self) -> None:
        self.with_findings = False
        """Of all policies, once the filter or the order has asked for them: they cost most. Else of those in view."""
        self._tried: set[str] = set()
        self._access: dict[str, AccessSummary] = {}
        self._principals: dict[str, Collection[str]] = {}
        self._findings: dict[str, Collection[tuple[str, str]]] = {}

    def access(self, row: Repository) -> AccessSummary | None:
        return self._access.get(row.arn)

    def principals(self, row: Repository) -> Collection[str] | None:
        return self._principals.get(row.arn)

    def findings(self, row: Repository) -> Collection[tuple[str, str]] | None:
        return self._findings.get(row.arn)

    def tried(self, row: Repository) -> bool:
        """Its findings are known, or can't be."""
        return row.arn in self._tried

    def forget(self, arn: str) -> None:
        self._tried.discard(arn)
        for known in (self._access, self._principals, self._findings):
            known.pop(arn, None)

    def forget_all(self) -> None:
        self._tried.clear()
        for known in (self._access, self._principals, self._findings):
            known.clear()

    def judge(self, screen: MainScreen, row: Repository, *, findings_too: bool) -> None:
        """A policy that can't be read or understood stays unknown."""
        arn = row.arn
        answer = screen.details.policies.get(arn)
        if answer is None or answer.error is not None:
            return
        self.forget(arn)
        if findings_too:
            self._tried.add(arn)
        access = screen.details.access(row, screen.choosing.principal)
        if isinstance(access, AccessSummary):
            self._access[arn] = access
        try:
            document = _parse(answer.value) if answer.value else None
        except EcrTuiError:
            return
        self._principals[arn] = principals(document)
        if findings_too and row.tags is not None:
            self._findings[arn] = findings(document, row, screen.now())


class Searching:
    """Judges policies as they are read, for ``access:``; nothing else is read for it but what :meth:`read_all` asks."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.judged = Judged()
        self._waiting: dict[str, None] = {}
        self._judging = False
        self._cancel: threading.Event | None = None
        self.progress: tuple[int, int] | None = None
        """Of reading all policies: how many of how many."""

    # -- what is known of policies ---------------------------------------------------------------------------------

    def learn(self, arns: Iterable[str]) -> None:
        """These policies were read, or are known no longer."""
        for arn in arns:
            self._waiting[arn] = None
            if arn not in self._screen.details.policies:
                self.judged.forget(arn)
        if self._waiting and not self._judging:
            self._judging = True
            self._screen.run_worker(self._judge())

    def learn_anew(self) -> None:
        """Another principal, or other rows: judge everything that was read."""
        self.judged.forget_all()
        self.learn(self._screen.details.policies)

    async def _judge(self) -> None:
        screen = self._screen
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                seen = {row.arn for row in screen.table.window()}
                end = time.monotonic() + SLICE
                for arn in waiting:
                    row = screen.table.find(arn)
                    if row is not None:
                        self.judged.judge(screen, row, findings_too=self.judged.with_findings or arn in seen)
                    if time.monotonic() > end:
                        await asyncio.sleep(0)
                        end = time.monotonic() + SLICE
                screen.table.model.look_again()
                screen.table.redraw_rows()
                await asyncio.sleep(AGAIN)
        finally:
            self._judging = False

    def learn_window(self) -> None:
        """Other rows are in view: their findings are shown."""
        judged, known = self.judged, self._screen.details.policies
        rows = self._screen.table.window()
        self.learn(row.arn for row in rows if row.arn in known and not judged.tried(row))

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
        if result is not None and result.loose and result.found:
            parts.append(Content.styled("≈ no exact match, similar:", "$text-warning"))
        if result is not None and result.unknown:
            parts.append(self._unknown(result.unknown))
        if self.progress is not None:
            done, total = self.progress
            parts.append(Content.styled(f"reading policies: {done:,} of {total:,}, Esc stops", "$text-primary"))
        return Content("  ·  ").join(parts)

    def _unknown(self, number: int) -> Content:
        screen = self._screen
        parsed = screen.table.parsed
        if not parsed.needs_policies or (parsed.needs_tags and screen.table.model.tags_missing):
            return Content.styled(f"{number:,} not known yet", MUTED)
        if parsed.needs_account_b and screen.choosing.principal is None:
            return Content.styled("Account B is unknown. Press b to choose a principal.", "$text-warning")
        words = f"{count(number, 'policy', 'policies')} not read yet"
        if self.progress is None:
            words += ": P reads them" if screen.focused is screen.table else ": press Enter, then P"
        return Content.styled(words, "$text-warning")

    # -- reading all policies --------------------------------------------------------------------------------------

    def read_all(self) -> None:
        """Those of the rows that the rest of the filter lets through. ECR has no call for several at once."""
        screen = self._screen
        if self.progress is not None:
            return
        if screen.table.parsed.needs_account_b and screen.choosing.principal is None:
            screen.app.notify("Account B is unknown. Press b to choose a principal.", severity="warning")
            return
        known = screen.details.policies
        rows = [one for one in screen.table.model.candidates() if (found := known.get(one.arn)) is None or found.error]
        if not rows:
            screen.app.notify("All policies of the repositories shown are read.")
            return
        cancel = self._cancel = threading.Event()
        self.progress = (0, len(rows))
        policies = screen.workspace.listing.readers().policies
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
        table = self._screen.table
        asked = table.parsed.needs_findings or table.sort[0] == "findings"
        if asked and not self.judged.with_findings:
            self.judged.with_findings = True
            self.learn(self._screen.details.policies)
        self._screen.repositories.show_note(self.note())
