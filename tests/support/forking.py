"""Commands of ecr-tui in processes of their own that do not import everything anew.

Each is forked from a process that has imported what commands import, with an environment, working folder and standard
streams of its own: for a test what a new interpreter would be, at a fifth of the time. What is to be seen of a new
interpreter itself (imports, start, packaging) is tested with one.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

_lock = threading.Lock()
_server: tuple[subprocess.Popen[bytes], socket.socket] | None = None


def run(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: str | None = None,
    stdout: BinaryIO | None = None,
    stderr: BinaryIO | None = None,
    timeout: float = 90,
) -> subprocess.CompletedProcess[str]:
    """``ecr-tui`` with these arguments; raises TimeoutExpired after killing it. One at a time for each test process:
    a second one meanwhile starts an interpreter. What goes to a file of the caller's own is not returned."""
    if not _lock.acquire(blocking=False):
        assert stdout is None
        assert stderr is None
        return _interpreter(arguments, environment, folder, stdin, timeout)
    try:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write((stdin or "").encode())
            given.seek(0)
            code = _ask(arguments, environment, folder, (given, stdout or out, stderr or err), timeout)
            return subprocess.CompletedProcess(["ecr-tui", *arguments], code, _text(out), _text(err))
    finally:
        _lock.release()


def _interpreter(
    arguments: Sequence[str],
    environment: Mapping[str, str] | None,
    folder: Path | None,
    stdin: str | None,
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ecr_tui", *arguments],
        env=environment,
        cwd=folder,
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode()


def _ask(
    arguments: Sequence[str],
    environment: Mapping[str, str] | None,
    folder: Path | None,
    files: tuple[BinaryIO, BinaryIO, BinaryIO],
    timeout: float,
) -> int:
    line = _started()
    wish = {
        "arguments": list(arguments),
        "environment": dict(os.environ if environment is None else environment),
        "folder": str(folder or Path.cwd()),
    }
    text = json.dumps(wish).encode()
    socket.send_fds(line, [len(text).to_bytes(4, "big")], [file.fileno() for file in files])
    line.sendall(text)
    line.settimeout(30)
    child = _number(line)
    line.settimeout(timeout)
    try:
        return _number(line)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        line.settimeout(30)
        _number(line)
        raise subprocess.TimeoutExpired(["ecr-tui", *arguments], timeout) from None


def _number(line: socket.socket) -> int:
    got = line.recv(8, socket.MSG_WAITALL)
    assert len(got) == 8, "the process that commands are forked from has ended"
    return int.from_bytes(got, "big", signed=True)


def _harmless() -> dict[str, str]:
    """The test that comes first may have made a configuration that cannot be read; each command brings its own."""
    none = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    return {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ECR_TUI_"))} | none


def _started() -> socket.socket:
    global _server
    if _server is None or _server[0].poll() is not None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forking", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                env=_harmless(),
            )
        _server = process, ours
        # It ends when the other end of its line is closed.
        atexit.register(ours.close)
    return _server[1]


# -- in the process that is forked from -------------------------------------------------------------------------------


def _serve(line: socket.socket) -> None:
    _import_all()
    while True:
        head, files, _, _ = socket.recv_fds(line, 4, 3)
        if len(head) < 4:
            return
        wish = json.loads(line.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
        child = os.fork()
        if child == 0:
            line.close()
            _become(wish, files)
        for file in files:
            os.close(file)
        line.sendall(child.to_bytes(8, "big"))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        line.sendall(code.to_bytes(8, "big", signed=True))


def _import_all() -> None:
    import importlib
    import pkgutil

    import ecr_tui

    importlib.import_module("boto3")
    importlib.import_module("docker")
    for found in pkgutil.walk_packages(ecr_tui.__path__, "ecr_tui."):
        if not found.name.startswith(("ecr_tui.ui", "ecr_tui.sandbox", "ecr_tui.__main__")):
            importlib.import_module(found.name)
    _read_models()
    assert threading.active_count() == 1, "a process with threads cannot be forked"


def _read_models() -> None:
    """What each command would read of AWS's services."""
    import botocore.session

    from ecr_tui.aws import sessions

    core = botocore.session.Session()
    core.register_component("data_loader", sessions._models(None))
    core.set_credentials("AKIAIOSFODNN7EXAMPLE", "of no account")
    for service in ("ecr", "sts", "iam", "resourcegroupstaggingapi"):
        core.create_client(service, region_name="eu-central-1")


def _become(wish: dict[str, Any], files: Sequence[int]) -> NoReturn:
    code = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(wish["environment"])
        os.chdir(wish["folder"])
        tempfile.tempdir = None
        sys.argv = ["ecr-tui", *wish["arguments"]]
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")  # type: ignore[type-var]
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        code = _run_main()
    finally:
        os._exit(code)


def _run_main() -> int:
    import traceback

    from ecr_tui.cli import main

    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    # As at the end of an interpreter.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as one:
        _serve(one)
