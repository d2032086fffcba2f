"""Record the demo as an asciinema cast (format v2), ``make cast``: README's story by keys, in a pseudo-terminal.

The cast has a screen for each change that stays for a moment, and a clock of its own: typing and reading take the time
of a person. So it is small, has no terminal queries, and is recorded in a few seconds.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyte
from pyte.screens import Char

from tests.support.served import clean_environment
from tests.support.terminal import Terminal

CAST = Path(__file__).resolve().parent.parent / "docs" / "demo.cast"
COLUMNS, ROWS = 110, 34
MOMENT, QUIET = 0.05, 0.4
"""Seconds without output after which a screen counts as one, and as the last one of a step."""
TYPING, CHANGE = 0.2, 0.15
"""Seconds in the cast for a typed key, and for a screen in between."""
_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d{5}")


class Step(NamedTuple):
    """Press ``keys``, wait until ``sees`` is on the screen, and leave ``seconds`` to read it."""

    keys: str
    sees: str
    seconds: float


STORY = (
    Step("", "20 repositories", 2.0),
    Step("/my-first", "1 of 20", 0.5),
    Step("\r", "v Verify", 2.0),
    Step("v", "DENIED at push", 6.0),
    Step("g", "written and read back", 3.0),
    Step("v", "ALLOWED", 5.0),
    Step("u", "Undone", 4.0),
)


def _style(char: Char) -> str:
    codes = [str(code) for code, on in ((0, True), (1, char.bold), (3, char.italics), (7, char.reverse)) if on]
    for layer, colour in ((38, char.fg), (48, char.bg)):
        if re.fullmatch(r"[0-9a-f]{6}", colour):
            codes.append(f"{layer};2;" + ";".join(str(part) for part in bytes.fromhex(colour)))
    return f"\x1b[{';'.join(codes)}m"


def _line(screen: pyte.Screen, number: int) -> str:
    text, style = "", ""
    for column in range(screen.columns):
        char = screen.buffer[number][column]
        if (new := _style(char)) != style:
            text, style = text + new, new
        text += char.data
    return _PORT.sub("50000", text)


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[float, str, str]] = []
        self._lines: list[str] = []
        self._clock = 0.0

    def frame(self, screen: pyte.Screen, seconds: float) -> None:
        """The lines that changed; then so much time."""
        lines = [_line(screen, number) for number in range(screen.lines)]
        changed = [n for n, line in enumerate(lines) if n >= len(self._lines) or line != self._lines[n]]
        start = "" if self._lines else "\x1b[?25l"
        if changed:
            text = start + "".join(f"\x1b[{n + 1}H{lines[n]}" for n in changed)
            self.events.append((round(self._clock, 2), "o", text))
        self._lines = lines
        self._clock += seconds

    def text(self) -> str:
        header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "ecr-tui demo"}
        end = (round(self._clock, 2), "o", "\x1b[0m\x1b[2J\x1b[H\x1b[?25h")
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (header, *self.events, end))


def record(story: Sequence[Step] = STORY) -> str:
    """The cast of the story. Raises AssertionError, with the screen, if a step does not show what it should."""
    recorder = Recorder()
    command = [sys.executable, "-m", "ecr_tui", "demo", "--engine", "direct"]
    with tempfile.TemporaryDirectory(prefix="ecr-tui-cast-") as name:
        folder = Path(name)
        terminal = Terminal(command, clean_environment(folder), folder, columns=COLUMNS, rows=ROWS)
        try:
            for step in story:
                for key in step.keys:
                    terminal.send(key)
                    terminal.settle(MOMENT)
                    recorder.frame(terminal.screen, TYPING)
                while step.sees not in (before := terminal.text):
                    terminal.read_until(lambda screen, before=before: screen != before, repr(step.sees))
                    terminal.settle(MOMENT)
                    recorder.frame(terminal.screen, CHANGE)
                terminal.settle(QUIET)
                recorder.frame(terminal.screen, step.seconds)
            terminal.send("\x11")  # ctrl+q, wherever the focus is
            terminal.wait(30)
        finally:
            terminal.close()
    return recorder.text()


if __name__ == "__main__":
    CAST.write_text(record(), encoding="utf-8")
    print(f"{CAST.name}: {CAST.stat().st_size // 1000} kB")
