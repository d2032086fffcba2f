"""What holds up an event loop, for how long, and where: each turn of a callback measured, its stack looked at from
another thread while it lasts."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

SAMPLE = 0.005
_PUMP = ("asyncio", "contextvars", "textual.message_pump", "textual._callback", "tests.")


@dataclass
class Block:
    """One callback that the loop could not leave. ``wall`` counts everything; ``own`` is the CPU time of the loop's
    thread, ``others`` that of the program's other threads meanwhile (with which it shares one interpreter). What is
    left of ``wall`` is time in which other programs had the processor."""

    step: str
    wall: float
    own: float
    others: float
    places: dict[str, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it was seen most, innermost function of ours first."""
        return max(self.places, key=lambda place: self.places[place], default="not seen")

    def __str__(self) -> str:
        times = f"{self.wall * 1000:6.1f} ms ({self.own * 1000:.1f} own CPU, {self.others * 1000:.1f} other threads)"
        return f"{times}  {self.step}: {self.place}"


class Watchdog:
    """Between :meth:`start` and :meth:`stop` it watches every loop of the thread that called :meth:`start`."""

    def __init__(self, keep: float = 0.010, names: tuple[str, ...] = ("ecr_tui",)) -> None:
        """Blocks of ``keep`` seconds or more are kept; ``names`` are the packages whose functions are named first."""
        self._keep = keep
        self._names = names
        self.step = "start"
        self.idle: Callable[[], bool] = lambda: False
        """Nobody waits for an answer, as when the app is leaving."""
        self.blocks: list[Block] = []
        self.turns = 0
        self._running: tuple[int, float] | None = None
        self._places: dict[str, int] = {}
        self._over = threading.Event()
        self._restore: Callable[..., Any] | None = None

    def start(self) -> None:
        thread = threading.get_ident()
        run = self._restore = asyncio.Handle._run

        def watched(handle: asyncio.Handle) -> None:
            if threading.get_ident() != thread:
                run(handle)
                return
            self.turns += 1
            idle = self.idle()
            step, places = self.step, {}
            wall, own, process = time.perf_counter(), time.thread_time(), time.process_time()
            self._places, self._running = places, (self.turns, wall)
            try:
                run(handle)
            finally:
                self._running = None
                wall = time.perf_counter() - wall
                if wall >= self._keep and not (idle or self.idle()):
                    own = time.thread_time() - own
                    self.blocks.append(Block(step, wall, own, max(time.process_time() - process - own, 0.0), places))

        asyncio.Handle._run = watched  # type: ignore[method-assign]
        threading.Thread(target=self._look, args=(thread,), daemon=True).start()

    def stop(self) -> None:
        self._over.set()
        if self._restore is not None:
            asyncio.Handle._run = self._restore  # type: ignore[method-assign]

    def _look(self, thread: int) -> None:
        while not self._over.wait(SAMPLE):
            running, places = self._running, self._places
            if running is None or time.perf_counter() - running[1] < self._keep / 2:
                continue
            frame = sys._current_frames().get(thread)
            if frame is not None and self._running == running:
                place = self._place(frame)
                places[place] = places.get(place, 0) + 1

    def _place(self, frame: FrameType) -> str:
        """ "ecr_tui.ui.screens.main:show_status < main:_listed · textual.dom:query_one"."""
        ours: list[str] = []
        innermost = _name(frame)
        found: FrameType | None = frame
        while found is not None and len(ours) < 3:
            if found.f_globals.get("__name__", "").startswith(self._names):
                ours.append(_name(found))
            found = found.f_back
        if not ours:
            # The handler that Textual's message pump called says what it is about.
            outer: FrameType | None = frame
            while outer is not None and not outer.f_globals.get("__name__", "").startswith(_PUMP):
                ours, outer = [_name(outer)], outer.f_back
        return " < ".join(ours) + ("" if ours[:1] == [innermost] else f" · {innermost}")


def _name(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_name}"
