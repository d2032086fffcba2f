"""Copying that tells the truth about what it did."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


class Terminal(Protocol):
    """What can send text to the terminal's clipboard by OSC 52 (a Textual App)."""

    def copy_to_clipboard(self, text: str) -> None: ...


@dataclass(frozen=True)
class Copied:
    """``how`` completes "Copied ...". OSC 52 has no answer, so it is said as sent, never as done."""

    how: str


def is_remote(environ: Mapping[str, str]) -> bool:
    """Over SSH the machine's own clipboard is not the user's."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def system_copy(text: str) -> str:
    """Copy with pyperclip, in a thread; the name of the mechanism ("xclip"). Raises what pyperclip raises."""
    import pyperclip  # type: ignore[import-untyped]  # the import looks for programs on PATH

    pyperclip.copy(text)
    return str(getattr(pyperclip.copy, "__name__", "")).removeprefix("copy_") or "system clipboard"


class Clipboard:
    """Local: the system's clipboard, else OSC 52. Over SSH: OSC 52 only."""

    TIMEOUT = 2.0

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        system: Callable[[str], str] = system_copy,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._system = system

    async def copy(self, terminal: Terminal, text: str) -> Copied:
        if not is_remote(self._environ):
            try:
                # pyperclip starts a program and waits for it: xclip on a dead display would wait for ever.
                name = await asyncio.wait_for(asyncio.to_thread(self._system, text), self.TIMEOUT)
            except Exception:  # noqa: S110 (pyperclip's failures are of many classes, FileNotFoundError among them)
                pass
            else:
                return Copied(f"to the clipboard ({name})")
        terminal.copy_to_clipboard(text)
        return Copied("to the terminal (OSC 52; whether it keeps it, it does not say)")
