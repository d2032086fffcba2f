"""A run that did not come to its end: resume it, leave it for good, or be asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from ecr_tui.changes.bulk import Intent
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.screens.dialog import SCROLLING, Dialog
from ecr_tui.ui.text.bulk import unfinished_body
from ecr_tui.ui.text.past import when
from ecr_tui.ui.text.write import terms
from ecr_tui.ui.widgets.keyhints import KeyHints

if TYPE_CHECKING:
    from ecr_tui.changes.bulk import Unfinished


class UnfinishedScreen(Dialog[str]):
    """ "resume", "dismiss" or "later", which has the focus and is what esc means."""

    DEFAULT_CSS = """
    UnfinishedScreen {
        & > #dialog { max-width: 76; }
        & #buttons { height: auto; margin-top: 1; align-horizontal: right; }
        & #buttons .keys { width: 1fr; margin-top: 0; }
        & Button { margin-left: 1; min-width: 11; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *SCROLLING,
        Binding("escape", "later", "Later"),
        Binding("left", "app.focus_previous", "Previous", show=False),
        Binding("right", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, left: Unfinished) -> None:
        super().__init__()
        self._left = left

    def compose(self) -> ComposeResult:
        left = self._left
        try:
            words = Intent.from_json(left.run.intent).words()
        except EcrTuiError as error:
            words = error.title
        with Vertical(id="dialog"):
            yield Static("Unfinished bulk run", classes="title", markup=False)
            with VerticalScroll(id="scroll", can_focus=False):
                body = unfinished_body(left, words[:1].upper() + words[1:], when(left.run.at))
                yield Static(Content("\n").join(body), classes="body", markup=False)
            with Horizontal(id="buttons"):
                yield KeyHints(("← →", "move"), ("enter", "confirm"), ("esc", "later"))
                yield Button(Content("Later"), id="later", variant="default")
                yield Button(Content("Dismiss"), id="dismiss", variant="default")
                yield Button(Content("Resume"), id="resume", variant="primary")

    def on_mount(self) -> None:
        self.query_one("#later").focus()

    def action_later(self) -> None:
        self.dismiss("later")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id)


def words_of(left: Unfinished) -> tuple[str, str, Intent]:
    """Verb, sentence and intent of a run in the journal. Raises InputError for one that cannot be understood."""
    intent = Intent.from_json(left.run.intent)
    if intent.grant is not None:
        who = intent.who if intent.each else ""
        return "Grant", terms(intent.grant, revoke=False, scope=intent.scope, who=who), intent
    words = intent.words()
    return intent.kind.capitalize(), f"{words[:1].upper()}{words[1:]}.", intent
