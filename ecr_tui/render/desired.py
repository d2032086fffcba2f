"""Text and JSON of the drift between a registry and a file of grants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.changes.desired.planning import words_of
from ecr_tui.changes.plans import Plan
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.ours import Own
from ecr_tui.text import block, count


@dataclass(frozen=True)
class Drift:
    """``plans``: for repositories that differ. ``unwanted``: statements of ours without a grant in the file;
    ``pruned``: whether the plans revoke them. ``failures``: repositories that could not be compared."""

    name: str
    repositories: int
    plans: tuple[Plan, ...]
    unwanted: tuple[tuple[Repository, Own], ...] = ()
    pruned: bool = False
    failures: tuple[tuple[Repository, EcrTuiError], ...] = ()

    @property
    def exit_code(self) -> int:
        """Of a check."""
        return max([int(bool(self.plans)), *(error.exit_code for _, error in self.failures)])


def unwanted_text(drift: Drift) -> str:
    """ "" if there are none, or the plans include them."""
    if not drift.unwanted or drift.pruned:
        return ""
    lines = [f"Not in {drift.name}, kept without --prune:"]
    lines += [f"  {row.name} ({row.region}): {words_of(own)}" for row, own in drift.unwanted]
    return block(lines)


def headline(drift: Drift) -> str:
    total = count(drift.repositories, "repository")
    failed = f"; {len(drift.failures):,} could not be compared" if drift.failures else ""
    if not drift.plans:
        return f"{'No drift found' if drift.failures else 'No drift'}: {total} compared with {drift.name}{failed}"
    return f"Drift: {len(drift.plans):,} of {total} differ from {drift.name}{failed}"


def drift_json(drift: Drift, plans: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The document of ``apply --json``; ``plans``: those of the drift, with results of writes."""
    return {
        "file": drift.name,
        "repositories": drift.repositories,
        "drift": list(plans),
        "unwanted": [
            {
                "repository": row.name,
                "arn": row.arn,
                "region": row.region,
                "principals": list(own.principals),
                "access": str(own.access),
                "if_tag": [f"{key}={value}" for key, value in own.tags],
                "until": None if own.until is None else own.until.isoformat(),
            }
            for row, own in drift.unwanted
        ],
        "failed": [
            {"repository": row.name, "arn": row.arn, "region": row.region, "error": error.title}
            for row, error in drift.failures
        ],
    }
