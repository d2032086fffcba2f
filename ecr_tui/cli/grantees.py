"""Who ``--to`` and ``--consumer`` name."""

from __future__ import annotations

from typing import Any

from ecr_tui.config import FLAGS, Consumer, consumer_named
from ecr_tui.errors import InputError
from ecr_tui.workspace import Workspace


def named_principals(workspace: Workspace, flags: dict[str, Any]) -> tuple[str, ...]:
    """Those of --to, else of the consumers that are named; () without either."""
    consumers = named_consumers(workspace, flags)
    if flags["principals"]:
        if len(consumers) > 1:
            raise InputError(
                "--to and several --consumer exclude each other",
                hint="Remove --to to name the consumers' own principals, or give one --consumer: its account is that "
                "of user/NAME and role/NAME.",
            )
        return workspace.accounts.principals(flags["principals"])
    found = [workspace.accounts.consumer_principals(one) for one in consumers]
    return tuple(dict.fromkeys(principal for principals in found for principal in principals))


def named_consumers(workspace: Workspace, flags: dict[str, Any]) -> list[Consumer]:
    """Those that --consumer names, after the command or before it."""
    settings, flag = workspace.settings, FLAGS["consumer_name"]
    current = (settings.consumer_name,) if settings.origin("consumer_name") == flag else ()
    return [consumer_named(settings.consumers, name, flag) for name in flags["consumer_names"] or current]
