"""What a task works with: the workspace, the selection, questions to the user, and one write at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ecr_tui.changes.attempts import TOLD
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import safe

if TYPE_CHECKING:
    from textual.app import App
    from textual.content import Content
    from textual.message import Message
    from textual.screen import Screen

    from ecr_tui.aws.model import Repository
    from ecr_tui.policy.actions import Access
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.batch import BatchRun
    from ecr_tui.ui.bulk import Planning, Running
    from ecr_tui.ui.countdown import Countdown
    from ecr_tui.ui.selection import Selection
    from ecr_tui.workspace import Workspace

T = TypeVar("T")


class Stage(Protocol):
    """What tasks ask of the main screen. All of it is done at once, so that the next key finds it done."""

    @property
    def app(self) -> App[object]: ...

    @property
    def is_current(self) -> bool:
        """No dialog is open."""

    @property
    def shows_change(self) -> bool:
        """The change that ``g`` writes is on the screen."""

    def show_change(self) -> None: ...

    def selected(self) -> Selection:
        """The selection as of now."""

    def select(self, **changes: Any) -> None: ...

    def unmark(self) -> None: ...

    def tag_values(self) -> Mapping[str, Sequence[str]]:
        """The values of each tag key in the list."""

    def run(self, task: Coroutine[Any, Any, None]) -> None:
        """In a worker, which ends with the screen."""

    def post_message(self, message: Message) -> bool: ...

    def policies_changed(self, arns: list[str], what: str = "policy change") -> None:
        """Read these again. ``what`` changed access, as a noun; "" when nothing did."""

    def show_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """The tags that the repository has now."""

    def show_preview(self) -> None: ...

    def work_changed(self) -> None:
        """Something has begun or ended."""

    @property
    def verifying(self) -> bool: ...

    def verify(self, repository: Repository, access: Access, others: Sequence[Repository]) -> None:
        """Begin to verify it live. ``others``: where account B must be denied; without any, one is chosen."""

    def verified(self) -> None:
        """Verifications have ended."""

    def report(self, error: EcrTuiError, title: str = "") -> None: ...


class Desk:
    """``now`` is the wall clock, ``countdown`` the moment between ``g`` and its write."""

    def __init__(
        self, stage: Stage, workspace: Workspace, *, now: Callable[[], datetime], countdown: Countdown
    ) -> None:
        self.stage = stage
        self.workspace = workspace
        self.now = now
        self.countdown = countdown
        self.busy = ""
        """What is being done, for the status line, from the decision until the outcome is known; "" for nothing."""
        self.retrying = ""
        """Why the write under way is tried again; "" while it is not."""
        self.made_here: set[str] = set()
        """Journal entries of this session's writes."""
        self.planning: Planning | None = None
        self.run: Running | None = None
        """The run over many repositories that is under way, or the last one."""
        self.batch: BatchRun | None = None
        """The verification of many repositories that is under way, or the last one."""
        self._phase: tuple[Repository | None, Grant | None, str] = (None, None, "")

    @property
    def app(self) -> App[object]:
        return self.stage.app

    @property
    def running(self) -> bool:
        """A run over many repositories is under way."""
        return self.run is not None and self.run.running

    @property
    def selection(self) -> Selection:
        """As of now; a task is about the one that it was started with."""
        return self.stage.selected()

    # -- running -------------------------------------------------------------------------------------------------

    def start(self, task: Coroutine[Any, Any, None]) -> None:
        """Run a task. Its error is reported; a bug in it is shown, and does not end the app."""
        self.stage.run(self._guarded(task))

    async def _guarded(self, task: Coroutine[Any, Any, None]) -> None:
        try:
            await task
        except EcrTuiError as error:
            self.stage.report(error)
        except Exception as error:
            self.app.push_screen(ErrorScreen(jobs.as_error(error)))

    def ready(self) -> bool:
        """Whether something may be written now; says why not."""
        reason = str(self.workspace.settings.read_only_reason)
        if reason:
            self.say(f"Read-only: nothing was written. {safe(reason)}", warning=True)
        elif self.busy or self.countdown.pending:
            self.say("Another write is in progress.", warning=True)
        else:
            return True
        return False

    async def do(self, what: str, work: Callable[[], T]) -> T:
        """``work()``, on a thread; meanwhile nothing else may be written. Raises EcrTuiError."""

        def told(reason: str) -> None:
            jobs.post(self.stage, Answered(lambda: self._retries(reason)))

        def run() -> T:
            TOLD.set(told)
            return work()

        self.busy = what
        self.stage.work_changed()
        try:
            found = await jobs.on_thread(run)
        except Exception as error:
            self._done()
            raise jobs.as_error(error) from error
        self._done()
        return found

    def _done(self) -> None:
        self.busy = self.retrying = ""
        self.stage.work_changed()

    def _retries(self, reason: str) -> None:
        if self.busy:
            self.retrying = reason
            self.stage.show_preview()

    def stop(self) -> None:
        """Begin nothing further; what has begun is finished."""
        if self.planning is not None:
            self.planning.cancel.set()
        if self.run is not None:
            self.run.stop()
        if self.batch is not None:
            self.batch.stop()

    # -- what the preview's header says --------------------------------------------------------------------------

    def set_phase(self, repository: Repository | None, grant: Grant | None, words: str) -> None:
        """What happens to the preview of this grant on this repository."""
        self._phase = (repository, grant, words)
        self.stage.show_preview()

    def phase_of(self, repository: Repository, grant: Grant) -> str:
        """ "" while it is only a preview."""
        about, of, words = self._phase
        if about is None or (about.arn, of) != (repository.arn, grant):
            return ""
        return f"{words} retrying: {safe(self.retrying)}" if words and self.retrying else words

    # -- talking -------------------------------------------------------------------------------------------------

    def say(self, text: str, *, title: str = "", warning: bool = False) -> None:
        severity = "warning" if warning else "information"
        self.app.notify(text, title=title, severity=severity, timeout=8, markup=False)  # type: ignore[arg-type]

    async def ask(self, screen: Screen[T]) -> T | None:
        """The answer of a dialog."""
        return await self.app.push_screen_wait(screen)

    async def confirmed(self, title: str, body: Sequence[Content], *, yes: str, no: str = "No") -> bool:
        answer: bool | None = await self.ask(ConfirmScreen(title, body, yes=yes, no=no))
        return bool(answer)
