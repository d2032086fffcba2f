"""The one-line parts: the narrow layout's pane tabs and the status line."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ecr_tui.ui.widgets.words import Words

PANES = (("repositories", "1", "Repositories"), ("preview", "2", "Preview"), ("verification", "3", "Verification"))


class PaneTab(Static):
    """One pane of the narrow layout."""

    DEFAULT_CSS = """
    PaneTab {
        width: auto;
        padding: 0 2;
        color: $text-muted;
        &:hover { color: $foreground; }
        &.-active { color: $foreground; background: $block-cursor-background; text-style: bold; }
    }
    """

    @dataclass(eq=False)
    class Chosen(Message):
        pane: str

    def __init__(self, pane: str, key: str, label: str) -> None:
        super().__init__(id=f"tab-{pane}")
        self._pane, self._key, self._label = pane, key, label
        self._extra = ""

    def on_mount(self) -> None:
        self._draw()

    def say(self, extra: str) -> None:
        if extra != self._extra:
            self._extra = extra
            self._draw()

    def set_active(self, active: bool) -> None:
        if active != self.has_class("-active"):
            self.set_class(active, "-active")
            self._draw()

    def _draw(self) -> None:
        mark = "▸" if self.has_class("-active") else " "
        extra = f" {self._extra}" if self._extra else ""
        self.update(Content.assemble((f"{mark}{self._key} ", "$text-accent"), self._label + extra))

    def on_click(self) -> None:
        self.post_message(self.Chosen(self._pane))


class PaneBar(Horizontal):
    """Shown instead of four panes at once."""

    DEFAULT_CSS = """
    PaneBar { height: 1; display: none; }
    """

    def compose(self) -> ComposeResult:
        for pane in PANES:
            yield PaneTab(*pane)

    def activate(self, pane: str) -> None:
        for name, _, _ in PANES:
            self.query_one(f"#tab-{name}", PaneTab).set_active(name == pane)

    def say(self, pane: str, extra: str) -> None:
        self.query_one(f"#tab-{pane}", PaneTab).say(extra)


class StatusBar(Horizontal):
    """Region, filters, counts; on the right what is going on and in which mode."""

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        & > #status-left { width: 1fr; height: 1; }
        & > #status-right { width: auto; height: 1; text-align: right; }
    }
    """

    class Opened(Message):
        """A click: somebody wants to know more."""

    def on_click(self) -> None:
        self.post_message(self.Opened())

    def compose(self) -> ComposeResult:
        yield Words(id="status-left")
        yield Words(id="status-right")

    def show(self, left: Content, right: Content) -> None:
        self.query_one("#status-left", Words).say(left)
        self.query_one("#status-right", Words).say(right)
