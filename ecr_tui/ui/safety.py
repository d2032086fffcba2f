"""Why a key can do nothing now: read-only mode, another write, a cached list, no repository."""

from __future__ import annotations

from typing import Any

from ecr_tui.ui.key import PROVE, Key
from ecr_tui.ui.selection import Selection

NEEDS_REPOSITORY = (
    "change.edit",
    "change.grant",
    "change.repair",
    "change.revoke",
    "change.tags",
    "find.describe",
    "find.workloads",
    "general.console",
    "prove.history",
    "prove.verify",
)


def refusal(settings: Any, key: Key, *, pushing: bool = True) -> str:
    """Why the action may not run now; "" when it may. Decided each time: profiles are switched in the app.

    ``pushing``: a verification would push. One that only reads or pulls changes nothing.
    """
    if not key.writes or (not pushing and key.group == PROVE):
        return ""
    reason: str = settings.push_refusal if key.group == PROVE else settings.read_only_reason
    return reason


def why_not(key: Key, settings: Any, selection: Selection, *, busy: bool) -> str:
    """Why the action can do nothing now, "" when it can. A sentence. ``busy``: something is being written."""
    refused = refusal(settings, key, pushing=selection.choice.access.writes)
    if refused:
        return f"Read-only: {key.label.lower()} is off. {refused}"
    if key.writes and busy:
        return f"{key.label} is off: another write is in progress."
    if key.writes and selection.cached and key.id != "change.undo":
        return f"{key.label} is off: this is a cached list. Wait for the refresh, or press r."
    if key.id in NEEDS_REPOSITORY and selection.repository is None:
        return f"{key.label} is off: no repository is selected."
    return ""
