"""Parallel verifications in a bounded pool, with one summary."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecr_tui.aws.model import Repository
from ecr_tui.aws.parallel import answered
from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.verification.report import Report

POOL = 4
"""Each uses one or two connections, and GetAuthorizationToken and PutImage have low rate limits."""


class Result(NamedTuple):
    """A repository with its report, or the error that prevented its verification."""

    repository: Repository
    report: Report | None = None
    error: EcrTuiError | None = None

    @property
    def passed(self) -> bool:
        return self.report is not None and self.report.passed

    @property
    def exit_code(self) -> int:
        if self.report is not None:
            return self.report.exit_code
        return self.error.exit_code if self.error is not None else 1

    @property
    def word(self) -> str:
        """As ``Report.word``."""
        return "error" if self.report is None else self.report.word

    def headline(self) -> str:
        if self.report is not None:
            return self.report.headline()
        return f"ERROR: {self.error.title if self.error else 'not started'}"

    def to_json(self) -> dict[str, Any]:
        """The report's JSON; if not started, the same keys as far as known, and ``error``."""
        if self.report is not None:
            return self.report.to_json()
        error = self.error or EcrTuiError("not started")
        return {
            "repository": self.repository.name,
            "arn": self.repository.arn,
            "region": self.repository.region,
            "principal": "",
            "engine": "",
            "verdict": "error",
            "passed": False,
            "headline": self.headline(),
            "stages": [],
            "isolation": None,
            "isolations": [],
            "tag_switch": None,
            "cleaned_up": True,
            "error": {
                "title": error.title,
                "detail": error.detail or None,
                "hint": error.hint or None,
                "side": error.side or None,
            },
        }

    def to_markdown(self, level: int = 1) -> str:
        if self.report is not None:
            return self.report.to_markdown(level)
        return f"{'#' * level} {self.repository.name}: ERROR\n\n- {self.headline()}\n"


class Batch(NamedTuple):
    """The results in the requested order. ``exit_code`` is the highest."""

    results: tuple[Result, ...]
    started_at: datetime
    finished_at: datetime

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    @property
    def exit_code(self) -> int:
        return max((result.exit_code for result in self.results), default=0)

    def summary(self) -> str:
        """ "3 of 4 passed: 3 allowed, 1 denied"."""
        words = Counter(result.word for result in self.results)
        counts = ", ".join(f"{count} {word}" for word, count in words.most_common())
        return f"{sum(r.passed for r in self.results)} of {len(self.results)} passed: {counts}"

    def to_json(self) -> dict[str, Any]:
        """A JSON document for a file: times, summary, and each report."""
        return {
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "finished_at": self.finished_at.isoformat(timespec="seconds"),
            "passed": self.passed,
            "summary": self.summary(),
            "verifications": [result.to_json() for result in self.results],
        }

    def to_markdown(self) -> str:
        """Markdown for a ticket: a summary table, then the full reports."""
        lines = [
            "# Verified access to Amazon ECR",
            "",
            f"{self.started_at:%Y-%m-%d %H:%M:%S} to {self.finished_at:%H:%M:%S} UTC. {self.summary()}.",
            "",
            "| Repository | Result | Digest | Isolation |",
            "| --- | --- | --- | --- |",
        ]
        for result in self.results:
            report = result.report
            digest = f"`{report.digest}`" if report and report.digest else ""
            isolation = report.isolation.status.value if report and report.isolation else ""
            lines.append(f"| {result.repository.name} | {result.word.upper()} | {digest} | {isolation} |")
        return "\n".join(lines) + "\n\n" + "\n".join(result.to_markdown(2) for result in self.results)


def run_batch(
    repositories: Sequence[Repository],
    verify: Callable[[Repository], Report],
    *,
    pool: int = POOL,
    on_result: Callable[[Result], None] = lambda _: None,
    cancel: threading.Event,
) -> Batch:
    """``verify`` each repository, up to ``pool`` in parallel; ``on_result`` is called in the calling thread on
    completion.

    A cancel starts no more; running ones end by themselves (``verify`` must check for it).
    """
    started = datetime.now(UTC)
    repositories = list({one.arn: one for one in repositories}.values())

    def one(repository: Repository) -> Result:
        if cancel.is_set():
            return Result(repository, error=Cancelled())
        try:
            return Result(repository, verify(repository))
        except EcrTuiError as error:
            return Result(repository, error=error)
        except Exception as fault:
            return Result(repository, error=EcrTuiError("the verification failed unexpectedly", detail=repr(fault)))

    results: dict[str, Result] = {}
    for repository, result in answered(one, repositories, workers=max(1, pool)):
        results[repository.arn] = result
        on_result(result)
    return Batch(tuple(results[one.arn] for one in repositories), started, datetime.now(UTC))
