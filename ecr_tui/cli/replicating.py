"""Copies that replication made, for ``plan``, ``grant`` and ``revoke``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ecr_tui.access.replicas import PRESENT, UNKNOWN, Copy, sentences
from ecr_tui.aws.model import Repository
from ecr_tui.changes.plans import Plan
from ecr_tui.cli import output
from ecr_tui.errors import EcrTuiError
from ecr_tui.workspace import Workspace

replicas_option = click.option(
    "--replicas",
    is_flag=True,
    help="Include the copies that replication made in other regions of account A.",
)


def with_copies(workspace: Workspace, rows: Sequence[Repository], *, replicas: bool) -> list[Repository]:
    """``rows``, each followed by its copies. Copies that cannot be included are printed on stderr.

    Raises EcrTuiError where the rules or a copy are unreadable: that is no answer to ``--replicas``.
    """
    if not replicas:
        return list(rows)
    found: dict[str, Repository] = {}
    for row in rows:
        rules = workspace.access.replication(row.region)
        if rules.unreadable:
            raise EcrTuiError(
                f"the replication rules of {row.region} are unknown",
                detail=rules.unreadable,
                hint="Allow ecr:DescribeRegistry, or leave out --replicas.",
            )
        copies = workspace.access.copies(row)
        for one in copies:
            if one.state == UNKNOWN:
                raise EcrTuiError(f"the copy of {row.name} in {one.region} is unknown", detail=one.detail)
        found[row.arn] = row
        found |= {one.repository.arn: one.repository for one in copies if one.repository is not None}
        for line in sentences([one for one in copies if one.state != PRESENT]):
            output.line(f"{row.name}: {line}", err=True)
    return list(found.values())


def copies_of(workspace: Workspace, plan: Plan) -> tuple[Copy, ...] | None:
    """Those of a grant's repository; None where the rules are unknown."""
    if plan.grant is None or workspace.access.replication(plan.repository.region).unreadable:
        return None
    return workspace.access.copies(plan.repository, plan.grant)
