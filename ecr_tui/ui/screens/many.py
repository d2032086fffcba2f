"""Verifying all marked repositories: a line each while they run, then their verdicts, each with its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ecr_tui.policy.principal import describe
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.proving import CANCEL_PATIENCE, TICK, steps
from ecr_tui.ui.screens.text import ErrorScreen, TextScreen
from ecr_tui.ui.text import NO, OK, count, safe, safe_block, seconds
from ecr_tui.ui.widgets.columns import Column, Piece
from ecr_tui.ui.widgets.keyhints import Hint, KeyHints
from ecr_tui.ui.widgets.run_table import RunTable
from ecr_tui.ui.widgets.verification import report_text
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.flows.many import ManyRow, ManyRun, ManyVerifier
    from ecr_tui.ui.screens.main import MainScreen
    from ecr_tui.verification.batch import Result

ASK_ABOVE = 10
"""So many marked repositories are verified without a question: each costs some ten requests and pushes an image."""

NAME = 28
"""Characters of a name that are shown where longer ones are among them."""


class ManyScreen(Dialog[None]):
    """Shows a run; closing it while it still cleans up leaves that going on."""

    DEFAULT_CSS = """
    ManyScreen {
        & > #dialog { width: 96%; max-width: 116; }
        & #summary { height: auto; width: 1fr; margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Cancel or close"),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(self, verifier: ManyVerifier, run: ManyRun, cancel: Callable[[], None]) -> None:
        super().__init__()
        self.run = run
        self._verifier = verifier
        self._cancel = cancel

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(f"Verify {count(len(self.run.rows), 'repository', 'repositories')}", classes="title")
            yield RunTable(columns(self.run, self._verifier.clock), key=lambda row: row.repository.arn)
            yield Words(summary(self.run, self._verifier.clock()), id="summary")
            yield KeyHints(*keys(self.run))

    def on_mount(self) -> None:
        table = self.query_one(RunTable)
        table.set_rows(self.run.rows)
        table.focus()
        self.set_interval(TICK, self._tick)

    def _tick(self) -> None:
        if self.run.running:
            self.show()

    def show(self) -> None:
        if not self.is_attached or not self.query("#summary"):
            return
        self.query_one(RunTable).redraw_rows()
        self.query_one("#summary", Words).say(summary(self.run, self._verifier.clock()))
        self.query_one(KeyHints).tell(*keys(self.run))

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        message.stop()
        row: ManyRow | None = message.row
        if row is None:
            return
        result = row.result
        if result is None:
            self.app.notify("Its report is made when it ends.", markup=False)
        elif result.report is None:
            if result.error is not None:
                self.app.push_screen(ErrorScreen(result.error))
        else:
            text = report_text(result.report)
            title = f"{OK if result.passed else NO} {safe(row.repository.name)}"
            copy = result.to_markdown()
            body = Content(safe_block(text))
            self.app.push_screen(TextScreen(title, body, copy=copy, what="the report", failure=not result.passed))

    def action_copy(self) -> None:
        if self.run.batch is None:
            self.app.notify("The report is made when all have ended.", markup=False)
        else:
            self.app.post_message(CopyWanted(self.run.batch.to_markdown(), "the report (Markdown)"))

    def action_leave(self) -> None:
        if self.run.running and not self.run.cancelling:
            self._cancel()
        else:
            self.dismiss(None)


class ManyProving:
    """Belongs to the main screen: asks where that is due, starts, and keeps the run when its screen is closed."""

    def __init__(self, screen: MainScreen, verifier: ManyVerifier) -> None:
        self._screen = screen
        self.verifier = verifier
        self._shown: ManyScreen | None = None

    def start(self) -> None:
        screen = self._screen
        if self.verifier.running:
            self.open()
            return
        marked = list(screen.table.marked)
        hidden = len(screen.table.model.marked_hidden())
        if not marked:
            screen.app.notify("Nothing is marked: space marks, v verifies the selected one.", markup=False)
        elif len(marked) > ASK_ABOVE or hidden or screen.workspace.settings.confirms("verify"):
            some = f", {count(hidden, 'of them hidden', 'of them hidden')} by the filter" if hidden else ""
            body = [
                Content(
                    f"{steps(screen.choosing.choice.access)} In each of "
                    f"{count(len(marked), 'repository', 'repositories')}{some}."
                )
            ]

            def answered(yes: bool | None) -> None:
                if yes:
                    self._begin(marked)

            title = f"Verify {count(len(marked), 'repository', 'repositories')}?"
            screen.app.push_screen(ConfirmScreen(title, body, yes="Verify"), answered)
        else:
            self._begin(marked)

    def _begin(self, repositories: Sequence[Repository]) -> None:
        engine = self._screen.workspace.settings.engine
        access = self._screen.choosing.choice.access
        self.verifier.start(repositories, engine, access, on_end=self._ended)
        self.open()

    def open(self) -> None:
        """The run, or the last one."""
        run = self.verifier.run
        if run is not None:
            self._shown = ManyScreen(self.verifier, run, self.cancel)
            self._screen.app.push_screen(self._shown)
            self._screen.show_status()

    def cancel(self) -> None:
        self.verifier.cancel()
        self._changed()
        self._screen.set_timer(CANCEL_PATIENCE, self._lose_patience)

    def _lose_patience(self) -> None:
        self.verifier.abandon()
        self._changed()

    def _changed(self) -> None:
        if self._shown is not None and self._shown.run is self.verifier.run:
            self._shown.show()

    def _ended(self) -> None:
        self._changed()
        screen, run = self._screen, self.verifier.run
        screen.history.refresh()
        screen.show_status()
        screen.update_bindings()
        if run is None:
            return
        if run.error is not None:
            screen.report(run.error, "Verification stopped")
        elif run.batch is not None and (self._shown is None or not self._shown.is_attached):
            severity = "information" if run.batch.passed else "warning"
            screen.app.notify(run.batch.summary(), title="Verified", severity=severity, markup=False)  # type: ignore[arg-type]


def columns(run: ManyRun, clock: Callable[[], float]) -> list[Column[ManyRow]]:
    """Mark and name, word, time, and the stage that runs or the verdict as a sentence."""

    def cell(place: int) -> Callable[[ManyRow], list[Piece]]:
        return lambda row: [line(row, run, clock())[place]] if place else _named(row, run, clock())

    def took(row: ManyRow) -> float | None:
        return None if row.result is None or row.result.report is None else row.result.report.seconds

    name = min(max((len(row.repository.name) for row in run.rows), default=0), NAME) + 2
    return [
        Column("name", "Repository", cell(0), lambda row: row.repository.name, width=name, keep=9),
        Column("word", "Result", cell(1), lambda row: line(row, run, 0)[1][0], width=10, keep=8),
        Column("took", "Time", cell(2), took, width=7, keep=3, right=True),
        Column("said", "Stage or reason", cell(3), lambda row: line(row, run, 0)[3][0], width=12, flex=1, keep=7),
    ]


def _named(row: ManyRow, run: ManyRun, now: float) -> list[Piece]:
    mark, style = line(row, run, now)[0]
    return [(f"{mark} ", style), (safe(row.repository.name), "dim" if style == "dim" else "strong")]


def line(row: ManyRow, run: ManyRun, now: float) -> tuple[Piece, Piece, Piece, Piece]:
    """Mark, word, time, sentence."""
    result = row.result
    if result is not None:
        style = "ok" if result.passed else "warn"
        mark, word = OK if result.passed else NO, result.word
        took = result.report.seconds if result.report is not None else None
        if took is None and result.report is not None:
            took = sum(stage.seconds or 0 for stage in result.report.stages)
        said = "" if result.passed else safe(reason(result))
        return (mark, style), (word, style), (seconds(took), "dim"), (said, "")
    if row.stage is None:
        return ("·", "dim"), ("not begun" if run.cancelling else "waiting", "dim"), ("", ""), ("", "")
    word = "stopping" if run.cancelling else "running"
    took = max(now - row.began, 0) if row.began is not None else None
    return ("▸", "strong"), (word, "strong"), (seconds(took), "dim"), (row.stage.value, "")


def reason(result: Result) -> str:
    """Of a failure the stage, the action and the side, short enough for a line; of what is louder the sentence."""
    report = result.report
    if report is None:
        return result.headline().partition(" ")[2]
    failure = report.failure
    if failure is None or result.word != report.verdict.value:
        sentence = report.headline().partition(" ")[2]
        return sentence.replace(report.principal, describe(report.principal)) if report.principal else sentence
    return " · ".join(part for part in (failure.name.value, failure.action, failure.side or failure.message) if part)


def summary(run: ManyRun, now: float) -> Content:
    if run.error is not None:
        return Content.styled(f"{NO} {safe(run.error.title)}", "bold $text-error")
    if run.batch is not None:
        took = (run.batch.finished_at - run.batch.started_at).total_seconds()
        good = run.batch.passed
        style = "bold $text-success" if good else "bold $text-error"
        return Content.styled(f"{OK if good else NO} {safe(run.batch.summary())} in {seconds(took)}", style)
    if run.abandoned:
        return Content.styled("Cancelled. Cleaning up goes on by itself; esc closes this.", "bold $text-warning")
    if run.cancelling:
        return Content.styled("Stopping, then cleaning up…", "bold $text-warning")
    return Content.styled(
        f"{run.done} of {len(run.rows)} done, {seconds(max(now - run.began, 0))}", "bold $text-primary"
    )


def keys(run: ManyRun) -> list[Hint]:
    pairs = [("↑ ↓", "choose"), ("enter", "its report"), ("y", "copy the report")]
    pairs.append(("esc", "stop all" if run.running and not run.cancelling else "close"))
    return pairs
