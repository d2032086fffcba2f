"""``ecr-tui list``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import click

from ecr_tui.cli import output
from ecr_tui.cli.common import account_options, json_option, listed, open_workspace, print_json, tag_option
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.errors import EcrTuiError, InputError

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.filters import Filter
    from ecr_tui.policy.access import AccessSummary
    from ecr_tui.workspace import Workspace


@command("list")
@account_options
@tag_option
@click.option(
    "--filter",
    "query",
    metavar="QUERY",
    default="",
    help="Words, tag:K or tag:K=V, access:none|pull|push|push-pull|depends, mutable:yes|no, region:START; ! negates.",
)
@json_option
@click.pass_context
def list_command(context: click.Context, /, as_json: bool, query: str, **flags: Any) -> None:
    """The repositories, their tags, and what account A's policies let account B do.

    Of a QUERY all terms must hold. A word occurs in the name or in a tag, in any case; "access" is at least that of
    account B, and "depends" is what hangs on the request ("pull?" in the table); double quotes hold blanks together.
    Example: --filter 'api tag:Team=Payments !access:pull'
    """
    from ecr_tui import present
    from ecr_tui.filters import parse

    wanted = parse(query)
    if wanted.problems:
        raise _unusable(wanted)
    with open_workspace(context, flags) as workspace:
        rows = listed(workspace)
        if wanted.needs_access and workspace.settings.profile_b is None:
            raise InputError(
                "access: asks what account B may do, and there is no account B", hint="Name one with --profile-b."
            )
        # Policies are read one by one, so what does not depend on them is looked at first.
        candidates = [r for r in rows if wanted.matches(r) is not False]
        access = _access(workspace, candidates)
        verdicts = {r.arn: wanted.matches(r, access.get(r.arn)) for r in candidates}
        found = [r for r in candidates if verdicts[r.arn]]
        unknown = sum(verdict is None for verdict in verdicts.values())
        if unknown:
            output.line(f"Left out, as their tags or policies are not known: {unknown:,}.", err=True)
        if not found and not unknown and wanted:
            _suggest(wanted, rows)
        if as_json:
            print_json([present.repository_json(r, access.get(r.arn)) for r in found])
        else:
            output.block(present.repository_table(found, access))


def _unusable(wanted: Filter) -> InputError:
    problem = wanted.problems[0]
    where = " " * problem.start + "^" * (problem.end - problem.start)
    return InputError(f"--filter: {problem.message}", detail=f"{wanted.text}\n{where}", hint=problem.hint)


def _suggest(wanted: Filter, rows: Sequence[Repository]) -> None:
    from ecr_tui.filters import Index, Order

    index = Index(rows)
    near = wanted.apply(index)
    names = [rows[i].name for i in near.ranked(index, Order())[:3]] if near.loose else []
    if names:
        more = f" and {len(near.rows) - len(names):,} more" if len(near.rows) > len(names) else ""
        output.line(f"Nothing matches. Did you mean {', '.join(names)}{more}?", err=True)


def _access(workspace: Workspace, rows: Sequence[Repository]) -> dict[str, AccessSummary]:
    """A's side of B's access for each ARN; empty where there is no account B to ask for."""
    from ecr_tui.policy.compiled import caller_of
    from ecr_tui.policy.document import PolicyDocument
    from ecr_tui.registry_effect import Accesses, registry_of

    if workspace.settings.profile_b is None or not rows:
        return {}
    try:
        principal = workspace.consumer().arn
    except EcrTuiError as error:
        output.failure(error, "Account B's access is not shown")
        return {}
    with Meter("Reading policies") as meter:
        answers = workspace.policies.read_all(rows, on_progress=meter)
    documents: dict[str, PolicyDocument | None] = {}
    parse = lru_cache(maxsize=4096)(PolicyDocument.parse)
    unread: dict[str, tuple[int, EcrTuiError]] = {}
    for answer in answers:
        if answer.error is not None:
            number, first = unread.get(answer.error.title, (0, answer.error))
            unread[answer.error.title] = number + 1, first
        else:
            with contextlib.suppress(EcrTuiError):
                documents[answer.repository.arn] = None if answer.value is None else parse(answer.value)
    for number, failure in unread.values():
        output.failure(failure, f"{number:,} {'policy' if number == 1 else 'policies'} could not be read")
    registries = {region: workspace.registry_facts(region) for region in dict.fromkeys(row.region for row in rows)}
    for region, facts in registries.items():
        if doubt := registry_of(facts).doubt:
            output.line(f"Account A's registry policy in {region} is not counted: {doubt}", err=True)
    now = datetime.now(UTC)

    def judged(role: str = "") -> dict[str, AccessSummary]:
        accesses = Accesses(principal, registries, now=now, role=role)
        return {row.arn: accesses.of(row, documents[row.arn]) for row in rows if row.arn in documents}

    found = judged()
    open_path = any("aws:PrincipalArn" in one.depends_on for one in found.values())
    if open_path and caller_of(principal).kind == "assumed-role":
        # A session's ARN does not carry its role's path; IAM tells it, where account B may ask.
        identity = workspace.identity_policies(principal)
        found = found if identity.unreadable else judged(identity.arn)
    return found
