"""``ecr-tui explain``, ``simulate``, ``operator-policy`` and ``schema``: the commands that need no account, but for
``explain --aws``."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import click

from ecr_tui.cli import completing, output, schemas
from ecr_tui.cli.common import interruptible, open_workspace, read_text
from ecr_tui.cli.helping import command
from ecr_tui.cli.options import account_options, json_option
from ecr_tui.diagnosis.diagnose import Diagnosis, diagnose
from ecr_tui.diagnosis.opinion import Opinion
from ecr_tui.errors import InputError
from ecr_tui.policy.operators import Operator
from ecr_tui.policy.operators import operator_policy as policy
from ecr_tui.policy.simulate import simulate as decide
from ecr_tui.render import cases as render_cases
from ecr_tui.render import common as render_common


@command()
@click.argument("text", metavar="TEXT|-")
@click.option(
    "--aws",
    "ask_aws",
    is_flag=True,
    help="Also ask Access Troubleshooter, as the denied account, if the error has an authorization id.",
)
@account_options
@json_option
@click.pass_context
def explain(context: click.Context, /, text: str, ask_aws: bool, as_json: bool, **flags: Any) -> None:
    """Explain a Docker or AWS error: stage, action, side, cause and fix. "-" reads stdin."""
    words = sys.stdin.read() if text == "-" else text
    if not words.strip():
        raise InputError("the error text is empty")
    diagnosis = diagnose(words)
    opinion = _opinion(context, diagnosis, flags) if ask_aws else None
    if as_json:
        output.document(render_common.diagnosis_json(diagnosis, opinion))
    else:
        output.block(render_common.diagnosis_text(diagnosis, opinion))


def _opinion(context: click.Context, diagnosis: Diagnosis, flags: dict[str, Any]) -> Opinion:
    cancel = threading.Event()
    with open_workspace(context, flags) as workspace, interruptible(cancel, "Stopping ..."):
        return workspace.troubleshooter.ask(diagnosis.text, diagnosis.side, cancel=cancel)


@command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True))
@json_option
@click.pass_context
def simulate(context: click.Context, /, files: tuple[Path, ...], as_json: bool) -> None:
    """Test policies offline: decide the cases of JSON files (- reads stdin). Exits with 1 on an unexpected decision."""
    found: list[tuple[str, Any]] = []
    for file in files:
        text = read_text(file)
        try:
            found += [(str(file), result) for result in decide(text)]
        except InputError as error:
            raise InputError(f"{file}: {error.title}", detail=error.detail, hint=error.hint) from error
    if as_json:
        output.document([render_cases.case_json(name, result) for name, result in found])
    else:
        output.block(render_cases.cases_text(found))
    context.exit(1 if any(result.matches is False for _, result in found) else 0)


@command("operator-policy")
@click.argument("level", type=click.Choice([one.value for one in Operator]), metavar="LEVEL")
@click.option(
    "--account",
    default="*",
    metavar="ID",
    shell_complete=completing.accounts,
    help="Account A, for the ARNs. Default: any.",
)
@click.option(
    "--region", default="*", metavar="R", shell_complete=completing.regions, help="Region, for the ARNs. Default: any."
)
@click.option(
    "--partition",
    default="aws",
    metavar="PARTITION",
    show_default=True,
    help="Partition of the ARNs: aws, aws-cn or aws-us-gov.",
)
def operator_policy(level: str, account: str, region: str, partition: str) -> None:
    """Print the minimum IAM policy for account A's operator, by LEVEL.

    For account B's policy see ecr-tui export.
    """
    output.code(policy(Operator(level), account=account, region=region, partition=partition).pretty())


@command()
@click.argument("command", nargs=-1, metavar="[COMMAND]...", shell_complete=completing.schemas)
def schema(command: tuple[str, ...]) -> None:
    """Print the JSON Schema of a command's --json document. Without COMMAND, list the documents."""
    if not command:
        width = max(map(len, schemas.NAMES))
        output.block("\n".join(f"{name:<{width}}  {schemas.title_of(name)}" for name in schemas.NAMES))
        return
    name = "-".join(command)
    if name not in schemas.NAMES:
        raise InputError(f"{' '.join(command)} has no JSON document", hint=f"Choose one of {', '.join(schemas.NAMES)}.")
    output.document(schemas.schema_of(name))
