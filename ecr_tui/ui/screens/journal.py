"""The journal as a screen: every write with what has become of it; any that is still in force can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer

from ecr_tui.changes.entries import History
from ecr_tui.changes.history import NOT_KNOWN, PastWrite, PastWrites
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered, CopyWanted
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED, NO, count, safe
from ecr_tui.ui.text.journal import columns, copied, detail, fact_lines, meaning_lines, search_text, state_line
from ecr_tui.ui.text.preview import diff_lines
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.ui.widgets.columns import Column
    from ecr_tui.workspace import Workspace

WATCH = 1.0
"""Seconds between looks at the file: other instances write to it, too."""
LOOK = 0.15
"""Seconds that the cursor rests on a row before its live policy is read."""


class JournalScreen(Dialog[None]):
    """Reads the file when it is shown and whenever it grows. ``take_back(row, redo)`` is asked for u and r."""

    DEFAULT_CSS = """
    JournalScreen {
        & > #dialog { width: 96%; max-width: 160; height: 94%; max-height: 94%; padding: 0 1; }
        & .title { margin-bottom: 0; }
        & .keys { margin-top: 0; }
        & > #dialog > #entries { height: 2fr; }
        & > #dialog > #detail { height: 3fr; border-top: solid $border-blurred; scrollbar-size-vertical: 1; }
    }
    """
    AUTO_FOCUS = "#entries"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close"),
        Binding("u", "take_back(False)", "Undo"),
        Binding("r,R", "take_back(True)", "Redo"),
        Binding("f", "only", "This repository"),
        Binding("y", "copy_entry", "Copy"),
        Binding("left", "scroll_detail(-3)", "Detail up", show=False),
        Binding("right", "scroll_detail(3)", "Detail down", show=False),
        Binding("tab", "app.focus_next", "Next", show=False),
    ]

    def __init__(
        self,
        workspace: Workspace,
        repository: Repository | None,
        *,
        now: Callable[[], datetime],
        take_back: Callable[[PastWrites, PastWrite, bool], None],
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._repository = repository
        self._take_back = take_back
        self._only = False
        self._past = PastWrites(History(()))
        self._loaded = False
        self._problem: EcrTuiError | None = None
        self._mark: tuple[int, int] | None = None
        self._reading = False
        self._looked = 0
        self._now = now
        self._several = False
        self._timer: Timer | None = None
        self.table: VirtualTable[PastWrite] = VirtualTable(
            self._columns(False), key=lambda row: row.id, search=search_text, id="entries"
        )

    def _columns(self, several_regions: bool) -> list[Column[PastWrite]]:
        found = columns(lambda: self._past, self._now)
        return [column for column in found if column.id != "region" or several_regions]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Words(classes="title")
            yield self.table
            with VerticalScroll(id="detail", can_focus=True):
                yield Words(id="entry", classes="body")
            yield KeyHints(between="  ")

    def on_mount(self) -> None:
        self.table.set_message("Reading the journal…")
        self.read()
        self.set_interval(WATCH, self.read)
        self._say()

    # -- reading -------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """On a thread, and only where the file is another one than the last time."""
        if self._reading:
            return
        self._reading = True
        workspace, before, loaded = self._workspace, self._mark, self._loaded

        def work() -> Answered:
            mark = _mark(workspace)
            past = None if loaded and mark == before else workspace.changes.past_writes()
            return Answered(lambda: self._took(mark, past))

        jobs.start(self, work, failed=lambda error: Answered(lambda: self._failed(error)), group="journal")

    def _took(self, mark: tuple[int, int] | None, past: PastWrites | None) -> None:
        self._reading = False
        self._problem = None
        if past is not None:
            self._mark, self._past, self._loaded = mark, past, True
            self._show()

    def _failed(self, error: EcrTuiError) -> None:
        self._reading = False
        self._problem = error
        self.table.set_message(f"{NO} {safe(error.title)}", "", safe(error.hint))
        self._say()

    def _show(self) -> None:
        arn = self._repository.arn if self._only and self._repository is not None else ""
        rows = self._past.chosen(repository=arn)
        if not rows:
            where = f" to {safe(self._repository.name)}" if arn and self._repository is not None else ""
            self.table.set_message(f"Nothing was written{where} with this journal yet.")
        several = len({row.entry.record.region for row in rows}) > 1
        if several != self._several:
            self._several = several
            self.table.set_columns(self._columns(several))
        self.table.set_rows(rows)
        self._say()
        self._look_soon()

    def _say(self) -> None:
        past, parts = self._past, [("Journal", "bold")]
        if self._loaded:
            parts.append((f"  {count(self.table.shown, 'write')}", MUTED))
            if self._only and self._repository is not None:
                parts.append((f" to {safe(self._repository.name)}", ""))
            if past.damaged:
                parts.append((f"  ! {count(len(past.damaged), 'line')} cannot be read", "$text-warning"))
        if self._problem is not None:
            parts.append((f"  {NO} {safe(self._problem.title)}", "$text-error"))
        self.query_one(".title", Words).say(Content.assemble(*parts))
        other = "all" if self._only else "here"
        keys = (("u", "undo"), ("r", "redo"), ("f", other), ("↵", "open"), ("y", "copy"), ("esc", "close"))
        self.query_one(KeyHints).tell(*keys)

    # -- the entry under the cursor ------------------------------------------------------------------------------

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        event.stop()
        self._look_soon()

    @on(VirtualTable.Changed)
    @on(VirtualTable.WindowChanged)
    def _unheeded(self, event: VirtualTable.Changed) -> None:
        event.stop()

    def _look_soon(self) -> None:
        self._looked += 1
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        row, past = self.table.current, self._past
        if row is None:
            self.query_one("#entry", Words).say(Content.empty())
            return
        known = past.known_state(row)
        if known != NOT_KNOWN:
            self._draw(row, state_line(row, known))
            return
        self._draw(row, state_line(row, ""))
        self._timer = self.set_timer(LOOK, lambda: self._look(row, past))

    def _look(self, row: PastWrite, past: PastWrites) -> None:
        asked, workspace, entry = self._looked, self._workspace, row.entry

        def show(state: str, problem: str = "") -> None:
            if asked == self._looked:
                self._draw(row, state_line(row, state, problem))

        def work() -> Answered:
            account = workspace.accounts.owner().account
            if account != entry.record.account:
                return Answered(lambda: show("", f"it is in account {entry.record.account}, this one is {account}"))
            state = past.state(row, workspace.changes.live_text(entry))
            return Answered(lambda: show(state))

        jobs.start(self, work, failed=lambda e: Answered(lambda: show("", e.title)), group="journal-live")

    def _draw(self, row: PastWrite, state: Content) -> None:
        self.query_one("#entry", Words).say(detail(row, state, self._width))

    @property
    def _width(self) -> int:
        return max(self.query_one("#dialog").content_size.width - 3, 20)

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        message.stop()
        message.take()

    # -- actions -------------------------------------------------------------------------------------------------

    def action_take_back(self, redo: bool) -> None:
        row = self.table.current
        if row is not None:
            self._take_back(self._past, row, redo)

    def action_only(self) -> None:
        if self._repository is None:
            self.app.notify("No repository is selected.", markup=False)
            return
        self._only = not self._only
        self._show()

    def action_scroll_detail(self, lines: int) -> None:
        self.query_one("#detail", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_copy_entry(self) -> None:
        if (row := self.table.current) is not None:
            self.post_message(CopyWanted(copied([row]), "the entry"))

    @on(VirtualTable.Opened)
    def _opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        row: PastWrite | None = event.row
        if row is not None:
            whole = [*meaning_lines(row, 80), *fact_lines(row), Content(""), *diff_lines(row.text_diff, whole=True)]
            body = Content("\n").join(whole)
            title = f"{safe(row.entry.record.kind)} in {safe(row.entry.record.repository)}"
            self.app.push_screen(TextScreen(title, body, copy=copied([row]), what="the entry"))

    def action_leave(self) -> None:
        self.dismiss(None)


def _mark(workspace: Workspace) -> tuple[int, int] | None:
    """What changes whenever somebody writes to the journal."""
    try:
        found = workspace.changes.journal.path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
