"""A workspace that is made, and the modules that it needs imported, when something is first asked of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ecr_tui.aws.model import MfaPrompt
    from ecr_tui.config import Settings
    from ecr_tui.workspace import Workspace


class _Later:
    """Settings and whom to ask for an MFA code are known before; whatever else is asked for makes the workspace, on
    the thread that asks."""

    def __init__(
        self,
        settings: Settings,
        ask_mfa: Callable[[MfaPrompt], str] | None,
        prepare: Callable[[], None] | None,
    ) -> None:
        self._lock = threading.Lock()
        self._settings, self._ask_mfa, self._prepare = settings, ask_mfa, prepare
        self._made: Workspace | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)

    def _make(self) -> Workspace:
        with self._lock:
            if self._made is None:
                from ecr_tui.workspace import Workspace

                self._made = Workspace(self._settings, self._ask_mfa, self._prepare)
            return self._made

    @property
    def settings(self) -> Settings:
        return self._settings if self._made is None else self._made.settings

    @property
    def ask_mfa(self) -> Callable[[MfaPrompt], str] | None:
        return self._ask_mfa

    @ask_mfa.setter
    def ask_mfa(self, ask: Callable[[MfaPrompt], str] | None) -> None:
        with self._lock:
            self._ask_mfa = ask
            if self._made is not None:
                self._made.ask_mfa = ask

    def busy(self) -> bool:
        return self._made is not None and self._made.busy()

    def close(self, patience: float = 5.0) -> bool:
        return self._made is None or self._made.close(patience)


def later(
    settings: Settings, ask_mfa: Callable[[MfaPrompt], str] | None, prepare: Callable[[], None] | None
) -> Workspace:
    """For the terminal interface, whose first frame needs nothing of it."""
    return cast("Workspace", _Later(settings, ask_mfa, prepare))
