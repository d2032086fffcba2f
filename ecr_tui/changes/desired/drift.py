"""Compare the policies of many repositories with a file of grants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk import Bulk, Intent
from ecr_tui.changes.plans import Plan
from ecr_tui.errors import EcrTuiError


def compare(
    bulk: Bulk,
    rows: Sequence[Repository],
    intent: Intent,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> list[tuple[Repository, Plan | EcrTuiError]]:
    """Each of ``rows`` with its plan or error. All policies are read once; repositories that differ are planned again
    on live tags. Raises as ``Bulk.plan``."""
    planned = bulk.plan(rows, intent, listed_tags=True, on_progress=on_progress, cancel=cancel)
    differing = [row for row, one in zip(rows, planned, strict=True) if isinstance(one, Plan) and one.changed]
    again = {one.repository.arn: one for one in bulk.plan(differing, intent, cancel=cancel) if isinstance(one, Plan)}
    return [(row, again.get(row.arn, one)) for row, one in zip(rows, planned, strict=True)]
