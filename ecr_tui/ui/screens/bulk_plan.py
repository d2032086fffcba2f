"""Confirmation before a bulk write, with the change of each repository."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from ecr_tui.ui.bulk import TICK, Planning, Row
from ecr_tui.ui.keys import MOVES
from ecr_tui.ui.plain import pace
from ecr_tui.ui.screens.confirm import Question
from ecr_tui.ui.screens.text import plan_screen
from ecr_tui.ui.text import safe
from ecr_tui.ui.text.bulk import plan_columns, plan_note, plan_summary, plan_title
from ecr_tui.ui.widgets.inputs import TypedAnswer
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.run_table import RunTable
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

TYPED_FROM = 50
"""Number of repositories from which Yes requires typing their number."""


class BulkPlanScreen(Question):
    """Plans and shows the progress. Result True only for Yes; "No" has the focus, and Esc means no."""

    DEFAULT_CSS = """
    BulkPlanScreen {
        & > #dialog { width: 96%; max-width: 150; padding: 0 2; border: round $warning; }
        & .title { margin-bottom: 0; }
        & #scroll { margin-top: 1; }
        & #typing { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, f"table({key.action!r})", key.label, show=False) for key in MOVES if key.id != "table.open"
    ]

    def __init__(self, planning: Planning) -> None:
        super().__init__()
        self._planning = planning

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Words(plan_title(self._planning), id="question", classes="title")
            yield Words(plan_summary(self._planning), id="summary", classes="body")
            yield RunTable(plan_columns(self._planning.rows), key=lambda row: row.repository.arn)
            yield Words(classes="note")
            yield Vertical(id="typing")
            with Horizontal(id="buttons"):
                yield KeyHints(
                    ("↑ ↓", "select, enter: diff"), ("← →", "move, enter: confirm"), ("esc", "cancel"), between="\n"
                )
                yield Button(Content("No"), id="no", variant="default")
                yield Button(
                    Content(f"Yes, {self._planning.job.verb.lower()}"), id="yes", variant="warning", disabled=True
                )

    def on_mount(self) -> None:
        self.table.set_rows(self._planning.rows)
        self.set_focus(self.query_one("#no"))  # immediately: a key may be waiting
        self.run_worker(self._planning.make(), exit_on_error=False)
        self._ticker = self.set_interval(pace(self, TICK), self._tick)
        self._tick()

    @property
    def table(self) -> RunTable[Row]:
        return self.query_one(RunTable)

    def _tick(self) -> None:
        planning = self._planning
        self.query_one("#summary", Words).say(plan_summary(planning))
        if planning.error is not None:
            if self.is_current:
                self._ticker.stop()
                self.dismiss(False)
        elif planning.over:
            self._ticker.stop()
            self._planned()

    def _planned(self) -> None:
        self._planning.arrange()
        self.table.set_rows(self._planning.rows)
        self.table.move_to(0)
        self._say_note()
        self.query_one("#question", Words).say(plan_title(self._planning))
        yes, no = self.query_one("#yes", Button), self.query_one("#no", Button)
        number = len(self._planning.changing)
        typed = getattr(self.app, "production_profile", "") or (str(number) if number >= TYPED_FROM else "")
        if number and typed:
            answer = TypedAnswer(typed)
            self.query_one("#typing", Vertical).mount(answer)
            self.call_after_refresh(self.set_focus, answer)
        elif number:
            yes.disabled = False
        else:
            yes.display = False
            no.label = Content("Close")

    def document(self) -> str:
        return self.table.plain()

    @on(VirtualTable.Moved)
    def _say_note(self) -> None:
        self.query_one(".note", Words).say(plan_note(self.table.current))

    # -- answers -------------------------------------------------------------------------------------------------

    async def action_table(self, action: str) -> None:
        """Movement keys while a button has the focus go to the table."""
        self.table.focus()
        await self.table.run_action(action)

    def action_no(self) -> None:
        self._planning.cancel.set()
        self.dismiss(False)

    @on(VirtualTable.Opened)
    def _opened(self) -> None:
        row = self.table.current
        if row is not None and row.planned is not None:
            name = safe(row.repository.name)
            self.app.push_screen(plan_screen(name, row.planned, f"No plan for {name}"))
