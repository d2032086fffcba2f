"""Verification of all marked repositories: a row each with progress, verdict and report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ecr_tui.policy.principal import describe
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.plain import pace
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.text import ErrorScreen, TextScreen
from ecr_tui.ui.text import NO, OK, count, safe, safe_block, seconds
from ecr_tui.ui.text.past import report_text
from ecr_tui.ui.text.places import longest
from ecr_tui.ui.widgets.columns import Column, Piece
from ecr_tui.ui.widgets.keyhints import Hint, KeyHints
from ecr_tui.ui.widgets.run_table import RunTable
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.ui.batch import BatchRow, BatchRun
    from ecr_tui.verification.batch import Result

TICK = 0.25
"""Refresh interval in seconds of running stages."""


class ManyScreen(Dialog[None]):
    """Shows a run; hiding it does not stop the run."""

    DEFAULT_CSS = """
    ManyScreen {
        & > #dialog { width: 96%; max-width: 150; padding: 0 2; }
        & #summary { height: auto; width: 1fr; }
        & .keys { margin-top: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel or close"),
        Binding("V,q", "hide", "Hide"),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(self, run: BatchRun) -> None:
        super().__init__()
        self.run = run

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(f"Verify {count(len(self.run.rows), 'repository', 'repositories')}", classes="title")
            yield RunTable(columns(self.run, self.run.clock), key=lambda row: str(row.place))
            yield Words(classes="note")
            yield Words(summary(self.run, self.run.clock()), id="summary")
            yield KeyHints(*keys(self.run))

    def on_mount(self) -> None:
        table = self.query_one(RunTable)
        table.set_rows(self.run.rows)
        table.focus()
        self._ticker = self.set_interval(pace(self, TICK), self._show)

    def _show(self) -> None:
        if not self.run.running:
            self._ticker.stop()
        self.query_one(RunTable).redraw_rows()
        self.query_one("#summary", Words).say(summary(self.run, self.run.clock()))
        self.query_one(KeyHints).tell(*keys(self.run))
        self._say_note()

    @on(VirtualTable.Moved)
    def _say_note(self) -> None:
        row: BatchRow | None = self.query_one(RunTable).current
        said = line(row, self.run, self.run.clock())[3][0] if row is not None else ""
        self.query_one(".note", Words).say(Content(said))

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        row: BatchRow | None = message.row
        if row is None:
            return
        result = row.result
        if result is None:
            self.app.notify("Its report is available when it ends.", markup=False)
        elif result.report is None:
            if result.error is not None:
                self.app.push_screen(ErrorScreen(result.error))
        else:
            text = report_text(result.report)
            title = f"{OK if result.passed else NO} {safe(row.repository.name)}"
            copy = result.to_markdown()
            body = Content(safe_block(text))
            self.app.push_screen(TextScreen(title, body, copy=copy, what="the report", failure=not result.passed))

    def document(self) -> str:
        """The report, or the table while the run is in progress."""
        return self.query_one(RunTable).plain() if self.run.batch is None else self.run.batch.to_markdown()

    def action_copy(self) -> None:
        if self.run.batch is None:
            self.app.notify("The report is available when all have ended.", markup=False)
        else:
            self.app.post_message(CopyWanted(self.document(), "the report (Markdown)"))

    def action_hide(self) -> None:
        self.dismiss(None)

    def action_leave(self) -> None:
        if self.run.running and not self.run.cancelling:
            self.run.stop()
            self._show()
        else:
            self.dismiss(None)


def columns(run: BatchRun, clock: Callable[[], float]) -> list[Column[BatchRow]]:
    """Columns: mark and name, result, time, and the current stage or the verdict."""

    def cell(place: int) -> Callable[[BatchRow], list[Piece]]:
        return lambda row: [line(row, run, clock())[place]] if place else _named(row, run, clock())

    def took(row: BatchRow) -> float | None:
        return None if row.result is None or row.result.report is None else row.result.report.seconds

    most = longest(row.repository.name for row in run.rows) + 2
    several = len({row.target.consumer for row in run.rows}) > 1
    return [
        Column("name", "Repository", cell(0), lambda row: row.repository.name, min(most, 18), most=most, keep=9),
        *([Column("as", "As", _consumer, lambda row: _consumer(row)[0][0], width=12, keep=6)] if several else []),
        Column("word", "Result", cell(1), lambda row: line(row, run, 0)[1][0], width=10, keep=8),
        Column("took", "Time", cell(2), took, width=7, keep=3, right=True),
        Column("said", "Stage or reason", cell(3), lambda row: line(row, run, 0)[3][0], width=12, flex=1, keep=7),
    ]


def _consumer(row: BatchRow) -> list[Piece]:
    return [(safe(row.target.consumer.name) if row.target.consumer is not None else "", "")]


def _named(row: BatchRow, run: BatchRun, now: float) -> list[Piece]:
    mark, style = line(row, run, now)[0]
    return [(f"{mark} ", style), (safe(row.repository.name), "dim" if style == "dim" else "strong")]


def line(row: BatchRow, run: BatchRun, now: float) -> tuple[Piece, Piece, Piece, Piece]:
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
        return ("·", "dim"), ("not started" if run.cancelling else "waiting", "dim"), ("", ""), ("", "")
    word = "stopping" if run.cancelling else "running"
    took = max(now - row.began, 0) if row.began is not None else None
    return ("▸", "strong"), (word, "strong"), (seconds(took), "dim"), (row.stage.value, "")


def reason(result: Result) -> str:
    """For a failure: stage, action and side on one line; for more severe results: the sentence."""
    report = result.report
    if report is None:
        return result.headline().partition(" ")[2]
    failure = report.failure
    if failure is None or result.word != report.verdict.value:
        sentence = report.headline().partition(" ")[2]
        return sentence.replace(report.principal, describe(report.principal)) if report.principal else sentence
    return " · ".join(part for part in (failure.name.value, failure.action, failure.side or failure.message) if part)


def summary(run: BatchRun, now: float) -> Content:
    if run.error is not None:
        return Content.styled(f"{NO} {safe(run.error.title)}", "bold $text-error")
    if run.batch is not None:
        took = (run.batch.finished_at - run.batch.started_at).total_seconds()
        good = run.batch.passed
        style = "bold $text-success" if good else "bold $text-error"
        return Content.styled(f"{OK if good else NO} {safe(run.batch.summary())} in {seconds(took)}", style)
    if run.abandoned:
        return Content.styled(
            "Canceled. Cleanup continues in the background; press Esc to close.", "bold $text-warning"
        )
    if run.cancelling:
        return Content.styled("Stopping, then cleaning up…", "bold $text-warning")
    return Content.styled(
        f"{run.done} of {len(run.rows)} done, {seconds(max(now - run.began, 0))}", "bold $text-primary"
    )


def keys(run: BatchRun) -> list[Hint]:
    look = [("enter", "report"), ("↑ ↓", "select")]
    if not run.running:
        return [("y", "copy report"), ("esc", "close"), *look]
    stop = [] if run.cancelling else [("esc", "stop all")]
    return [*stop, ("V", "hide (keeps running)"), *look]
