"""What was verified before: the last one in the pane, all of a repository behind a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.ui.past_text import last_line, past_line, past_text, when
from ecr_tui.ui.screens.ask import Choosable, ChooseScreen
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import NO, OK, safe, safe_block

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.ui.screens.main import MainScreen
    from ecr_tui.verification.records import Past


class History:
    """Belongs to the main screen. The record is read on a thread: it grows with every verification."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._generation = 0
        self._last: dict[str, Past] = {}

    def refresh(self) -> None:
        self._generation += 1
        generation, workspace = self._generation, self._screen.workspace

        def taken(last: dict[str, Past]) -> None:
            if generation == self._generation:
                self._last = last
                self.show()
                self._screen.table.redraw_rows()

        def work() -> Answered:
            last = workspace.verification.latest()
            return Answered(lambda: taken(last))

        # A record that cannot be read is said where it is asked for: h.
        jobs.start(self._screen, work, failed=lambda _: None, group="history")

    def last(self, repository: Repository) -> Past | None:
        """Its last verification, as far as the record was read."""
        return self._last.get(repository.arn)

    def show(self) -> None:
        """The selected repository's last verification, unless the pane is about it, or one runs."""
        screen = self._screen
        repository, verifier = screen.repository, screen.proving.verifier
        past = self._last.get(repository.arn) if repository is not None else None
        if repository is None or past is None or verifier.about(repository) is not None:
            screen.verification.show_last(Content.empty())
        else:
            stale = verifier.changes.since_time(repository.arn, past.at)
            screen.verification.show_last(last_line(repository.name, past, screen.now(), stale))

    def open(self) -> None:
        repository = self._screen.repository
        if repository is None:
            return
        workspace = self._screen.workspace

        def work() -> Answered:
            found = workspace.verification.history(repository)
            return Answered(lambda: self._list(repository, found))

        def failed(error: EcrTuiError) -> Answered:
            return Answered(lambda: self._screen.report(error))

        jobs.start(self._screen, work, failed=failed, group="history-list")

    def _list(self, repository: Repository, found: Sequence[Past], current: int = 0) -> None:
        app = self._screen.app
        if not found:
            app.notify(f"{safe(repository.name)} has not been verified yet; v does.", markup=False)
            return

        def chosen(choice: Choosable | None) -> None:
            if choice is not None:
                self._open(repository, found, choice.value)

        title = f"Verifications of {safe(repository.name)}, newest first"
        choices = [Choosable(past_line(past), place) for place, past in enumerate(found)]
        app.push_screen(ChooseScreen(title, choices, current=current), chosen)

    def _open(self, repository: Repository, found: Sequence[Past], place: int) -> None:
        past = found[place]
        text = past_text(past)
        title = f"{OK if past.passed else NO} {safe(repository.name)}, {when(past.at)}"
        screen = TextScreen(title, Content(safe_block(text)), copy=text, what="the report", failure=not past.passed)
        # Back to the list: who looks for a change reads more than one.
        self._screen.app.push_screen(screen, lambda _: self._list(repository, found, place))
