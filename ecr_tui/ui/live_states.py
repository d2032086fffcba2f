"""Determine whether writes of the journal are still in effect, by reading live policies sequentially."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ecr_tui.changes.entries import History
from ecr_tui.changes.history import NOT_KNOWN, PastWrite, PastWrites
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs

if TYPE_CHECKING:
    from textual.widget import Widget

    from ecr_tui.workspace import Workspace


class LiveStates:
    """``changed`` is called on new results, ``ended`` when all requested ones are known."""

    def __init__(
        self, node: Widget, workspace: Workspace, *, changed: Callable[[], None], ended: Callable[[], None]
    ) -> None:
        self._node = node
        self._workspace = workspace
        self._changed, self._ended = changed, ended
        self._past = PastWrites(History(()))
        self._asked = 0
        self.known: dict[str, str] = {}
        """By id of the write."""
        self.problems: dict[str, str] = {}
        """Why it is unknown."""

    def of(self, past: PastWrites) -> None:
        """Reset for another journal."""
        self._past = past
        self.known.clear()
        self.problems.clear()

    def unknown(self, row: PastWrite) -> bool:
        found = row.id in self.known or row.id in self.problems
        return not found and self._past.known_state(row) == NOT_KNOWN

    def state(self, row: PastWrite) -> str:
        """ "" while unknown."""
        return "" if self.unknown(row) else self.known.get(row.id) or self._past.known_state(row)

    def stop(self) -> None:
        """Drop all requests."""
        self._asked += 1

    def want(self, rows: Sequence[PastWrite]) -> None:
        """Read these and drop previous requests."""
        self.stop()
        asked, workspace, past = self._asked, self._workspace, self._past
        rows = [row for row in dict.fromkeys(rows) if self.unknown(row)]
        if not rows:
            return

        def work() -> bool:
            account = workspace.accounts.owner().account
            texts: dict[tuple[str, str], str | None] = {}
            for row in rows:
                if asked != self._asked:
                    return False
                record = row.entry.record
                place = (record.arn, record.subject)
                state, problem = "", ""
                try:
                    if account != record.account:
                        problem = f"in account {record.account}, current account is {account}"
                    else:
                        if place not in texts:
                            texts[place] = workspace.changes.live_text(row.entry)
                        state = past.state(row, texts[place])
                except EcrTuiError as error:
                    problem = error.title
                jobs.call(self._node, self._found, past, row.id, state, problem)
            return True

        def failed(error: EcrTuiError) -> None:
            self._found(past, rows[0].id, "", error.title)

        jobs.start(self._node, work, lambda all_read: all_read and self._ended(), failed)

    def _found(self, past: PastWrites, identifier: str, state: str, problem: str) -> None:
        if past is self._past:
            (self.problems if problem else self.known)[identifier] = problem or state
            self._changed()
