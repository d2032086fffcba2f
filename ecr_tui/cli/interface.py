"""Opening the terminal interface."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from ecr_tui.errors import InputError

if TYPE_CHECKING:
    from ecr_tui.workspace import Workspace


def run_interface(workspace: Workspace) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "the interface needs a terminal", hint="For scripts there are commands: ecr-tui --help lists them."
        )
    # What starting makes is there to stay: looking through it for garbage again and again is a tenth of the time to
    # the first frame. The app collects from there on.
    gc.disable()
    try:
        from ecr_tui.ui.app import EcrTuiApp

        EcrTuiApp(workspace).run()
    finally:
        gc.enable()
