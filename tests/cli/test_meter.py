"""Progress of long commands: on stderr alone, one line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io
import sys

import pyte
import pytest

from ecr_tui.cli import meter
from ecr_tui.cli.meter import Meter


class Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def screen(self) -> list[str]:
        screen = pyte.Screen(80, 5)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        return [line.rstrip() for line in screen.display if line.strip()]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(meter, "monotonic", clock)
    return clock


def stderr(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, term: str = "xterm") -> Stream:
    stream = Stream(terminal=terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", term)
    return stream


def test_on_a_terminal_one_line_is_rewritten_and_goes(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = stderr(monkeypatch, terminal=True)
    with Meter("Reading policies") as told:
        told(1, 12_000, ", and more of it")
        assert stream.getvalue() == "", "what is quick needs no meter"
        clock.now += 2
        told(2, 12_000, ", and more of it")
        told(3, 12_000)
        assert stream.screen() == ["Reading policies: 2 of 12,000, and more of it"]
        clock.now += 2
        told(11_000, 12_000)
        assert stream.screen() == ["Reading policies: 11,000 of 12,000"]
        told.clear()
        assert stream.screen() == []
        print("a result", file=stream)
        told(11_001, 12_000)
        assert stream.screen() == ["a result", "Reading policies: 11,001 of 12,000"]
        clock.now += 2
        told(5, None, "x" * 300)
        assert stream.screen()[1:] == [f"Reading policies: 5{'x' * 60}"]
    assert stream.screen() == ["a result"]
    assert "\x1b" not in stream.getvalue(), "no colour, nothing that a plain terminal does not know"
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("terminal", "term"), [(False, "xterm"), (True, "dumb")])
def test_elsewhere_there_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, terminal: bool, term: str
) -> None:
    stream = stderr(monkeypatch, terminal=terminal, term=term)
    with Meter("Writing") as told:
        for done in range(26):
            told(done, 25)
            clock.now += 1
    assert stream.getvalue() == "Writing: 10 of 25\nWriting: 20 of 25\n"
