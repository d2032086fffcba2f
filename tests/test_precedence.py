"""That threads which compute wait for the interface's turn, and never longer than they must."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from ecr_tui import precedence

LONG = 60.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody goes on because of the time that has passed."""
    monkeypatch.setattr(precedence, "PATIENCE", LONG)
    yield
    while precedence._doors:
        precedence.rest()
    precedence.rest()


@pytest.fixture
def no_switch() -> Iterator[None]:
    """What computes is not interrupted: the next turn has begun before a thread that is let in has looked."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(LONG)
    yield
    sys.setswitchinterval(interval)


def beside(work: Callable[[], object] = precedence.give_way, times: int = 1) -> SimpleQueue[int]:
    """Threads that do it; each puts its number when it is through."""
    through: SimpleQueue[int] = SimpleQueue()

    def run(number: int) -> None:
        work()
        through.put(number)

    for number in range(times):
        threading.Thread(target=run, args=(number,), daemon=True).start()
    return through


def waiting(number: int) -> None:
    """Return when so many threads wait."""
    moment = threading.Event()
    for _ in range(1000):
        if len(precedence._doors) == number:
            return
        moment.wait(0.01)
    raise AssertionError(f"{len(precedence._doors)} wait, not {number}")


def test_without_an_interface_nobody_waits() -> None:
    beside().get(timeout=LONG)


def test_the_interface_does_not_wait_for_itself() -> None:
    precedence.work()
    precedence.give_way()


def test_a_thread_goes_on_when_the_interface_has_nothing_to_do() -> None:
    precedence.work()
    through = beside(times=3)
    waiting(3)
    assert through.empty()
    precedence.rest()
    assert {through.get(timeout=LONG) for _ in range(3)} == {0, 1, 2}


def test_where_the_interface_never_rests_each_turns_end_lets_one_in(no_switch: None) -> None:
    precedence.work()
    through = beside(times=3)
    waiting(3)
    for left in (2, 1, 0):
        precedence.rest()
        precedence.work()
        through.get(timeout=LONG)
        assert len(precedence._doors) == left


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PATIENCE", 0.001)
    precedence.work()
    through = beside(times=3)
    for _ in range(3):
        through.get(timeout=LONG)
    assert not precedence._doors


def test_rest_between_looking_and_waiting_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Doors(precedence.deque[threading.Lock]):
        def append(self, door: threading.Lock) -> None:
            precedence.rest()
            super().append(door)

    monkeypatch.setattr(precedence, "_doors", Doors())
    precedence.work()
    beside().get(timeout=LONG)
    assert not precedence._doors


def test_many_things_are_worked_on_and_let_go_of_by_the_stroke(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    done: list[int] = []
    monkeypatch.setattr(precedence, "give_way", lambda: asked.append(len(done)))
    done.extend(precedence.giving_way(range(5), 2))
    assert done == [0, 1, 2, 3, 4]
    assert len(asked) == 3
    precedence.let_go(done, 2)
    assert (done, asked[3:]) == ([], [5, 3, 1])
