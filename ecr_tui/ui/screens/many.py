"""Verifying all marked repositories: a line each while they run, then their verdicts, each with its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ecr_tui.aws.model import Repository
from ecr_tui.policy.principal import describe
from ecr_tui.ui.flows.many import ManyRow, ManyRun, ManyVerifier
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.proving import CANCEL_PATIENCE, TICK
from ecr_tui.ui.screens.text import ErrorScreen, TextScreen
from ecr_tui.ui.text import MUTED, NO, OK, count, safe, safe_block, seconds
from ecr_tui.ui.widgets.verification import report_text
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.batch import Result
    from ecr_tui.ui.screens.main import MainScreen

ASK_ABOVE = 10
"""So many marked repositories are verified without a question: each costs some ten requests and pushes an image."""

NAME = 28


class ManyScreen(Dialog[None]):
    """Shows a run; closing it while it still cleans up leaves that going on."""

    DEFAULT_CSS = """
    ManyScreen {
        & > #dialog { max-width: 116; }
        & OptionList { height: auto; background: $surface; padding: 0; text-wrap: nowrap; text-overflow: ellipsis; }
        & OptionList, & OptionList:focus { border: none; }
        & #summary { height: auto; width: 1fr; margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Cancel or close"),
        Binding("y", "copy", "Copy"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, verifier: ManyVerifier, run: ManyRun, cancel: Callable[[], None]) -> None:
        super().__init__()
        self.run = run
        self._verifier = verifier
        self._cancel = cancel
        self._width = min(max((len(row.repository.name) for row in run.rows), default=0), NAME)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(f"Verify {count(len(self.run.rows), 'repository', 'repositories')}", classes="title")
            yield OptionList(*(Option(self._line(row)) for row in self.run.rows), id="scroll", markup=False)
            yield Words(summary(self.run, self._verifier.clock()), id="summary")
            yield Words(keys(self.run), classes="keys")

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.focus()
        options.highlighted = 0
        # What was told between composing and mounting had no line to be drawn on.
        self.show(range(len(self.run.rows)))
        self.set_interval(TICK, self._tick)

    def _tick(self) -> None:
        if self.run.running:
            self.show([place for place, row in enumerate(self.run.rows) if row.stage and row.result is None])

    def show(self, places: Sequence[int] = ()) -> None:
        """Draw the rows at these places, and the summary, anew."""
        if not self.is_attached or not self.query("#summary"):
            return
        options = self.query_one(OptionList)
        for place in places:
            options.replace_option_prompt_at_index(place, self._line(self.run.rows[place]))
        self.query_one("#summary", Words).say(summary(self.run, self._verifier.clock()))
        self.query_one(".keys", Words).say(keys(self.run))

    def _line(self, row: ManyRow) -> Content:
        return line(row, self.run, self._verifier.clock(), self._width)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self.run.rows[event.option_index]
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

    def action_move(self, rows: int) -> None:
        options = self.query_one(OptionList)
        (options.action_cursor_down if rows > 0 else options.action_cursor_up)()

    def action_copy(self) -> None:
        if self.run.batch is None:
            self.app.notify("The report is made when all have ended.", markup=False)
        else:
            self.app.post_message(TextScreen.CopyWanted(self.run.batch.to_markdown(), "the report (Markdown)"))

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
        hidden = len(screen.table.marked_hidden)
        if not marked:
            screen.app.notify("Nothing is marked: space marks, v verifies the selected one.", markup=False)
        elif len(marked) > ASK_ABOVE or hidden:
            some = f", {count(hidden, 'of them hidden', 'of them hidden')} by the filter" if hidden else ""
            body = [
                Content(
                    f"As account B: log in, push a probe image of under 2 kB to each of "
                    f"{count(len(marked), 'repository', 'repositories')}{some}, pull it back, and clean up."
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
        self.verifier.start(repositories, engine, on_change=self._changed, on_end=self._ended)
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
        self._changed(())
        self._screen.set_timer(CANCEL_PATIENCE, self._lose_patience)

    def _lose_patience(self) -> None:
        self.verifier.abandon()
        self._changed(())

    def _changed(self, places: Sequence[int]) -> None:
        if self._shown is not None and self._shown.run is self.verifier.run:
            self._shown.show(places)

    def _ended(self) -> None:
        screen, run = self._screen, self.verifier.run
        screen.history.refresh()
        screen.show_status()
        screen.update_bindings()
        if run is None:
            return
        if run.error is not None:
            screen.app.push_screen(ErrorScreen(run.error))
        elif run.batch is not None and (self._shown is None or not self._shown.is_attached):
            severity = "information" if run.batch.passed else "warning"
            screen.app.notify(run.batch.summary(), title="Verified", severity=severity, markup=False)  # type: ignore[arg-type]


def line(row: ManyRow, run: ManyRun, now: float, width: int) -> Content:
    """Mark, name, word, and the stage that runs or the verdict as a sentence."""
    name = safe(row.repository.name)
    name = name if len(name) <= width else name[: width - 1] + "…"
    result = row.result
    if result is not None:
        style = "$text-success" if result.passed else "$text-error"
        mark, word = OK if result.passed else NO, result.word
        took = result.report.seconds if result.report is not None else None
        if took is None and result.report is not None:
            took = sum(stage.seconds or 0 for stage in result.report.stages)
        return _line(mark, name, word, style, seconds(took), "" if result.passed else safe(reason(result)), width)
    if row.stage is None:
        return _line("·", name, "not begun" if run.cancelling else "waiting", MUTED, "", "", width)
    word = "stopping" if run.cancelling else "running"
    took = max(now - row.began, 0) if row.began is not None else None
    return _line("▸", name, word, "$text-primary", seconds(took), row.stage.value, width)


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


def _line(mark: str, name: str, word: str, style: str, took: str, said: str, width: int) -> Content:
    return Content.assemble(
        (f"{mark} ", style),
        (f"{name:<{width}}  ", "bold" if style != MUTED else MUTED),
        (f"{word:<10}", style),
        (f"{took:>7}  ", MUTED),
        said,
    )


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


def keys(run: ManyRun) -> Content:
    pairs = [("↑ ↓", "choose"), ("enter", "its report"), ("y", "copy the report")]
    pairs.append(("esc", "stop all" if run.running and not run.cancelling else "close"))
    return Content("   ").join(Content.assemble((key, "$text-accent bold"), f" {what}") for key, what in pairs)
