"""The line of keys: what can be done here, pressed by a click."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ecr_tui.ui.widgets.keybar import KeyBar
from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace


@pytest.mark.parametrize("width", [120, 60])
async def test_a_click_presses_the_key_and_what_finds_no_room_is_left_out(workspace: FakeWorkspace, width: int) -> None:
    async with running(workspace, (width, 40)) as session:
        bar = session.main.query_one(KeyBar)
        line = session.text().splitlines()[-1]
        assert line.startswith("/ Filter ")
        assert line.rstrip().endswith("^p palette")
        assert len(line) == width
        assert await session.pilot.click(KeyBar, offset=(line.index("t Tags"), 0))
        await session.wait(lambda: session.app.focused is not None and session.app.focused.id == "tags")
        await session.press("escape")
        await session.pilot.hover(KeyBar, offset=(line.index("/ Filter"), 0))
        await session.wait(lambda: bar.tooltip is not None)
        # Nothing is between the last key and the palette's.
        assert await session.pilot.click(KeyBar, offset=(line.index("^p palette") - 1, 0))
        await session.pilot.pause()
        assert not session.dialog


async def test_what_read_only_mode_takes_away_is_dim_and_cannot_be_pressed(tmp_path: Path) -> None:
    workspace = FakeWorkspace(tmp_path)
    workspace.settings = replace(workspace.settings, read_only=True)
    async with running(workspace) as session:
        bar = session.main.query_one(KeyBar)
        dim = {segment.text.strip() for segment in bar.render_line(0) if segment.style and segment.style.dim}
        assert {"Grant", "Revoke", "Undo", "Verify"} <= dim
        assert "Filter" not in dim
        await session.pilot.click(KeyBar, offset=(session.text().splitlines()[-1].index("v Verify"), 0))
        await session.pilot.pause()
        assert not session.dialog
        assert not session.toasts()
