"""The policy preview: the exact document that ``g`` writes, in five tabs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer

from ecr_tui.access.replicas import Copy
from ecr_tui.aws.model import Repository
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.change import Grant
from ecr_tui.ui import jobs
from ecr_tui.ui.panes.details import Details
from ecr_tui.ui.panes.preview_tabs import CHANGE_TABS, TABS, Preview, PreviewTabs, Subject
from ecr_tui.ui.panes.second_opinion import AnalyzerQuestion
from ecr_tui.ui.result import Result
from ecr_tui.ui.selection import Selection
from ecr_tui.ui.text import MUTED, NO, safe
from ecr_tui.ui.text import preview as words
from ecr_tui.ui.text.sides import BothSides
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Plan
    from ecr_tui.listing.policy_reader import Answer
    from ecr_tui.workspace import Workspace


WAITS = "Cached list: the preview is available after the refresh"
MOVED_DEBOUNCE = 0.03
"""Delay while the cursor moves, to preview only the row where it stops."""
SIDES_DEBOUNCE = 0.15
"""Delay in seconds before IAM calls, while the choice is changing."""


class Beside(NamedTuple):
    """The repository's copies, and the same grant in the creation template for future repositories."""

    copies: tuple[Copy, ...] = ()
    template: Plan | None = None


class PreviewPane(Vertical):
    """Computes the preview of the selection."""

    DEFAULT_CSS = """
    PreviewPane {
        & > #sentence { height: auto; max-height: 3; width: 1fr; }
        & > #effect { height: auto; max-height: 6; width: 1fr; }
    }
    """
    selection: var[Selection] = var(Selection, init=False)

    class Wanted(Message):
        """Show the preview pane."""

    class Drawn(Message):
        """The preview, or the line above it, changed."""

    def __init__(
        self,
        workspace: Workspace,
        details: Details,
        selection: Selection,
        *,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(id="preview")
        self.set_reactive(PreviewPane.selection, selection)
        self.border_title = "Policy preview"
        self._workspace = workspace
        self._details = details
        self._tabs = PreviewTabs(now=now)
        self._result: Result | None = None
        self._timer: Timer | None = None
        self._title = ""
        self._asked: Plan | None = None
        """The plan that :attr:`both` is about."""
        self._from: Answer[str | None] | None = None
        """The policy that :attr:`made` is made from."""
        self._beside: dict[Subject, Beside] = {}
        self.both = BothSides()
        self.analyzer = AnalyzerQuestion(self, workspace, self._show_tabs)
        self.made = Preview(None)
        self.brief = Content.empty()
        """The lines above the tabs."""

    def compose(self) -> ComposeResult:
        yield Words(id="sentence")
        yield Words(id="effect")
        yield self._tabs

    # -- subject -----------------------------------------------------------------------------------------

    def watch_selection(self, before: Selection, after: Selection) -> None:
        if not self.is_mounted:
            return
        row, other = before.repository, after.repository
        if (row.arn if row else "") != (other.arn if other else ""):
            self._leave()
        elif self._timer is None and (row, before.grant, before.cached) != (other, after.grant, after.cached):
            self.renew()
        elif (before.choice, before.marked, before.consumer) != (after.choice, after.marked, after.consumer):
            self.draw()

    def _leave(self) -> None:
        """The cursor moved: no write until the new preview is computed."""
        self.workers.cancel_group(self, "preview")
        self.made = Preview(None, making=True)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(MOVED_DEBOUNCE, self.renew)

    def renew(self) -> None:
        """Compute it again. Drops a preview in progress for another subject or policy text."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.workers.cancel_group(self, "preview")
        selection = self.selection
        repository, grant = selection.repository, selection.grant
        if wait := self._wait():
            self.made = Preview(None, waiting_for=wait)
        elif repository is None:
            self.made = Preview(None, waiting_for="Select a repository")
        elif grant is None:
            self.made = Preview(None, waiting_for="Account B is unknown. Press b to choose a principal")
        else:
            self._begin(Subject(repository, grant))
        self.draw()

    def _wait(self) -> str:
        """Why there is no preview yet, or ""."""
        row, own = self.selection.repository, self.selection.choice.own_tag
        if row is None:
            return ""
        if self.selection.cached or row.tags_source == "cache":
            return WAITS
        if row.tags is None and own:
            return f"Reading the repository's {safe(own)} tag for the condition"
        return ""

    def _begin(self, subject: Subject) -> None:
        state = self._from = self._details.policies.get(subject.repository.arn)
        if state is None:
            self.made = Preview(subject, waiting_for="Reading the policy…")
            self._details.need_policy(subject.repository)
        elif state.error is not None:
            self.made = Preview(subject, error=state.error)
        else:
            self.made = Preview(subject, waiting_for="Preparing the preview…", making=True)
            # Not a coroutine yet: one that is superseded before its start would never be awaited.
            make = partial(self._make, subject, state.value)
            self.run_worker(make, group="preview", exclusive=True)  # type: ignore[arg-type]

    async def _make(self, subject: Subject, text: str | None) -> None:
        try:
            plan = await jobs.on_thread(partial(self._plan, subject, text))
        except EcrTuiError as error:
            self.made = Preview(subject, error=error)
        else:
            self.made = Preview(subject, plan)
        self.draw()
        if self.made.plan is not None and subject not in self._beside:
            beside = self._beside[subject] = await jobs.on_thread(lambda: self._look_beside(subject))
            if beside.copies or beside.template is not None:
                self.draw()

    def _look_beside(self, subject: Subject) -> Beside:
        """Runs on a thread. Failures must not block the preview."""
        access, copies, template = self._workspace.access, tuple[Copy, ...](), None
        with contextlib.suppress(EcrTuiError):
            copies = access.copies(*subject)
        with contextlib.suppress(EcrTuiError):
            template = access.template_plan(*subject)
        return Beside(copies, template)

    def beside(self, repository: Repository | None, grant: Grant | None) -> Beside:
        """State of the repository's copies and template with respect to this grant."""
        if repository is None or grant is None:
            return Beside()
        return self._beside.get(Subject(repository, grant), Beside())

    def forget_beside(self) -> None:
        """Invalidate after a write, and on refresh."""
        self._beside.clear()

    def _plan(self, subject: Subject, text: str | None) -> Plan:
        """Runs on a thread."""
        # The preview includes A's registry policy if known; a failure to read it must not block the preview.
        with contextlib.suppress(EcrTuiError):
            self._workspace.access.registry_facts(subject.repository.region)
        return self._workspace.changes.preview(subject.repository, subject.grant, text)

    def policies_read(self, arns: Collection[str]) -> None:
        """Policies were read: a changed text of the selected one causes a new preview."""
        row = self.selection.repository
        if (
            row is not None
            and row.arn in arns
            and (self.made.plan is None or self._details.policies[row.arn] != self._from)
        ):
            self.renew()

    def writable(self, repository: Repository | None, grant: Grant | None) -> Plan | None:
        """The finished plan, only if it is for exactly this repository and grant."""
        subject, plan = self.made.subject, self.made.plan
        if repository is None or grant is None or subject is None or plan is None:
            return None
        same = subject.repository.arn == repository.arn and subject.grant == grant
        return plan if same and plan.repository.arn == repository.arn else None

    def selected(self, selection: Selection) -> Selection:
        """The selection with its shown plan."""
        about = selection.repository, selection.grant
        copies, template = self.beside(*about)
        return selection.but(plan=self.writable(*about), problem=self.made.error, copies=copies, template=template)

    # -- both sides ------------------------------------------------------------------------------------------------

    def _look_at_sides(self) -> None:
        """Read only while visible, because it reads B's policies in IAM."""
        plan = self.made.plan
        if self.made.making:
            return
        if plan is not self._asked:
            self.workers.cancel_group(self, "sides")
            self._asked, self.both = None, BothSides()
        if plan is not None and self._asked is None and self.tab == "consumer":
            self._asked = plan
            self.run_worker(self._ask_sides(plan), group="sides", exclusive=True)

    async def _ask_sides(self, plan: Plan) -> None:
        access = self._workspace.access
        await asyncio.sleep(SIDES_DEBOUNCE)

        def work() -> BothSides:
            return BothSides(access.verdicts(plan), access.new_repositories(plan))

        try:
            self.both = await jobs.on_thread(work)
        except EcrTuiError as error:
            self.both = BothSides(error=error)
        self._show_tabs()

    # -- drawing ---------------------------------------------------------------------------------------------------

    @property
    def _going(self) -> bool:
        """The app is being left, or the pane removed: its children go first."""
        return not (self.is_attached and self.app.is_running and self.query("#effect"))

    def draw(self) -> None:
        if self._going:
            return
        preview, selection = self.made, self.selection
        repository = preview.subject.repository if preview.subject else None
        title = f"Policy preview · {safe(repository.name)}" if repository else "Policy preview"
        if title != self._title:
            self._title = title
            self.border_title = Content(title)
        consumer = selection.consumer
        account_b = consumer.account if consumer else None
        lacks = selection.choice.lacks(selection.repository)
        self.query_one("#sentence", Words).say(words.sentence(selection.grant, account_b, lacks, self.size.width))
        result, effect = self._lines()
        self.query_one("#effect", Words).say(Content("\n").join([*result, *effect]))
        self.brief = Content("\n").join([*result, words.sentence(selection.grant, account_b, lacks), *effect[:1]])
        self._look_at_sides()
        if not preview.making:
            self.analyzer.is_about(preview.plan)
        self._show_tabs()
        self.post_message(self.Drawn().set_sender(self))

    def _show_tabs(self) -> None:
        # Keep the old text until the new one is ready, to avoid flicker.
        if not (self.made.making or self._going):
            self._tabs.show(self.made, self.both, self.analyzer.asked)

    def _lines(self) -> tuple[list[Content], list[Content]]:
        """The last result, and the effect of the previewed write."""
        preview, selection = self.made, self.selection
        result, marks = self._result, len(selection.marked)
        if result is not None and not result.about(selection.repository, selection.grant):
            result = None
        own = result is not None and result.grant is not None and preview.plan is not None
        done = [] if result is None or own else [Content.styled(result.words, "$text-accent bold")]
        more = [Content.styled(line, "$text-warning") for line in (result.more if result is not None else ())]
        done += [] if own else more
        lines = [words.marked(marks)] if marks else []
        if preview.error is not None:
            lines.append(Content.styled(f"{NO} no preview: {safe(preview.error.title)}", "$text-error"))
        elif preview.plan is None or preview.subject is None:
            lines.append(Content.styled(preview.waiting_for, MUTED))
        else:
            phase = result.words if result is not None and own else ""
            lines.append(
                words.effect(preview.plan, phase, marks=marks, width=self.size.width or self.app.size.width - 2)
            )
            lines += more if own else []
            beside = self.beside(*preview.subject)
            lines += [*words.copies(beside.copies), *words.notes(preview.plan), *words.to_come(beside.template)]
        return done, lines

    def tell(self, result: Result) -> None:
        """Show a result, replacing the previous one."""
        self._result = result
        self.draw()

    def untell(self, result: Result | None = None, arns: Collection[str] = ()) -> None:
        """Remove this result, if still shown; or any of these repositories."""
        now = self._result
        if now is not None and (now is result or now.repository.arn in arns):
            self._result = None
            self.draw()

    def on_resize(self) -> None:
        self.draw()

    def on_unmount(self) -> None:
        self.analyzer.stop()

    def on_click(self, event: events.Click) -> None:
        """On the words beside a key."""
        if key := event.style.meta.get("press"):
            self.app.simulate_key(key)

    # -- tabs ------------------------------------------------------------------------------------------------------

    @property
    def tab(self) -> str:
        return self._tabs.tab

    @on(PreviewTabs.Turned)
    def _turned(self, message: PreviewTabs.Turned) -> None:
        message.stop()
        self._look_at_sides()

    def turn_to(self, tab: str) -> None:
        self._tabs.turn_to(tab)

    def commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """For the palette."""
        for tab in TABS:
            yield f"Preview: {tab.label}", "Show this tab of the policy preview", partial(self._turn_and_focus, tab.id)

    def _turn_and_focus(self, tab: str) -> None:
        self.turn_to(tab)
        self.post_message(self.Wanted().set_sender(self))

    @property
    def shows_change(self) -> bool:
        """Whether the visible tab shows the change."""
        return self.tab in CHANGE_TABS

    def take_focus(self) -> None:
        self._tabs.take_focus()

    def copy_text(self) -> tuple[str, str]:
        return self._tabs.copy_text()
