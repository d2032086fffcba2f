"""What y copies: whatever has the focus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.plans import needed_of
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.export import Format, consumer_side, owner_side
from ecr_tui.render.sides import template_warnings
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.ask import Choosable, ChooseScreen
from ecr_tui.ui.screens.text import copied_error
from ecr_tui.ui.text import MUTED, safe
from ecr_tui.ui.widgets.accounts import AccountCard

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Plan
    from ecr_tui.ui.screens.main import MainScreen

AGAIN = 5.0
"""Seconds within which the same key on the same row means its other name."""


FORMS = (Format.CLI, Format.TERRAFORM, Format.CLOUDFORMATION, Format.JSON)
SIDES = {"a": "A's side", "b": "B's side"}


class Copying:
    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._last: tuple[str, float] = ("", 0.0)

    def focused(self) -> None:
        screen, focused = self._screen, self._screen.focused
        if isinstance(focused, AccountCard):
            self._send(copied_error(focused.error) if focused.error else focused.as_text(), "the account")
        elif screen.pane == "preview":
            self._send(*screen.preview.copy_text())
        elif screen.pane == "verification":
            self._send(*screen.verification.copy_text())
        elif screen.repository is not None and self._is_again(screen.repository.arn):
            self.uri()
        else:
            self.arn()

    def _is_again(self, arn: str) -> bool:
        return self._last[0] == arn and time.monotonic() - self._last[1] < AGAIN

    def arn(self) -> None:
        repository = self._screen.repository
        if repository is not None:
            self._last = (repository.arn, time.monotonic())
        self._send(repository.arn if repository else "", "the ARN", "  y again: the URI")

    def uri(self) -> None:
        repository = self._screen.repository
        self._last = ("", 0.0)
        self._send(repository.uri if repository else "", "the URI")

    def ask_form(self) -> None:
        """The previewed grant in another form: whose side, and which."""
        screen = self._screen
        plan = screen.previewer.writable(screen.repository, screen.grant)
        if plan is None:
            screen.app.notify("There is no preview to copy yet.", markup=False)
            return
        choices = [
            Choosable(Content.assemble(form.words, (f"  · {words}", MUTED)), (form, side))
            for side, words in SIDES.items()
            for form in FORMS
        ]

        def chosen(choice: Choosable | None) -> None:
            if choice is not None:
                form, side = choice.value
                try:
                    text = self._exported(plan, form, side)
                except EcrTuiError as error:
                    screen.app.notify(error.text(), severity="error", markup=False)
                    return
                more = template_warnings([plan]) if side == "a" and form is Format.CLOUDFORMATION else []
                self._send(text, f"{form.words}, {SIDES[side]},", "".join(f"  {one}" for one in more))

        screen.app.push_screen(
            ChooseScreen(
                f"Copy the grant on {safe(plan.repository.name)} as",
                choices,
                explanation="Account A's side is the repository policy as previewed; B's the identity policy it needs.",
            ),
            chosen,
        )

    def _exported(self, plan: Plan, form: Format, side: str) -> str:
        if side == "a":
            return owner_side(form, plan.after, plan.repository.arn)
        return "\n".join(consumer_side(form, needed) for needed in needed_of([plan]))

    def _send(self, text: str, what: str, more: str = "") -> None:
        if text:
            self._screen.app.post_message(CopyWanted(text, what, more))
        else:
            self._screen.app.notify("There is nothing to copy here yet.", markup=False)
