"""Services for tasks: the workspace, the selection, dialogs, and one write at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ecr_tui.changes.attempts import TOLD
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import safe

if TYPE_CHECKING:
    from textual.app import App
    from textual.content import Content
    from textual.screen import Screen

    from ecr_tui.ui.batch import BatchRun
    from ecr_tui.ui.bulk import Planning, Running
    from ecr_tui.ui.countdown import Countdown
    from ecr_tui.ui.result import Result
    from ecr_tui.ui.selection import Selection
    from ecr_tui.ui.stage import Stage
    from ecr_tui.workspace import Workspace

T = TypeVar("T")


class Host(Protocol):
    """The screen that runs tasks and holds the selection."""

    @property
    def app(self) -> App[object]: ...

    @property
    def is_current(self) -> bool:
        """No dialog is open."""

    def selected(self) -> Selection:
        """The current selection."""

    def select(self, **changes: Any) -> None: ...

    def run_worker(self, work: Coroutine[Any, Any, None], *, group: str) -> object:
        """Run until the screen is removed."""

    def tell(self, words: str) -> None:
        """Show briefly in the status line."""

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool: ...

    def work_changed(self) -> None:
        """Called when work starts or ends."""


class Desk:
    """``now`` is the wall clock, ``countdown`` the delay between ``g`` and its write."""

    def __init__(
        self, host: Host, stage: Stage, workspace: Workspace, *, now: Callable[[], datetime], countdown: Countdown
    ) -> None:
        self.host = host
        self.stage = stage
        self.workspace = workspace
        self.now = now
        self.countdown = countdown
        self.busy = ""
        """The current write, for the status line, from confirmation to result; "" if none."""
        self.retrying = ""
        """Why the current write is retried; "" if it is not."""
        self.made_here: set[str] = set()
        """Journal entries of this session's writes."""
        self.planning: Planning | None = None
        self.run: Running | None = None
        """The current or last bulk run."""
        self.batch: BatchRun | None = None
        """The current or last verification of many repositories."""

    @property
    def app(self) -> App[object]:
        return self.host.app

    @property
    def running(self) -> bool:
        """Whether a bulk run is in progress."""
        return self.run is not None and self.run.running

    @property
    def writing(self) -> bool:
        """Whether a policy is being written."""
        return self.busy in ("writing", "undoing") or self.running

    @property
    def verifying(self) -> bool:
        return self.stage.verification.running or (self.batch is not None and self.batch.running)

    @property
    def selection(self) -> Selection:
        """The current one; a task uses the one that it was started with."""
        return self.host.selected()

    def select(self, **changes: Any) -> None:
        self.host.select(**changes)

    # -- running -------------------------------------------------------------------------------------------------

    def start(self, task: Coroutine[Any, Any, None]) -> None:
        """Run a task. Errors are reported; a bug is shown and does not end the app."""
        self.host.run_worker(self._guarded(task), group="task")

    async def _guarded(self, task: Coroutine[Any, Any, None]) -> None:
        try:
            await task
        except EcrTuiError as error:
            self.stage.report(error)
        except Exception as error:
            self.app.push_screen(ErrorScreen(jobs.as_error(error)))

    def ready(self) -> bool:
        """Whether writing is possible now; reports the reason if not."""
        reason = str(self.workspace.settings.read_only_reason)
        if reason:
            self.say(f"Read-only: nothing was written. {safe(reason)}", warning=True)
        elif self.busy or self.countdown.pending:
            self.say("Another write is in progress.", warning=True)
        else:
            return True
        return False

    async def do(self, what: str, work: Callable[[], T], pending: Result | None = None) -> T:
        """Run ``work()`` on a thread, blocking other writes. ``pending`` is shown at the preview meanwhile, with the
        reason of a retry. Raises EcrTuiError."""

        def told(reason: str) -> None:
            jobs.call(self.host, self._retries, reason, pending)

        def run() -> T:
            TOLD.set(told)
            return work()

        self.busy = what
        self.host.work_changed()
        if pending is not None:
            self.stage.preview.tell(pending)
        try:
            found = await jobs.on_thread(run)
        except EcrTuiError:
            self._done(pending)
            raise
        self._done(pending)
        return found

    def _done(self, pending: Result | None) -> None:
        self.busy = self.retrying = ""
        self.host.work_changed()
        if pending is not None:
            self.stage.preview.untell(arns=[pending.repository.arn])

    def _retries(self, reason: str, pending: Result | None) -> None:
        if self.busy:
            self.retrying = reason
            self.host.work_changed()
            if pending is not None:
                self.stage.preview.tell(pending._replace(words=f"{pending.words} retrying: {safe(reason)}"))

    def stop(self) -> None:
        """Start no more; running work is completed."""
        if self.planning is not None:
            self.planning.cancel.set()
        if self.run is not None:
            self.run.stop()
        if self.batch is not None:
            self.batch.stop()

    def shows(self, run: Running | BatchRun) -> bool:
        """Whether its screen is open, possibly below another one."""
        return any(getattr(screen, "run", None) is run for screen in self.app.screen_stack)

    # -- messages and dialogs
    # -------------------------------------------------------------------------------------------------

    def say(self, text: str, *, title: str = "", warning: bool = False) -> None:
        severity = "warning" if warning else "information"
        self.app.notify(text, title=title, severity=severity, timeout=8, markup=False)  # type: ignore[arg-type]

    def tell(self, result: Result, title: str = "", *, warning: bool = False) -> None:
        """Show a result at its repository's preview; also as a toast if that is not visible."""
        self.stage.preview.tell(result)
        if not (self.host.is_current and self.stage.shows_result(result.repository)):
            text = "\n".join([result.words, *result.more])
            self.say(text, title=title or safe(result.repository.name), warning=warning or bool(result.more))

    async def ask(self, screen: Screen[T]) -> T | None:
        """The answer of a dialog."""
        return await self.app.push_screen_wait(screen)

    async def confirmed(self, title: str, body: Sequence[Content], *, yes: str, no: str = "No") -> bool:
        answer: bool | None = await self.ask(ConfirmScreen(title, body, yes=yes, no=no))
        return bool(answer)
