"""The workloads that use a repository's images: read while it is shown; leaving it ends the reading."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ecr_tui.ui import jobs
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.dialog import SCROLLING, Dialog
from ecr_tui.ui.screens.text import error_content
from ecr_tui.ui.text import MUTED, safe
from ecr_tui.ui.widgets.keyhints import KeyHints

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.workspace import Workspace


class WorkloadsScreen(Dialog[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        *SCROLLING,
        Binding("escape,enter", "leave", "Close"),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(self, workspace: Workspace, repository: Repository) -> None:
        super().__init__()
        self._workspace = workspace
        self._repository = repository
        self._cancel = threading.Event()
        self._copy = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content(f"Workloads that use {safe(self._repository.name)}"), classes="title")
            with VerticalScroll(id="scroll"):
                words = "Reading Lambda functions and ECS task definitions …"
                yield Static(Content.styled(words, MUTED), classes="body")
            yield KeyHints(("y", "copy"), ("k j", "scroll"), ("esc", "close"))

    def on_mount(self) -> None:
        self.query_one("#scroll").focus()
        self.run_worker(self._read())

    def on_unmount(self) -> None:
        self._cancel.set()

    async def _read(self) -> None:
        read = self._workspace.access.workloads
        try:
            found = await jobs.on_thread(lambda: read(self._repository, cancel=self._cancel))
        except Exception as error:
            shown = error_content(jobs.as_error(error), "Workloads")
        else:
            self._copy = "\n".join(found.lines())
            shown = Content("\n").join(Content(safe(line)) for line in found.lines())
        self.query_one(".body", Static).update(shown)

    def document(self) -> str:
        return self._copy

    def action_copy(self) -> None:
        if self._copy:
            self.post_message(CopyWanted(self._copy, "the workloads"))

    def action_leave(self) -> None:
        self.dismiss(None)
