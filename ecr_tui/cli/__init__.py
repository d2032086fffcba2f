"""The command line: the use cases of the screens, for scripts, CI and screen readers.

With ``--json`` stdout has exactly one document; everything else goes to stderr. Exit codes: see ``manual.CODES``.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import click

from ecr_tui import __version__
from ecr_tui.cli import completing, output
from ecr_tui.cli.call_log import write_at_end
from ecr_tui.cli.loading import LazyGroup
from ecr_tui.cli.options import ENGINES, account_options, plain_option, tags_option
from ecr_tui.cli.shells import answer
from ecr_tui.cli.streams import Streams
from ecr_tui.errors import EcrTuiError

_COMMANDS = {
    "demo": "demo:demo",
    "list": "listing:list_command",
    "plan": "access:plan",
    "grant": "access:grant",
    "revoke": "access:revoke",
    "apply": "applying:apply",
    "repair": "repairing:repair",
    "tag": "tagging:tag",
    "undo": "undoing:undo",
    "redo": "undoing:redo",
    "history": "undoing:history",
    "verify": "verifying:verify",
    "cleanup": "cleaning:cleanup",
    "audit": "auditing:audit",
    "matrix": "matrix:matrix",
    "usage": "using:usage",
    "workloads": "workloads:workloads",
    "export": "exporting:export",
    "explain": "offline:explain",
    "simulate": "offline:simulate",
    "operator-policy": "offline:operator_policy",
    "config": "configuring:config",
    "completion": "shells:completion",
    "schema": "offline:schema",
}


def main() -> NoReturn:
    """Entry point: a failure becomes a message and an exit code, never a traceback."""
    streams = Streams()
    if completing.VARIABLE in os.environ:
        answer(cli)
    code = _run()
    try:
        streams.close()
    except EcrTuiError as error:
        output.failure(error)
        code = code or error.exit_code
    sys.exit(code)


def _run() -> int:
    try:
        result = cli.main(prog_name="ecr-tui", standalone_mode=False)
        # Outside standalone mode click returns the code passed to Context.exit.
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        output.block(shown.getvalue(), err=True, nl=False)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        output.line("Interrupted.", err=True)
        return 130
    except EcrTuiError as error:
        output.failure(error)
        return error.exit_code
    except Exception as fault:
        output.failure(_unexpected(fault))
        return EcrTuiError.exit_code


def _unexpected(fault: Exception) -> EcrTuiError:
    """Names the place of an unexpected error, without values: they may contain secrets."""
    last = traceback.extract_tb(fault.__traceback__)[-1]
    place = f"{Path(last.filename).parent.name}/{Path(last.filename).name}, line {last.lineno}"
    return EcrTuiError(
        f"unexpected {type(fault).__name__} in {last.name} ({place})",
        hint="Report this line as a bug. Run ecr-tui history to see what was written before.",
    )


@click.group(
    cls=LazyGroup,
    places=_COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="ecr-tui")
@account_options
@tags_option("Start with this tag filter; repeatable.")
@click.option(
    "--engine",
    type=ENGINES,
    help="Engine for verifications: docker, direct (the registry protocol), or auto. Default: auto.",
)
@plain_option
@click.option(
    "--log-calls",
    "log_calls",
    metavar="FILE",
    shell_complete=completing.files,
    help="Write every AWS call and registry request to FILE at the end, without secrets; - writes to stderr.",
)
@click.pass_context
def cli(context: click.Context, /, **flags: Any) -> None:
    """Grant other AWS accounts access to your ECR repositories, by tag, and verify it live.

    Without a command, opens the terminal interface.
    """
    context.obj = flags
    if flags["log_calls"]:
        write_at_end(context, flags["log_calls"])
    if context.invoked_subcommand is None:
        from ecr_tui.cli.common import open_workspace
        from ecr_tui.cli.interface import run_interface

        with open_workspace(context) as workspace:
            code = run_interface(workspace)
        context.exit(code)
