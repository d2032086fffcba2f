"""Confirmation before a write: by a prompt, or by flags."""

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
    """``yes`` and ``production`` are the flags; ``as_json`` disables prompts."""

    settings: Settings
    yes: bool
    production: str | None
    as_json: bool

    @classmethod
    def of(cls, settings: Settings, flags: dict[str, Any], *, as_json: bool) -> Asking:
        return cls(settings, flags["yes"], flags["production"], as_json)

    def confirm(self, question: str, *, needed: bool = True, lost: str = "") -> None:
        """Return once confirmed. Raises Abort on no, InputError without a terminal to ask on.

        ``needed``: confirm even without a production profile or a rule. ``lost`` ends the InputError's title. In
        read-only mode nothing is asked: the write itself is refused, with its reason.
        """
        settings = self.settings
        if settings.read_only_reason:
            return
        profile = settings.production_profile
        if self.production is not None and self.production != profile:
            raise InputError(
                f"--production {self.production} is not the production profile in use",
                hint=f"Use --production {profile}."
                if profile
                else "Remove --production: no production profile is in use.",
            )
        if profile:
            self._confirm_production(question, profile)
        elif needed and not self.yes:
            if not self._somebody:
                raise InputError(
                    f"confirmation required, but there is no terminal{lost}", hint="Add --yes to skip the confirmation."
                )
            if not output.confirm(question):
                raise click.Abort

    def _confirm_production(self, question: str, profile: str) -> None:
        if self.yes and self.production == profile:
            return
        if not self._somebody:
            raise InputError(
                f"{profile} is a production profile; --yes alone is not enough",
                detail=self.settings.production_reason,
                hint=f"Add --yes --production {profile}.",
            )
        output.line(f"PRODUCTION: {self.settings.production_reason}", err=True)
        typed = output.ask(f"{question} Type {profile} to confirm")
        if typed.strip() != profile:
            raise click.Abort

    @property
    def _somebody(self) -> bool:
        return not self.as_json and sys.stdin.isatty()
