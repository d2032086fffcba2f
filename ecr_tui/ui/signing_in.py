"""Sign in with the AWS CLI in the foreground."""

from __future__ import annotations

import shlex
from typing import Any

from textual.app import App
from textual.content import Content

from ecr_tui.errors import EnvironmentFailure
from ecr_tui.ui import terminal
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED, safe


def sign_in(app: App[Any], command: str) -> bool:
    """Run ``command`` ("aws sso login --profile X") in the foreground and wait; returns whether it succeeded.

    If that is impossible, the command is shown for copying. It contains no secret: the browser and the CLI's cache
    handle credentials.
    """
    try:
        code = terminal.run(app, shlex.split(command), banner=f"$ {command}")
    except EnvironmentFailure as error:
        _show(app, command, error)
        return False
    if code == 0:
        app.notify("Signed in; reading the accounts again.")
        return True
    app.notify(f"{command} ended with code {code}.", title="Not signed in", severity="warning", timeout=10)
    return False


def _show(app: App[Any], command: str, error: EnvironmentFailure) -> None:
    body = Content("\n").join(
        [
            Content(safe(" ".join(part for part in (f"{error.title}.", error.detail) if part))),
            Content(),
            Content.styled("Run this in another terminal, then press r", MUTED),
            Content.styled(safe(command), "$text-accent bold"),
        ]
    )
    app.push_screen(TextScreen("Sign in", body, copy=command, what="the command"))
