"""The demo: the embedded sandbox, and the unchanged interface on its profiles. Only this knows the sandbox."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import click

from ecr_tui.cli.common import ENGINES, open_workspace
from ecr_tui.cli.interface import run_interface
from ecr_tui.errors import EcrTuiError, InputError


@click.command()
@click.option("--serve", is_flag=True, help="The sandbox alone, for other tools, until interrupted.")
@click.option("--repositories", type=click.IntRange(0, 200_000), default=0, metavar="N", help="Seed N more.")
@click.option("--engine", type=ENGINES, help="As for the interface.")
@click.pass_context
def demo(context: click.Context, /, serve: bool, repositories: int, engine: str | None) -> None:
    """Two embedded AWS accounts with an ECR that enforces its policies, and the interface on them."""
    import importlib.util

    if not all(importlib.util.find_spec(name) for name in ("moto", "flask", "flask_cors")):
        raise InputError("the demo needs its extra packages", hint="pip install 'ecr-tui[demo]'")
    if serve:
        from ecr_tui.sandbox.serve import serve as serve_sandbox

        serve_sandbox(repositories, sys.stdout)
        return
    with _demo(repositories) as prepare:
        flags = {**context.obj, "profile_a": "account-a", "profile_b": "dev-acc", "engine": engine}
        with open_workspace(context, flags, prepare) as workspace:
            run_interface(workspace)


@contextlib.contextmanager
def _demo(repositories: int) -> Iterator[Callable[[], None]]:
    """Start the sandbox beside the interface, so that the first frame does not wait for it; yields what does wait."""
    from tempfile import TemporaryDirectory

    started: list[Any] = []
    failed: list[BaseException] = []
    ready = threading.Event()

    def start() -> None:
        try:
            from ecr_tui.sandbox.sandbox import Sandbox

            started.append(Sandbox().start(repositories))
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()

    def prepare() -> None:
        ready.wait()
        if failed:
            raise EcrTuiError("the sandbox did not start", detail=f"{type(failed[0]).__name__}: {failed[0]}")
        os.environ.update(started[0].env())

    with TemporaryDirectory(prefix="ecr-tui-demo-") as state:
        # The user's own record and listing are of real accounts, and profiles there may have the demo's names.
        os.environ["ECR_TUI_STATE_DIR"] = os.environ["ECR_TUI_CACHE_DIR"] = state
        thread = threading.Thread(target=start, name="sandbox", daemon=True)
        thread.start()
        try:
            yield prepare
        finally:
            ready.wait(5.0)
            for sandbox in started:
                sandbox.stop()
