"""Start of the terminal interface."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.ui import collector
from ecr_tui.workspace import Workspace


def run_interface(workspace: Workspace, *, mfa_hint: Callable[[], str] = str) -> int:
    """Returns the exit code. ``mfa_hint``: a sentence for the MFA prompt."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the interface needs a terminal", hint="Use the commands in scripts; see ecr-tui --help.")
    with collector.tuned():
        from ecr_tui.ui.app import EcrTuiApp

        app = EcrTuiApp(workspace, mfa_hint=mfa_hint)
        app.run()
    return EcrTuiError.exit_code if app.return_code else 0
