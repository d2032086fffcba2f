"""What is left of runs that did not come to their end, found in the journal alone."""

from __future__ import annotations

from dataclasses import dataclass

from ecr_tui.aws.model import Repository
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


@dataclass(frozen=True)
class Unfinished:
    """``rest`` was not written, or nobody knows whether it was; ``failed`` was tried and refused."""

    run: Run
    rest: tuple[Repository, ...]
    failed: tuple[Repository, ...]
    written: int

    @property
    def interrupted(self) -> bool:
        """By a kill or a crash. Otherwise it was stopped, and whoever was there knows."""
        return not self.run.ended


def unfinished(journal: Journal, account: str | None = None) -> tuple[Unfinished, ...]:
    """Runs (of ``account``) that ended before everything was tried, newest first; those at work are not among them.

    Of an undo nothing is ever left: what it did not reach still stands, and the next undo takes it back.
    """
    history = journal.recent()
    found = (_left(run, history) for run in reversed(history.runs) if account in (None, run.account))
    return tuple(left for left in found if left is not None)


def _left(run: Run, history: History) -> Unfinished | None:
    if run.ended in (DONE, DISMISSED) or run.kind in (UNDO, REDO) or run.at_work:
        return None
    last = {entry.record.arn: entry for entry in history.entries if entry.record.run == run.id}
    outcomes = {arn: UNKNOWN if _never_tried(entry) else entry.outcome for arn, entry in last.items()}
    rows = [Repository(name, arn, "", region, run.account) for name, arn, region in run.targets]
    rest = tuple(row for row in rows if outcomes.get(row.arn, UNKNOWN) == UNKNOWN)
    failed = tuple(row for row in rows if outcomes.get(row.arn) == FAILED)
    written = sum(outcome == WRITTEN for outcome in outcomes.values())
    return Unfinished(run, rest, failed, written) if rest else None


def _never_tried(entry: Entry) -> bool:
    """Noted, but stopped before it was sent, or killed before it arrived: nobody refused it."""
    return entry.outcome == FAILED and entry.detail in (Cancelled().text(), NEVER_ARRIVED)
