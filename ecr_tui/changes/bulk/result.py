"""Results of a run: per repository, and in total."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ecr_tui.aws.model import Repository
from ecr_tui.changes.apply import Outcome
from ecr_tui.changes.plans import Plan
from ecr_tui.errors import ConflictError, EcrTuiError

WRITTEN, UNCHANGED, FAILED, UNTRIED, REFUSED = "written", "unchanged", "failed", "not tried", "refused"


class Result(NamedTuple):
    """``status``: WRITTEN with ``outcome``, UNCHANGED, FAILED with ``error``, UNTRIED, or REFUSED (not sent, since ECR
    would reject it)."""

    repository: Repository
    status: str
    plan: Plan
    outcome: Outcome | None = None
    error: EcrTuiError | None = None


class Progress(NamedTuple):
    """``done`` of ``total`` repositories to write, of which ``failed`` failed; ``result`` is the latest.

    ``rate``: allowed calls per second, if known; ``refusals``: throttled calls.
    """

    done: int
    total: int
    failed: int
    result: Result
    rate: float | None
    refusals: int
    seconds_left: float


class Summary(NamedTuple):
    """``run``: the journal's id, "" for fewer than two writes. ``results`` in the order of the plans.

    ``fatal``: the failure that stopped the run. ``note``: a warning for the user.
    """

    run: str
    results: tuple[Result, ...]
    seconds: float
    calls: int
    refusals: int
    fatal: EcrTuiError | None = None
    note: str = ""

    def of(self, status: str) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.status == status)

    @property
    def written(self) -> tuple[Result, ...]:
        return self.of(WRITTEN)

    @property
    def failed(self) -> tuple[Result, ...]:
        return self.of(FAILED)

    @property
    def untried(self) -> tuple[Result, ...]:
        return self.of(UNTRIED)

    @property
    def refused(self) -> tuple[Result, ...]:
        return self.of(REFUSED)

    @property
    def complete(self) -> bool:
        return not self.failed and not self.untried and not self.refused

    @property
    def exit_code(self) -> int:
        """Exit code of the fatal failure, else of the worst one; other failures outrank conflicts."""
        if self.fatal is not None:
            return self.fatal.exit_code
        errors = [result.error for result in self.failed if result.error is not None]
        others = [error.exit_code for error in errors if not isinstance(error, ConflictError)]
        if others:
            return max(others)
        return ConflictError.exit_code if errors else 1 if self.untried or self.refused else 0

    def headline(self) -> str:
        """ "Written: 3 of 5; 1 failed, 1 not tried"."""
        counts = Counter(result.status for result in self.results)
        wanted = len(self.results) - counts[UNCHANGED]
        rest = [f"{counts[status]:,} {status}" for status in (FAILED, REFUSED, UNTRIED, UNCHANGED) if counts[status]]
        return f"Written: {counts[WRITTEN]:,} of {wanted:,}" + (f"; {', '.join(rest)}" if rest else "")
