"""How the interpreter is set while the interface runs, and that nothing of it outlives the interface."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from ecr_tui.ui import interpreter


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.isenabled(), gc.get_threshold(), sys.getswitchinterval(), list(gc.callbacks)
    yield
    assert (gc.isenabled(), gc.get_threshold(), sys.getswitchinterval(), list(gc.callbacks)) == before


def test_nothing_is_collected_until_the_interface_is_ready() -> None:
    with interpreter.for_an_interface():
        assert not gc.isenabled()
        interpreter.ready()
        assert gc.isenabled()
        assert gc.get_threshold() == interpreter.OFTEN
        assert sys.getswitchinterval() == pytest.approx(interpreter.SWITCH)
        assert gc.get_freeze_count() > 1000
    assert gc.get_freeze_count() == 0


def test_it_is_put_back_when_the_interface_fails() -> None:
    @interpreter.for_an_interface()
    def fail() -> None:
        interpreter.ready()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()


def test_another_program_keeps_its_own_settings() -> None:
    interpreter.ready()
    interpreter.keep()
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(("seconds", "kept"), [(interpreter.LONG / 2, False), (interpreter.LONG * 2, True)])
def test_what_has_survived_a_long_look_is_not_looked_at_again(
    seconds: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with interpreter.for_an_interface():
        interpreter.ready()
        gc.disable()
        gc.unfreeze()
        now = iter((0.0, seconds))
        monkeypatch.setattr(interpreter, "thread_time", lambda: next(now))
        for phase in ("start", "stop"):
            interpreter._watch(phase, {"generation": 0})
            interpreter._watch(phase, {"generation": 2})
        assert (gc.get_freeze_count() > 1000) == kept
        gc.enable()


def test_what_is_kept_is_still_freed_with_its_last_reference() -> None:
    class Row:
        alive = 0

        def __init__(self) -> None:
            Row.alive += 1

        def __del__(self) -> None:
            Row.alive -= 1

    with interpreter.for_an_interface():
        interpreter.ready()
        rows = [Row() for _ in range(10)]
        interpreter.keep()
        rows.clear()
        assert Row.alive == 0
