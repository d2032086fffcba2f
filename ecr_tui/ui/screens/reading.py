"""Dialog for a long reading, with progress; closing it stops the reading."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.text import PENDING
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.words import Words

T = TypeVar("T")

Read = Callable[[threading.Event, Callable[[str], None]], T]
"""Called on a thread, with a cancel event and a progress callback."""


class ReadingScreen(Dialog[T | EcrTuiError | None]):
    """Starts when shown. The result: the value, the error, or None if the user stopped it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Stop")]

    def __init__(self, title: str, begin: str, read: Read[T], *, stop: str = "stop") -> None:
        """``begin``: the first progress text; ``stop``: the hint for Esc."""
        super().__init__()
        self._title, self._begin, self._stop = title, begin, stop
        self._read = read
        self._cancel = threading.Event()

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._title, classes="title", markup=False)
            yield Words(Content(f"{PENDING} {self._begin}"), id="progress", classes="body")
            yield KeyHints(("esc", self._stop))

    def on_mount(self) -> None:
        read = partial(self._read, self._cancel, partial(jobs.call, self, self._say))
        jobs.start(self, read, self._end, self._end)

    def on_unmount(self) -> None:
        self._cancel.set()

    def _say(self, words: str) -> None:
        if self.is_current:
            self.query_one("#progress", Words).say(Content(f"{PENDING} {words}"))

    def _end(self, result: T | EcrTuiError) -> None:
        if self.is_current:
            self.dismiss(result)
