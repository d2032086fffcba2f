"""What the benchmarks share: rounds in turn, medians, and rows that can be put into a table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.served import clean_environment

ROOT = Path(__file__).resolve().parents[2]
AWS = Path(sys.executable).with_name("aws")


@dataclass(frozen=True)
class Row:
    """A line of the table in docs/benchmarks.md: ``here`` compared with ``other``; ``ratio`` as a reader wants it."""

    what: str
    here: str
    other: str
    ratio: str


@dataclass(frozen=True)
class Skipped:
    """A line that there would be if ``lacks`` were installed."""

    what: str
    lacks: str


def seconds(value: float) -> str:
    return f"{value * 1000:,.0f} ms" if value < 1 else f"{value:,.2f} s" if value < 10 else f"{value:,.0f} s"


def times(slow: float, fast: float) -> str:
    """How many times slower: "2.1 ×", "320 ×"."""
    ratio = slow / fast
    return f"{ratio:,.2f} ×" if ratio < 10 else f"{ratio:,.0f} ×"


def in_turn(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each; every round runs each once, so that a machine that slows down slows all of them. The first
    round only warms up."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, run in candidates.items():
            value = run()
            if turn:
                found[name].append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def print_rows(title: str, lines: Sequence[tuple[str, str]]) -> None:
    print(title)
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"  {name:<{width}}  {value}")


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@contextmanager
def sandbox(
    repositories: int, *, latency: float = 0.0, rate: float = 0.0, burst: float = 0.0
) -> Iterator[dict[str, str]]:
    """Two AWS accounts in a process of their own, each call taking ``latency`` seconds longer, ECR's calls through a
    token bucket where ``rate`` is given; yields the environment for clients, which this process has for that time."""
    with tempfile.TemporaryDirectory(prefix="ecr-tui-bench-") as home:
        base = clean_environment(Path(home))
        arguments = [str(repositories), str(latency), str(rate), str(burst)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.slow_sandbox", *arguments],
            cwd=ROOT,
            env=base,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        before = dict(os.environ)
        try:
            assert process.stdout is not None
            env = {**base, **json.loads(process.stdout.readline())}
            os.environ.update(env)
            yield env
        finally:
            os.environ.clear()
            os.environ.update(before)
            process.communicate()
