"""What became of a run: of each repository, and of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ecr_tui.aws.model import Repository
from ecr_tui.changes.apply import Outcome
from ecr_tui.changes.plans import Plan
from ecr_tui.errors import ConflictError, EcrTuiError

WRITTEN, UNCHANGED, FAILED, UNTRIED, REFUSED = "written", "unchanged", "failed", "not tried", "refused"


@dataclass(frozen=True)
class Result:
    """``status``: WRITTEN with ``outcome``, UNCHANGED (the policy says it already), FAILED with ``error``, UNTRIED,
    or REFUSED (ECR would not take it, so it was not sent)."""

    repository: Repository
    status: str
    plan: Plan
    outcome: Outcome | None = None
    error: EcrTuiError | None = None


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` repositories that are to be written, ``failed`` of them failed; ``result`` is the latest.

    ``rate`` is what the service allows in calls a second, as far as it is known; ``refusals`` how often it was asked
    too fast.
    """

    done: int
    total: int
    failed: int
    result: Result
    rate: float | None
    refusals: int
    seconds_left: float


@dataclass(frozen=True)
class Summary:
    """``run`` is the journal's id, "" where less than two were to be written. ``results`` in the order of the plans.

    ``fatal``: the failure after which no other repository was tried. ``note``: what else the user should know.
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
        """Of what stopped it; else of the worst failure: one that is no conflict counts more than one that is."""
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
