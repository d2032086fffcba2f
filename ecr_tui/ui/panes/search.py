"""Filter support: evaluate policies as they are read, notes on a query, and reading all policies."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.panes.details import Details
from ecr_tui.ui.panes.judged import Judged
from ecr_tui.ui.text import MUTED, NO, count, safe
from ecr_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.workspace import Workspace

SLICE = 0.005
"""Maximum seconds to evaluate policies before handling keys."""
AGAIN = 0.2
"""Seconds to collect answers before the rows are filtered again; also the progress interval."""


class Search:
    """Judges policies as they are read, for ``access:``; nothing else is read for it but what :meth:`read_all` asks.

    ``changed`` is called whenever :meth:`note` may say something else.
    """

    def __init__(
        self,
        table: VirtualTable[Repository],
        judged: Judged,
        workspace: Workspace,
        details: Details,
        *,
        principals: Callable[[], tuple[str, ...]],
        now: Callable[[], datetime],
        changed: Callable[[], object],
    ) -> None:
        self._table = table
        self.judged = judged
        self._workspace = workspace
        self._details = details
        self._principals = principals
        self._now = now
        self._changed = changed
        self._waiting: dict[str, None] = {}
        self._judging = False
        self._cancel: threading.Event | None = None
        self.progress: tuple[int, int] | None = None
        """(done, total) while reading all policies."""

    # -- policies ---------------------------------------------------------------------------------

    def learn(self, arns: Iterable[str]) -> None:
        """These policies were read or invalidated."""
        for arn in arns:
            self._waiting[arn] = None
            if arn not in self._details.policies:
                self.judged.forget(arn)
        if self._waiting and not self._judging:
            self._judging = True
            # Not yet a coroutine: one that is cancelled before it has begun would never be awaited.
            self._table.run_worker(self._judge)  # type: ignore[arg-type]

    def learn_anew(self) -> None:
        """Evaluate all read policies again for another principal or other rows."""
        self.judged.forget_all()
        self.learn(self._details.policies)

    async def _judge(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                seen = {row.arn for row in self._table.window()}
                end = time.monotonic() + SLICE
                for arn in waiting:
                    row = self._table.model.find(arn)
                    if row is not None:
                        wanted = self.judged.with_findings or arn in seen
                        self.judged.judge(row, self._details, self._principals(), self._now(), findings_too=wanted)
                    if time.monotonic() > end:
                        await asyncio.sleep(0)
                        end = time.monotonic() + SLICE
                self._table.model.look_again()
                self._table.redraw_rows()
                await asyncio.sleep(AGAIN)
        finally:
            self._judging = False

    def learn_window(self) -> None:
        """Update findings for newly visible rows."""
        known = self._details.policies
        self.learn(row.arn for row in self._table.window() if row.arn in known and not self.judged.tried(row))

    def look(self) -> None:
        """Update for another filter or order, which may need the findings of all policies."""
        asked = self._table.model.query.needs_findings or self._table.sort[0] == "findings"
        if asked and not self.judged.with_findings:
            self.judged.with_findings = True
            self.learn(self._details.policies)

    # -- notes -----------------------------------------------------------------------------------

    def note(self) -> Content:
        """One line under the filter, possibly empty."""
        query, result = self._table.model.query, self._table.model.result
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
        query = self._table.model.query
        if not query.needs_policies or (query.needs_tags and self._table.model.tags_missing):
            return Content.styled(f"{number:,} unknown", MUTED)
        if query.needs_account_b and not self._principals():
            return Content.styled("Account B is unknown. Press b to choose a principal.", "$text-warning")
        words = f"{count(number, 'policy', 'policies')} not read yet"
        if self.progress is None:
            words += ": press P to read" if self._table.has_focus else ": press Enter, then P"
        return Content.styled(words, "$text-warning")

    # -- reading all policies --------------------------------------------------------------------------------------

    def read_all(self) -> None:
        """Read policies of rows that match the rest of the filter. ECR has no batch call."""
        if self.progress is not None:
            return
        app = self._table.app
        if self._table.model.query.needs_account_b and not self._principals():
            app.notify("Account B is unknown. Press b to choose a principal.", severity="warning")
            return
        known = self._details.policies
        rows = [one for one in self._table.model.candidates() if (found := known.get(one.arn)) is None or found.error]
        if not rows:
            app.notify("All policies of the shown repositories are read.")
            return
        self._cancel = threading.Event()
        self.progress = (0, len(rows))
        self._table.run_worker(self._read(rows, self._cancel))
        self._changed()

    async def _read(self, rows: Sequence[Repository], cancel: threading.Event) -> None:
        told = [(0, len(rows))]

        def tell(done: int, total: int) -> None:
            told[0] = (done, total)

        policies = self._workspace.listing.readers().policies
        reading = asyncio.create_task(jobs.on_thread(partial(policies.read_all, rows, on_progress=tell, cancel=cancel)))
        try:
            while cancel is self._cancel and not (await asyncio.wait({reading}, timeout=AGAIN))[0]:
                if cancel is self._cancel:
                    self.progress = told[0]
                    self._changed()
            await reading
        except EcrTuiError as error:
            if cancel is self._cancel and not isinstance(error, Cancelled):
                self._table.app.notify(safe(error.title), severity="warning")
        finally:
            if cancel is self._cancel:
                self.cancel()

    def cancel(self) -> bool:
        """Stop reading; returns whether it was running. Results are kept."""
        if self._cancel is None:
            return False
        self._cancel.set()
        self._cancel = self.progress = None
        self._changed()
        return True

    def stop(self) -> None:
        """Stop on removal."""
        if self._cancel is not None:
            self._cancel.set()
