"""Asking before a write, as the command line does it: the answer, or the flags that stand for one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import click

from ecr_tui.cli import output
from ecr_tui.config import Settings
from ecr_tui.errors import InputError


@dataclass(frozen=True)
class Asking:
    """``yes`` and ``production`` are the flags; with ``as_json`` nobody is there to be asked."""

    settings: Settings
    yes: bool
    production: str | None
    as_json: bool

    @classmethod
    def of(cls, settings: Settings, flags: dict[str, Any], *, as_json: bool) -> Asking:
        return cls(settings, flags["yes"], flags["production"], as_json)

    def confirm(self, question: str, *, needed: bool = True, lost: str = "") -> None:
        """Go on only with an answer. Raises Abort when it is no, InputError where nobody can be asked.

        ``needed``: also where neither a production profile nor a rule asks for it. ``lost`` says what nobody is here
        to confirm. In read-only mode it does not ask: the write itself is what is refused, with its reason.
        """
        settings = self.settings
        if settings.read_only_reason:
            return
        profile = settings.production_profile
        if self.production is not None and self.production != profile:
            raise InputError(
                f"--production names {self.production}, which is not the production profile in use",
                hint=f"That is {profile}." if profile else "No profile in use is one; ecr-tui config show tells.",
            )
        if profile:
            self._confirm_production(question, profile)
        elif needed and not self.yes:
            if not self._somebody:
                raise InputError(f"nobody is here to confirm{lost}", hint="Add --yes to go on without asking.")
            if not output.confirm(question):
                raise click.Abort

    def _confirm_production(self, question: str, profile: str) -> None:
        if self.yes and self.production == profile:
            return
        if not self._somebody:
            raise InputError(
                f"{profile} is a production profile: --yes alone is not enough",
                detail=self.settings.production_reason,
                hint=f"Add --yes --production {profile}.",
            )
        output.line(f"PRODUCTION: {self.settings.production_reason}", err=True)
        typed = output.ask(f"{question} Type {profile} to go on")
        if typed.strip() != profile:
            raise click.Abort

    @property
    def _somebody(self) -> bool:
        return not self.as_json and sys.stdin.isatty()
