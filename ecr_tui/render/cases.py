"""Text and JSON of the results of ``ecr-tui simulate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecr_tui.policy.simulate import CaseResult
from ecr_tui.text import block


def case_json(file: str, result: CaseResult) -> dict[str, Any]:
    """An element of ``simulate --json``, with its file."""
    return result.to_json() | {"file": file}


def cases_text(found: Sequence[tuple[str, CaseResult]]) -> str:
    """A line per case and reason, then the count; unexpected decisions are marked."""
    lines = []
    for file, result in found:
        mark = {True: "✓", False: "✗", None: "-"}[result.matches]
        wrong = f", expected {result.expected}" if result.matches is False else ""
        lines.append(f"{mark} {file}: {result.name}: {result.response}{wrong}")
        lines += [f"    {reason.text}" for reason in result.reasons]
        lines += [f"    note: {note}" for note in result.notes]
    wrong_ones = sum(result.matches is False for _, result in found)
    expecting = sum(result.matches is not None for _, result in found)
    lines.append(f"{len(found):,} decided, {expecting - wrong_ones:,} as expected, {wrong_ones:,} unexpected")
    return block(lines)
