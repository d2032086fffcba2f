"""Screen of a bulk run: progress, result of each repository, and actions for the rest."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from ecr_tui.render.runs import run_markdown
from ecr_tui.ui.bulk import TICK, Row, Running
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.plain import pace
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.text import plan_screen
from ecr_tui.ui.text import safe
from ecr_tui.ui.text.bulk import (
    run_bar,
    run_columns,
    run_counts,
    run_keys,
    run_note,
    run_state,
    run_title,
    stopping_words,
)
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.run_table import RunTable
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words


class BulkRunScreen(Dialog[str]):
    """Closing it does not stop the run. Result "again" to retry failed and untried repositories, "undo" to undo the
    run."""

    DEFAULT_CSS = """
    BulkRunScreen {
        & > #dialog { width: 96%; max-width: 150; padding: 0 2; }
        & .title { margin-bottom: 0; }
        & #scroll { margin-top: 1; }
        & .keys { margin-top: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,p", "pause", "Pause"),
        Binding("escape", "stop_or_close", "Stop or close"),
        Binding("R", "leave", "Close"),
        Binding("q", "quit", "Quit"),
        Binding("r", "again", "Retry"),
        Binding("u", "take_back", "Undo"),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(self, run: Running) -> None:
        super().__init__()
        self.run = run
        self._last: Row | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Words(run_title(self.run), classes="title")
            yield Words(id="bar", classes="body")
            yield Words(id="counts", classes="body")
            yield Words(id="state", classes="body")
            yield RunTable(run_columns(self.run.rows), key=lambda row: row.repository.arn)
            yield Words(classes="note")
            yield KeyHints(*run_keys(self.run))

    def on_mount(self) -> None:
        self.table.set_rows(self.run.rows)
        self.table.focus()
        self.call_after_refresh(self.show)
        self._ticker = self.set_interval(pace(self, TICK), self._tick)

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)

    @property
    def table(self) -> RunTable[Row]:
        return self.query_one(RunTable)

    def _tick(self) -> None:
        if self.run.running:
            last, self._last = self._last, self.run.last
            self.show(follow=self._last if self._last is not last else None)
        else:
            self._ticker.stop()
            self._ended()

    def show(self, follow: Row | None = None) -> None:
        """Redraw, with this row in view."""
        if not self.is_attached or not self.query("#state"):
            return
        run = self.run
        self.query_one("#bar", Words).say(run_bar(run, self.query_one("#bar").content_size.width))
        self.query_one("#counts", Words).say(run_counts(run))
        self.query_one("#state", Words).say(run_state(run))
        self.query_one(".title", Words).say(run_title(run))
        self.query_one(KeyHints).tell(*run_keys(run))
        if follow is not None:
            self.table.follow(follow.place)
        self.table.redraw_rows()
        self._say_note()

    @on(VirtualTable.Moved)
    def _say_note(self) -> None:
        self.query_one(".note", Words).say(run_note(self.table.current))

    def _ended(self) -> None:
        self.table.set_rows(self.run.rows)
        self.table.follow(0)
        self.show()

    # -- keys ----------------------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        if self.run.running and not self.run.stopping:
            self.run.toggle_pause()
            self.show()

    def action_stop_or_close(self) -> None:
        run = self.run
        if not run.running or run.stopping:
            self.dismiss(None)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                run.stop()
                self.show()

        self.app.push_screen(
            ConfirmScreen("Stop the run?", [stopping_words(run)], yes="Stop", no="Continue", writes=False), answered
        )

    async def action_quit(self) -> None:
        """While it runs the app asks first; afterwards it is a normal dialog."""
        if self.run.running:
            await self.app.action_quit()
        else:
            self.dismiss(None)

    def action_take_back(self) -> None:
        if self.run.can_take_back:
            self.dismiss("undo")

    def action_again(self) -> None:
        if not self.run.running and self.run.error is None and self.run.undone():
            self.dismiss("again")

    def document(self) -> str:
        """The report, or the table while the run is in progress."""
        if self.run.summary is None:
            return self.table.plain()
        return run_markdown(self.run.summary, self.run.job.intent.words())

    def action_copy(self) -> None:
        if self.run.summary is None:
            self.app.notify("The report is available when the run has ended.", markup=False)
        else:
            self.app.post_message(CopyWanted(self.document(), "the report (Markdown)"))

    @on(VirtualTable.Opened)
    def _opened(self) -> None:
        row = self.table.current
        found = None if row is None else (row.result and row.result.error) or row.plan
        if row is not None and found is not None:
            name = safe(row.repository.name)
            self.app.push_screen(plan_screen(name, found, f"{name} was not written"))
