"""``ecr-tui matrix``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from ecr_tui.access.matrix import PARTS, AccessMatrix, Grantee
from ecr_tui.aws.model import Repository
from ecr_tui.cli import output
from ecr_tui.cli.common import chosen_or_all, open_workspace
from ecr_tui.cli.grantees import named_principals
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import (
    grantee_account_options,
    json_option,
    principals_option,
    repositories_argument,
    tag_option,
)
from ecr_tui.render.matrix import matrix_csv, matrix_json, matrix_text
from ecr_tui.workspace import Workspace


@command()
@repositories_argument
@tag_option
@principals_option(
    "--to",
    words="Grantee to show, in the forms of grant --to; repeatable. Default: those of --consumer, else every "
    "grantee that a policy names.",
)
@click.option(
    "--access",
    type=click.Choice([part.value for part in PARTS]),
    help="Only repositories where a shown grantee has this access, or may have it.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print one line per repository and grantee, for spreadsheets.")
@grantee_account_options
@json_option
@click.pass_context
def matrix(context: click.Context, /, access: str | None, as_json: bool, as_csv: bool, **flags: Any) -> None:
    """Show which grantees can read, pull and push which repositories, and when that was last verified live.

    Evaluates account A's policies: yes, no, or depends on the request. ecr-tui plan and audit also evaluate account
    B's policies. Without REPO and --tag, shows all repositories.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other", context)
    with open_workspace(context, flags) as workspace:
        rows = chosen_or_all(workspace, flags)
        asked = named_principals(workspace, flags)
        found = _read(workspace, rows, asked)
        columns = found.columns(asked) if asked else found.named()
        if access is not None:
            rows = [row for row in rows if _has(found, row, columns, access)]
        if as_json:
            output.document(matrix_json(found, rows, columns))
        elif as_csv:
            output.block(matrix_csv(found, rows, columns))
        else:
            output.block(matrix_text(found, rows, columns, _width()))


def _read(workspace: Workspace, rows: list[Repository], asked: tuple[str, ...]) -> AccessMatrix:
    found = workspace.access.matrix(proofs=workspace.verification.proofs(), principals=asked)
    with Meter("Reading policies") as meter:
        answers = workspace.listing.policies.read_all(rows, on_progress=meter)
    for answer in answers:
        unreadable = "" if answer.error is None else answer.error.one_line
        found.read(answer.repository, answer.value, unreadable)
    return found


def _has(found: AccessMatrix, repository: Repository, columns: tuple[Grantee, ...], access: str) -> bool:
    """Also where the policy is not known."""
    rows = [found.row(repository, one.principal) for one in columns]
    parts = [part for part in PARTS if part.value == access]
    return any(row is None or row.cells[part].allowed is not False for row in rows for part in parts)


def _width() -> int | None:
    """Columns of the terminal; None where the output goes elsewhere."""
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None
