"""That an app tells other threads when it is within a turn."""

from __future__ import annotations

import threading
import time

import pytest
from textual.app import App

from ecr_tui import precedence
from ecr_tui.ui import loop


class Busy(App[None]):
    """Within one turn it starts a thread, and ends the turn when that one waits."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def on_ready(self) -> None:
        threading.Thread(target=self.compute, daemon=True).start()
        end = time.monotonic() + 30
        while not precedence._doors and not self.order and time.monotonic() < end:
            time.sleep(0.001)
        self.order.append("the turn is over")

    def compute(self) -> None:
        precedence.give_way()
        self.order.append("the thread goes on")
        self.call_from_thread(self.exit)


def test_a_thread_that_computes_waits_for_the_turns_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PATIENCE", 60.0)
    app = Busy()
    loop.run(app, headless=True)
    assert app.order == ["the turn is over", "the thread goes on"]
    assert not precedence._working
