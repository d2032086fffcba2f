"""Opening the journal, and taking back what was chosen in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.undo import target
from ecr_tui.errors import ConflictError, EcrTuiError, InputError
from ecr_tui.ui.journal_text import fact_lines, meaning_lines
from ecr_tui.ui.preview_text import diff_lines
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.journal import JournalScreen
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import MUTED, OK, safe

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Outcome
    from ecr_tui.changes.history import PastWrite, PastWrites
    from ecr_tui.ui.screens.journal import JournalScreen
    from ecr_tui.ui.screens.main import MainScreen


class Journalling:
    """Belongs to the main screen, which reads again what was changed."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._shown: JournalScreen | None = None

    def open(self) -> None:
        main = self._screen
        self._shown = JournalScreen(main.workspace, main.repository, now=main.now, take_back=self.ask)
        main.app.push_screen(self._shown)

    def ask(self, past: PastWrites, row: PastWrite, redo: bool) -> None:
        """Show what would be put back, and ask; nothing is read for that, so the write itself decides."""
        app = self._screen.app
        if not self._screen.writes.ready():
            return
        try:
            # The write itself finds out about an outcome that is unknown.
            entry = target(past.history, row.entry, redo=redo, settled=False)
        except (InputError, ConflictError) as error:
            app.push_screen(ErrorScreen(error))
            return
        if row.about_tags:
            # What it does to access only the policy of now tells.
            workspace, wanted = self._screen.workspace, redo and row.entry.record.kind != "undo"
            self._screen.tag_editing.plan(lambda: workspace.changes.plan_tags_back(row.id, redo=wanted))
            return
        redo = entry.record.kind == "undo"
        reverse = past.row_of(entry).reversed
        body = [
            *meaning_lines(reverse, 70),
            *fact_lines(row),
            Content(""),
            *diff_lines(reverse.text_diff),
            Content(""),
            Content.styled("Exactly this is written, if the live policy still is what that write left.", MUTED),
        ]
        verb = "Redo" if redo else "Undo"

        def answered(yes: bool | None) -> None:
            if yes and self._screen.writes.ready():
                self._write(row, entry.record.arn, redo)

        title = f"{verb} the {safe(row.entry.record.kind)} in {safe(entry.record.repository)}?"
        app.push_screen(ConfirmScreen(title, body, yes=f"Yes, {verb.lower()}"), answered)

    def _write(self, row: PastWrite, arn: str, redo: bool) -> None:
        main, workspace = self._screen, self._screen.workspace
        act = (
            workspace.changes.undo_entry
            if row.entry.record.kind == "undo" or not redo
            else workspace.changes.redo_entry
        )

        def take(outcome: Outcome | EcrTuiError) -> None:
            if isinstance(outcome, EcrTuiError):
                self._failed(outcome, arn, row.entry.record.repository, "Redo" if redo else "Undo")
            else:
                self._wrote(outcome)

        main.writes.writer.do("undoing", lambda: act(row.id), take)
        self._busy_changed()

    def _wrote(self, outcome: Outcome) -> None:
        main, plan = self._screen, outcome.plan
        main.writes.written_elsewhere(outcome)
        self._ended(plan.repository.arn)
        end = "\n".join(safe(note) for note in outcome.notes) or "Written and read back."
        done = "Redone" if plan.kind == "redo" else "Undone"
        main.app.notify(f"{safe(plan.repository.name)}: {end}", title=f"{OK} {done}", timeout=8, markup=False)

    def _failed(self, error: EcrTuiError, arn: str, name: str, verb: str) -> None:
        self._ended(arn)
        self._screen.report(error, f"{verb} on {name} failed")

    def _ended(self, arn: str) -> None:
        self._screen.policies_changed([arn])
        self._busy_changed()
        if self._shown is not None and self._shown.is_attached:
            self._shown.read()

    def _busy_changed(self) -> None:
        main = self._screen
        main.update_bindings()
        main.show_status()
        main.writes_settled()
