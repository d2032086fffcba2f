"""Other accounts in place of those at hand: when that may be, and what goes with the former ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecr_tui.aws.model import Role, RoleToAssume

if TYPE_CHECKING:
    from ecr_tui.ui.screens.main import MainScreen
    from ecr_tui.workspace import Workspace


@dataclass(frozen=True)
class Side:
    """``profile`` "": of account A botocore's own default, of account B nobody."""

    profile: str
    role: RoleToAssume | None = None


@dataclass(frozen=True)
class Choice:
    a: Side
    b: Side
    regions: tuple[str, ...]


def present(workspace: Workspace) -> Choice:
    settings = workspace.settings
    return Choice(
        Side(settings.profile_a or "", workspace.accounts.assumed(Role.OWNER)),
        Side(settings.profile_b or "", workspace.accounts.assumed(Role.CONSUMER)),
        tuple(settings.regions),
    )


class Accounts:
    """Belongs to the main screen. A switch makes a new one: what was marked, planned, chosen or proved in the former
    account has no way over, and its late answers find nobody."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    def open(self) -> None:
        if self._wait_first():
            return
        from ecr_tui.ui.screens.accounts import AccountsScreen

        dialog = AccountsScreen(self._screen.workspace)

        def answered(choice: Choice | None) -> None:
            if choice is not None and self.switch(choice):
                return
            if dialog.signed_in:
                self.renew()

        self._screen.app.push_screen(dialog, answered)

    def _wait_first(self) -> bool:
        """Whether something runs that must end under the accounts that it began with."""
        screen = self._screen
        what = ""
        if screen.writes.writer.busy:
            what = "A policy is being read or written"
        elif screen.runs.running:
            what = "A run over many repositories is under way"
        elif screen.workspace.busy() or screen.proving.verifier.running or screen.many.verifier.running:
            what = "A verification is running"
        if what:
            screen.app.notify(f"{what}: accounts can be changed when it has ended.", severity="warning")
        return bool(what)

    def switch(self, choice: Choice) -> bool:
        """Whether anything changed."""
        workspace = self._screen.workspace
        now = present(workspace)
        if choice == now:
            return False
        if self._wait_first():
            return True
        changes: dict[str, Any] = {}
        for letter in "ab":
            side: Side = getattr(choice, letter)
            if side != getattr(now, letter):
                changes |= {f"profile_{letter}": side.profile, f"assume_{letter}": side.role}
        if choice.regions != now.regions:
            changes["regions"] = choice.regions
        workspace.use(**changes)
        self._screen.app.start_over()  # type: ignore[attr-defined]
        return True

    def renew(self) -> None:
        """After a sign-in: nothing that was read with the former credentials counts."""
        for role in Role:
            self._screen.workspace.accounts.renew(role)
        self._screen.action_refresh()
