"""Threads that are started without waiting for them."""

from __future__ import annotations

import os
import threading

import pytest

from ecr_tui import threads
from ecr_tui.threads import Crew


def test_it_runs_on_a_daemon_thread_of_that_name() -> None:
    done = threading.Event()
    seen: list[threading.Thread] = []

    def work() -> None:
        seen.append(threading.current_thread())
        done.set()

    threads.start(work, "worker-7")
    assert done.wait(10)
    assert (seen[0].name, seen[0].daemon) == ("worker-7", True)
    assert seen[0] is not threading.current_thread()


def test_the_caller_does_not_wait_until_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    threads.start(lambda: None, "the-starter-is-there")
    may_begin, begun = threading.Event(), threading.Event()
    real = threading.Thread

    class Late(real):  # type: ignore[misc, valid-type]
        def start(self) -> None:
            may_begin.wait(10)
            super().start()

    monkeypatch.setattr(threading, "Thread", Late)
    threads.start(begun.set, "late")
    assert not begun.is_set()
    may_begin.set()
    assert begun.wait(10)


def test_one_that_could_not_be_had_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    threads.start(lambda: None, "the-starter-is-there")
    begun = threading.Event()
    refusals = iter((True, True, False))
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "late" and next(refusals):
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    threads.start(begun.set, "late")
    assert begun.wait(10)
    assert next(refusals, None) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_has_a_starter_of_its_own() -> None:
    threads.start(lambda: None, "parent")
    child = os.fork()
    if not child:
        done = threading.Event()
        threads.start(done.set, "child")
        os._exit(0 if done.wait(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- how many ------------------------------------------------------------------------------------------------------


class Machine:
    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def goes_on(self, seconds: float, busy: float) -> None:
        self.wall += seconds
        self.cpu += seconds * busy


def test_threads_go_while_the_interpreter_is_full_and_come_back_when_it_is_not() -> None:
    machine = Machine()
    crew = Crew(8, lambda: machine.wall, lambda: machine.cpu)
    crew.look()
    assert crew.size == 8
    sizes = []
    for _ in range(9):
        machine.goes_on(Crew.EVERY * 2, 1.0)
        crew.look()
        crew.look()  # it is too soon
        sizes.append(crew.size)
    assert sizes == [7, 6, 5, 4, 3, 3, 3, 3, 3]
    machine.goes_on(Crew.EVERY * 2, 0.8)
    crew.look()
    assert crew.size == 3
    for _ in range(9):
        machine.goes_on(Crew.EVERY * 2, 0.2)
        crew.look()
    assert crew.size == 8


def test_a_crew_of_one_stays_one() -> None:
    machine = Machine()
    crew = Crew(1, lambda: machine.wall, lambda: machine.cpu)
    for busy in (1.0, 0.0):
        machine.goes_on(1, busy)
        crew.look()
        assert crew.size == 1
