"""Copying to the clipboard, with a truthful report."""

from __future__ import annotations

import asyncio
import os
import subprocess
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from ecr_tui.config.folders import make_private
from ecr_tui.ui.jobs import on_thread

OSC_52_LIMIT = 100_000
"""Maximum base64 characters: several terminals silently truncate or drop longer ones."""


class Terminal(Protocol):
    """An object that can send text to the terminal's clipboard by OSC 52 (a Textual App)."""

    def copy_to_clipboard(self, text: str) -> None: ...


class Copied(NamedTuple):
    """``how`` completes "Copied the ARN ..."; ``done`` is that word. OSC 52 has no response, so it is reported as sent,
    never as done. ``file``: where the text was written without a clipboard; ``failed``: whether that failed as well.
    """

    how: str
    done: str = "Copied"
    file: Path | None = None
    failed: bool = False

    def sentence(self, what: str) -> str:
        return f"{self.done} {what} {self.how}."


def is_remote(environ: Mapping[str, str]) -> bool:
    """Over SSH the machine's clipboard is not the user's."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def system_copy(text: str) -> str:
    """Copy with pyperclip, in a thread; the name of the mechanism ("xclip"). Raises what pyperclip raises."""
    import pyperclip  # type: ignore[import-untyped]  # the import looks for programs on PATH

    pyperclip.copy(text)
    return str(getattr(pyperclip.copy, "__name__", "")).removeprefix("copy_") or "system clipboard"


def tmux_copy(text: str) -> str:
    """To tmux's paste buffer, and by tmux to the terminal's clipboard. Raises what subprocess raises."""
    command = ["tmux", "load-buffer", "-w", "-"]
    given = text.encode("utf-8", "replace")
    subprocess.run(command, input=given, check=True, capture_output=True, timeout=Clipboard.TIMEOUT)  # noqa: S603
    return "tmux"


def write_private(path: Path, text: str) -> None:
    """Write a file private to the user. Raises OSError."""
    make_private(path.parent)
    path.unlink(missing_ok=True)  # never through a link or with the mode of an existing file
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)


class Clipboard:
    """The system's clipboard, unless over SSH; then tmux's, then OSC 52. What none of them can take: a file."""

    TIMEOUT = 2.0

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        system: Callable[[str], str] = system_copy,
        *,
        tmux: Callable[[str], str] = tmux_copy,
        file: Callable[[], Path] | None = None,
    ) -> None:
        """``file``: fallback file, replaced each time."""
        self._environ = os.environ if environ is None else environ
        self._system = system
        self._tmux = tmux
        self._file = file

    async def copy(self, terminal: Terminal, text: str) -> Copied:
        if not is_remote(self._environ) and (name := await self._tried(self._system, text)):
            return Copied(f"to the clipboard ({name})")
        if self._environ.get("TMUX") and await self._tried(self._tmux, text):
            return Copied("to the tmux buffer: prefix ] pastes it")
        unable = self._unable(text)
        if unable:
            return await self._write(text, unable)
        terminal.copy_to_clipboard(text)
        return Copied("to the terminal (OSC 52), unconfirmed", "Sent")

    async def _tried(self, way: Callable[[str], str], text: str) -> str:
        """The name of what has it now; "" when it failed."""
        try:
            # Both start a program and wait for it: xclip on a dead display would wait for ever.
            return await asyncio.wait_for(on_thread(partial(way, text)), self.TIMEOUT)
        except Exception:  # pyperclip raises many exceptions, including FileNotFoundError
            return ""

    def _unable(self, text: str) -> str:
        """Why OSC 52 cannot work; "" if it may."""
        if self._environ.get("TERM_PROGRAM") == "Apple_Terminal":
            return "this terminal does not support OSC 52"
        if self._environ.get("TERM") == "linux":
            return "the console has no clipboard"
        length = len(b64encode(text.encode("utf-8", "replace")))
        return f"{len(text):,} characters are too many for the terminal (OSC 52)" if length > OSC_52_LIMIT else ""

    async def _write(self, text: str, why: str) -> Copied:
        if self._file is None:
            return Copied(f"anywhere: {why}", "Could not copy", failed=True)
        path = self._file()

        def write() -> Copied:
            try:
                write_private(path, text)
            except OSError as error:
                how = f"anywhere: {why}, and {path} cannot be written ({error.strerror})"
                return Copied(how, "Could not copy", failed=True)
            return Copied(f"to {path}: {why}", "Written", file=path)

        return await on_thread(write)
