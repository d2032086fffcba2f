"""The main screen: composes the panes, holds the selection, and forwards messages between panes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.app import ComposeResult
from textual.reactive import var
from textual.screen import Screen

from ecr_tui.aws.role import Role
from ecr_tui.ui import messages as said
from ecr_tui.ui.actions import Actions
from ecr_tui.ui.choice import own_principals
from ecr_tui.ui.desk import Desk
from ecr_tui.ui.key import Key
from ecr_tui.ui.keys import MAIN, bindings, by_action
from ecr_tui.ui.panes.accounts import AccountCard, AccountsPane
from ecr_tui.ui.panes.area import PaneArea
from ecr_tui.ui.panes.banner import Banner
from ecr_tui.ui.panes.details import Details
from ecr_tui.ui.panes.preview import PreviewPane
from ecr_tui.ui.panes.repositories import RepositoriesPane
from ecr_tui.ui.panes.status import StatusBar
from ecr_tui.ui.panes.verification import VerificationPane
from ecr_tui.ui.selection import Selection
from ecr_tui.ui.stage import Stage
from ecr_tui.ui.tasks import leftovers, runs
from ecr_tui.ui.widgets.keybar import KeyBar
from ecr_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from ecr_tui.ui.countdown import Countdown
    from ecr_tui.workspace import Workspace


class MainScreen(Screen[None]):
    """The only place that sets the selection. Tasks start with the selection at the time of their key."""

    BINDINGS = bindings(*MAIN)
    AUTO_FOCUS = "#table"
    selection: var[Selection] = var(Selection, init=False)

    def __init__(self, workspace: Workspace, *, now: Callable[[], datetime], countdown: Countdown) -> None:
        super().__init__()
        self.workspace = workspace
        selection = Selection.first(workspace.settings)
        self.set_reactive(MainScreen.selection, selection)
        self._begun = False
        self._owners: set[str] = set()
        """Accounts whose journal was checked for an interrupted run."""
        self._possible: tuple[bool, ...] = ()
        self.details = Details(self, workspace, read=lambda: self.stage.policies_read())
        self.accounts = AccountsPane(workspace, now=now)
        self.verification = VerificationPane(workspace, selection, now=now)
        self.preview = PreviewPane(workspace, self.details, selection, now=now)
        self.repositories = RepositoriesPane(
            workspace,
            self.details,
            self.accounts.reads,
            principals=lambda: self.selection.principals,
            now=now,
            verified=self.verification.last,
        )
        self.listing, self.table = self.repositories.listing, self.repositories.table
        panes = (self.accounts, self.repositories, self.preview, self.verification)
        self.area, self.banner, self.status = PaneArea(*panes), Banner(), StatusBar()
        self.stage = Stage(self.details, *panes, self.area, self.banner)
        self.desk = Desk(self, self.stage, workspace, now=now, countdown=countdown)
        self.actions = Actions(self.desk)

    def compose(self) -> ComposeResult:
        yield self.area
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
        """Cancel all running work."""
        self.repositories.stop()
        self.details.stop()
        self.desk.stop()
        self.verification.cancel()

    def on_resize(self, event: events.Resize) -> None:
        self.area.resized(event.size)
        # Panes have their new sizes only then.
        self.call_after_refresh(self.area.fit)

    # -- the selection ---------------------------------------------------------------------------------------------

    def select(self, **changes: Any) -> None:
        self.selection = self.selection.but(**changes)

    def selected(self) -> Selection:
        """The current selection, even if messages of the panes are still queued."""
        reads = self.accounts.reads
        owner, consumer = (reads[role].identity if role in reads else None for role in Role)
        now = self.repositories.selected(self.selection.but(owner=owner, consumer=consumer))
        own = own_principals(self.workspace.settings.consumer, consumer, now.partition)
        self.selection = self.preview.selected(now.but(own=own))
        return self.selection

    def watch_selection(self, before: Selection, after: Selection) -> None:
        self.preview.selection = self.verification.selection = after
        if before.principals != after.principals:
            self.repositories.judge_anew()
        self._show_work()

    def work_changed(self) -> None:
        """Work started or ended; quitting may wait for it."""
        self._show_work()
        self.post_message(said.WorkChanged().set_sender(self))

    def _show_work(self) -> None:
        """Update the status line, tabs and enabled keys."""
        if not self._begun:
            return
        self.set_class(bool(self.workspace.settings.production_reason), "-production")
        self.accounts.mark_production()
        self.status.show(self.desk, self.listing, self.table, verifying=self.verification.running)
        self.area.name_tabs(self.table.current)
        self.call_after_refresh(self.area.fit_list)  # the filter's line may be about to go
        possible = tuple(self.is_possible(key) for key in MAIN)
        if possible != self._possible:  # a refresh checks all bindings
            self._possible = possible
            self.refresh_bindings()

    # -- messages of panes and threads -----------------------------------------------------------------------------

    @on(VirtualTable.Loaded)
    @on(VirtualTable.Moved)
    @on(PreviewPane.Drawn)
    def _select_anew(self) -> None:
        self.verification.look_at_tags(self.table.model.find)
        self.selected()
        self.repositories.show_next(self.preview.brief)

    @on(RepositoriesPane.Updated)
    @on(VerificationPane.Updated)
    def _panes_updated(self) -> None:
        self.selected()
        self._show_work()

    @on(AccountsPane.Read)
    def _account_read(self, message: AccountsPane.Read) -> None:
        owner = self.selected().owner
        if message.role is Role.OWNER and owner is not None and owner.account not in self._owners:
            self._owners.add(owner.account)
            self.desk.start(runs.offer_unfinished(self.desk))
        self.repositories.account_read(message.role)

    @on(VirtualTable.Opened)
    def _row_opened(self) -> None:
        self.area.go_to("preview")

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
        self.stage.report(message.error, message.title)

    def action_refresh(self) -> None:
        self.stage.refresh()

    # -- keys ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        key = by_action(action, parameters)
        return self.is_possible(key) or None if key is not None else True

    def is_possible(self, key: Key) -> bool:
        return not self.actions.why_not(key, self.selection)

    def refuse(self, action: str) -> None:
        """A key with a disabled action was pressed."""
        key = by_action(action)
        if key is not None:
            self.actions.refuse(key, self.selected())

    def run_key(self, key: Key) -> None:
        """For the palette."""
        node = self.table if key.id.startswith("table.") else self
        node.call_later(node.run_action, key.action)

    def palette_commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """Tasks without a key."""
        for title, tooltip, task in self.actions.commands(self.selection):
            yield title, tooltip, partial(self.action_task, task)
        yield from self.area.commands()

    async def action_at(self, widget: str, action: str, *parameters: object) -> None:
        """Run an action of the widget with this id, regardless of the focus."""
        await self.app.run_action(("", action, parameters), self.query_one(f"#{widget}"))

    async def action_task(self, name: str) -> None:
        """Later keys do not change the selection of the task."""
        self.actions.start(name, self.selected())
        await asyncio.sleep(0)  # starts before the next key is handled

    def document(self) -> str:
        return self.area.document()

    def tell(self, words: str) -> None:
        self.status.tell(words)

    def action_cancel(self) -> None:
        self.actions.cancel()
