"""What the main screen does, by subject, each made when it is first needed: the first frame needs none of them."""

from __future__ import annotations

import importlib
from functools import cached_property
from typing import TYPE_CHECKING, cast

from ecr_tui import precedence

if TYPE_CHECKING:
    from ecr_tui.ui.port import Workspace
    from ecr_tui.ui.screens.choosing import Choosing
    from ecr_tui.ui.screens.copying import Copying
    from ecr_tui.ui.screens.history import History
    from ecr_tui.ui.screens.journalling import Journalling
    from ecr_tui.ui.screens.leftovers import Leftovers
    from ecr_tui.ui.screens.loading import Loading
    from ecr_tui.ui.screens.main import MainScreen
    from ecr_tui.ui.screens.many import ManyProving
    from ecr_tui.ui.screens.proving import Proving
    from ecr_tui.ui.screens.runs import Runs
    from ecr_tui.ui.screens.searching import Searching
    from ecr_tui.ui.screens.switching import Accounts
    from ecr_tui.ui.screens.tag_editing import TagEditing
    from ecr_tui.ui.screens.writes import Writes

_MODULES = (
    "ecr_tui.workspace",
    "ecr_tui.report",
    "ecr_tui.ui.preview_text",
    *(
        f"ecr_tui.ui.screens.{name}"
        for name in (
            "choosing",
            "searching",
            "proving",
            "writes",
            "runs",
            "many",
            "history",
            "leftovers",
            "copying",
            "switching",
            "journalling",
            "tag_editing",
            "loading",
        )
    ),
)


def load() -> None:
    """Import all of them. On a thread: together they take longer than a key may wait."""
    for name in _MODULES:
        precedence.give_way()
        importlib.import_module(name)


class Subjects:
    """To be inherited by the main screen."""

    workspace: Workspace

    @property
    def _screen(self) -> MainScreen:
        return cast("MainScreen", self)

    @property
    def writing_busy(self) -> str:
        """What is being written, "" for nothing."""
        writes = cast("Writes | None", self.__dict__.get("writes"))
        return writes.writer.busy if writes is not None else ""

    @property
    def writing(self) -> bool:
        """A policy is being written at this moment."""
        return self.writing_busy in ("writing", "undoing") or ("runs" in self.__dict__ and self.runs.running)

    @property
    def pulling(self) -> bool:
        """Pulling alone is chosen."""
        chosen = cast("Choosing | None", self.__dict__.get("choosing"))
        return (chosen.choice.access if chosen is not None else self.workspace.settings.access) == "pull"

    def stop_subjects(self) -> None:
        """Ask everything that runs to end; what was never needed runs nothing."""
        made = self.__dict__
        if "runs" in made:
            self.runs.stop()
        if "searching" in made:
            self.searching.stop()
        if "proving" in made:
            self.proving.verifier.cancel()
        if "many" in made:
            self.many.verifier.cancel()

    @cached_property
    def choosing(self) -> Choosing:
        from ecr_tui.ui.screens.choosing import Choosing

        return Choosing(self._screen)

    @cached_property
    def searching(self) -> Searching:
        from ecr_tui.ui.screens.searching import Searching

        return Searching(self._screen)

    @cached_property
    def copying(self) -> Copying:
        from ecr_tui.ui.screens.copying import Copying

        return Copying(self._screen)

    @cached_property
    def accounts(self) -> Accounts:
        from ecr_tui.ui.screens.switching import Accounts

        return Accounts(self._screen)

    @cached_property
    def writes(self) -> Writes:
        from ecr_tui.ui.flows.writing import Writer
        from ecr_tui.ui.screens.writes import Writes

        return Writes(self._screen, Writer(self._screen, self.workspace))

    @cached_property
    def runs(self) -> Runs:
        from ecr_tui.ui.screens.runs import Runs

        return Runs(self._screen)

    @cached_property
    def journal(self) -> Journalling:
        from ecr_tui.ui.screens.journalling import Journalling

        return Journalling(self._screen)

    @cached_property
    def tag_editing(self) -> TagEditing:
        from ecr_tui.ui.screens.tag_editing import TagEditing

        return TagEditing(self._screen)

    @cached_property
    def merging(self) -> Loading:
        from ecr_tui.ui.screens.loading import Loading

        return Loading(self._screen)

    @cached_property
    def proving(self) -> Proving:
        from ecr_tui.ui.flows.verifying import Verifier
        from ecr_tui.ui.screens.proving import Proving

        return Proving(self._screen, Verifier(self._screen, self.workspace))

    @cached_property
    def many(self) -> ManyProving:
        from ecr_tui.ui.flows.many import ManyVerifier
        from ecr_tui.ui.screens.many import ManyProving

        return ManyProving(self._screen, ManyVerifier(self._screen, self.workspace))

    @cached_property
    def history(self) -> History:
        from ecr_tui.ui.screens.history import History

        return History(self._screen)

    @cached_property
    def leftovers(self) -> Leftovers:
        from ecr_tui.ui.screens.leftovers import Leftovers

        return Leftovers(self._screen)
