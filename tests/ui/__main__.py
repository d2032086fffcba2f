"""The interface on the in-memory workspace, to look at: ``python -m tests.ui [allowed|denied|cancellable] [N]``."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ecr_tui.ui.app import EcrTuiApp
from tests.ui import fake_workspace as fake


def _slowly(workspace: fake.FakeWorkspace) -> None:
    """Let every call take its time, as AWS's would."""
    passing = workspace.gate.pass_through

    def slow(name: str, subject: str = "") -> None:
        time.sleep(0.4 if name == "stage" else 0.05)
        passing(name, subject)

    workspace.gate.pass_through = slow  # type: ignore[method-assign]


def main() -> None:
    script: Any = getattr(fake, sys.argv[1] if len(sys.argv) > 1 else "allowed")
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    teams = ("Payments", "Data", "Web", "Platform")
    more = [fake.repository(f"service-{i:06d}", {"Team": teams[i % 4], "Env": "prod"}) for i in range(number)]
    with tempfile.TemporaryDirectory() as folder:
        workspace = fake.FakeWorkspace(Path(folder))
        workspace.all += more
        workspace.script = script
        _slowly(workspace)
        EcrTuiApp(workspace, now=lambda: fake.NOW).run()


main()
