"""The longest time for which the app's event loop was held up, over its whole story, with 10,000 and 100,000 rows."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.measures import ROOT, Row, sandbox, seconds
from tests.support.served import clean_environment
from tests.support.terminal import Terminal

LIMITS = {10_000: 0.150, 100_000: 0.250}
"""Repositories: the longest hold of the loop that may be, in seconds."""
SHOWN = 12


def watch(repositories: int, within: float = 400.0) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="ecr-tui-bench-") as folder, sandbox(repositories) as env:
        home, out = Path(folder), Path(folder) / "out.json"
        environment = {**clean_environment(home), **env, "PYTHONPATH": str(ROOT)}
        terminal = Terminal([sys.executable, "-m", "tests.benchmarks.story", str(out)], environment, home)
        try:
            terminal.drain(within)
            if not out.exists():
                raise SystemExit(f"the story broke off:\n{terminal.text}")
            found: dict[str, Any] = json.loads(out.read_text())
            return found
        finally:
            terminal.close()


def report(found: dict[str, Any], repositories: int) -> tuple[float, float]:
    """Longest block by wall clock, and by own CPU time."""
    blocks = found["blocks"]
    print(f"{repositories:,} repositories: {len(found['steps'])} steps, {found['turns']:,} turns of the loop")
    if found["failure"]:
        print(f"  BROKEN OFF at {found['failure']}")
    limit = LIMITS[repositories]
    over = [block for block in blocks if block["wall"] > limit]
    busy = [block for block in blocks if block["own"] > limit]
    print(f"  {len(over)} turns over {seconds(limit)}, {len(busy)} of them by own CPU time")
    for block in blocks[:SHOWN]:
        print(
            f"  {block['wall'] * 1000:7.1f} ms, own CPU {block['own'] * 1000:6.1f}, other threads "
            f"{block['others'] * 1000:6.1f}  {block['step']}: {block['place']}"
        )
    return (
        max((block["wall"] for block in blocks), default=0.0),
        max((block["own"] for block in blocks), default=0.0),
    )


def main(sizes: tuple[int, ...] = ()) -> list[Row]:
    rows = []
    for size in sizes or tuple(LIMITS):
        limit = LIMITS[size]
        wall, own = report(watch(size), size)
        rows.append(
            Row(
                f"Longest hold of the event loop, whole story, {size:,} repositories",
                f"{seconds(wall)} ({seconds(own)} of its own CPU time)",
                f"limit: {seconds(limit)}",
                f"{wall / limit:.2f} ×",
            )
        )
    return rows


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])))
