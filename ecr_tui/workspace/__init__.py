"""The use cases for two accounts, called by the command line and the screens.

Blocking and thread-safe; boto3 and docker are imported on first use, so that the first frame does not wait. Every
failure is an :class:`~ecr_tui.errors.EcrTuiError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from ecr_tui.aws.model import MfaPrompt
from ecr_tui.config import Settings
from ecr_tui.workspace.access import AccessReview
from ecr_tui.workspace.accounts import Accounts, Chosen
from ecr_tui.workspace.changes import Changes
from ecr_tui.workspace.listing import Listing
from ecr_tui.workspace.second_opinions import SecondOpinions
from ecr_tui.workspace.troubleshooter import Troubleshooter
from ecr_tui.workspace.verification import VerificationRuns

__all__ = ["Workspace"]


class Workspace:
    """Two accounts and their use cases, one attribute per subject."""

    def __init__(
        self,
        settings: Settings,
        ask_mfa: Callable[[MfaPrompt], str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """``ask_mfa`` is called on the thread that needs the code; without it an MFA profile raises an error.

        ``prepare`` runs once, before the first session is created.
        """
        self.accounts = Accounts(settings, ask_mfa, prepare)
        self.listing = Listing(self.accounts)
        self.access = AccessReview(self.accounts, self.listing)
        self.changes = Changes(self.accounts, self.listing, self.access)
        self.second_opinions = SecondOpinions(self.accounts)
        self.troubleshooter = Troubleshooter(self.accounts)
        self.verification = VerificationRuns(self.accounts, self.listing, self.changes, self.troubleshooter)

    @property
    def settings(self) -> Settings:
        return self.accounts.settings

    @property
    def ask_mfa(self) -> Callable[[MfaPrompt], str] | None:
        return self.accounts.ask_mfa

    @ask_mfa.setter
    def ask_mfa(self, ask: Callable[[MfaPrompt], str] | None) -> None:
        self.accounts.ask_mfa = ask

    def use(self, **chosen: Unpack[Chosen]) -> None:
        """As :meth:`Accounts.use`; drops data read with the previous sessions."""
        self.accounts.use(**chosen)
        # After the sessions, so that concurrent reads use the new ones.
        self.access.forget()
        if chosen.keys() & {"profile_a", "regions"}:
            self.listing.forget(listed="profile_a" in chosen)

    def busy(self) -> bool:
        """Whether a verification is running, including its cleanup."""
        return self.verification.busy()

    def close(self, patience: float = 5.0) -> bool:
        """As :meth:`VerificationRuns.close`."""
        return self.verification.close(patience)
