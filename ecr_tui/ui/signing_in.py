"""Signing in through the AWS CLI, with the terminal handed over to it."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
from typing import Any

from textual.app import App, SuspendNotSupported
from textual.content import Content

from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED, safe


def sign_in(app: App[Any], command: str) -> bool:
    """Run ``command`` ("aws sso login --profile X") in the foreground and wait for it; whether it succeeded.

    Where that is impossible the command is shown to be copied. It carries names, never a secret: the browser and the
    CLI's own cache do the rest.
    """
    words = shlex.split(command)
    program = shutil.which(words[0])
    if program is None:
        _show(app, command, f"The program {words[0]!r} is not on the PATH here.")
        return False
    try:
        with app.suspend():
            code = _run([program, *words[1:]], command)
    except SuspendNotSupported:
        _show(app, command, "This terminal cannot be handed over to another program.")
        return False
    if code == 0:
        app.notify("Signed in; reading the accounts again.")
        return True
    app.notify(f"{command} ended with code {code}.", title="Not signed in", severity="warning", timeout=10)
    return False


def _run(words: list[str], command: str) -> int | str:
    # A handler of ours, unlike "ignore", is not inherited: ctrl+c ends the CLI and not this program.
    former = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        print(f"\r\n$ {command}\r\n", flush=True)
        return subprocess.run(words, check=False).returncode  # noqa: S603 (a command of this program's own making)
    except OSError as error:
        return error.strerror or "unknown"
    finally:
        signal.signal(signal.SIGINT, former)


def _show(app: App[Any], command: str, why: str) -> None:
    body = Content("\n").join(
        [
            Content(why),
            Content(),
            Content.styled("Run this in another terminal, then press r", MUTED),
            Content.styled(safe(command), "$text-accent bold"),
        ]
    )
    app.push_screen(TextScreen("Sign in", body, copy=command, what="the command"))
