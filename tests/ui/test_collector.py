"""How the garbage collector is set while the interface runs, and that nothing of it outlives the interface."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ecr_tui.ui import collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.isenabled(), gc.get_threshold()
    yield
    assert (gc.isenabled(), gc.get_threshold()) == before
    assert gc.get_freeze_count() == 0


def test_nothing_is_collected_until_the_first_frame() -> None:
    with collector.tuned():
        assert not gc.isenabled()
        collector.settle()
        assert gc.isenabled()
        assert gc.get_threshold() == collector.THRESHOLDS
        assert gc.get_freeze_count() > 1000


def test_it_is_restored_when_the_interface_fails() -> None:
    @collector.tuned()
    def fail() -> None:
        collector.settle()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()


def test_a_process_that_runs_no_interface_is_left_alone() -> None:
    before = gc.get_freeze_count()
    collector.settle()
    assert gc.get_freeze_count() == before
