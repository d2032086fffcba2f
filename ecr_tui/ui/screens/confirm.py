"""Confirmation before a write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from ecr_tui.ui.screens.dialog import SCROLLING, Dialog
from ecr_tui.ui.text import safe
from ecr_tui.ui.widgets.inputs import TypedAnswer
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.words import Hanging


class Question(Dialog[bool]):
    """Buttons and, if typing is required, ``#typed``: a :class:`TypedAnswer` that enables ``#yes``."""

    DEFAULT_CSS = """
    Question {
        & #buttons { height: auto; align-horizontal: right; }
        & #buttons .keys { width: 1fr; margin-top: 0; }
        & Button { margin-left: 2; min-width: 14; }
        & #typed { margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no", "No"),
        Binding("left", "app.focus_previous", "Previous", show=False),
        Binding("right", "app.focus_next", "Next", show=False),
    ]

    def action_no(self) -> None:
        self.dismiss(False)

    @on(TypedAnswer.Changed)
    def _typed(self) -> None:
        self.query_one("#yes", Button).disabled = not self.query_one(TypedAnswer).right

    @on(TypedAnswer.Submitted)
    def _typed_through(self) -> None:
        if self.query_one(TypedAnswer).right:
            self.dismiss(True)

    @on(Button.Pressed, "#yes")
    def _chose_yes(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed, "#no")
    def _chose_no(self) -> None:
        self.action_no()


class ConfirmScreen(Question):
    """True only for Yes, None for ``other``. "No" has the focus; Esc means no.

    On a production profile, Yes for a write requires typing its name, as on the command line.
    """

    DEFAULT_CSS = """
    ConfirmScreen #buttons { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]

    def __init__(
        self,
        title: str,
        body: Sequence[Content],
        *,
        yes: str,
        no: str = "No",
        other: str = "",
        writes: bool = True,
    ) -> None:
        super().__init__()
        self._writes = writes
        self._title = title
        self._body = Content("\n").join(body)
        self._yes = yes
        self._no = no
        self._other = other

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            production = getattr(self.app, "production_reason", "") if self._writes else ""
            if production:
                self.add_class("-production")
                yield Static(Content.styled(f"PRODUCTION · {safe(production)}", "bold $text-error"), classes="title")
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(id="scroll", can_focus=False):
                yield Hanging(self._body, classes="body")
            typed = getattr(self.app, "production_profile", "") if self._writes else ""
            if typed:
                yield TypedAnswer(typed)
            with Horizontal(id="buttons"):
                leave = "cancel" if self._no == "No" else self._no.lower()
                yield KeyHints(("← →", "move"), ("enter", "confirm"), ("esc", leave))
                yield Button(Content(self._no), id="no", variant="default")
                if self._other:
                    yield Button(Content(self._other), id="other", variant="default")
                yield Button(Content(self._yes), id="yes", variant="warning", disabled=bool(typed))

    def on_mount(self) -> None:
        typed = self.query("#typed")
        self.set_focus(typed.first() if typed else self.query_one("#no"))  # immediately: a key may be waiting

    def document(self) -> str:
        return f"{self._title}\n\n{self._body.plain}\n"

    @on(Button.Pressed, "#other")
    def _chose_other(self) -> None:
        self.dismiss(None)
