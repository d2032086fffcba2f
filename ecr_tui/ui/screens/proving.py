"""Verifying as the user meets it: start, watch, cancel, read the end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content
from textual.timer import Timer

from ecr_tui.policy.actions import Access
from ecr_tui.ui.safety import ask_first
from ecr_tui.ui.text import safe
from ecr_tui.ui.widgets.verification import verdict as headline
from ecr_tui.ui.write_text import grant_words

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.flows.verifying import Run, Verifier
    from ecr_tui.ui.messages import Verified, Verifying
    from ecr_tui.ui.screens.main import MainScreen

CANCEL_PATIENCE = 0.9
"""Seconds after which a cancelled verification is called cancelled, whatever its engine still does."""

TICK = 0.25
"""Seconds between two looks at the clock of a running stage: often enough to live, seldom enough not to flicker."""


_TRANSFERS = {
    frozenset({"push", "pull"}): "log in, push a probe image of under 2 kB, pull it back, and clean up.",
    frozenset({"push"}): "log in, push a probe image of under 2 kB, and clean up.",
    frozenset({"pull"}): "log in and pull the newest image that is there; nothing is pushed.",
}


def steps(access: Access) -> str:
    """What a verification of this access does, as a sentence or two."""
    transfers = _TRANSFERS.get(access.parts - {"read"}, "")
    read = ["read the repository's metadata."] if "read" in access.parts else []
    return "As account B: " + " Then ".join([*read, *([transfers] if transfers else [])])


class Proving:
    def __init__(self, screen: MainScreen, verifier: Verifier) -> None:
        self._screen = screen
        self.verifier = verifier
        self._ticker: Timer | None = None

    def begin(self) -> None:
        """When the screen is on."""
        self._ticker = self._screen.set_interval(TICK, self._tick, pause=True)

    def start(self, counter_proof: Sequence[Repository] = ()) -> None:
        screen = self._screen
        repository = screen.repository
        if repository is None:
            return
        if self.verifier.running:
            screen.app.notify("A verification is running; esc stops it.", severity="warning", markup=False)
            return
        access = screen.choosing.choice.access
        body = [Content(steps(access))]
        if counter_proof:
            body.append(Content(f"It must be denied on {safe(', '.join(one.name for one in counter_proof))}."))
        title = f"Verify {safe(repository.name)}?"
        then = partial(self._start, repository, access, counter_proof)
        ask_first(screen, "verify", title, body, yes="Yes, verify", then=then)

    def isolate_marked(self) -> None:
        """Verify the selected repository with the marked ones as its counter-proof."""
        screen = self._screen
        others = [one for one in screen.table.marked if screen.repository and one.arn != screen.repository.arn]
        if others:
            self.start(others)
        else:
            screen.app.notify("Mark the repositories that must be denied, and select the one that is granted.")

    def _start(self, repository: Repository, access: Access, counter_proof: Sequence[Repository]) -> None:
        screen = self._screen
        self.verifier.start(repository, screen.workspace.settings.engine, access, counter_proof)
        if self._ticker is not None:
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
        if self._ticker is not None:
            self._ticker.pause()
        self._screen.history.refresh()
        self.show()
        self._screen.update_bindings()
        run = self.verifier.run
        if run is not None and self.verifier.about(self._screen.repository) is None:
            words = headline(run).plain
            self._screen.app.notify(words, title=f"Verification of {safe(run.repository.name)}", markup=False)
        if message.error is not None:
            self._screen.report(message.error)

    def _tick(self) -> None:
        if self.verifier.running:
            self.show()

    def show(self) -> None:
        self.refresh()
        self._screen.show_status()

    def refresh(self) -> None:
        """The run of the selected repository, or the one under way: a result never stands beside another one."""
        screen, repository = self._screen, self._screen.repository
        run = self.verifier.about(repository)
        if run is None:
            screen.verification.clear(repository)
        else:
            screen.verification.show(run, self.verifier.clock(), stale=self.verifier.stale, hint=self._hint(run))

    def _hint(self, run: Run) -> str:
        """The key that mends a denial, where the previewed grant does."""
        screen = self._screen
        plan = screen.previewer.writable(screen.repository, screen.grant)
        report = run.report
        denied = report is not None and any(
            stage.side.startswith("account A") and stage.status.value == "denied" for stage in report.stages
        )
        if not denied or plan is None or plan.grant is None or not plan.changed or plan.refused:
            return ""
        return f"Press g to write the previewed grant ({grant_words(plan.grant)}), then v."
