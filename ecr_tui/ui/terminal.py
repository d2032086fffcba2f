"""External programs that get the terminal: the AWS CLI, $EDITOR, $PAGER."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from textual.app import App, SuspendNotSupported

from ecr_tui.errors import EnvironmentFailure
from ecr_tui.policy.incoming import decoded
from ecr_tui.ui.clipboard import write_private
from ecr_tui.ui.text import safe_block

EDITOR = ("VISUAL", "EDITOR")
PAGER = ("PAGER",)
PAGERS = ("less", "more")


def program_of(
    variables: Sequence[str], fallbacks: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> list[str]:
    """The command line of the first set variable, else the first fallback on the PATH.

    Raises EnvironmentFailure if there is none, or the value is not a command line.
    """
    environ = os.environ if environ is None else environ
    name = next((one for one in variables if environ.get(one, "").strip()), "")
    if name:
        try:
            return shlex.split(environ[name])
        except ValueError as error:
            raise EnvironmentFailure(f"${name} is not a command line: {environ[name]}", detail=str(error)) from None
    found = next((one for one in fallbacks if shutil.which(one)), "")
    if found:
        return [found]
    names = " or ".join(f"${one}" for one in variables)
    tried = f" and {' and '.join(fallbacks)} are not on the PATH" if fallbacks else ""
    example = f"export {variables[-1]}={'less' if variables == PAGER else 'vim'}"
    raise EnvironmentFailure(f"{names} is not set{tried}", hint=f"Set it before the start, for example: {example}")


def run(app: App[Any], words: Sequence[str], *, given: str | None = None, banner: str = "") -> int:
    """Run in the foreground and wait; returns the exit code. ``given``: the program's standard input.

    Raises EnvironmentFailure if the program cannot be started, or the terminal cannot be released.
    """
    program = shutil.which(words[0])
    if program is None:
        raise EnvironmentFailure(f"The program {words[0]!r} is not on the PATH")
    try:
        with app.suspend():
            return _wait_for([program, *words[1:]], given, banner)
    except SuspendNotSupported:
        raise EnvironmentFailure("This terminal cannot be handed over to another program") from None
    except OSError as error:
        raise EnvironmentFailure(f"{words[0]} could not be started", detail=error.strerror or str(error)) from error


def edit(app: App[Any], text: str, name: str) -> str | None:
    """Edit ``text`` in the user's editor as file ``name``; returns the saved text, or None if the editor failed.

    The file is private and deleted afterwards. Raises EnvironmentFailure as :func:`program_of` and :func:`run`, and if
    the file is unreadable.
    """
    words = program_of(EDITOR)
    try:
        with TemporaryDirectory(prefix="ecr-tui-") as folder:
            path = Path(folder) / name
            write_private(path, text)
            return None if run(app, [*words, str(path)]) else decoded(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFailure("The edited file cannot be used", detail=str(error)) from error


def page(app: App[Any], text: str) -> None:
    """Show the text in the user's pager. Raises EnvironmentFailure as :func:`program_of` and :func:`run`."""
    run(app, program_of(PAGER, PAGERS), given=safe_block(text))


def _wait_for(words: Sequence[str], given: str | None, banner: str) -> int:
    # A handler, unlike "ignore", is not inherited: ctrl+c ends the program and not ecr-tui.
    former = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        if banner:
            print(f"\r\n{banner}\r\n", flush=True)
        return subprocess.run(words, check=False, input=given, text=True, encoding="utf-8").returncode  # noqa: S603 (the user's own program)
    finally:
        signal.signal(signal.SIGINT, former)
