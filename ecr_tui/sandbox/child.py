"""The sandbox as a process of its own: ``python -m ecr_tui.sandbox.child N``.

An interface beside it would share one interpreter with two AWS accounts, and wait for them at every key. It says on
stdout, in one line of JSON, where it is ({"env": {...}, "mfa_code": "..."}) or why it is not ({"error": "..."}), and
lives until its stdin is closed: so it ends with the process that started it, however that one ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import threading


def main(repositories: int) -> None:
    # The interface starts in parallel and must not wait for two AWS accounts to be seeded.
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    # The terminal's Ctrl-C is for the interface, which closes the pipe when it wants an end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    over, ready = threading.Event(), threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.buffer.read()
        over.set()
        if not ready.is_set():
            os._exit(0)  # in the middle of seeding, which has left nothing behind yet

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    try:
        from ecr_tui.sandbox.profiles import forget_the_users
        from ecr_tui.sandbox.sandbox import DEMO_REGIONS, Sandbox

        forget_the_users()
        sandbox = Sandbox(regions=DEMO_REGIONS).start(repositories)
    except Exception as error:
        _say({"error": f"{type(error).__name__}: {error}"})
        return
    ready.set()
    try:
        # Seeded objects stay: collecting garbage among them would delay every response.
        gc.freeze()
        _say({"env": sandbox.env(), "mfa_code": sandbox.mfa_code})
        over.wait()
    finally:
        sandbox.stop()


def _say(value: dict[str, object]) -> None:
    # The parent process may have ended.
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
