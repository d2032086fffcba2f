"""The demo: the embedded sandbox, and the unchanged interface on its profiles. The only importer of the sandbox."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import click

from ecr_tui.cli import completing
from ecr_tui.cli.common import open_workspace
from ecr_tui.cli.helping import command
from ecr_tui.cli.interface import run_interface
from ecr_tui.cli.options import ENGINES, config_option, plain_option
from ecr_tui.config import Consumer, ProfileRule, Settings
from ecr_tui.errors import EcrTuiError, EnvironmentFailure
from ecr_tui.sandbox.profiles import BUILD_SERVERS, PROFILE_A, PROFILE_B, PROFILE_C


@command()
@click.option(
    "--serve", is_flag=True, help="Serve the sandbox for other tools, without the interface, until interrupted."
)
@click.option(
    "--repositories", type=click.IntRange(0, 200_000), default=0, metavar="N", help="Add N generated repositories."
)
@click.option("--engine", type=ENGINES, help="Engine for verifications. Default: auto.")
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="Start with this tag filter; repeatable.")
@click.option("--read-only", is_flag=True, help="Refuse every write.")
@click.option("--production", is_flag=True, help="Treat account A's profile as a production profile.")
@click.option("--theme", metavar="NAME", shell_complete=completing.themes, help="Colour theme.")
@plain_option
@config_option("Configuration file; its accounts, regions and tags do not apply to the demo.")
@click.pass_context
def demo(context: click.Context, /, serve: bool, repositories: int, production: bool, **flags: Any) -> None:
    """Open the interface on two embedded AWS accounts, with an ECR that enforces its policies."""
    if not all(importlib.util.find_spec(name) for name in ("moto", "flask", "flask_cors")):
        raise EnvironmentFailure("the demo needs extra packages", hint="Run pip install 'ecr-tui[demo]'.")
    if serve:
        from ecr_tui.sandbox.serve import serve as serve_sandbox

        serve_sandbox(repositories, sys.stdout)
        return
    with _demo(repositories) as child:
        flags |= {"profile_a": PROFILE_A, "profile_b": PROFILE_B}
        change = partial(_changed, production=production)
        with open_workspace(context, flags, child.prepare, demo=True, change=change) as workspace:
            code = run_interface(workspace, mfa_hint=child.mfa_hint)
    context.exit(code)


CONSUMERS = (
    Consumer(PROFILE_B, PROFILE_B),
    Consumer(PROFILE_C, PROFILE_C),
    Consumer("build servers", principals=(BUILD_SERVERS,)),
)


def _changed(settings: Settings, *, production: bool) -> Settings:
    settings = settings.changed("the demo", named_consumers=CONSUMERS)
    if not production:
        return settings
    rule = ProfileRule(PROFILE_A, production=True, origins=(("production", "--production"),))
    return settings.changed("--production", rules=(rule, *settings.rules))


@contextlib.contextmanager
def _demo(repositories: int) -> Iterator[_Child]:
    """Start the sandbox in its own process, so that neither the first frame nor a key waits for it."""
    with TemporaryDirectory(prefix="ecr-tui-demo-", ignore_cleanup_errors=True) as folder:
        # The user's journal and cache are about real accounts, whose profiles may share the demo's names.
        os.environ["ECR_TUI_STATE_DIR"] = os.environ["ECR_TUI_CACHE_DIR"] = folder
        child = _Child(repositories, folder)
        try:
            yield child
        finally:
            child.stop()


class _Child:
    """``folder`` holds its temporary files and its stderr."""

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
        """Wait until it answers, and point every AWS client to it. Raises EcrTuiError."""
        line = self._out.readline()
        try:
            told = json.loads(line)
        except ValueError:
            with open(self._errors, encoding="utf-8", errors="replace") as errors:
                told = {"error": errors.read().strip() or "the process ended without output"}
        if "env" not in told:
            raise EcrTuiError("the sandbox did not start", detail=told["error"])
        os.environ.update(told["env"])
        self._mfa_code = told["mfa_code"]

    def mfa_hint(self) -> str:
        """The current code of the demo's MFA device, as a sentence."""
        return f"The demo's MFA device shows {self._mfa_code}." if self._mfa_code else ""

    def stop(self) -> None:
        """Close its stdin, which ends it. It removes its files, or the folder's removal does."""
        with contextlib.suppress(OSError):
            self._in.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
