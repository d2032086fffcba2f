"""``ecr-tui list``."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import click

from ecr_tui.access.registry_policy import Accesses, registry_of
from ecr_tui.aws.model import ImagesSummary, Repository
from ecr_tui.cli import output
from ecr_tui.cli.common import listed, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import account_options, json_option, tag_option
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.listing.filters import Entry, Filter, parse
from ecr_tui.listing.filters.policies import findings, principals
from ecr_tui.policy.access import AccessSummary, together
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.trusted import Trusted
from ecr_tui.render import common as render_common
from ecr_tui.text import count
from ecr_tui.workspace import Workspace


@command("list")
@account_options
@tag_option
@click.option(
    "--filter",
    "query",
    metavar="QUERY",
    default="",
    help="Words or globs, name:TEXT, tag:K or tag:K=V, access:none|pull|push|push-pull|depends, principal:TEXT, "
    "finding:any|none|error|warning|info|ID, mutable:yes|no, region:START; ! negates.",
)
@click.option(
    "--images",
    "with_images",
    is_flag=True,
    help="Add the last push and the last recorded pull. Takes one call or more for each repository listed.",
)
@json_option
@click.pass_context
def list_command(context: click.Context, /, as_json: bool, query: str, with_images: bool, **flags: Any) -> None:
    """List repositories, their tags, and the access that account A's policies give account B.

    A QUERY matches when all its terms match. A word matches in the name or a tag, ignoring case. access:pull matches
    account B's pull access or more; access:depends matches access that depends on the request ("pull?" in the table).
    Put double quotes around spaces. Example: --filter 'api tag:Team=Payments !access:pull'
    """
    wanted = parse(query)
    if wanted.problems:
        raise _unusable(wanted)
    with open_workspace(context, flags) as workspace:
        rows = listed(workspace)
        if wanted.needs_account_b and workspace.settings.consumer is None:
            raise InputError("the filter access: needs account B", hint="Name it with --profile-b or --consumer.")
        entries = [Entry(row, row.arn, row) for row in rows]
        # Policies are read one by one, so evaluate the terms that do not need them first.
        candidates = [one for one in entries if wanted.matches(one) is not False]
        policies = _read(workspace, [one.row for one in candidates], wanted)
        verdicts = [wanted.matches(one, policies) for one in candidates]
        found = [one.row for one, verdict in zip(candidates, verdicts, strict=True) if verdict]
        unknown = verdicts.count(None)
        if unknown:
            output.line(f"Left out because tags or policies are unknown: {unknown:,}.", err=True)
        if not found and not unknown and wanted:
            _suggest(wanted, entries)
        images = _images(workspace, found) if with_images else None
        if as_json:
            known = images or {}
            output.document(
                [render_common.repository_json(r, policies.accesses.get(r.arn), known.get(r.arn)) for r in found]
            )
        else:
            output.block(render_common.repository_table(found, policies.accesses, images))


def _images(workspace: Workspace, rows: Sequence[Repository]) -> dict[str, ImagesSummary]:
    with Meter("Reading images") as meter:
        answers = workspace.listing.readers().images.read_all(rows, on_progress=meter)
    failed = [one.error for one in answers if one.error is not None]
    if failed:
        output.failure(failed[0], f"Images of {len(failed):,} repositories not readable")
    return {one.repository.arn: one.value for one in answers if isinstance(one.value, ImagesSummary)}


def _unusable(wanted: Filter) -> InputError:
    problem = wanted.problems[0]
    where = " " * problem.start + "^" * (problem.end - problem.start)
    return InputError(f"--filter: {problem.message}", detail=f"{wanted.text}\n{where}", hint=problem.hint)


def _suggest(wanted: Filter, entries: Sequence[Entry[Repository]]) -> None:
    near = wanted.apply(entries)
    names = [one.row.name for one in near.ranked()[:3]] if near.loose else []
    if names:
        more = f" and {len(near.found) - len(names):,} more" if len(near.found) > len(names) else ""
        output.line(f"No repositories match. Did you mean {', '.join(names)}{more}?", err=True)


class _Policies:
    """Account A's policies by repository ARN, for the filter. ``documents``: None means no policy."""

    def __init__(
        self,
        documents: Mapping[str, PolicyDocument | None],
        accesses: Mapping[str, AccessSummary],
        now: datetime,
        trusted: Trusted | None = None,
    ) -> None:
        self._trusted = trusted
        self._documents = documents
        self.accesses = accesses
        self._now = now

    def access(self, row: Repository) -> AccessSummary | None:
        return self.accesses.get(row.arn)

    def principals(self, row: Repository) -> Collection[str] | None:
        return principals(self._documents[row.arn]) if row.arn in self._documents else None

    def findings(self, row: Repository) -> Collection[tuple[str, str]] | None:
        known = row.arn in self._documents
        return findings(self._documents[row.arn], row, self._now, self._trusted) if known else None


def _read(workspace: Workspace, rows: Sequence[Repository], wanted: Filter) -> _Policies:
    """The policies of ``rows`` and account B's access by them, if there is an account B."""
    now = datetime.now(UTC)
    callers: tuple[str, ...] = ()
    if workspace.settings.consumer is not None and rows:
        try:
            callers = workspace.accounts.callers()
        except EcrTuiError as error:
            output.failure(error, "Account B's access is unknown")
    if not rows or not (callers or wanted.needs_policies):
        return _Policies({}, {}, now)
    documents = _documents(workspace, rows)
    accesses = _access(workspace, rows, documents, callers, now) if callers else {}
    return _Policies(documents, accesses, now, workspace.settings.trusted)


def _documents(workspace: Workspace, rows: Sequence[Repository]) -> dict[str, PolicyDocument | None]:
    with Meter("Reading policies") as meter:
        answers = workspace.listing.policies.read_all(rows, on_progress=meter)
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
        output.failure(failure, f"{count(number, 'policy')} not readable")
    return documents


def _access(
    workspace: Workspace,
    rows: Sequence[Repository],
    documents: Mapping[str, PolicyDocument | None],
    callers: Sequence[str],
    now: datetime,
) -> dict[str, AccessSummary]:
    """Account B's access by account A's policies, for each ARN with a readable policy."""
    registries = {
        region: workspace.access.registry_facts(region) for region in dict.fromkeys(row.region for row in rows)
    }
    for region, facts in registries.items():
        if doubt := registry_of(facts).doubt:
            output.line(f"Account A's registry policy in {region} was not evaluated: {doubt}", err=True)

    def judged(principal: str, role: str = "") -> dict[str, AccessSummary]:
        accesses = Accesses(principal, registries, now=now, role=role)
        return {row.arn: accesses.of(row, documents[row.arn]) for row in rows if row.arn in documents}

    def of(principal: str) -> dict[str, AccessSummary]:
        found = judged(principal)
        open_path = any("aws:PrincipalArn" in one.depends_on for one in found.values())
        if open_path and caller_of(principal).kind == "assumed-role":
            # A session ARN lacks the path of its role; IAM returns it if account B may ask.
            identity = workspace.access.identity_policies(principal)
            found = found if identity.unreadable else judged(principal, identity.arn)
        return found

    every = [of(principal) for principal in callers]
    return {arn: together(found[arn] for found in every) for arn in every[0]}
