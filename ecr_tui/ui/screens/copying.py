"""What y copies: whatever has the focus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ecr_tui.ui.screens.text import TextScreen, copied_error
from ecr_tui.ui.widgets.accounts import AccountCard

if TYPE_CHECKING:
    from ecr_tui.ui.screens.main import MainScreen

AGAIN = 5.0
"""Seconds within which the same key on the same row means its other name."""


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

    def _send(self, text: str, what: str, more: str = "") -> None:
        if text:
            self._screen.app.post_message(TextScreen.CopyWanted(text, what, more))
        else:
            self._screen.app.notify("There is nothing to copy here yet.", markup=False)
