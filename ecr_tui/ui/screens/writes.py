"""Granting, revoking and undoing as the user meets them: when to ask, what to say, what to read again afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content

from ecr_tui.aws.model import Repository
from ecr_tui.errors import ConflictError, EcrTuiError
from ecr_tui.ui import write_text
from ecr_tui.ui.flows.previewing import Subject
from ecr_tui.ui.flows.writing import Writer
from ecr_tui.ui.messages import Planned, UndoFound, Undone, Written
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import MUTED, OK, ago, count, safe

if TYPE_CHECKING:
    from ecr_tui.grants import Plan
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.screens.main import MainScreen


class Writes:
    """Belongs to the main screen. Every path to a write passes :meth:`_ready`, and writes a plan that was shown."""

    def __init__(self, screen: MainScreen, writer: Writer) -> None:
        self._screen = screen
        self.writer = writer
        self.progress = (0, 0)
        self._made_here = 0
        self._phase: tuple[Subject | None, str] = (None, "")
        self._hidden: Sequence[Repository] = ()

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

    def _ready(self) -> bool:
        if self._screen.read_only:
            self._say("Read-only mode: nothing is written.", warning=True)
            return False
        if self.writer.busy:
            self._say("Another write is under way.", warning=True)
            return False
        return True

    # -- grant ---------------------------------------------------------------------------------------------------

    def grant(self) -> None:
        screen = self._screen
        grant = screen.grant
        if not self._ready():
            return
        if grant is None:
            self._say("To whom? Account B is not known: choose a principal with b.", warning=True)
            return
        if screen.table.marks:
            self._plan_marked(grant, revoke=False)
            return
        plan = screen.previewer.writable(screen.repository, grant)
        if plan is None:
            error = screen.previewer.preview.error
            if error is not None:
                screen.app.push_screen(ErrorScreen(error))
            else:
                self._say("The preview is still being made; what is not shown is not written.")
            return
        if not plan.changed:
            self._say(f"No change: {safe(plan.repository.name)} already grants this.")
            return
        if screen.tabbed and screen.pane != "preview":
            # Only what is on the screen may be written, and here the preview is on another tab.
            screen.action_pane("preview")
            self._say("This is what g writes. Press g again to write it.")
            return
        if plan.risks:
            title = f"{count(len(plan.risks), 'risk')}: grant all the same?"
            self._confirm(title, write_text.one(plan), "Grant", [plan])
        else:
            self._write([plan])

    def revoke(self) -> None:
        screen = self._screen
        grant = screen.grant
        if not self._ready():
            return
        if grant is None:
            self._say("From whom? Choose a principal with b.", warning=True)
        elif screen.table.marks:
            self._plan_marked(grant, revoke=True)
        elif screen.repository is not None:
            self._plan([screen.repository], grant, revoke=True)

    def _plan_marked(self, grant: Grant, *, revoke: bool) -> None:
        self._hidden = self._screen.table.marked_hidden
        self._plan(self._screen.table.marked, grant, revoke=revoke)

    def _plan(self, repositories: Sequence[Repository], grant: Grant, *, revoke: bool) -> None:
        self.progress = (0, len(repositories))
        self.writer.plan(repositories, grant, revoke=revoke)
        self._busy_changed()

    def planned(self, message: Planned) -> None:
        """Plans were made from the live policies: ask, with everything that is going to happen."""
        screen = self._screen
        self.writer.done()
        self._busy_changed()
        hidden, self._hidden = self._hidden, ()
        pairs = list(zip(message.repositories, message.plans, strict=False))
        failed = [(r, p) for r, p in pairs if isinstance(p, EcrTuiError)]
        plans: list[Any] = [p for _, p in pairs if p is not None and not isinstance(p, EcrTuiError)]
        if failed and not plans:
            self._screen.app.push_screen(ErrorScreen(failed[0][1]))
            return
        changed = [p for p in plans if p.changed]
        verb = "Revoke" if message.revoke else "Grant"
        if not changed:
            where = (
                safe(plans[0].repository.name) if len(plans) == 1 else count(len(plans), "repository", "repositories")
            )
            notes = [safe(str(risk)) for plan in plans for risk in plan.risks]
            nothing = "there is no statement of ours to take away" if message.revoke else "it is granted already"
            self._say("\n".join([f"No change in {where}: {nothing}.", *notes]))
            return
        whom = write_text.whom(message.grant, revoke=message.revoke)
        if len(message.repositories) == 1:
            marked = " (the marked one)" if screen.table.marks else ""
            title = f"{verb} in {safe(changed[0].repository.name)}{marked}? {whom}"
            self._confirm(title, write_text.one(changed[0]), verb, changed)
            return
        same = [p for p in plans if not p.changed]
        title = f"{verb} in {count(len(changed), 'repository', 'repositories')}? {whom}"
        self._confirm(title, write_text.many(changed, same, failed, hidden), verb, changed)

    def _confirm(self, title: str, body: Sequence[Content], verb: str, plans: Sequence[Plan]) -> None:
        def answered(yes: bool | None) -> None:
            if yes and self._ready():
                self._write(plans)

        self._screen.app.push_screen(ConfirmScreen(title, body, yes=f"Yes, {verb.lower()}"), answered)

    # -- the write and its end -----------------------------------------------------------------------------------

    def _write(self, plans: Sequence[Plan]) -> None:
        self.progress = (0, len(plans))
        self.writer.write(plans)
        if len(plans) == 1 and plans[0].grant is not None:
            self._set_phase(Subject(plans[0].repository, plans[0].grant), "writing…")
        self._busy_changed()

    def written(self, message: Written) -> None:
        self.writer.done()
        plans, outcomes = message.plans, message.outcomes
        failures = [(p, o) for p, o in zip(plans, outcomes, strict=False) if isinstance(o, EcrTuiError)]
        done = [p for p, o in zip(plans, outcomes, strict=False) if o is not None and not isinstance(o, EcrTuiError)]
        self._made_here += len(done)
        alone = len(plans) == 1 and plans[0].grant is not None
        subject = Subject(plans[0].repository, plans[0].grant) if alone and plans[0].grant is not None else None
        results = [o for o in outcomes if o is not None and not isinstance(o, EcrTuiError)]
        read_back = "written" if any(o.notes for o in results) else "written and read back"
        self._set_phase(subject, f"{OK} {read_back}" if done else "")
        if not failures and len(done) == len(plans):
            self._screen.table.unmark_all()
        self._screen.policies_changed([p.repository.arn for p in plans])
        self._busy_changed()
        if len(plans) == 1 and failures:
            self._failed(failures[0][1])
        elif len(done) < len(plans):
            text = write_text.outcome_lines(plans, outcomes)
            title = f"{count(len(done), 'repository', 'repositories')} written, {len(plans) - len(done)} not"
            self._screen.app.push_screen(
                ErrorScreen(EcrTuiError(title, detail=text, hint="u takes back one at a time."))
            )
        else:
            self._say(write_text.done(done, results), title="Revoked" if done[0].kind == "revoke" else "Granted")

    def _failed(self, error: EcrTuiError) -> None:
        title = "The policy changed meanwhile: nothing was written" if isinstance(error, ConflictError) else ""
        self._screen.app.push_screen(ErrorScreen(error, title=title))

    # -- undo ----------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        if not self._ready():
            return
        if self._made_here:
            self.writer.undo()
        else:
            # What was not written in this session is not in the user's mind: say what it is, and ask.
            self.writer.find_undo()
        self._busy_changed()

    def undo_found(self, message: UndoFound) -> None:
        self.writer.done()
        self._busy_changed()
        if message.error is not None:
            self._screen.app.push_screen(ErrorScreen(message.error))
            return
        if message.entry is None:
            self._say("There is nothing to undo: this account has no write that was not taken back.")
            return
        record = message.entry.record
        when = ago(message.entry.at, self._screen.now())
        body = [
            Content.assemble(("repository  ", MUTED), (safe(record.repository), "bold"), f"  {safe(record.region)}"),
            Content.assemble(("written     ", MUTED), f"{when}, as a {safe(record.kind)}"),
            Content.assemble(("for         ", MUTED), safe(record.principal) or "–"),
            Content(""),
            Content("The policy is put back exactly as it was before, if nobody has changed it since."),
        ]

        def answered(yes: bool | None) -> None:
            if yes and self._ready():
                self.writer.undo()
                self._busy_changed()

        title = "Undo a write of an earlier session?"
        self._screen.app.push_screen(ConfirmScreen(title, body, yes="Yes, undo"), answered)

    def undone(self, message: Undone) -> None:
        self.writer.done()
        self._set_phase(None, "")
        if message.outcome is None:
            self._busy_changed()
            if message.error is not None:
                self._failed(message.error)
            # A conflict means that the policy is not what was read.
            if self._screen.repository is not None:
                self._screen.policies_changed([self._screen.repository.arn])
            return
        self._made_here = max(self._made_here - 1, 0)
        repository = message.outcome.plan.repository
        self._screen.policies_changed([repository.arn])
        self._busy_changed()
        self._say(f"The policy of {safe(repository.name)} is exactly as it was before.", title="Undone")

    def taken_back_elsewhere(self, *, redo: bool) -> None:
        """In the journal's screen: what u takes back without asking must be what the user did here last."""
        self._made_here = self._made_here + 1 if redo else max(self._made_here - 1, 0)
        self._set_phase(None, "")

    def _busy_changed(self) -> None:
        self._screen.update_bindings()
        self._screen.show_status()
        self._screen.writes_settled()
