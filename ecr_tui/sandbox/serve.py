"""The sandbox as a server for other programs: prints variables to export, and runs until interrupted."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ecr_tui.aws.parallel import LOOK
from ecr_tui.sandbox import profiles
from ecr_tui.sandbox.organization import ORGANIZATION
from ecr_tui.sandbox.sandbox import DEMO_REGIONS, Sandbox

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def serve(repositories: int, out: TextIO) -> None:
    """Blocks until SIGINT, SIGTERM or SIGHUP, then cleans up; to be called from the main thread.

    ``out`` gets ``export NAME=value`` lines (quoted for a shell) and comment lines, so all of it can be sourced.
    """
    profiles.forget_the_users()
    stop = threading.Event()
    with _until_signalled(stop), Sandbox(regions=DEMO_REGIONS).start(repositories) as sandbox:
        out.write(exports(sandbox))
        out.flush()
        # Not for ever at once: a signal that comes just before the thread falls asleep wakes nobody.
        while not stop.wait(LOOK):
            pass


def exports(sandbox: Sandbox) -> str:
    lines = [
        "# ecr-tui sandbox: AWS accounts on 127.0.0.1, until Ctrl+C. In another shell:",
        *(f"export {name}={shlex.quote(value)}" for name, value in sandbox.env().items()),
        f"# account A {sandbox.account_a}, the owner: profile {profiles.PROFILE_A}, "
        f"registry {sandbox.registry_host(sandbox.account_a)}",
        f"# account B {sandbox.account_b}: profile {profiles.PROFILE_B}, "
        f"registry {sandbox.registry_host(sandbox.account_b)}",
        f"# account C {sandbox.account_c}, in the organization of B ({ORGANIZATION}): profile {profiles.PROFILE_C}",
        f"# also {profiles.PROFILE_ROLE}, {profiles.PROFILE_MFA} (MFA code {sandbox.mfa_code}) "
        f"and {profiles.PROFILE_NO_ACCESS}",
        f"# aws ecr get-login-password --profile {profiles.PROFILE_B} | docker login --username AWS --password-stdin "
        f"{sandbox.registry_host(sandbox.account_a)}",
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def _until_signalled(stop: threading.Event) -> Iterator[None]:
    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    # nohup asks to survive a hang-up.
    known = [one for one in known if one == signal.SIGINT or signal.getsignal(one) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in known}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
