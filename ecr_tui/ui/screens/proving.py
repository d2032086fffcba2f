"""Verifying as the user meets it: start, watch, cancel, read the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.ui.safety import ask_first
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.flows.verifying import Verifier
    from ecr_tui.ui.messages import Verified, Verifying
    from ecr_tui.ui.screens.main import MainScreen

CANCEL_PATIENCE = 0.9
"""Seconds after which a cancelled verification is called cancelled, whatever its engine still does."""

TICK = 0.25
"""Seconds between two looks at the clock of a running stage: often enough to live, seldom enough not to flicker."""


class Proving:
    def __init__(self, screen: MainScreen, verifier: Verifier) -> None:
        self._screen = screen
        self.verifier = verifier
        self._ticker = screen.set_interval(TICK, self._tick, pause=True)

    def start(self) -> None:
        screen = self._screen
        repository = screen.repository
        if repository is None:
            return
        if self.verifier.running:
            screen.app.notify("A verification is running; esc stops it.", severity="warning", markup=False)
            return
        body = [Content("A probe image of less than 2 kB is pushed as account B, pulled, and removed again.")]
        title = f"Verify {safe(repository.name)}?"
        ask_first(screen, "verify", title, body, yes="Yes, verify", then=lambda: self._start(repository))

    def _start(self, repository: Repository) -> None:
        screen = self._screen
        self.verifier.start(repository, screen.workspace.settings.engine)
        self._ticker.resume()
        if not screen.panes.sees("verification"):
            screen.action_pane("verification")
        self.show()
        screen.verification.scroll_home(animate=False)

    def cancel(self) -> bool:
        """Whether there was anything to cancel."""
        if not self.verifier.running:
            return False
        self.verifier.cancel()
        self.show()
        self._screen.set_timer(CANCEL_PATIENCE, self._lose_patience)
        return True

    def _lose_patience(self) -> None:
        self.verifier.abandon()
        self.show()

    def take_event(self, message: Verifying) -> None:
        if self.verifier.take_event(message):
            self.show()

    def take_end(self, message: Verified) -> None:
        if not self.verifier.take_end(message):
            return
        self._ticker.pause()
        self._screen.history.refresh()
        self.show()
        self._screen.update_bindings()
        if message.error is not None:
            self._screen.app.push_screen(ErrorScreen(message.error))

    def _tick(self) -> None:
        if self.verifier.running:
            self.show()

    def show(self) -> None:
        if self.verifier.run is not None:
            self._screen.verification.show(self.verifier.run, self.verifier.clock())
            self._screen.show_status()
