"""That the benchmarks can still be run: nothing here looks at a time."""

from __future__ import annotations

import asyncio
import importlib
import time
from pathlib import Path

import pytest

from ecr_tui.ui.app import EcrTuiApp
from tests.benchmarks import __main__ as bench
from tests.benchmarks import story
from tests.benchmarks.measures import Row, Skipped
from tests.benchmarks.watchdog import Watchdog
from tests.ui.fake_workspace import FakeWorkspace, repository

PATIENCE = 20.0


def test_they_are_named_and_can_be_imported(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--list"]) == 0
    names = capsys.readouterr().out.split()
    assert {"start", "table", "listing", "bulk", "policy", "verify", "loop", "matrix"} <= set(names)
    for name in names:
        assert callable(importlib.import_module(f"tests.benchmarks.bench_{name}").main)
    with pytest.raises(SystemExit):
        bench.main(["no-such"])


def test_the_table_goes_between_the_markers_and_nowhere_else(tmp_path: Path) -> None:
    text = bench.PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(bench.BEGIN)
    after = rest.partition(bench.END)[2]
    assert before
    assert after
    page = tmp_path / "benchmarks.md"
    page.write_text(text, encoding="utf-8")
    rows = [Row("first frame", "1 s", "plain: 2 s", "2.00 ×"), Skipped("push, against skopeo", "skopeo")]
    for _ in range(2):
        bench.write(bench.markdown(rows), page)
    written = page.read_text(encoding="utf-8")
    assert written.startswith(before)
    assert written.endswith(after)
    assert written.count("| first frame | 1 s | plain: 2 s | 2.00 × |") == 1
    assert "skopeo was not there" in written


def test_the_watchdog_names_who_held_the_loop() -> None:
    watchdog = Watchdog(keep=0.0, names=(__name__,))

    def hog() -> None:
        end = time.monotonic() + PATIENCE
        while not watchdog._places and time.monotonic() < end:
            pass

    async def main() -> None:
        watchdog.step = "a step"
        asyncio.get_running_loop().call_soon(hog)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    watchdog.start()
    try:
        asyncio.run(main())
    finally:
        watchdog.stop()
    longest = max(watchdog.blocks, key=lambda block: block.wall)
    assert longest.step == "a step"
    assert f"{__name__}:hog" in longest.place
    assert longest.own > 0


def test_a_story_is_watched(tmp_path: Path) -> None:
    rows = [repository(f"team/r{number}", {"Team": "Payments"}) for number in range(50)]

    def tell(told: story.Story) -> None:
        table = told.main.table
        told.step("list", until=lambda: told.main.is_mounted and len(table.rows) == 50)
        told.step("filter", "/", until=lambda: told.main.focused is not table)
        told.step("its words", "r", "1", until=lambda: 0 < table.shown < 50)
        told.step("the filter away", "escape", until=lambda: told.main.focused is table)
        told.step("quit", "q", until=lambda: not told.app.is_running)

    found = story.run(
        EcrTuiApp(FakeWorkspace(tmp_path, rows)),
        headless=True,
        tell=lambda told: told.run(tell),
        settle=0,
    )
    assert found["failure"] == ""
    assert found["steps"] == ["list", "filter", "its words", "the filter away", "quit"]
    assert found["turns"]
