"""Use case: one change to many repositories, as fast as AWS's rate limits allow, resumable after a crash.

Each repository is written exactly as a single one (:mod:`ecr_tui.changes.apply`): read, compared with the preview,
written, read back, read once more; four calls. Several run in parallel, paced by AWS's throttling. A run is journalled
before its first write, so that its rest can be resumed after a crash, and all of it undone at once.

A failure on one repository does not stop the others, unless all would fail alike: without credentials, or after
several network failures in a row. The rest can be resumed.
"""

from ecr_tui.changes.bulk.intent import Intent
from ecr_tui.changes.bulk.left import Unfinished, unfinished
from ecr_tui.changes.bulk.pacing import Pacer
from ecr_tui.changes.bulk.result import FAILED, REFUSED, UNCHANGED, UNTRIED, WRITTEN, Progress, Result, Summary
from ecr_tui.changes.bulk.runs import PARALLEL, Account, Bulk, undo_preview

__all__ = [
    "FAILED",
    "PARALLEL",
    "REFUSED",
    "UNCHANGED",
    "UNTRIED",
    "WRITTEN",
    "Account",
    "Bulk",
    "Intent",
    "Pacer",
    "Progress",
    "Result",
    "Summary",
    "Unfinished",
    "undo_preview",
    "unfinished",
]
