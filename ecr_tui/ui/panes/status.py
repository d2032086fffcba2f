"""The status line."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer

from ecr_tui.ui.desk import Desk
from ecr_tui.ui.panes.listing import Listing
from ecr_tui.ui.text import status
from ecr_tui.ui.widgets.keyhints import FLASH
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words


class StatusBar(Horizontal):
    """Region, filters, counts; on the right the current activity and mode."""

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        & > #status-left { width: 1fr; height: 1; }
        & > #status-right { width: auto; height: 1; text-align: right; }
    }
    """

    class Opened(Message):
        """A click for details."""

    def __init__(self) -> None:
        super().__init__()
        self._words, self._where = "", Content.empty()
        self._timer: Timer | None = None

    def on_click(self) -> None:
        self.post_message(self.Opened())

    def compose(self) -> ComposeResult:
        yield Words(id="status-left")
        yield Words(id="status-right")

    def tell(self, words: str) -> None:
        """In place of region, filters and counts, for :data:`FLASH` seconds."""
        self._words = words
        self.query_one("#status-left", Words).say(Content.styled(words, "bold"))
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(FLASH, self._end)

    def _end(self) -> None:
        self._words = ""
        self.query_one("#status-left", Words).say(self._where)

    def show(self, desk: Desk, listing: Listing, table: VirtualTable[Any], *, verifying: bool) -> None:
        self._where = status.left(listing, table, desk.workspace.settings.regions, desk.now())
        if not self._words:
            self.query_one("#status-left", Words).say(self._where)
        work = status.right(desk, desk.workspace.settings, listing=listing.busy, verifying=verifying)
        self.query_one("#status-right", Words).say(work)
