"""Granting, revoking and undoing as the user meets them: when to ask, what to say, what to read again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.apply import Overwritten
from ecr_tui.changes.bulk import Intent, undo_preview
from ecr_tui.changes.entries import TAGS
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.principal import describe_all
from ecr_tui.ui import write_text
from ecr_tui.ui.flows.previewing import Subject
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import MUTED, OK, ago, count, safe
from ecr_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from textual.widget import Widget

    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Outcome, Plan
    from ecr_tui.changes.entries import Entry
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.flows.countdown import Countdown
    from ecr_tui.ui.flows.writing import Writer
    from ecr_tui.ui.screens.main import MainScreen

PENDING_WRITE = "about to write, Esc cancels"
"""What the preview's header says between ``g`` and the write."""

_DONE = {"revoke": "Revoked", "repair": "Repaired"}
_SOUND = "there is nothing to repair"


def _repair_title(plan: Plan) -> str:
    return f"Repair the policy of {safe(plan.repository.name)}?"


class Writes:
    """Belongs to the main screen. Every path to a write passes :meth:`ready`, and writes a plan that was shown."""

    def __init__(self, screen: MainScreen, writer: Writer, countdown: Countdown) -> None:
        self._screen = screen
        self.writer = writer
        self.countdown = countdown
        self._before_g: tuple[Widget | None, str] = (None, "repositories")
        """What had the focus, and which pane was on the screen, before ``g``."""
        self._made_here: set[str] = set()
        self._phase: tuple[Subject | None, str] = (None, "")

    def phase_of(self, subject: Subject | None) -> str:
        """What happened to this preview: "" while it is only a preview."""
        of, phase = self._phase
        same = subject is not None and of is not None and of.repository.arn == subject.repository.arn
        return phase if same and of is not None and subject is not None and of.grant == subject.grant else ""

    def _set_phase(self, subject: Subject | None, phase: str) -> None:
        self._phase = (subject, phase)
        self._screen.show_preview()

    def _say(self, text: str, *, title: str = "", warning: bool = False) -> None:
        self._screen.app.notify(
            text, title=title, severity="warning" if warning else "information", timeout=8, markup=False
        )

    def ready(self) -> bool:
        """Whether something may be written now; says why not."""
        if self._screen.read_only:
            self._say(f"Read-only: nothing was written. {safe(self._screen.read_only)}", warning=True)
            return False
        if self.writer.busy or self.countdown.pending:
            self._say("Another write is in progress.", warning=True)
            return False
        return True

    # -- grant ---------------------------------------------------------------------------------------------------

    def grant(self) -> None:
        """``g``: write what the preview shows after a moment in which Esc cancels; twice within it is "go to top"."""
        screen = self._screen
        if self.countdown.press():
            self._go_to_top()
            return
        self._before_g = (screen.focused, screen.pane)
        grant = screen.grant
        if not self.ready():
            return
        if screen.listing.stale:
            self._say("Grant is off: this is a cached list. Wait for the refresh, or press r.", warning=True)
            return
        if grant is None:
            self._say("Account B is unknown. Press b to choose a principal.", warning=True)
            return
        if screen.table.marks:
            marked = screen.table.marked
            self._soon(
                lambda: self._change_marked(grant, revoke=False),
                still=lambda: screen.grant == grant and screen.table.marked == marked,
            )
            return
        plan = screen.previewer.writable(screen.repository, grant)
        if plan is None:
            error = screen.previewer.preview.error
            if error is not None:
                screen.app.push_screen(ErrorScreen(error))
            else:
                self._say("The preview is not ready. Nothing was written.")
            return
        if not plan.changed:
            self._say(write_text.nothing(plan), warning=bool(plan.void))
            return
        if plan.refused:
            self._refused(plan)
            return
        if not screen.shows_change:
            # Only what is on the screen may be written.
            screen.show_change()
            self._say("Preview of the change. Press g again to apply.")
            return
        self._soon(
            lambda: self._grant_shown(plan, grant),
            still=lambda: screen.previewer.writable(screen.repository, screen.grant) is plan and screen.shows_change,
        )

    def _soon(self, act: Callable[[], None], *, still: Callable[[], bool]) -> None:
        """``act`` after the delay, unless what is shown is not what was shown when the key was pressed."""
        screen = self._screen

        def due() -> None:
            self._set_phase(None, "")
            if not screen.is_current or not still():
                self._say("Grant canceled: the preview changed before the write.", warning=True)
            elif self.ready():
                act()

        self._set_phase(screen.previewer.preview.subject, PENDING_WRITE)
        self.countdown.start(due)

    def _grant_shown(self, plan: Plan, grant: Grant) -> None:
        if plan.risks or self._screen.workspace.settings.confirms("grant"):
            name = safe(plan.repository.name)
            risks = f"{count(len(plan.risks), 'warning')}. Grant on {name} anyway?" if plan.risks else ""
            title = risks or f"Grant on {name}?"
            self._confirm(title, write_text.one(plan), "Grant", plan)
        else:
            self._write(plan)

    def cancel(self) -> bool:
        """Whether a grant was about to begin."""
        pending = self.countdown.cancel()
        if pending:
            self._set_phase(None, "")
            self._say("Grant canceled. Nothing was written.")
        return pending

    def _go_to_top(self) -> None:
        """``gg``: of what had the focus before the first ``g``, which may have shown the preview."""
        self.countdown.cancel()
        self._set_phase(None, "")
        widget, pane = self._before_g
        if widget is None or not widget.is_attached:
            return
        if self._screen.pane != pane:
            self._screen.panes.show(pane)
        self._screen.set_focus(widget)
        if isinstance(widget, VirtualTable):
            widget.action_end(-1)
        else:
            widget.scroll_home(animate=False)

    def revoke(self) -> None:
        screen = self._screen
        grant = screen.grant
        if not self.ready():
            return
        if grant is None:
            self._say("From whom? Choose a principal with b.", warning=True)
        elif screen.table.marks:
            self._change_marked(grant, revoke=True)
        elif screen.repository is not None:
            self._plan(screen.repository, grant, revoke=True)

    def _change_marked(self, grant: Grant, *, revoke: bool) -> None:
        marked = self._screen.table.marked
        choosing = self._screen.choosing
        scope = choosing.choice.own_tag
        if len(marked) == 1:
            own = choosing.grant_on(marked[0]) or grant
            if scope and marked[0].tags is None and not revoke:
                self._say(f"The tags of {safe(marked[0].name)} are not read yet. Nothing was written.")
            else:
                self._plan(marked[0], own, revoke=revoke)
            return
        grant = replace(grant, tags=()) if scope else grant
        intent = Intent.to_revoke(grant.principals) if revoke else Intent.to_grant(grant, scope)
        verb = "Revoke" if revoke else "Grant"
        self._screen.runs.change(verb, write_text.whom(grant, revoke=revoke, scope=scope), intent)

    def _plan(self, repository: Repository, grant: Grant, *, revoke: bool) -> None:
        self.writer.plan(
            repository, grant, revoke=revoke, take=lambda found: self._planned(found, grant, revoke=revoke)
        )
        self._busy_changed()

    def _planned(self, plan: Plan | EcrTuiError, grant: Grant, *, revoke: bool) -> None:
        """A plan was made from the live policy: ask, with everything that is going to happen."""
        screen = self._screen
        self._busy_changed()
        if isinstance(plan, EcrTuiError):
            screen.report(plan)
            return
        name = safe(plan.repository.name)
        if not plan.changed:
            self._say(write_text.nothing(plan), warning=bool(plan.void or plan.risks))
            return
        if plan.refused:
            self._refused(plan)
            return
        verb = "Revoke" if revoke else "Grant"
        marked = " (the marked one)" if screen.table.marks else ""
        title = f"{verb} on {name}{marked}?"
        self._confirm(title, write_text.one(plan), verb, plan)

    def _refused(self, plan: Plan) -> None:
        error = plan.refusal()
        if plan.repairable:
            error.hint = "Press F to repair the policy."
        self._screen.report(error)

    def repair(self) -> None:
        screen = self._screen
        if not self.ready():
            return
        marked = screen.table.marked
        if len(marked) > 1:
            screen.runs.change("Repair", "What ECR refuses is taken out. Nobody's access changes.", Intent.to_repair())
            return
        repository = marked[0] if marked else screen.repository
        if repository is None:
            return
        workspace = screen.workspace

        def planned(plans: tuple[Plan, ...] | EcrTuiError) -> None:
            if isinstance(plans, EcrTuiError) or len(plans) == 1:
                self._ask(plans if isinstance(plans, EcrTuiError) else plans[0], "Repair", _repair_title, _SOUND)
            else:
                self._ask_repin(*plans)

        self.writer.do("planning", lambda: workspace.changes.plan_repairs(repository), planned)
        self._busy_changed()

    def _ask_repin(self, plain: Plan, repinned: Plan) -> None:
        """A deleted principal was made again: the plan with it, or the one that takes its id out."""
        self._busy_changed()
        who = safe(describe_all(repinned.named))

        def answered(yes: bool | None) -> None:
            if yes is not None:
                self._ask(repinned if yes else plain, "Repair", _repair_title, _SOUND)

        self._screen.app.push_screen(
            ConfirmScreen(
                f"Give {who} its access back?",
                [
                    Content(
                        f"The policy of {safe(plain.repository.name)} names it by the id that it had before it was"
                    ),
                    Content("deleted and made again, so it has no access now. Either way the change is shown next."),
                ],
                yes="Yes, re-pin it",
                no="No, take it out",
            ),
            answered,
        )

    def plan_and_ask(self, make: Callable[[], Plan], *, verb: str, title: Callable[[Plan], str], nothing: str) -> None:
        """Show what ``make()``, on a thread, would change, and write it after a Yes. ``nothing``: why there is none."""
        self.writer.do("planning", make, lambda plan: self._ask(plan, verb, title, nothing))
        self._busy_changed()

    def _ask(self, plan: Plan | EcrTuiError, verb: str, title: Callable[[Plan], str], nothing: str) -> None:
        self._busy_changed()
        if isinstance(plan, EcrTuiError):
            self._screen.report(plan)
        elif not plan.changed:
            self._say("\n".join([f"No change in {safe(plan.repository.name)}: {nothing}.", *map(safe, plan.notes)]))
        elif plan.refused:
            self._refused(plan)
        else:
            self._confirm(title(plan), write_text.one(plan), verb, plan)

    def _confirm(self, title: str, body: Sequence[Content], verb: str, plan: Plan) -> None:
        def answered(yes: bool | None) -> None:
            if yes and self.ready():
                self._write(plan)

        self._screen.app.push_screen(ConfirmScreen(title, body, yes=f"Yes, {verb.lower()}"), answered)

    # -- the write and its end -----------------------------------------------------------------------------------

    def _write(self, plan: Plan) -> None:
        # What was to do before it would stand beside what came of it.
        self._screen.app.clear_notifications()
        self.writer.write(plan, lambda outcome: self._written(plan, outcome))
        subject = None if plan.grant is None else Subject(plan.repository, plan.grant)
        if subject is not None:
            self._set_phase(subject, "writing…")
        self._busy_changed()

    def _written(self, plan: Plan, outcome: Outcome | EcrTuiError) -> None:
        subject = None if plan.grant is None else Subject(plan.repository, plan.grant)
        if isinstance(outcome, EcrTuiError):
            self._set_phase(subject, "")
        else:
            self._set_phase(subject, f"{OK} written" if outcome.notes else f"{OK} written and read back")
            self._made_here |= {outcome.entry_id} if outcome.entry_id else set()
            self._screen.table.unmark_all()
        # A failed write may have been written all the same.
        self._screen.policies_changed([plan.repository.arn], plan.kind)
        self._busy_changed()
        if isinstance(outcome, EcrTuiError):
            self._failed(outcome, f"{plan.kind.capitalize()} on {plan.repository.name}")
        else:
            self._say(
                write_text.done(plan, outcome),
                title=_DONE.get(plan.kind, "Granted"),
                warning=plan.kind == "revoke" and bool(plan.remaining),
            )

    def _failed(self, error: EcrTuiError, what: str) -> None:
        """``what`` was tried, for the title."""
        if isinstance(error, Overwritten) and error.restore is not None:
            body = [*(Content(safe(line)) for line in error.detail.splitlines()), Content("")]
            self._confirm(f"{safe(error.title)}.", [*body, *write_text.one(error.restore)], "Restore", error.restore)
        else:
            self._screen.report(error, f"{what} failed")

    def retrying(self) -> None:
        """The write under way is tried again."""
        subject, phase = self._phase
        if phase:
            self._set_phase(subject, f"writing… retrying: {safe(self.writer.retrying)}")
        self._screen.show_status()

    # -- undo ----------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        if not self.ready():
            return
        if self._screen.runs.running:
            self._say("A run is under way: R shows it; stopped or at its end u takes it back.", warning=True)
            return
        self.writer.find_undo(self._undo_found)
        self._busy_changed()

    def _undo_found(self, entries: tuple[Entry, ...] | EcrTuiError) -> None:
        self._busy_changed()
        if isinstance(entries, EcrTuiError):
            self._screen.report(entries)
        elif not entries:
            self._say("There is nothing to undo: this account has no write that was not taken back.")
        elif len(entries) > 1:
            self._screen.runs.take_back(entries)
        elif entries[0].record.subject == TAGS:
            identifier, workspace = entries[0].id, self._screen.workspace
            self._screen.tag_editing.plan(lambda: workspace.changes.plan_tags_back(identifier))
        else:
            self._undo_one(entries[0])

    def _undo_one(self, entry: Entry) -> None:
        (plan,) = undo_preview([entry])
        fresh = entry.id in self._made_here
        if fresh and not plan.risks and not self._screen.workspace.settings.confirms("undo"):
            self._take_back()
        else:
            self._ask_undo(entry, plan)

    def _ask_undo(self, entry: Entry, plan: Plan) -> None:
        """What was not written in this session is not in the user's mind: say what it is, and ask."""
        record = entry.record
        when = ago(entry.at, self._screen.now())
        body = [
            *write_text.risks(plan),
            Content.assemble(("repository  ", MUTED), (safe(record.repository), "bold"), f"  {safe(record.region)}"),
            Content.assemble(("written     ", MUTED), f"{when}, as a {safe(record.kind)}"),
            Content.assemble(("for         ", MUTED), safe(record.principal) or "–"),
            Content(""),
            Content("The policy is put back exactly as it was before, if nobody has changed it since."),
        ]

        def answered(yes: bool | None) -> None:
            if yes and self.ready():
                self._take_back()

        now = entry.id in self._made_here
        title = (
            "Undo the last write?" if now else f"Undo a write {'of a run' if record.run else 'of an earlier session'}?"
        )
        self._screen.app.push_screen(ConfirmScreen(title, body, yes="Yes, undo"), answered)

    def _take_back(self) -> None:
        self.writer.undo(self._undone)
        self._busy_changed()

    def _undone(self, outcome: Outcome | EcrTuiError) -> None:
        self._set_phase(None, "")
        if isinstance(outcome, EcrTuiError):
            self._busy_changed()
            self._failed(outcome, "Undo")
            # A conflict means that the policy is not what was read.
            if self._screen.repository is not None:
                self._screen.policies_changed([self._screen.repository.arn])
            return
        repository = outcome.plan.repository
        self._screen.policies_changed([repository.arn], "undo")
        self._busy_changed()
        self._say(f"The policy of {safe(repository.name)} is exactly as it was before.", title="Undone")

    def written_elsewhere(self, outcome: Outcome) -> None:
        """In the journal's screen: what was done again there is taken back by u without asking, as it is fresh."""
        if outcome.plan.kind == "redo" and outcome.entry_id:
            self._made_here.add(outcome.entry_id)
        self._set_phase(None, "")

    def _busy_changed(self) -> None:
        self._screen.update_bindings()
        self._screen.show_status()
        self._screen.writes_settled()
