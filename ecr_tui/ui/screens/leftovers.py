"""What a verification that was killed has left behind: offered to be cleaned up at the next start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.ui.past_text import when
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.text import MUTED, OK, count, safe

if TYPE_CHECKING:
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.ui.screens.main import MainScreen
    from ecr_tui.verification.records import Leftover
    from ecr_tui.workspace.verification import Cleaned


class Leftovers:
    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    def look(self) -> None:
        """Reads a file, asks nothing of AWS."""
        workspace, app = self._screen.workspace, self._screen.app

        def work() -> Answered | None:
            found = workspace.verification.leftovers()
            return Answered(lambda: self._found(found)) if found else None

        def failed(error: EcrTuiError) -> Answered:
            return Answered(lambda: app.notify(safe(error.title), severity="warning", timeout=8, markup=False))

        jobs.start(self._screen, work, failed=failed, group="leftovers")

    def _found(self, found: Sequence[Leftover]) -> None:
        app = self._screen.app
        if self._screen.read_only:
            some = "\n".join(safe(one.what) for one in found)
            app.notify(
                f"Read-only leaves it there:\n{some}\n{safe(self._screen.read_only)}",
                title="A verification was killed",
                severity="warning",
                timeout=12,
                markup=False,
            )
            return
        body = [
            Content("A verification was killed before it had cleaned up. As account A, this is put right:"),
            Content(),
        ]
        for one in found:
            todo = "remove" if one.kind == "probe" else "set again"
            body.append(
                Content.assemble(
                    (f"{todo} ", "bold"), safe(one.what), (f"\n  {one.place.region} · {when(one.at)}", MUTED)
                )
            )

        def answered(yes: bool | None) -> None:
            if yes:
                self._clean(found)

        title = f"Clean up {count(len(found), 'leftover')}?"
        app.push_screen(ConfirmScreen(title, body, yes="Clean up", no="Later"), answered)

    def _clean(self, found: Sequence[Leftover]) -> None:
        workspace = self._screen.workspace

        def work() -> Answered:
            cleaned = workspace.verification.clean_leftovers(found)
            return Answered(lambda: self._cleaned(cleaned))

        def failed(error: EcrTuiError) -> Answered:
            return Answered(lambda: self._screen.report(error, "Nothing was cleaned up"))

        jobs.start(self._screen, work, failed=failed, group="leftovers-clean")

    def _cleaned(self, cleaned: Sequence[Cleaned]) -> None:
        app = self._screen.app
        good = [one for one in cleaned if one.error is None]
        bad = [one.error for one in cleaned if one.error is not None]
        if good:
            lines = "\n".join(f"{safe(one.leftover.what)}: {safe(one.message)}" for one in good)
            app.notify(lines, title=f"{OK} {count(len(good), 'leftover')} cleaned up", timeout=10, markup=False)
        if bad:
            title = f"{count(len(bad), 'leftover')} could not be cleaned up; the next start asks again"
            self._screen.report(bad[0], title)
