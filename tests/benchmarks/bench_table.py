"""Filter, fill and page at 100,000 rows: our table against Textual's DataTable, both in the same app, frame awaited.

A frame is drawn when the app has made all of it; writing it into a terminal costs both the same. Keys come at the pace
of a hand: Textual draws at most 60 frames a second, so of two keys at once the second waits for the frame of the first.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from rich.console import RenderableType
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import DataTable

from ecr_tui.aws.model import Repository
from ecr_tui.ui import collector
from ecr_tui.ui.widgets.columns import Column
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from tests.benchmarks.measures import Row, percentile, print_rows, seconds, times

ROWS = 100_000
WORD = "r0012"
ROUNDS = 10
TYPING, REPEAT = 1 / 10, 1 / 30
"""Seconds between two letters of who types 120 words a minute, and between two keys while one is held down."""


def rows(count: int = ROWS) -> list[Repository]:
    arn = "arn:aws:ecr:eu-central-1:111111111111:repository/"
    teams = ("Payments", "Search", "Data", "Web")
    return [
        Repository(f"team/r{number:06d}", f"{arn}team/r{number:06d}", "", "eu-central-1", "111111111111",
                   {"Team": teams[number % 4]})
        for number in range(count)
    ]  # fmt: skip


TEXTS: dict[str, Callable[[Repository], str]] = {
    "Repository": lambda r: r.name,
    "Tags": lambda r: " ".join(f"{key}={value}" for key, value in (r.tags or {}).items()),
    "Access": lambda r: "pull push",
    "Image tags": lambda r: "mutable",
    "Images": lambda r: "12",
    "Last push": lambda r: "3h ago",
}


class Subject(Protocol):
    def fill(self, rows: list[Repository]) -> None: ...
    def filter(self, text: str) -> None: ...
    def page(self) -> None: ...
    def clear(self) -> None: ...


class Framed(App[None]):
    """Tells when a frame has been drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = asyncio.Event()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if renderable is not None:
            self.drawn.set()

    @property
    def busy(self) -> bool:
        return False


class Ours(Framed):
    def compose(self) -> ComposeResult:
        columns: list[Column[Repository]] = [
            Column(name, name, lambda r, text=text: [(text(r), "")], text, width=12, search=number < 2)  # type: ignore[misc]
            for number, (name, text) in enumerate(TEXTS.items())
        ]
        yield VirtualTable(columns, key=lambda r: r.arn, look=lambda r: r)

    @property
    def table(self) -> VirtualTable[Repository]:
        return self.query_one(VirtualTable)

    @property
    def busy(self) -> bool:
        return self.table.busy

    def fill(self, rows: list[Repository]) -> None:
        self.table.set_rows(rows)

    def filter(self, text: str) -> None:
        self.table.filter = text

    def page(self) -> None:
        self.table.action_page(1)

    def clear(self) -> None:
        self.table.set_rows([])


class Textuals(Framed):
    """As one filters a DataTable: it has none, so the rows that match are put in anew."""

    def compose(self) -> ComposeResult:
        table: DataTable[str] = DataTable(cursor_type="row")
        table.add_columns(*TEXTS)
        yield table

    def on_mount(self) -> None:
        self.cells: list[tuple[str, ...]] = []

    @property
    def table(self) -> DataTable[str]:
        return self.query_one(DataTable)

    def fill(self, rows: list[Repository]) -> None:
        self.cells = [tuple(text(row) for text in TEXTS.values()) for row in rows]
        self._put(self.cells)

    def _put(self, cells: Iterable[tuple[str, ...]]) -> None:
        self.table.clear()
        self.table.add_rows(cells)

    def filter(self, text: str) -> None:
        words = text.lower()
        self._put(row for row in self.cells if words in f"{row[0]} {row[1]}".lower())

    def page(self) -> None:
        self.table.action_page_down()

    def clear(self) -> None:
        self.table.clear()


async def key(app: Framed, work: Callable[[], object], after: float) -> float:
    """:func:`frame`, for a key ``after`` so many seconds."""
    await asyncio.sleep(after)
    return await frame(app, work)


async def frame(app: Framed, work: Callable[[], object], *, settled: bool = True) -> float:
    """Seconds from the message that asks for it, as a key's would, until the frame with all that it brought; with
    ``settled`` False until the first one."""
    app.drawn.clear()
    begun = time.perf_counter()
    app.call_next(work)
    await app.drawn.wait()
    while settled and app.busy:
        app.drawn.clear()
        await app.drawn.wait()
    return time.perf_counter() - begun


async def measure(make: Callable[[], App[None]], given: list[Repository], rounds: int) -> dict[str, list[float]]:
    app: Any = make()
    found: dict[str, list[float]] = {"fill": [], "settled": [], "filter": [], "all": [], "page": []}
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(rounds):
            await frame(app, app.clear)
            await pilot.pause()
            gc.collect()
            begun = time.perf_counter()
            found["fill"].append(await frame(app, lambda: app.fill(given), settled=False))
            while app.busy:
                await pilot.pause(0.001)
            found["settled"].append(time.perf_counter() - begun)
            for end in range(1, len(WORD) + 1):
                found["filter"].append(await key(app, lambda end=end: app.filter(WORD[:end]), TYPING))  # type: ignore[misc]
            found["all"].append(await key(app, lambda: app.filter(""), TYPING))
            found["page"] += [await key(app, app.page, REPEAT) for _ in range(10)]
    return found


async def memory(make: Callable[[], App[None]], given: list[Repository]) -> float:
    """Megabytes that the table keeps for the rows, beyond the rows themselves."""
    app: Any = make()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        await frame(app, lambda: app.fill(given))
        gc.collect()
        kept = (tracemalloc.get_traced_memory()[0] - before) / 1e6
        tracemalloc.stop()
        return kept


Work = Callable[[Pilot[None]], Awaitable[None]]


def main(count: int = ROWS, rounds: int = ROUNDS) -> list[Row]:
    given = rows(count)
    with collector.tuned():
        collector.settle()
        ours = asyncio.run(measure(Ours, given, rounds))
        # One round of Textual's takes half a minute at this size.
        theirs = asyncio.run(measure(Textuals, given, 1))
    kept, theirs_kept = asyncio.run(memory(Ours, given)), asyncio.run(memory(Textuals, given))

    def of(name: str) -> tuple[float, float]:
        return statistics.median(ours[name]), statistics.median(theirs[name])

    p95 = percentile(ours["filter"], 0.95), percentile(theirs["filter"], 0.95)
    lines = [(name, f"{seconds(of(name)[0]):>9}  DataTable {seconds(of(name)[1]):>9}") for name in ours]
    lines.append(("filter, 95th percentile", f"{seconds(p95[0]):>9}  DataTable {seconds(p95[1]):>9}"))
    lines.append(("memory beside the rows", f"{kept:>6.1f} MB  DataTable {theirs_kept:>6.1f} MB"))
    print_rows(f"a table of {count:,} rows, to the frame (medians of {rounds})", lines)

    def row(what: str, name: str) -> Row:
        here, other = of(name)
        return Row(
            f"{what}, {count:,} rows", seconds(here), f"Textual's DataTable: {seconds(other)}", times(other, here)
        )

    return [
        row("Fill to the frame", "fill"),
        Row(
            f"Filter: key to the frame, {count:,} rows",
            f"{seconds(of('filter')[0])} (95 %: {seconds(p95[0])})",
            f"Textual's DataTable: {seconds(of('filter')[1])} (95 %: {seconds(p95[1])})",
            times(of("filter")[1], of("filter")[0]),
        ),
        row("Filter away: key to the frame", "all"),
        row("Page down to the frame", "page"),
        Row(
            f"Memory that the table keeps beside {count:,} rows",
            f"{kept:.1f} MB",
            f"Textual's DataTable: {theirs_kept:.0f} MB",
            times(theirs_kept, kept),
        ),
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
