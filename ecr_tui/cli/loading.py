"""Commands imported on use, so that the interface starts without importing all of them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from ecr_tui.cli.helping import DocumentedGroup


class LazyGroup(DocumentedGroup):
    """``places``: command name to "module:attribute" in this package, in the order of the help."""

    def __init__(self, *arguments: Any, places: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(importlib.import_module(f"ecr_tui.cli.{module}"), attribute)
        return command

    def all_commands(self) -> dict[str, click.Command]:
        context = click.Context(self)
        found = {name: self.get_command(context, name) for name in self._places}
        return {name: command for name, command in found.items() if command is not None}
