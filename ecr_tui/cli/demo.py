"""The demo: the embedded sandbox, and the unchanged interface on its profiles. Only this knows the sandbox."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import click

from ecr_tui.cli import completing
from ecr_tui.cli.common import ENGINES, open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.interface import run_interface
from ecr_tui.config import ProfileRule, Settings
from ecr_tui.errors import EcrTuiError, EnvironmentFailure
from ecr_tui.sandbox.profiles import PROFILE_A, PROFILE_B


@command()
@click.option("--serve", is_flag=True, help="The sandbox alone, for other tools, until interrupted.")
@click.option(
    "--repositories", type=click.IntRange(0, 200_000), default=0, metavar="N", help="Seed N more repositories."
)
@click.option("--engine", type=ENGINES, help="How to verify, as for the interface.")
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="Start with this tag filter; may be repeated.")
@click.option("--read-only", is_flag=True, help="Refuse every write.")
@click.option("--production", is_flag=True, help="Treat account A's profile as a production profile.")
@click.option("--theme", metavar="NAME", shell_complete=completing.themes, help="Colour theme.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Configuration file; its accounts, regions and tags do not apply to the demo.",
)
@click.pass_context
def demo(context: click.Context, /, serve: bool, repositories: int, production: bool, **flags: Any) -> None:
    """Two embedded AWS accounts with an ECR that enforces its policies, and the interface on them."""
    if not all(importlib.util.find_spec(name) for name in ("moto", "flask", "flask_cors")):
        raise EnvironmentFailure("the demo needs its extra packages", hint="pip install 'ecr-tui[demo]'")
    if serve:
        from ecr_tui.sandbox.serve import serve as serve_sandbox

        serve_sandbox(repositories, sys.stdout)
        return
    with _demo(repositories) as child:
        flags |= {"profile_a": PROFILE_A, "profile_b": PROFILE_B}
        marked = _as_production if production else None
        with open_workspace(context, flags, child.prepare, demo=True, change=marked) as workspace:
            code = run_interface(workspace, mfa_hint=child.mfa_hint)
    context.exit(code)


def _as_production(settings: Settings) -> Settings:
    rule = ProfileRule(PROFILE_A, production=True, origins=(("production", "--production"),))
    return settings.changed("--production", rules=(rule, *settings.rules))


@contextlib.contextmanager
def _demo(repositories: int) -> Iterator[_Child]:
    """Start the sandbox beside the interface, in a process of its own: neither the first frame nor any key waits for
    it."""
    with TemporaryDirectory(prefix="ecr-tui-demo-", ignore_cleanup_errors=True) as folder:
        # The user's own record and listing are of real accounts, and profiles there may have the demo's names.
        os.environ["ECR_TUI_STATE_DIR"] = os.environ["ECR_TUI_CACHE_DIR"] = folder
        child = _Child(repositories, folder)
        try:
            yield child
        finally:
            child.stop()


class _Child:
    """``folder`` gets its temporary files and what it says on stderr."""

    def __init__(self, repositories: int, folder: str) -> None:
        self._errors = os.path.join(folder, "sandbox-errors.txt")
        with open(self._errors, "wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "ecr_tui.sandbox.child", str(repositories)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "TMPDIR": folder},
                start_new_session=True,
            )
        self._mfa_code = ""
        self._in, self._out = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)

    def prepare(self) -> None:
        """Wait until it answers, and lead every AWS client there. Raises EcrTuiError."""
        line = self._out.readline()
        try:
            told = json.loads(line)
        except ValueError:
            with open(self._errors, encoding="utf-8", errors="replace") as errors:
                told = {"error": errors.read().strip() or "it ended without a word"}
        if "env" not in told:
            raise EcrTuiError("the sandbox did not start", detail=told["error"])
        os.environ.update(told["env"])
        self._mfa_code = told["mfa_code"]

    def mfa_hint(self) -> str:
        """What the demo's MFA device shows, as a sentence."""
        return f"The demo's device shows {self._mfa_code}." if self._mfa_code else ""

    def stop(self) -> None:
        """Closing its stdin ends it; its files are gone with it, or with the folder."""
        with contextlib.suppress(OSError):
            self._in.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
