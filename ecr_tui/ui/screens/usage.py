"""Reading the use of a repository from CloudTrail, with progress; what was read is kept when it is left."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.text import PENDING, safe
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from textual.message import Message

    from ecr_tui.access.usage_report import UsageReport
    from ecr_tui.aws.model import Repository
    from ecr_tui.workspace import Workspace


class UsageReading(Dialog["UsageReport | EcrTuiError | None"]):
    """Begins when it is shown. The result: the report, the error, or None when the user stopped it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop")]

    def __init__(self, workspace: Workspace, repository: Repository) -> None:
        super().__init__()
        self._workspace = workspace
        self._repository = repository
        self._cancel = threading.Event()

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            title = f"Use of {safe(self._repository.name)}: CloudTrail's events of {self._repository.region}"
            yield Static(title, classes="title", markup=False)
            yield Words(Content(f"{PENDING} reading…"), id="progress", classes="body")
            yield KeyHints(("esc", "stop; what was read is kept"))

    def on_mount(self) -> None:
        def page(events: int, back_to: datetime) -> None:
            words = f"{PENDING} {events:,} events read, back to {back_to:%Y-%m-%d %H:%M} UTC"
            jobs.post(self, Answered(lambda: self._say(words)))

        def read() -> Message:
            report = self._workspace.access.usage.report([self._repository], on_page=page, cancel=self._cancel)
            return Answered(lambda: self._end(report))

        jobs.start(self, read, failed=lambda error: Answered(lambda: self._end(error)), group="usage")

    def on_answered(self, message: Answered) -> None:
        message.stop()
        message.take()

    def action_stop(self) -> None:
        self._end(None)

    def on_unmount(self) -> None:
        self._cancel.set()

    def _say(self, words: str) -> None:
        if self.is_current:
            self.query_one("#progress", Words).say(Content(words))

    def _end(self, result: UsageReport | EcrTuiError | None) -> None:
        """The first end counts: a reading that is stopped ends as well."""
        if self.is_current and not self._cancel.is_set():
            self._cancel.set()
            self.dismiss(result)
