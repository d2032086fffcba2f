from __future__ import annotations

import threading
from collections.abc import Callable
from threading import Event

import pytest

from ecr_tui.errors import Cancelled
from ecr_tui.registry.running import Silent, Stopped, run


def test_results_events_and_failures_come_back_on_the_callers_thread() -> None:
    heard: list[tuple[str, int]] = []

    def work(tell: Callable[[str], None]) -> int:
        assert threading.get_ident() != caller
        tell("one")
        tell("two")
        return 7

    caller = threading.get_ident()
    result = run(
        work,
        cancel=Event(),
        abort=lambda: pytest.fail("aborted what had ended"),
        on_event=lambda event: heard.append((event, threading.get_ident())),
        silence=30,
    )
    assert result == 7
    assert heard == [("one", caller), ("two", caller)]

    def broken(_: Callable[[str], None]) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run(broken, cancel=Event(), abort=lambda: None, silence=30)


def test_cancelling_abandons_the_work_which_then_goes_no_further() -> None:
    cancel, aborted, ended = Event(), Event(), Event()
    outcome: list[str] = []

    def work(tell: Callable[[str], None]) -> None:
        tell("begun")
        aborted.wait(30)
        try:
            tell("more")
        except Stopped:
            outcome.append("stopped")
        ended.set()

    with pytest.raises(Cancelled):
        run(work, cancel=cancel, abort=aborted.set, on_event=lambda _: cancel.set(), silence=30)
    assert ended.wait(30)
    assert outcome == ["stopped"]


def test_silence_is_bounded() -> None:
    aborted = Event()
    with pytest.raises(Silent, match=r"0\.2 s"):
        run(lambda _: aborted.wait(30), cancel=Event(), abort=aborted.set, silence=0.2)
    assert aborted.is_set()


def test_a_set_cancel_starts_nothing() -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(Cancelled):
        run(lambda _: pytest.fail("started"), cancel=cancel, abort=lambda: None, silence=30)


def test_a_listener_that_fails_ends_the_work() -> None:
    aborted = Event()

    def work(tell: Callable[[str], None]) -> None:
        tell("x")
        aborted.wait(30)

    def listener(_: str) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        run(work, cancel=Event(), abort=aborted.set, on_event=listener, silence=30)
    assert aborted.is_set()
