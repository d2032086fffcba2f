"""Usage of a repository in its description, from stored CloudTrail events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecr_tui.access.usage import Kind
from ecr_tui.access.usage_grants import caller_title

if TYPE_CHECKING:
    from ecr_tui.access.usage_reading import Record
    from ecr_tui.aws.model import Repository


def use_lines(record: Record, repository: Repository) -> list[str]:
    """The latest pull and push by another account, with the time of the reading; one line if nothing was read."""
    if record.at is None:
        return ["Usage       not read; press ctrl+p, then type usage"]
    lines = []
    for kind, label in ((Kind.PULL, "Pulled by"), (Kind.PUSH, "Pushed by")):
        found = [
            (span.last, use.caller)
            for use, span in record.tally.uses.items()
            if (use.repository, use.kind) == (repository.name, kind) and use.caller.account != repository.account
        ]
        since = record.complete_from
        if found:
            last, caller = max(found)
            lines.append(f"{label:<12}{caller_title(caller)}, last {last:%Y-%m-%d %H:%M} UTC")
        elif since is not None:
            lines.append(f"{label:<12}no other account since {since:%Y-%m-%d %H:%M} UTC")
    return [*lines, f"{'':<12}by CloudTrail, read at {record.at:%Y-%m-%d %H:%M} UTC"]
