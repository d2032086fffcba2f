"""Shared by ``grant``, ``revoke``, ``repair`` and ``undo``: plan and write one repository or many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk import WRITTEN, Bulk, Intent, Progress, Summary, Unfinished
from ecr_tui.changes.plans import Plan
from ecr_tui.cli import output
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import interruptible
from ecr_tui.cli.meter import Meter
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.render import runs as render_runs
from ecr_tui.text import count

INTERRUPTED = 130
"""Exit code after Ctrl+C or SIGTERM, by convention."""
ACCESS_REMAINS = 1
"""Exit code of a revoke after which a principal still has access, or may have."""
SHOWN_IN_FULL = 12
"""Above this many plans, equal ones are shown once."""


def plan_all(bulk: Bulk, rows: Sequence[Repository], intent: Intent) -> tuple[list[Plan], list[EcrTuiError]]:
    """The plans, and the errors of the others, printed on stderr. Raises the error of a single repository."""
    with Meter("Reading policies") as meter:
        found = bulk.plan(rows, intent, on_progress=meter)
    failures = [one for one in found if isinstance(one, EcrTuiError)]
    if failures and len(found) == 1:
        raise failures[0]
    for row, one in zip(rows, found, strict=False):
        if isinstance(one, EcrTuiError):
            output.failure(one, row.name)
    return [one for one in found if isinstance(one, Plan)], failures


def write(
    bulk: Bulk,
    plans: Sequence[Plan],
    intent: Intent,
    *,
    failures: Sequence[EcrTuiError] = (),
    resumes: Unfinished | None = None,
    asking: Asking,
    document: Callable[[list[dict[str, Any]]], Any] = list,
) -> int:
    """Confirm once, write, print each result. Returns the exit code of the worst failure.

    ``document``: what ``--json`` prints of the plans.
    """
    if not asking.as_json:
        output.block(render_runs.plans_text(plans, SHOWN_IN_FULL))
    changing = sum(plan.changed and not plan.refused for plan in plans)
    if changing:
        asking.confirm(f"Write {count(changing, 'policy')}?")
    run = resumes.run if resumes else None
    summary = carried_out(lambda cancel, told: bulk.run(plans, intent, on_progress=told, cancel=cancel, resumes=run))
    return report(summary, as_json=asking.as_json, failures=failures, document=document)


def report(
    summary: Summary,
    *,
    as_json: bool,
    failures: Sequence[EcrTuiError] = (),
    document: Callable[[list[dict[str, Any]]], Any] = list,
) -> int:
    """Print the results, with ``--json`` as plans with ``written``; failures go to stderr."""
    if as_json:
        output.document(document([one.plan.to_json(written=one.status == WRITTEN) for one in summary.results]))
    else:
        output.block(render_runs.results_text(summary, SHOWN_IN_FULL))
    output.block(render_runs.failures_text(summary), err=True, nl=False)
    kind = summary.results[0].plan.kind if summary.results else ""
    if summary.untried and summary.run and kind not in ("undo", "redo"):
        output.line(f"Resume with: ecr-tui {kind} --resume", err=True)
    if summary.untried and summary.fatal is None:
        return INTERRUPTED
    left = any(one.plan.kind == "revoke" and one.plan.remaining for one in summary.results)
    return max([summary.exit_code, ACCESS_REMAINS if left else 0, *(failure.exit_code for failure in failures)])


def carried_out(run: Callable[[threading.Event, Callable[[Progress], None]], Summary]) -> Summary:
    """``run(cancel, on_progress)`` with a meter; the first Ctrl+C finishes the writes in progress."""
    cancel = threading.Event()
    with Meter("Writing") as meter, interruptible(cancel, "Stopping, finishing writes in progress ..."):

        def told(progress: Progress) -> None:
            failed = f", {progress.failed:,} failed" if progress.failed else ""
            pace = f", {progress.rate:.0f} calls/s" if progress.rate else ""
            left = int(progress.seconds_left)
            meter(progress.done, progress.total, f"{failed}{pace}, {left // 60}:{left % 60:02d} left")

        return run(cancel, told)


def unfinished(bulk: Bulk, kind: str) -> Unfinished:
    """The latest unfinished run of that kind, printed on stderr. Raises InputError if there is none."""
    found = next((left for left in bulk.unfinished() if left.run.kind == kind), None)
    if found is None:
        raise InputError(f"no unfinished {kind} to resume", hint="Run ecr-tui history to see past writes.")
    output.line(f"{_told(found)}.", err=True)
    return found


def mention_unfinished(bulk: Bulk) -> None:
    """Mention a run that a crash ended; its user may not know."""
    for left in bulk.unfinished():
        if left.interrupted:
            output.line(f"{_told(left)}. Resume with: ecr-tui {left.run.kind} --resume", err=True)
            return


def _told(left: Unfinished) -> str:
    total, how = len(left.run.targets), "was interrupted" if left.interrupted else "was stopped"
    words = Intent.from_json(left.run.intent).words()
    return (
        f"The run of {left.run.at:%Y-%m-%d %H:%M} UTC ({words}) {how}: {left.written:,} of {total:,} written, "
        f"{len(left.rest):,} left"
    )
