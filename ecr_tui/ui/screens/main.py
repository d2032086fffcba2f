"""The main screen: four panes, the keys, and what happens when a flow reports something."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer

from ecr_tui.aws.role import Role
from ecr_tui.ui import collector, safety, status
from ecr_tui.ui import messages as said
from ecr_tui.ui.flows.countdown import GRANT_DELAY, Countdown
from ecr_tui.ui.flows.details import Details
from ecr_tui.ui.flows.listing import Listing
from ecr_tui.ui.flows.many import ManyVerifier
from ecr_tui.ui.flows.previewing import Previewer
from ecr_tui.ui.flows.siding import Sides
from ecr_tui.ui.flows.verifying import Verifier
from ecr_tui.ui.flows.writing import Writer
from ecr_tui.ui.keys import BINDINGS, MAIN, Key, by_action
from ecr_tui.ui.screens.audit import AuditScreen
from ecr_tui.ui.screens.calls import CallsScreen
from ecr_tui.ui.screens.choosing import Choosing
from ecr_tui.ui.screens.copying import Copying
from ecr_tui.ui.screens.help import HelpScreen
from ecr_tui.ui.screens.history import History
from ecr_tui.ui.screens.journalling import Journalling
from ecr_tui.ui.screens.leftovers import Leftovers
from ecr_tui.ui.screens.loading import Loading
from ecr_tui.ui.screens.many import ManyProving
from ecr_tui.ui.screens.panes import Panes
from ecr_tui.ui.screens.proving import Proving
from ecr_tui.ui.screens.runs import Runs
from ecr_tui.ui.screens.searching import Searching
from ecr_tui.ui.screens.switching import Accounts
from ecr_tui.ui.screens.tag_editing import TagEditing
from ecr_tui.ui.screens.text import ErrorScreen, TextScreen
from ecr_tui.ui.screens.writes import Writes
from ecr_tui.ui.text import NO, safe, safe_block
from ecr_tui.ui.widgets.accounts import TITLES, AccountCard
from ecr_tui.ui.widgets.banner import Banner
from ecr_tui.ui.widgets.bars import PaneBar, PaneTab, StatusBar
from ecr_tui.ui.widgets.pane_area import PaneArea
from ecr_tui.ui.widgets.preview import CHANGE_TABS, TABS, PreviewPane
from ecr_tui.ui.widgets.repositories import RepositoriesPane
from ecr_tui.ui.widgets.verification import VerificationPane
from ecr_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.policy.change import Grant
    from ecr_tui.workspace import Workspace

WINDOW_DEBOUNCE = 0.1
HINT_WIDTH = 72
"""Columns of a hint in an empty list: it fits at 80 columns."""
PREVIEW_DEBOUNCE = 0.03
NEEDS_REPOSITORY = ("change.grant", "change.revoke", "change.tags", "change.repair", "prove.verify", "prove.history")


class MainScreen(Screen[None]):
    """Owns the choice and the flows. Widgets and threads speak to it in messages; it alone changes what is shown."""

    BINDINGS = BINDINGS
    AUTO_FOCUS = "#table"

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
        self.now = now
        settings = workspace.settings
        self.listing = Listing(self, workspace, tuple(settings.tags))
        self.details = Details(self, workspace)
        self.previewer = Previewer(self, workspace, self.details)
        self.sides = Sides(self, workspace)
        self._begun = False
        self._marks = 0
        self._possible: tuple[bool, ...] = ()
        self._window_timer: Timer | None = None
        self._preview_timer: Timer | None = None
        self.cards = {
            role: AccountCard(role, profile, now=now, expires=lambda role=role: workspace.accounts.expires_at(role))  # type: ignore[misc]
            for role, profile in ((Role.OWNER, settings.profile_a), (Role.CONSUMER, settings.profile_b))
        }
        self.searching = Searching(self)
        self.repositories = RepositoriesPane(
            self.details,
            principal=lambda: self.choosing.principal,
            now=now,
            policies=self.searching.judged,
            verified=lambda repository: self.history.last(repository),
            columns=settings.columns,
        )
        self.preview = PreviewPane(now=now)
        self.verification = VerificationPane()
        self.choosing = Choosing(self)
        self.copying = Copying(self)
        self.accounts = Accounts(self)
        writer = Writer(self, workspace, lambda: self.writes.retrying())
        self.writes = Writes(self, writer, Countdown(self, delay=grant_delay, clock=clock))
        self.runs = Runs(self)
        self.journal = Journalling(self)
        self.tag_editing = TagEditing(self)
        self.merging = Loading(self)
        self.proving = Proving(self, Verifier(self, workspace, now=now))
        self.many = ManyProving(self, ManyVerifier(self, workspace))
        self.history = History(self)
        self.leftovers = Leftovers(self)
        self.banner = Banner()
        self.panes = Panes(self)

    # -- layout --------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield from self.panes.compose()

    def on_mount(self) -> None:
        self.table.focus()
        self.repositories.set_tags(self.listing.tags)
        self.repositories.say("Listing repositories…")
        self.panes.show("repositories")
        # The first frame does not wait for boto3, which the first call to AWS imports.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._begun = True
        self.verification.show_access(self.choosing.choice.access)
        self.proving.begin()
        self.listing.begin()
        self._preview_now()
        self.update_bindings()
        self.leftovers.look()
        self.history.refresh()

    def on_unmount(self) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask everything that runs to end."""
        self.listing.stop()
        self.details.stop()
        self.runs.stop()
        self.searching.stop()
        self.proving.verifier.cancel()
        self.many.verifier.cancel()

    @property
    def table(self) -> VirtualTable[Repository]:
        return self.repositories.table

    @property
    def writing_busy(self) -> str:
        """What is being written, "" for nothing."""
        return self.writes.writer.busy

    @property
    def writing(self) -> bool:
        """A policy is being written at this moment."""
        return self.writing_busy in ("writing", "undoing") or self.runs.running

    @property
    def pulling(self) -> bool:
        """Pulling alone is chosen."""
        return self.choosing.choice.access == "pull"

    @property
    def read_only(self) -> str:
        """Why nothing may be written with the profiles in use; "" when it may."""
        return str(self.workspace.settings.read_only_reason)

    @property
    def tabbed(self) -> bool:
        """One pane at a time."""
        return self.panes.tabbed

    @property
    def pane(self) -> str:
        return self.panes.current

    @property
    def shows_change(self) -> bool:
        """The change that ``g`` writes is on the screen."""
        return self.panes.sees("preview") and self.preview.tab in CHANGE_TABS

    def show_change(self) -> None:
        self.preview.turn_to("diff")
        self.action_pane("preview")

    def on_resize(self, event: events.Resize) -> None:
        self.panes.resized(event.size)
        # Its panes have their new sizes only then.
        self.call_after_refresh(self.panes.fit)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.panes.focused(event.widget)
        if self._begun:
            self.searching.show()

    # -- what is chosen --------------------------------------------------------------------------------------------

    @property
    def repository(self) -> Repository | None:
        return self.table.current

    @property
    def grant(self) -> Grant | None:
        """What would be granted, as chosen; None as long as nobody is known to grant it to."""
        return self.choosing.grant

    def choice_changed(self) -> None:
        self.verification.show_access(self.choosing.choice.access)
        self.searching.learn_anew()
        self.table.redraw_rows()
        self._preview_now()
        self.update_bindings()

    def _preview_soon(self) -> None:
        """While the cursor runs through the rows, only where it stops is worth a preview."""
        self.previewer.leave()
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(PREVIEW_DEBOUNCE, self._preview_now)

    def _preview_now(self) -> None:
        if not self._begun:
            return
        if self._preview_timer is not None:
            self._preview_timer.stop()
            self._preview_timer = None
        row = self.repository
        stale = row is not None and (self.listing.stale or row.tags_source == "cache")
        wait = status.WAITS if stale else ""
        if not wait and row is not None and row.tags is None and self.choosing.choice.own_tag:
            wait = f"Reading the tags: the condition is the repository's own {safe(self.choosing.choice.own_tag)}"
        self.previewer.show(self.repository, self.grant, wait=wait)
        self.show_preview()

    def show_preview(self) -> None:
        if not self._begun:
            return
        preview = self.previewer.preview
        consumer = self.listing.consumer
        account_b = consumer.account if consumer else None
        phase = self.writes.phase_of(preview.subject)
        lacks = self.choosing.choice.lacks(self.repository)
        self.preview.show(preview, self.grant, account_b, phase, self.table.marks, lacks)
        self._show_sides()
        if self.tabbed:
            self.repositories.show_next(self.preview.sentence, self.preview.effect)
        self.show_status()

    def _show_sides(self) -> None:
        """Asked for only where it is looked at: it reads B's policies in IAM."""
        preview = self.previewer.preview
        if not preview.making:
            self.preview.show_sides(self.sides.show(preview.plan, wanted=self.preview.tab == "consumer"))

    def show_status(self) -> None:
        if not self._begun:
            return
        self.repositories.update_subtitle(self.listing.busy, status.kept(self))
        self.searching.show()
        safety.mark(self)
        bar = self.query_one(StatusBar)
        bar.show(status.left(self), status.right(self))
        self.proving.refresh()
        panes, repository = self.query_one(PaneBar), self.repository
        run = self.proving.verifier.about(repository)
        about = run.repository if run is not None else repository
        panes.say("preview", safe(repository.name) if repository else "")
        panes.say("verification", safe(about.name) if about else "", self.verification.summary)
        self.history.show()

    # -- accounts and repositories -----------------------------------------------------------------------------------

    @on(said.AccountRead)
    def _account_read(self, message: said.AccountRead) -> None:
        if not self.listing.take_account(message):
            return
        for role, read in self.listing.accounts.items():
            self.cards[role].show(read)  # what one is may say something of the other
        if message.role is Role.OWNER:
            self.runs.look(message)
        if self.listing.disown():
            self.repositories.show_rows(())
        if message.role is Role.CONSUMER:
            self.searching.learn_anew()
            self.table.redraw_rows()
            self._preview_now()
        self.show_status()

    @on(said.PageKept)
    def _page_kept(self, message: said.PageKept) -> None:
        if self.listing.take_kept_page(message):
            self._show_page(message.repositories, first=self.listing.first_kept())

    @on(said.Kept)
    def _kept(self, message: said.Kept) -> None:
        self.listing.take_kept(message)
        for problem in message.problems:
            self.app.notify(problem, severity="warning")
        self.show_status()

    @on(said.PageListed)
    def _page_listed(self, message: said.PageListed) -> None:
        if self.listing.take_page(message):
            self._show_page(message.repositories, first=self.listing.first_page)

    def _show_page(self, rows: Sequence[Repository], *, first: bool) -> None:
        if first:
            self.repositories.show_rows(rows, partial=True)
        else:
            self.repositories.add_rows(rows)
        self.show_status()

    @on(said.RegionFailed)
    def _region_failed(self, message: said.RegionFailed) -> None:
        if self.listing.take_failure(message):
            self.show_status()

    @on(said.Listed)
    def _listed(self, message: said.Listed) -> None:
        if not self.listing.take_listing(message):
            return
        if message.error is None:
            self.repositories.show_rows(message.repositories)
            collector.settle()
            self._say_empty()
        else:
            self._listing_failed(message.error)
        self._preview_now()

    def _listing_failed(self, error: EcrTuiError) -> None:
        if self.listing.stale:
            self.show_status()  # which says so: nobody has asked for anything yet
        elif self.table.rows:
            # The rows stay: what was true a moment ago is better than nothing, and the reason is in the way of no one.
            self.report(error, "The repositories could not be read again")
        else:
            hint = textwrap.wrap(safe(error.hint), HINT_WIDTH)
            self.repositories.say(f"{NO} {safe(error.title)}", *hint, "", "Enter: details   ·   r: try again")

    def _say_empty(self) -> None:
        if self.table.rows and self.table.filter:
            broken = self.table.parsed.broken
            words = "The filter has an error." if broken else "No repository matches the filter."
            self.repositories.say(words, "", "Esc clears it")
        elif self.listing.tags:
            tags = safe(", ".join(f"{key}={value}" for key, value in self.listing.tags))
            self.repositories.say(f"No repository has the tags {tags}.", "", "t: other tags")
        else:
            self.repositories.say("Account A has no repositories here.", "", "r: look again")

    @on(RepositoriesPane.TagsWanted)
    def _tags_wanted(self, message: RepositoriesPane.TagsWanted) -> None:
        self.repositories.say("Listing repositories…")
        self.listing.relist(message.tags)
        self._preview_now()

    @on(VirtualTable.Moved)
    def _row_moved(self) -> None:
        self._preview_soon()

    @on(VirtualTable.Loaded)
    def _rows_loaded(self) -> None:
        run = self.proving.verifier.run
        if run is not None:
            self.proving.verifier.look_at_tags(self.table.find(run.repository.arn))
        self.searching.learn_anew()
        self._preview_now()

    def _show_error(self, error: EcrTuiError, title: str = "") -> None:
        self.app.push_screen(ErrorScreen(error, title=title))

    def report(self, error: EcrTuiError, title: str = "") -> None:
        """An error that arrives while the user does something else: a banner, and a toast where a dialog hides it."""
        self.banner.report(error, title)
        if self.app.screen is not self:
            words = "\n".join(safe(line) for line in (error.title, error.hint) if line)
            self.app.notify(words, title=f"{NO} {safe(title) or 'Error'}", severity="error", timeout=15)

    def action_last_error(self) -> None:
        if self.banner.last is None:
            self.app.notify("No errors in this session.", markup=False)
        else:
            self._show_error(*self.banner.last)

    @on(StatusBar.Opened)
    def _status_opened(self) -> None:
        error = status.failures(self)
        if error is not None:
            self._show_error(error)

    @on(VirtualTable.Opened)
    def _row_opened(self, message: VirtualTable.Opened) -> None:
        if message.row is not None:
            self.action_pane("preview")
        elif self.listing.error is not None:
            self._show_error(self.listing.error)

    @on(VirtualTable.Changed)
    def _table_changed(self) -> None:
        answered = not self.listing.busy and self.listing.error is None
        if not self.table.shown and (self.table.rows or answered):
            self._say_empty()
        self.show_status()
        if self.table.marks != self._marks and not self.previewer.preview.making:
            self._marks = self.table.marks
            self.show_preview()  # while repositories are marked, g is about them
        self.update_bindings()

    @on(VirtualTable.WindowChanged)
    def _window_changed(self) -> None:
        if self._window_timer is not None:
            self._window_timer.stop()
        self._window_timer = self.set_timer(WINDOW_DEBOUNCE, self._read_window)

    def _read_window(self) -> None:
        if self.listing.stale:
            return  # it may be another account's, or without credentials to ask
        page = max(self.table.size.height - 1, 1)
        self.details.want(self.table.window(ahead=page), first=self.repository)
        self.searching.learn_window()

    @on(said.DetailsRead)
    def _details_read(self) -> None:
        repository = self.repository
        before = self.details.policies.get(repository.arn) if repository else None
        read, anything = self.details.take()
        changes = self.proving.verifier.changes
        for arn in read:
            if self.details.policies[arn].error is None:
                changes.read(arn, self.details.policies[arn].value)
        self.searching.learn(read)
        if anything:
            self.table.redraw_rows()
        if repository is not None and repository.arn in read:
            after = self.details.policies[repository.arn]
            same = before is not None and (before.value, before.error) == (after.value, after.error)
            if not same or self.previewer.preview.plan is None:
                self._preview_now()

    @on(said.Previewed)
    def _previewed(self, message: said.Previewed) -> None:
        if self.previewer.take(message):
            self.show_preview()

    @on(PreviewPane.Turned)
    def _preview_turned(self) -> None:
        self._show_sides()

    @on(said.Sided)
    def _sided(self, message: said.Sided) -> None:
        if self.sides.take(message):
            self._show_sides()

    @on(AccountCard.Opened)
    def _account_opened(self, message: AccountCard.Opened) -> None:
        card = message.card
        if card.error is not None:
            self._show_error(card.error)
        elif text := card.as_text():
            title = " · ".join(("Account " + TITLES[card.role][0], TITLES[card.role][1]))
            self.app.push_screen(TextScreen(title, Content(safe_block(text)), copy=text, what="the account"))

    @on(AccountCard.ChangeWanted)
    def action_accounts(self) -> None:
        self.accounts.open()

    @on(PaneTab.Chosen)
    def _pane_chosen(self, message: PaneTab.Chosen) -> None:
        self.action_pane(message.pane)

    # -- writes --------------------------------------------------------------------------------------------------

    def writes_settled(self) -> None:
        """A write has begun or ended: somebody may be waiting to leave."""
        self.post_message(said.WorkChanged())

    def policies_changed(self, arns: list[str], what: str = "policy change") -> None:
        """After a write, or when a write found another policy: read them again, the selected one first.

        ``what`` has changed access, as a noun; "" when nothing has.
        """
        for arn in arns:
            if what:
                self.proving.verifier.changes.add(arn, what)
            self.details.forget_policy(arn)
        self.searching.learn(arns)
        self.table.redraw_rows()
        self._preview_now()
        self._read_window()

    # -- verification ----------------------------------------------------------------------------------------------

    @on(said.Verifying)
    def _verifying(self, message: said.Verifying) -> None:
        self.proving.take_event(message)

    @on(said.Verified)
    def _verified(self, message: said.Verified) -> None:
        self.proving.take_end(message)

    @on(said.Answered)
    def _answered(self, message: said.Answered) -> None:
        message.take()

    # -- actions -------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        key = by_action(action)
        return self.is_possible(key) or None if key is not None else True

    def is_possible(self, key: Key) -> bool:
        return not self.why_not(key)

    def why_not(self, key: Key) -> str:
        """Why the action can do nothing now, "" when it can. A sentence."""
        refused = safety.refusal(self.workspace.settings, key, pulling=self.pulling)
        if refused:
            return f"Read-only: {key.label.lower()} is off. {refused}"
        if key.writes and self.writing_busy:
            return f"{key.label} is off: another write is in progress."
        if key.writes and self.listing.stale and key.id != "change.undo":
            return f"{key.label} is off: this is a cached list. Wait for the refresh, or press r."
        if key.id in NEEDS_REPOSITORY and self.repository is None:
            return f"{key.label} is off: no repository is selected."
        return ""

    def refuse(self, action: str) -> None:
        """A key was pressed whose action can do nothing now."""
        key = by_action(action.partition("(")[0])
        if key is None:
            return
        if key.id == "change.grant":
            self.writes.grant()  # says why not, unless it is the second one of gg
        else:
            self.say(self.why_not(key))

    def say(self, text: str) -> None:
        """One line, in answer to a key."""
        self.app.notify(safe(text), severity="warning", markup=False)

    def update_bindings(self) -> None:
        """All bindings are looked through for this, so only when one of them has changed."""
        possible = tuple(self.is_possible(key) for key in MAIN)
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def run_key(self, key: Key) -> None:
        """For the palette."""
        node = self.table if key.id.startswith("table.") else self
        node.call_later(node.run_action, key.action)

    def palette_commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """What has no key of its own."""
        if self.repository is not None:
            yield "Copy: repository ARN", "Copy the ARN of the selected repository", self.copying.arn
            yield "Copy: repository URI", "Copy what docker push and pull take", self.copying.uri
        if status.failures(self) is not None:
            yield "Find: what could not be listed", "Regions that failed, with the reasons", self._status_opened
        if self.many.verifier.run is not None:
            yield "Prove: verification of many", "Show the last verification of many again", self.many.open
        if self.table.marks and self.repository is not None:
            words = "Verify the selected repository; account B must be denied on the marked ones"
            yield "Prove: isolation of the marked", words, self.proving.isolate_marked
        yield "Change: load a policy file…", "Merge a policy into the repository, or the marked ones", self.merging.ask
        yield "Change: unfinished run", "Resume or dismiss what is left of a run", partial(self.runs.find, asked=True)
        yield "Choose: grant until…", "Choose when the grant ends by itself", self.choosing.ask_until
        if self.table.marks:
            yield "Choose: unmark all", "Remove every mark, hidden ones too", self.table.unmark_all
        for column in self.table.columns:
            sort = partial(self.table.sort_by, column.id)
            yield f"Sort by {column.label}", "The same column again turns the order", sort
        yield from self.panes.commands()
        for tab in TABS:
            yield f"Preview: {tab.label}", "Turn the policy preview to this tab", partial(self._turn_to, tab.id)

    def _turn_to(self, tab: str) -> None:
        self.preview.turn_to(tab)
        self.action_pane("preview")

    def action_filter(self) -> None:
        self.panes.show("repositories")
        self.repositories.open_filter()

    def action_tag_filter(self) -> None:
        self.panes.show("repositories")
        self.repositories.open_tags()

    def action_read_policies(self) -> None:
        self.searching.read_all()

    def action_sort(self) -> None:
        self.choosing.ask_sort()

    def action_refresh(self) -> None:
        self.details.forget_all()
        self.searching.learn_anew()
        self.listing.refresh(keep=bool(self.table.rows))
        self.table.redraw_rows()
        self._preview_now()

    def action_principal(self) -> None:
        self.choosing.ask_principal()

    def action_access(self) -> None:
        self.choosing.next_access()

    def action_condition(self) -> None:
        self.choosing.ask_condition()

    def action_grant(self) -> None:
        self.writes.grant()

    def action_revoke(self) -> None:
        self.writes.revoke()

    def action_repair(self) -> None:
        self.writes.repair()

    def action_undo(self) -> None:
        self.writes.undo()

    def action_edit_tags(self) -> None:
        self.tag_editing.open()

    def action_journal(self) -> None:
        self.journal.open()

    def action_verify(self) -> None:
        self.proving.start()

    def action_verify_many(self) -> None:
        self.many.start()

    def action_runs(self) -> None:
        self.runs.open()

    def action_history(self) -> None:
        self.history.open()

    def action_cancel(self) -> None:
        if self.writes.cancel() or self.proving.cancel() or self.searching.cancel() or self.banner.close():
            return
        if self.repositories.clear_filter():
            self.table.focus()

    def action_pane(self, pane: str) -> None:
        self.panes.go_to(pane)

    def action_resize_pane(self, steps: int) -> None:
        self.panes.grow(steps)

    def action_zoom(self) -> None:
        self.panes.zoom(self.pane)

    @on(PaneArea.Zoomed)
    def _zoomed(self, message: PaneArea.Zoomed) -> None:
        self.panes.zoom(message.pane)

    def action_copy(self) -> None:
        self.copying.focused()

    def action_copy_as(self) -> None:
        self.copying.ask_form()

    def action_audit(self) -> None:
        self.app.push_screen(AuditScreen(self.workspace))

    def action_calls(self) -> None:
        self.app.push_screen(CallsScreen())

    def action_help(self) -> None:
        pane = "accounts" if isinstance(self.focused, AccountCard) else self.pane
        self.app.push_screen(HelpScreen(self.app.keys_in_force.keys, pane))  # type: ignore[attr-defined]

    async def action_quit_app(self) -> None:
        await self.app.action_quit()
