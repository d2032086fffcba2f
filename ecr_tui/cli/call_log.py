"""``--log-calls``: AWS calls and registry requests as lines."""

from __future__ import annotations

import os
import sys

import click

from ecr_tui.aws import calls
from ecr_tui.cli import output
from ecr_tui.errors import EnvironmentFailure, InputError
from ecr_tui.text import block


def write_at_end(context: click.Context, file: str) -> None:
    """Write the log when the command ends, even after a failure. Raises InputError now if the file is not writable."""
    if file != "-":
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise InputError(f"cannot write --log-calls {file}: {error.strerror}") from error
        os.close(descriptor)

    def write() -> None:
        text = block(one for call in calls.LOG.calls() for one in (call.line(), f"    {call.command}"))
        if file == "-":
            output.block(text, err=True)
            return
        ended = sys.exc_info()[1]
        try:
            with open(file, "w", encoding="utf-8") as stream:
                stream.write(f"{text}\n")
        except OSError as error:
            _tell(_unwritable(file, error), ended)

    context.call_on_close(write)


def _unwritable(file: str, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure(f"cannot write --log-calls {file}", detail=error.strerror or str(error))


def _tell(failure: EnvironmentFailure, ended: BaseException | None) -> None:
    """Raise ``failure``; only print it if the command itself failed with ``ended``, which keeps its exit code."""
    if ended is None or (isinstance(ended, click.exceptions.Exit) and ended.exit_code == 0):
        raise failure
    output.failure(failure)
