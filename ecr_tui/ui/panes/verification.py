"""Live verification of one repository: verdict and cause, then a row per stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.actions import Access
from ecr_tui.ui import jobs
from ecr_tui.ui.batch import CANCEL_PATIENCE
from ecr_tui.ui.messages import Failed, Latest
from ecr_tui.ui.panes.explanation import explanation
from ecr_tui.ui.plain import pace
from ecr_tui.ui.proof import Changes, Run, StageRow
from ecr_tui.ui.selection import Selection
from ecr_tui.ui.text import MUTED, NO, OK, safe
from ecr_tui.ui.text.past import last_line, report_text
from ecr_tui.ui.text.verification import PULL_TIME, START, fix_keys, loudest, stage_line, verdict
from ecr_tui.ui.widgets.reading import Reading
from ecr_tui.ui.widgets.words import Hanging, Words
from ecr_tui.verification.report import Event, Report, StageEnded, StageProgress, StageStarted, stages_of

if TYPE_CHECKING:
    from ecr_tui.listing.policy_reader import Answer
    from ecr_tui.verification.records import Past
    from ecr_tui.workspace import Workspace

TICK = 0.25
"""Refresh interval in seconds of a running stage's time."""


@dataclass(eq=False)
class Verifying(Message):
    """Sent from the run's thread."""

    run: Run
    event: Event

    def can_replace(self, message: Message) -> bool:
        """Progress of the same stage: only the newest is handled."""
        return (
            isinstance(message, Verifying)
            and isinstance(message.event, StageProgress)
            and isinstance(self.event, StageProgress)
            and message.run is self.run
            and message.event.name == self.event.name
        )


class VerificationPane(Reading):
    """Owns the run, and past verifications with later changes."""

    DEFAULT_CSS = """
    VerificationPane {
        scrollbar-size-vertical: 1;
        & > Static { width: 1fr; height: auto; }
        & > #stages { text-wrap: nowrap; text-overflow: ellipsis; }
        & > #last, & > #pull-time, & > #hint { margin-bottom: 1; }
        & > #failure { height: auto; }
    }
    """
    selection: var[Selection] = var(Selection, init=False)

    class Updated(Latest):
        """A run started, ended, or is of another repository: for tabs and status line."""

    class Recorded(Message):
        """:meth:`last` has new results."""

    def __init__(
        self,
        workspace: Workspace,
        selection: Selection,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(id="verification")
        self.set_reactive(VerificationPane.selection, selection)
        self.border_title = "Verification"
        self._workspace = workspace
        self._now = now
        self._clock = clock
        self._cancel = threading.Event()
        self._cancel_opinion = threading.Event()
        self._ticker: Timer | None = None
        self._last: dict[str, Past] = {}
        self._read_for: str | None = ""
        """The account of :attr:`_last`."""
        self._shown: Run | None = None
        self._explained: object = None
        self._stale = self._title = ""
        self.run: Run | None = None
        self.changes = Changes(now)

    def compose(self) -> ComposeResult:
        yield Words(id="verdict")
        yield Words(id="hint")
        yield Words(Content.styled(PULL_TIME, "$text-warning"), id="pull-time")
        yield Words(id="last")
        yield Vertical(id="failure")
        yield Words(id="stages")
        yield Hanging(START, id="start")

    def on_mount(self) -> None:
        self._ticker = self.set_interval(pace(self, TICK), self._tick, pause=True)
        self.draw()

    def on_unmount(self) -> None:
        self._cancel.set()
        self._cancel_opinion.set()

    # -- the run ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.run is not None and self.run.running

    def forget_run(self) -> None:
        """Drop it: it was another account B's."""
        self.run, self._last, self._read_for = None, {}, None
        self._update()
        self.call_after_refresh(self._read_other)

    def _read_other(self) -> None:
        if self._account() != self._read_for:
            self.read_record()

    def about(self, repository: Repository | None) -> Run | None:
        """The run to show for this repository: its own, or a running one."""
        run = self.run
        mine = run is not None and repository is not None and run.repository.arn == repository.arn
        return run if run is not None and (mine or run.running) else None

    def start(
        self, repository: Repository, access: Access, others: Sequence[Repository] = (), *, tag_switch: bool = False
    ) -> None:
        """``others``: repositories where account B must be denied; if empty, one is chosen."""
        self._cancel_opinion.set()
        cancel = self._cancel = threading.Event()
        serial, at = self.changes.next(), self._now()
        run = self.run = Run(
            repository, [StageRow(name) for name in stages_of(access)], access=access, serial=serial, at=at
        )
        work = partial(
            self._workspace.verification.run,
            repository,
            engine=self._workspace.settings.engine,
            isolation=others or "auto",
            access=access,
            tag_switch=tag_switch,
            on_event=lambda event: jobs.call(self, self.post_message, Verifying(run, event)),
            cancel=cancel,
        )
        self.run_worker(self._verify(run, work))
        if self._ticker is not None:
            self._ticker.resume()
        self._update()
        self.scroll_home(animate=False)

    async def _verify(self, run: Run, work: Callable[[], Any]) -> None:
        try:
            run.report = await jobs.on_thread(work)
        except EcrTuiError as error:
            run.error = error
        for stage in run.report.stages if run.report is not None else ():
            run.row(stage.name).stage = stage
        if self._ticker is not None:
            self._ticker.pause()
        self.read_record()
        self._update()
        if self.about(self.selection.repository) is None:
            self.app.notify(verdict(run).plain, title=f"Verification of {safe(run.repository.name)}", markup=False)
        if run.error is not None:
            self._failed(run.error)
        elif run is self.run and run.report is not None and run.report.awaits_opinion:
            self._ask_aws(run, run.report)

    def _ask_aws(self, run: Run, report: Report) -> None:
        """Requested after the verdict."""
        cancel = self._cancel_opinion = threading.Event()
        ask = partial(self._workspace.verification.with_opinion, report, run.repository, cancel)
        jobs.start(self, ask, partial(self._take_opinion, run), self._failed)

    def _take_opinion(self, run: Run, report: Report) -> None:
        if run is self.run:
            run.report = report
            self.draw()

    def _failed(self, error: EcrTuiError) -> None:
        self.post_message(Failed(error).set_sender(self))

    @on(Verifying)
    def _told(self, message: Verifying) -> None:
        message.stop()
        run, event = message.run, message.event
        if run is not self.run:
            return
        if isinstance(event, StageProgress):
            row = run.row(event.name)
            row.latest = event.progress
            if event.progress.layer:
                row.layers[event.progress.layer] = event.progress
            return  # the next tick shows it
        if isinstance(event, StageStarted):
            run.row(event.name).began = self._clock()
        elif isinstance(event, StageEnded):
            run.row(event.stage.name).stage = event.stage
        self.draw()

    def cancel(self) -> bool:
        """Cancel; returns whether a run was in progress."""
        run = self.run
        if run is None:
            return False
        if not run.running:
            asking = run.report is not None and run.report.awaits_opinion and not self._cancel_opinion.is_set()
            self._cancel_opinion.set()
            return asking
        run.cancelling = True
        self._cancel.set()
        self._update()
        self.set_timer(CANCEL_PATIENCE, partial(self._lose_patience, run))
        return True

    def _lose_patience(self, run: Run) -> None:
        """It did not end in time; its result is still used when it arrives."""
        run.abandoned = run.running
        self._update()

    def _tick(self) -> None:
        if self.running:
            self.draw()

    def _update(self) -> None:
        self.draw()
        self.post_message(self.Updated().set_sender(self))

    # -- past verifications ----------------------------------------------------------------------------------

    def read_record(self) -> None:
        """Read on a thread, because it grows with every verification."""
        self._read_for = self._account()
        self.run_worker(self._read_record(self._read_for), group="record", exclusive=True)

    def _account(self) -> str | None:
        """With several consumers, the account of the current one: results of others do not apply. None while
        unknown."""
        settings, identity = self._workspace.settings, self.selection.consumer
        if len(settings.consumers) < 2:
            return ""
        configured = settings.consumer.account if settings.consumer is not None else None
        return identity.account if identity is not None else configured

    async def _read_record(self, account: str | None) -> None:
        if account is None:
            self._last = {}
            return
        try:
            self._last = dict(await jobs.on_thread(partial(self._workspace.verification.latest, account)))
        except EcrTuiError:
            return  # an unreadable record is reported by h
        self.draw()
        self.post_message(self.Recorded().set_sender(self))

    def last(self, repository: Repository) -> Past | None:
        """Its last verification, as far as the record was read, with what has changed since."""
        past = self._last.get(repository.arn)
        stale = "" if past is None else self.changes.since_time(past.arn, past.at)
        return replace(past, stale=stale) if past is not None and stale else past

    @property
    def stale(self) -> str:
        """Why the run's result is stale; "" if it is not."""
        return "" if self.run is None else self.changes.since(self.run.repository.arn, self.run.serial)

    def policies_read(self, policies: Mapping[str, Answer[str | None]], arns: Iterable[str]) -> list[str]:
        """``arns`` with a policy changed by another writer, which makes results stale."""
        read = {arn: policies[arn].value for arn in arns if policies[arn].error is None}
        others = [arn for arn, policy in read.items() if self.changes.read(arn, policy)]
        if others:
            self._update()
        return others

    def access_changed(self, arns: Iterable[str], what: str) -> None:
        """Record a change of access; ``what`` is a noun."""
        for arn in arns:
            self.changes.add(arn, what)
        self._update()

    def look_at_tags(self, find: Callable[[str], Repository | None]) -> None:
        """Update the run's repository from a listing."""
        run = self.run
        now = find(run.repository.arn) if run is not None else None
        if run is None or now is None or now.tags is None or run.repository.tags is None:
            return
        if now.tags != run.repository.tags and not self.stale:
            self.changes.add(now.arn, "tag change")
            self._update()

    # -- drawing ---------------------------------------------------------------------------------------------------

    def watch_selection(self) -> None:
        if self.is_mounted:
            self._read_other()
            self.draw()

    def draw(self) -> None:
        """Draw the run of the selected repository, or the running one; never a result of another repository.

        Nothing while the pane is being removed, its children first.
        """
        if not self.query("#last"):
            return
        repository = self.selection.repository
        run = self.about(repository)
        if run is None:
            self._clear(repository)
        else:
            self._show(run)
        report = run.report if run is not None else None
        engine = report.engine_description if report is not None else f"engine {self._workspace.settings.engine}"
        self.border_subtitle = Content(safe(engine))
        past = self.last(repository) if repository is not None and run is None else None
        words = self.query_one("#last", Words)
        words.display = past is not None
        if repository is not None and past is not None:
            words.say(last_line(repository.name, past, self._now()))
        # A pull verification changes the last-pull time of an existing image.
        self.query_one("#pull-time", Words).display = self.selection.choice.access.pulls_only

    def _clear(self, repository: Repository | None) -> None:
        """Show how to start, without a run for this repository."""
        if self._shown is not None:
            self._shown = self._explained = None
            self.query_one("#failure", Vertical).remove_children()
        self._show_parts(run=False)
        self._set_title(f"Verification · {safe(repository.name)}" if repository is not None else "Verification")

    def _show_parts(self, *, run: bool) -> None:
        """Title for the run, or for the start hint."""
        for name in ("#verdict", "#hint", "#stages"):
            self.query_one(name, Words).display = run
        self.query_one("#start", Hanging).display = not run

    def _set_title(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self.border_title = Content(title)

    def _show(self, run: Run) -> None:
        self._stale = "" if run.running else self.stale
        only = f" · {run.access.words} only" if run.access not in (None, Access.PUSH_PULL) else ""
        at = f" · {run.at.astimezone(UTC):%H:%M} UTC" if run.at is not None else ""
        self._set_title(f"Verification · {safe(run.repository.name)}{only}{at}")
        self._shown = run
        self._show_parts(run=True)
        said = verdict(run)
        if self._stale:
            said = Content.styled(said.plain, f"strike {MUTED}")
        self.query_one("#verdict", Words).say(said)
        line = (
            f"{self._stale[:1].upper()}{self._stale[1:]}. Press v to verify again."
            if self._stale
            else fix_keys(run, self.selection.plan)
        )
        hint = self.query_one("#hint", Words)
        hint.display = bool(line)
        hint.say(Content.styled(line, "bold $text-warning" if self._stale else "$text-accent"))
        now = self._clock()
        self.query_one("#stages", Words).say(
            Content("\n").join([stage_line(row, now, run.cancelling) for row in run.rows])
        )
        self._explain(run)

    def _explain(self, run: Run) -> None:
        """Rebuilt only for new content: mounting at each progress event would flicker."""
        subject = (run, run.report, run.error)
        if self._explained == subject:
            return
        self._explained = subject
        holder = self.query_one("#failure", Vertical)
        holder.remove_children()
        holder.mount_all(explanation(run))

    def take_focus(self) -> None:
        self.focus()

    def copy_text(self) -> tuple[str, str]:
        run = self._shown
        if run is None:
            return "", ""
        if run.error is not None:
            return run.error.text(), "the error"
        if run.report is None:
            return "", ""
        old = f"STALE: {self._stale}\n" if self._stale else ""
        return old + report_text(run.report), "the report"

    @property
    def summary(self) -> str:
        """A word with its mark, for the narrow layout's tab."""
        run = self._shown
        if run is None:
            return ""
        if run.running:
            return "running"
        if self._stale:
            return "stale"
        if run.report is None:
            return f"{NO} error"
        return f"{OK} allowed" if run.report.passed else f"{NO} {loudest(run.report)}"
