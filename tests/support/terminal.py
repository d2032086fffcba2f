"""A program in a real pseudo-terminal, its screen read back through a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

from ecr_tui.ui.screens.dialog import DEAF

_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b\[[<=>][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\"
)
"""Keyboard protocol, mode questions and system commands, which pyte would print."""
_HALF = re.compile(rb"\x1b(?:\[[<=>?]?[0-9;]*\$?|\][^\x07\x1b]*|P[^\x1b]*)?\Z")
"""The start of a sequence whose end has not been read yet."""
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")


class Terminal:
    """``read_until`` waits on conditions and never sleeps; everything the program wrote stays in ``raw``."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path, *, columns: int = 120, rows: int = 40
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._unread = b""
        self.raw = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.attributes_before = termios.tcgetattr(slave)
        self._slave = slave  # held open, so that its attributes can be read after the program has gone
        self.process = subprocess.Popen(
            command,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read_until(self, condition: Callable[[str], bool], what: str, within: float = 30.0) -> str:
        """The screen as soon as the condition holds for its text."""
        deadline = time.monotonic() + within
        while not condition(self.text):
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"no {what} within {within:.0f} s; the screen:\n{self.text}")
        return self.text

    def see(self, *texts: str, within: float = 30.0) -> str:
        return self.read_until(
            lambda screen: all(text in screen for text in texts), " and ".join(map(repr, texts)), within
        )

    def heeded(self) -> None:
        """Read on until a dialog that has just appeared takes keys: it ignores those of its first moments."""
        end = time.monotonic() + DEAF * 1.5
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def settle(self, quiet: float) -> None:
        """Read on until the program has written nothing for so many seconds, or has ended."""
        while self.process.poll() is None and self._read(quiet):
            pass

    def wait(self, within: float) -> int:
        """The exit code, with all output read; the program is not ended here."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {within:.0f} s; the screen:\n{self.text}")
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def drain(self, within: float) -> int:
        """As :meth:`wait`, without drawing the screen: for whoever must not take the processor from the program."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {within:.0f} s")
            if select.select([self._master], [], [], 0.05)[0]:
                self.raw += os.read(self._master, 65536)
        return self.process.returncode

    def _read(self, timeout: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, timeout))[0]:
            return False
        data = os.read(self._master, 65536)
        self.raw += data
        data = self._unread + data
        half = _HALF.search(data)
        data, self._unread = (data[: half.start()], data[half.start() :]) if half else (data, b"")
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        return True

    @property
    def modes(self) -> dict[int, bool]:
        """The private modes that the program has set or reset, as it left them (1049: the alternate screen, ...)."""
        found: dict[int, bool] = {}
        for numbers, letter in _MODE.findall(self.raw):
            found.update({int(number): letter == b"h" for number in numbers.split(b";")})
        return found

    @property
    def attributes_now(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)
