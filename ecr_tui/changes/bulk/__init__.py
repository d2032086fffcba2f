"""Use case: one change to many repositories, as fast as the service allows, and never half forgotten.

Each repository is written exactly as a single one is (:mod:`ecr_tui.changes.apply`): read again, compared with what was
previewed, written, read back, looked at once more; four calls. Several at a time, at a pace that AWS's refusals set.
A run is noted in the journal before its first write, so that after a crash the rest can be found and done, and all of
it can be taken back at once.

One repository's failure stops no other, except where every other would fail alike: without credentials, or when one
after the other meets no network. What was not tried then is left to be resumed.
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
