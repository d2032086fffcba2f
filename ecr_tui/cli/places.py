"""Further places of ``plan``, ``grant`` and ``revoke``: copies that replication made, and creation templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ecr_tui.access.replicas import PRESENT, UNKNOWN, Copy, sentences
from ecr_tui.aws.model import Repository, TemplatePlace
from ecr_tui.changes.plans import Plan
from ecr_tui.cli import output
from ecr_tui.cli.common import chosen
from ecr_tui.cli.options import all_of
from ecr_tui.errors import EcrTuiError
from ecr_tui.workspace import Workspace

places_options = all_of(
    click.option(
        "--replicas",
        is_flag=True,
        help="Include the copies that replication made in other regions of account A.",
    ),
    click.option(
        "--template",
        "templates",
        multiple=True,
        metavar="PREFIX",
        help="Include the creation template of this prefix, for repositories that ECR creates later; without REPO and "
        "--tag, only the template. ROOT: the template of all other prefixes. Repeatable.",
    ),
)


def chosen_places(workspace: Workspace, flags: dict[str, Any]) -> list[Repository]:
    """The repositories of a command with their copies, and the creation templates."""
    templates: list[Repository] = [workspace.access.template(one) for one in dict.fromkeys(flags.get("templates", ()))]
    if templates and not flags["repositories"] and not workspace.settings.tags:
        return templates
    return [*with_copies(workspace, chosen(workspace, flags), replicas=flags.get("replicas", False)), *templates]


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
    if isinstance(plan.repository, TemplatePlace):
        return ()
    if plan.grant is None or workspace.access.replication(plan.repository.region).unreadable:
        return None
    return workspace.access.copies(plan.repository, plan.grant)
