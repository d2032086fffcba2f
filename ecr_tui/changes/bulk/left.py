"""The rest of unfinished runs, by the journal alone."""

from __future__ import annotations

from typing import NamedTuple

from ecr_tui.aws.model import Repository, place_of
from ecr_tui.changes.entries import (
    DISMISSED,
    DONE,
    FAILED,
    NEVER_ARRIVED,
    REDO,
    UNDO,
    UNKNOWN,
    WRITTEN,
    Entry,
    History,
    Run,
)
from ecr_tui.changes.journal import Journal
from ecr_tui.errors import Cancelled


class Unfinished(NamedTuple):
    """``rest``: not written or unknown; ``failed``: tried and refused."""

    run: Run
    rest: tuple[Repository, ...]
    failed: tuple[Repository, ...]
    written: int

    @property
    def interrupted(self) -> bool:
        """By a kill or a crash, as opposed to being stopped by the user."""
        return not self.run.ended


def unfinished(journal: Journal, account: str | None = None) -> tuple[Unfinished, ...]:
    """Unfinished runs (of ``account``), newest first, without running ones.

    An undo has no rest: what it did not reach is still in effect, and the next undo takes it.
    """
    history = journal.recent()
    found = (_left(run, history) for run in reversed(history.runs) if account in (None, run.account))
    return tuple(left for left in found if left is not None)


def _left(run: Run, history: History) -> Unfinished | None:
    if run.ended in (DONE, DISMISSED) or run.kind in (UNDO, REDO) or run.at_work:
        return None
    last = {entry.record.arn: entry for entry in history.entries if entry.record.run == run.id}
    outcomes = {arn: UNKNOWN if _never_tried(entry) else entry.outcome for arn, entry in last.items()}
    rows = [place_of(name, arn, region, run.account) for name, arn, region in run.targets]
    rest = tuple(row for row in rows if outcomes.get(row.arn, UNKNOWN) == UNKNOWN)
    failed = tuple(row for row in rows if outcomes.get(row.arn) == FAILED)
    written = sum(outcome == WRITTEN for outcome in outcomes.values())
    return Unfinished(run, rest, failed, written) if rest else None


def _never_tried(entry: Entry) -> bool:
    """Journalled but not sent, or not received: not refused."""
    return entry.outcome == FAILED and entry.detail in (Cancelled().text(), NEVER_ARRIVED)
