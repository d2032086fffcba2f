"""The main screen: composes the panes, keeps the selection, and hands on what one of them reports to the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.app import ComposeResult
from textual.reactive import var
from textual.screen import Screen

from ecr_tui.aws.role import Role
from ecr_tui.policy.actions import Access
from ecr_tui.ui import messages as said
from ecr_tui.ui import safety
from ecr_tui.ui.actions import TASKS, commands
from ecr_tui.ui.choice import Choice
from ecr_tui.ui.countdown import GRANT_DELAY, Countdown
from ecr_tui.ui.desk import Desk
from ecr_tui.ui.keys import BINDINGS, MAIN, Key, by_action
from ecr_tui.ui.panes.accounts import AccountCard, AccountsPane
from ecr_tui.ui.panes.area import PaneArea
from ecr_tui.ui.panes.banner import Banner
from ecr_tui.ui.panes.details import Details
from ecr_tui.ui.panes.preview import PreviewPane
from ecr_tui.ui.panes.repositories import RepositoriesPane
from ecr_tui.ui.panes.status import StatusBar
from ecr_tui.ui.panes.verification import VerificationPane
from ecr_tui.ui.screens.audit import AuditScreen
from ecr_tui.ui.screens.calls import CallsScreen
from ecr_tui.ui.screens.help import HelpScreen
from ecr_tui.ui.screens.matrix import MatrixScreen
from ecr_tui.ui.selection import Selection
from ecr_tui.ui.tasks import choices, copies, leftovers, runs
from ecr_tui.ui.tasks.accounts import renew
from ecr_tui.ui.text import safe
from ecr_tui.ui.widgets.keybar import KeyBar
from ecr_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.workspace import Workspace


class MainScreen(Screen[None]):
    """The stage of the tasks. What it does for them is done at once, so that the next key finds it done."""

    BINDINGS = BINDINGS
    AUTO_FOCUS = "#table"
    selection: var[Selection] = var(Selection, init=False)

    def __init__(
        self,
        workspace: Workspace,
        *,
        now: Callable[[], datetime],
        grant_delay: float = GRANT_DELAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.workspace = workspace
        settings = workspace.settings
        choice = Choice(access=Access.parse(settings.access), condition=settings.condition, scope=settings.scope_tag)
        selection = Selection(tags=tuple(settings.tags), choice=choice)
        self.set_reactive(MainScreen.selection, selection)
        self.desk = Desk(self, workspace, now=now, countdown=Countdown(delay=grant_delay, clock=clock))
        self._begun = False
        self._owners: set[str] = set()
        """Accounts whose journal was looked through for a run that was interrupted."""
        self._possible: tuple[bool, ...] = ()
        self.details = Details(self, workspace)
        self.accounts = AccountsPane(workspace, now=now)
        self.verification = VerificationPane(workspace, selection, now=now)
        self.preview = PreviewPane(workspace, self.details, selection, now=now, phase=self.desk.phase_of)
        self.repositories = RepositoriesPane(
            workspace,
            self.details,
            self.accounts.reads,
            principal=lambda: self.selection.principal,
            now=now,
            verified=self.verification.last,
        )
        self.listing, self.table = self.repositories.listing, self.repositories.table
        self.panes = PaneArea(self.accounts, self.repositories, self.preview, self.verification)
        self.banner = Banner()
        self.status = StatusBar()

    def compose(self) -> ComposeResult:
        yield self.panes
        yield self.banner
        yield self.status
        yield KeyBar()

    def on_mount(self) -> None:
        self.table.focus()
        # The first frame does not wait for boto3, which the first call to AWS imports.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._begun = True
        self.accounts.refresh_accounts()
        self.repositories.begin()
        self.preview.renew()
        self.verification.read_record()
        self._show_work()
        self.desk.start(leftovers.offer(self.desk))

    def on_unmount(self) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask everything that runs to end."""
        self.repositories.stop()
        self.details.stop()
        self.desk.stop()
        self.verification.cancel()

    def on_resize(self, event: events.Resize) -> None:
        self.panes.resized(event.size)
        # Its panes have their new sizes only then.
        self.call_after_refresh(self.panes.fit)

    # -- the selection ---------------------------------------------------------------------------------------------

    @property
    def repository(self) -> Repository | None:
        return self.table.current

    def select(self, **changes: Any) -> None:
        """The one place where the selection is set."""
        self.selection = self.selection.but(**changes)

    def selected(self) -> Selection:
        """The selection as of now: the messages of the panes may not have arrived yet."""
        table, reads = self.table, self.accounts.reads
        owner, consumer = (reads[role].identity if role in reads else None for role in Role)
        grant = self.selection.choice.grant(consumer, table.current)
        self.select(
            owner=owner,
            consumer=consumer,
            tags=self.listing.tags,
            repository=table.current,
            marked=tuple(table.marked) if table.marks else (),
            hidden=frozenset(one.arn for one in table.model.marked_hidden()) if table.marks else frozenset(),
            cached=self.listing.stale,
            plan=self.preview.writable(table.current, grant),
            problem=self.preview.made.error,
            copies=self.preview.copies(table.current, grant),
        )
        return self.selection

    def watch_selection(self, before: Selection, after: Selection) -> None:
        self.preview.selection = self.verification.selection = after
        if before.principal != after.principal:
            self.repositories.judge_anew()
        self._show_work()

    @on(VirtualTable.Moved)
    @on(PreviewPane.Drawn)
    def _select_anew(self) -> None:
        self.selected()

    @on(PreviewPane.Drawn)
    def _show_next(self) -> None:
        self.repositories.show_next(self.preview.sentence, self.preview.effect)

    @on(RepositoriesPane.Updated)
    @on(VerificationPane.Updated)
    def _panes_updated(self) -> None:
        self.selected()
        self._show_work()

    def _show_work(self) -> None:
        """What is going on, on the status line and the tabs; and which keys can do something now."""
        if not self._begun:
            return
        self.set_class(bool(self.workspace.settings.production_reason), "-production")
        self.accounts.mark_production()
        self.status.show(self.desk, self.listing, self.table, verifying=self.verification.running)
        self.panes.name_tabs(self.table.current)
        self.panes.fit_list()
        possible = tuple(self.is_possible(key) for key in MAIN)
        if possible != self._possible:  # all bindings are looked through for a refresh
            self._possible = possible
            self.refresh_bindings()

    # -- what panes report -----------------------------------------------------------------------------------------

    @on(AccountsPane.Read)
    def _account_read(self, message: AccountsPane.Read) -> None:
        owner = self.selected().owner
        if message.role is Role.OWNER and owner is not None and owner.account not in self._owners:
            self._owners.add(owner.account)
            self.desk.start(runs.offer_unfinished(self.desk))
        self.repositories.account_read(message.role)

    @on(VirtualTable.Loaded)
    def _rows_loaded(self) -> None:
        self.verification.look_at_tags(self.table.find)
        self.selected()

    @on(VirtualTable.Opened)
    def _row_opened(self) -> None:
        self.panes.go_to("preview")

    @on(said.DetailsRead)
    def _details_read(self) -> None:
        read, anything = self.details.take()
        if anything:
            self.repositories.policies_read(read)
        self.verification.policies_read(self.details.policies, read)
        self.preview.policies_read(read)

    @on(VerificationPane.Recorded)
    def _record_read(self) -> None:
        self.table.redraw_rows()

    @on(StatusBar.Opened)
    def _status_opened(self) -> None:
        self.repositories.show_failures()

    @on(AccountCard.ChangeWanted)
    async def _accounts_wanted(self) -> None:
        await self.action_task("accounts")

    @on(said.Failed)
    def _failed(self, message: said.Failed) -> None:
        self.report(message.error, message.title)

    @on(said.Answered)
    def _answered(self, message: said.Answered) -> None:
        message.take()

    # -- what tasks ask for ----------------------------------------------------------------------------------------

    @property
    def writing(self) -> bool:
        """A policy is being written at this moment."""
        return self.desk.busy in ("writing", "undoing") or self.desk.running

    @property
    def verifying(self) -> bool:
        return self.verification.running or (self.desk.batch is not None and self.desk.batch.running)

    @property
    def shows_change(self) -> bool:
        """The change that ``g`` writes is on the screen."""
        return self.panes.sees("preview") and self.preview.shows_change

    def show_change(self) -> None:
        self.preview.turn_to("diff")
        self.panes.go_to("preview")

    def show_preview(self) -> None:
        """Another line is to be shown above it."""
        if self._begun:
            self.preview.draw()

    def run(self, task: Coroutine[Any, Any, None]) -> None:
        self.run_worker(task, group="task")

    def tag_values(self) -> Mapping[str, Sequence[str]]:
        return self.repositories.tag_values()

    def unmark(self) -> None:
        self.table.unmark_all()

    def report(self, error: EcrTuiError, title: str = "") -> None:
        """An error that arrives while the user does something else."""
        self.banner.report(error, title)

    def work_changed(self) -> None:
        """Something has begun or ended: somebody may be waiting to leave."""
        self._show_work()
        self.post_message(said.WorkChanged().set_sender(self))

    def verify(self, repository: Repository, access: Access, others: Sequence[Repository]) -> None:
        self.verification.start(repository, access, others)
        if not self.panes.sees("verification"):
            self.panes.go_to("verification")

    def verified(self) -> None:
        self.verification.read_record()
        self._show_work()

    def show_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        self.policies_changed([arn], "tag change" if self.repositories.show_tags(arn, tags) else "")

    def policies_changed(self, arns: list[str], what: str = "policy change") -> None:
        """After a write, or when a write found another policy: read them again, the selected one first.

        ``what`` has changed access, as a noun; "" when nothing has.
        """
        for arn in arns:
            self.details.forget_policy(arn)
        self.preview.forget_copies()
        if what:
            self.verification.access_changed(arns, what)
        self.repositories.policies_read(arns)
        self.preview.renew()
        self.repositories.read_window()

    @on(said.RefreshWanted)
    def action_refresh(self) -> None:
        self.details.forget_all()
        self.preview.forget_copies()
        self.accounts.refresh_accounts(self.listing.error)
        self.repositories.relist()
        self.preview.renew()

    def signed_in(self) -> None:
        renew(self.desk)

    # -- keys ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        key = by_action(action, parameters)
        return self.is_possible(key) or None if key is not None else True

    def is_possible(self, key: Key) -> bool:
        return not self._why_not(key)

    def _why_not(self, key: Key) -> str:
        return safety.why_not(key, self.workspace.settings, self.selection, busy=bool(self.desk.busy))

    def refuse(self, action: str) -> None:
        """A key was pressed whose action can do nothing now."""
        key = by_action(action)
        if key is not None and key.id == "change.grant":
            self._press_g()  # says why not, unless it is the second one of gg
        elif key is not None:
            self.app.notify(safe(self._why_not(key)), severity="warning", markup=False)

    def run_key(self, key: Key) -> None:
        """For the palette."""
        node = self.table if key.id.startswith("table.") else self
        node.call_later(node.run_action, key.action)

    def palette_commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """What has no key of its own."""
        for title, tooltip, task in commands(self.desk, self.selection):
            yield title, tooltip, partial(self.action_task, task)
        yield from self.panes.commands()

    async def action_task(self, name: str) -> None:
        """Start a task with the selection of this moment: what is typed afterwards changes nothing about it."""
        if name == "grant":
            self._press_g()
        else:
            self.desk.start(TASKS[name](self.desk, self.selected()))
        await asyncio.sleep(0)  # it has begun before the next key is looked at

    def _press_g(self) -> None:
        """Grant; twice within the delay it is vim's "go to top"."""
        if self.desk.countdown.press():
            self.desk.countdown.cancel()
            self.panes.go_to_top()
        else:
            self.panes.remember()
            self.desk.start(TASKS["grant"](self.desk, self.selected()))

    def action_cancel(self) -> None:
        if self.desk.countdown.cancel():
            self.desk.say("Grant canceled. Nothing was written.")
        elif self.verification.cancel() or self.repositories.search.cancel() or self.banner.close():
            return
        elif self.repositories.clear_filter():
            self.table.focus()

    def action_filter(self) -> None:
        self.panes.show("repositories")
        self.repositories.open_filter()

    def action_tag_filter(self) -> None:
        self.panes.show("repositories")
        self.repositories.open_tags()

    def action_read_policies(self) -> None:
        self.repositories.read_all()

    def action_sort(self) -> None:
        self.desk.start(choices.order(self.desk, self.table))

    def action_describe(self) -> None:
        self.repositories.describe()

    def action_columns(self) -> None:
        self.repositories.ask_columns()

    def action_page(self) -> None:
        here = self.panes.focused == "repositories"
        text = self.repositories.description() if here else self.panes.copy_text()[0]
        if text:
            self.app.post_message(said.PagerWanted(text))
        else:
            self.app.notify("Nothing to show here yet.", markup=False)

    def action_pane(self, pane: str) -> None:
        self.panes.go_to(pane)

    def action_resize_pane(self, steps: int) -> None:
        self.panes.grow(steps)

    def action_zoom(self) -> None:
        self.panes.zoom(self.panes.current)

    def action_copy(self) -> None:
        copies.send(self.desk, *self.panes.copy_text())

    def action_audit(self) -> None:
        self.app.push_screen(AuditScreen(self.workspace), self._reach)

    def action_matrix(self) -> None:
        rows = self.table.marked or list(self.table.rows)
        self.app.push_screen(MatrixScreen(self.desk, rows), self._reach)

    def _reach(self, repository: Repository | None) -> None:
        """Select it, even where the filter hides it."""
        if repository is None:
            return
        if not self.table.go_to_key(repository.arn):
            self.repositories.clear_filter()
            if not self.table.go_to_key(repository.arn):
                self.desk.say(
                    f"{safe(repository.name)} is not in the list. Press t to change the tag filter, or r to refresh."
                )
                return
        self.action_pane("repositories")

    def action_calls(self) -> None:
        self.app.push_screen(CallsScreen())

    def action_last_error(self) -> None:
        self.banner.show_last()

    def action_help(self) -> None:
        help_screen = HelpScreen(self.app.keys_in_force.keys, self.panes.focused, self.size.width)  # type: ignore[attr-defined]
        self.app.push_screen(help_screen)

    async def action_quit_app(self) -> None:
        await self.app.action_quit()
