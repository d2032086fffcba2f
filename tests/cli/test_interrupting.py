"""A Ctrl-C is heard while the main thread waits for what others do, however unlucky its moment."""

from __future__ import annotations

import _thread
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk.paced_store import Stop
from ecr_tui.changes.bulk.pool import Pool
from ecr_tui.cli import common
from ecr_tui.errors import Cancelled
from ecr_tui.sandbox.serve import serve
from ecr_tui.verification.batch import run_batch
from ecr_tui.verification.report import Report

NAME, REGION, ACCOUNT = "payments/api", "eu-central-1", "100000000001"
ROW = Repository(NAME, f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{NAME}", "", REGION, ACCOUNT)


@pytest.fixture
def cancel() -> Iterator[threading.Event]:
    event = threading.Event()
    with common.interruptible(event, "Stopping"):
        yield event


WAITS = {"answered", "__iter__", "serve"}
"""The functions in which the main thread waits for others."""


def unnoticed() -> None:
    """A signal that has come and woken nobody, as one that falls between a thread's last step and its sleep."""
    while _waits_in() not in WAITS:
        time.sleep(0.001)
    _thread.interrupt_main(signal.SIGINT)


def _waits_in() -> str:
    main = threading.main_thread().ident
    assert main is not None
    frame: FrameType | None = sys._current_frames()[main]
    while frame is not None and frame.f_code.co_name == "wait":
        frame = frame.f_back
    return frame.f_code.co_name if frame is not None else ""


def writes(cancel: threading.Event, work: Callable[[], None]) -> None:
    with Pool(lambda _: work(), [ROW], 1, Stop(cancel)) as pool:
        list(pool)


def verifications(cancel: threading.Event, work: Callable[[], None]) -> None:
    def verify(_: Repository) -> Report:
        work()
        raise Cancelled

    run_batch([ROW], verify, cancel=cancel)


@pytest.mark.parametrize("run", [writes, verifications])
def test_it_is_heard_before_the_next_result(
    cancel: threading.Event, run: Callable[[threading.Event, Callable[[], None]], None]
) -> None:
    heard: list[bool] = []

    def work() -> None:
        unnoticed()
        heard.append(cancel.wait(5))

    run(cancel, work)
    assert heard == [True]


def test_a_sandbox_of_its_own_ends() -> None:
    ended = threading.Event()
    heard: list[bool] = []

    def interrupt() -> None:
        unnoticed()
        heard.append(ended.wait(5))
        if not heard[0]:
            os.kill(os.getpid(), signal.SIGINT)

    class Shell(io.StringIO):
        def flush(self) -> None:
            thread.start()

    thread = threading.Thread(target=interrupt)
    serve(0, Shell())
    ended.set()
    thread.join()
    assert heard == [True]


def test_a_handler_that_may_not_write_still_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    def reentrant(*_: object, **__: object) -> None:
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    monkeypatch.setattr(common.click, "echo", reentrant)
    cancel = threading.Event()
    with common.interruptible(cancel, "Stopping"):
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.wait(5)
