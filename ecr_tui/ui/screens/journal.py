"""The journal screen: all writes with their states, to undo or redo any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer

from ecr_tui.changes.entries import History
from ecr_tui.changes.history import LIVE, PastWrite, PastWrites
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.live_states import LiveStates
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.rows import RowsScreen
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED, NO, count, safe
from ecr_tui.ui.text.journal import (
    Line,
    arranged,
    columns,
    copied,
    detail,
    facts,
    meaning_lines,
    run_detail,
    state_line,
)
from ecr_tui.ui.text.places import fact_lines
from ecr_tui.ui.text.preview import diff_lines
from ecr_tui.ui.widgets.keyhints import Hint, KeyHints
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Hanging, Words

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.widgets.columns import Column
    from ecr_tui.workspace import Workspace

WATCH = 1.0
"""Seconds between checks of the file, which other instances write, too."""
WIDE = 100
"""Minimum columns to show all keys on a line."""
LOOKED = 50
"""Number of writes whose state is read for a filter without matches yet."""
LOOK = 0.15
"""Delay in seconds before live policies are read."""


class JournalScreen(RowsScreen[None]):
    """Reads the file when shown and whenever it grows. ``take_back(past, rows, redo)`` is called for u and r."""

    DEFAULT_CSS = """
    JournalScreen {
        &.-narrow > #dialog { width: 100%; }
        & > #dialog > #entries { height: 2fr; }
        & > #dialog > #detail { height: 3fr; border-top: solid $border-blurred; scrollbar-size-vertical: 1; }
    }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 (as Textual types it)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "take_back(False)", "Undo"),
        Binding("r,R", "take_back(True)", "Redo"),
        Binding("f", "only", "This repository"),
        Binding("W", "sort('when')", "Sort by time", show=False),
        Binding("C", "sort('change')", "Sort by change", show=False),
        Binding("P", "sort('principal')", "Sort by principal", show=False),
        Binding("X", "sort('state')", "Sort by state", show=False),
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
        take_back: Callable[[PastWrites, Sequence[PastWrite], bool], None],
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._repository = repository
        self._take_back = take_back
        self._only = False
        self._run = ""
        self._words = ""
        self._past = PastWrites(History(()))
        self._live = LiveStates(self, workspace, changed=self._known, ended=self._all_known)
        self._loaded = False
        self._problem: EcrTuiError | None = None
        self._mark: tuple[int, int] | None = None
        self._reading = False
        self._arranged = 0
        self._now = now
        self._timer: Timer | None = None
        self.table: VirtualTable[Line] = VirtualTable(
            self._columns(()), key=lambda line: line.id, search=lambda line: line.id, id="entries"
        )

    def _columns(self, lines: Sequence[Line]) -> list[Column[Line]]:
        names = {line.row.entry.record.repository for line in lines if not line.several}
        several_regions = len({line.row.entry.record.region for line in lines}) > 1
        found = columns(lambda: self._past, self._live.known, self._now, names)
        return [column for column in found if column.id != "region" or several_regions]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Words(classes="title")
            yield self.filter_box("repository, principal, kind, condition or state")
            yield self.table
            with VerticalScroll(id="detail", can_focus=True):
                yield Hanging(id="entry", classes="body")
            yield KeyHints(between="  ")

    def on_mount(self) -> None:
        self.table.set_message("Reading the journal…")
        self.read()
        self.set_interval(WATCH, self.read)
        self._say()

    # -- reading -------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """On a thread, and only if the file has changed."""
        if self._reading:
            return
        self._reading = True
        workspace, before, loaded = self._workspace, self._mark, self._loaded

        def work() -> tuple[tuple[int, int] | None, PastWrites | None]:
            mark = _mark(workspace)
            return mark, None if loaded and mark == before else workspace.changes.past_writes()

        jobs.start(self, work, self._took, self._failed)

    def _took(self, found: tuple[tuple[int, int] | None, PastWrites | None]) -> None:
        mark, past = found
        self._reading = False
        self._problem = None
        if past is not None:
            self._mark, self._past, self._loaded = mark, past, True
            self._live.of(past)
            self._show()

    def _failed(self, error: EcrTuiError) -> None:
        self._reading = False
        self._problem = error
        self.table.set_message(f"{NO} {safe(error.title)}", "", safe(error.hint))
        self._say()

    @property
    def _chosen(self) -> Sequence[PastWrite]:
        arn = self._repository.arn if self._only and self._repository is not None else ""
        return self._past.chosen(repository=arn)

    def _show(self) -> None:
        """Filter and group on a thread, because it is slow with thousands of entries."""
        self._arranged += 1
        asked, past, words, run, states = self._arranged, self._past, self._words, self._run, dict(self._live.known)
        work = partial(arranged, self._chosen, words, past, states, run)
        jobs.start(self, work, partial(self._show_lines, asked), self._failed)

    def _show_lines(self, asked: int, lines: Sequence[Line]) -> None:
        if asked != self._arranged:
            return
        if not lines:
            where = f" to {safe(self._repository.name)}" if self._only and self._repository is not None else ""
            found = f"No write{where} matches the filter." if self._words else f"No writes{where} in this journal."
            self.table.set_message(found)
        self.table.set_columns(self._columns(lines))
        self.table.set_rows(lines)
        self._say()
        self._look_soon()

    def _say(self) -> None:
        past, parts = self._past, [("Journal", "bold")]
        if self._loaded:
            parts.append((f"  {count(sum(len(line.rows) for line in self.table.rows), 'write')}", MUTED))
            if self._run:
                parts.append((f" of run {safe(self._run)}", ""))
            if self._only and self._repository is not None:
                parts.append((f" to {safe(self._repository.name)}", ""))
            if self._words:
                parts.append((f"  / {safe(self._words)}", "$text-accent"))
            if past.damaged:
                parts.append((f"  ! {count(len(past.damaged), 'line')} cannot be read", "$text-warning"))
        if self._problem is not None:
            parts.append((f"  {NO} {safe(self._problem.title)}", "$text-error"))
        self.query_one(".title", Words).say(Content.assemble(*parts))
        self.say_keys()

    def hints(self) -> list[Hint]:
        line = self.table.current
        return [
            ("enter", "open the run" if line is not None and line.several else "details"),
            ("u", "undo"),
            ("r", "redo"),
            ("/", "filter"),
            ("f", "all repositories" if self._only else "this repository"),
            *([("S W C P X", "sort")] if self.size.width >= WIDE else []),
            ("y", "copy"),
            ("esc", "back" if self._run or self._words else "close"),
        ]

    # -- details and states ----------------------------------------------

    @on(VirtualTable.Moved)
    @on(VirtualTable.WindowChanged)
    def _look_soon(self) -> None:
        self._live.stop()
        if self._timer is not None:
            self._timer.stop()
        self._draw()
        self._timer = self.set_timer(LOOK, self._look)

    def _look(self) -> None:
        """Read the live policies of visible rows, the cursor's first. A filter without matches may need states that are
        unknown yet."""
        self._timer = None
        lines = [line for line in (self.table.current, *self.table.window()) if line is not None and not line.several]
        rows = [line.row for line in lines]
        if not self.table.rows and any(len(word) > 2 and word in LIVE for word in self._words.casefold().split()):
            rows = [row for row in self._chosen if self._live.unknown(row)][:LOOKED]
        self._live.want(rows)

    def _known(self) -> None:
        self.table.redraw_rows()
        self._draw()

    def _all_known(self) -> None:
        if self._words:
            self._show()

    def _draw(self) -> None:
        line = self.table.current
        entry = self.query_one("#entry", Hanging)
        self.say_keys()
        if line is None:
            entry.say(Content.empty())
        elif line.several:
            entry.say(run_detail(line, self._past, self._live.known))
        else:
            row = line.row
            state = state_line(row, self._live.state(row), self._live.problems.get(row.id, ""))
            entry.say(detail(row, state))

    def filter_rows(self, text: str) -> None:
        self._words = text
        self._show()

    # -- actions -------------------------------------------------------------------------------------------------

    def action_take_back(self, redo: bool) -> None:
        line = self.table.current
        if line is not None:
            self._take_back(self._past, line.rows, redo)

    def action_only(self) -> None:
        if self._repository is None:
            self.app.notify("No repository is selected.", markup=False)
            return
        self._only = not self._only
        self._show()

    def action_scroll_detail(self, lines: int) -> None:
        self.query_one("#detail", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        if (line := self.table.current) is not None:
            self.post_message(CopyWanted(copied(line.rows), count(len(line.rows), "entry", "entries")))

    @on(VirtualTable.Opened)
    def _opened(self) -> None:
        line = self.table.current
        if line is None:
            return
        if line.several:
            self._run = line.id
            self._show()
            return
        row = line.row
        whole = [*meaning_lines(row), *fact_lines(facts(row)), Content(""), *diff_lines(row.text_diff, whole=True)]
        title = f"{safe(row.entry.record.kind)} on {safe(row.entry.record.repository)}"
        self.app.push_screen(TextScreen(title, Content("\n").join(whole), copy=copied([row]), what="the entry"))

    def clear(self) -> bool:
        """Close the opened run."""
        opened, self._run = self._run, ""
        if opened:
            self._show()
            self.call_after_refresh(self.table.go_to_key, opened)
        return bool(opened)

    def document(self) -> str:
        return copied([row for line in self.table.rows for row in line.rows])


def _mark(workspace: Workspace) -> tuple[int, int] | None:
    """A stamp that changes with each write to the journal."""
    try:
        found = workspace.changes.journal.path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
