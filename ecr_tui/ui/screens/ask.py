"""Dialogs for a text and for a choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.text import MUTED, NO, safe
from ecr_tui.ui.widgets.inputs import Complete, SafeInput
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.options import Options
from ecr_tui.ui.widgets.words import Hang

Check = Callable[[str], str]
"""Describes a typed text on one line. Raises EcrTuiError for an invalid one."""


class AskScreen(Dialog[str | None]):
    """One line of text; None on Esc. Its meaning is shown while typing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel")]

    def __init__(
        self,
        title: str,
        explanation: str,
        *,
        value: str = "",
        placeholder: str = "",
        check: Check | None = None,
        complete: Complete | None = None,
        password: bool = False,
        typing: bool = False,
    ) -> None:
        """``typing``: the user continues ``value``; otherwise the first key replaces it."""
        super().__init__()
        self._title = title
        self._explanation = explanation
        self._check = check
        self._begin = value if typing else None
        self._input = SafeInput(
            value,
            placeholder=placeholder,
            complete=complete,
            password=password,
            id="answer",
            select_on_focus=not typing,
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._title, classes="title", markup=False)
            yield Static(self._explanation, classes="body", markup=False)
            yield self._input
            yield Static(id="meaning", classes="body", markup=False)
            yield KeyHints(("enter", "accept"), ("esc", "cancel"))

    def on_mount(self) -> None:
        self.set_focus(self._input)
        if self._input.value:  # an empty form opens without an error
            self._say(begun=self._begin is not None)

    def _say(self, *, begun: bool = False) -> bool:
        """Show the meaning of the text; returns whether it is valid. ``begun``: an incomplete text is not an error
        yet."""
        line = self.query_one("#meaning", Static)
        if self._check is None:
            line.update("")
            return True
        try:
            line.update(Content.styled(safe(self._check(self._input.value)), "$text-success"))
        except EcrTuiError as error:
            if begun:
                line.update("")
                return False
            parts = [Content.styled(f"{NO} {safe(error.title)}", "$text-error")]
            parts += [Content.styled(safe(error.hint), MUTED)] if error.hint else []
            line.update(Content("\n").join(parts))
            return False
        return True

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._say(begun=event.value == self._begin)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self._say():
            self.dismiss(self._input.value)


class Choosable(NamedTuple):
    """``label`` is the displayed text, already safe; ``value`` is the result."""

    label: Content
    value: Any


class ChooseScreen(Dialog[Choosable | None]):
    """One of several choices; None on Esc."""

    DEFAULT_CSS = """
    ChooseScreen {
        & > #dialog { max-width: 70; }
        & OptionList { max-height: 40vh; margin-top: 1; }
        &.-short OptionList { max-height: 30vh; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel")]

    def __init__(self, title: str, choices: Sequence[Choosable], *, current: int = 0, explanation: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._current = current
        self._explanation = explanation

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._title, classes="title", markup=False)
            if self._explanation:
                yield Static(self._explanation, classes="body", markup=False)
            yield Options(*(Option(Hang(choice.label)) for choice in self._choices), id="options", markup=False)
            yield KeyHints(("↑ ↓", "choose"), ("enter", "accept"), ("esc", "cancel"))

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        self.set_focus(options)
        options.highlighted = self._current

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index])
