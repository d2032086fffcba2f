"""The line of keys: what can be done here, pressed by a click."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ecr_tui.ui.widgets.keybar import KeyBar
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import FakeWorkspace


def footer(session: Session) -> str:
    return session.text().splitlines()[-1]


@pytest.mark.parametrize(("width", "first", "last"), [
    (200, "g Grant v Verify / Filter space Mark u Undo x Revoke b Principal p Access c Condition t Tags", "Commands"),
    (120, "g Grant v Verify / Filter space Mark u Undo x Revoke b Principal p Access", "^p Commands"),
    (60, "g Grant v Verify / Filter space Mark u Undo", "u Undo"),
    (40, "g Grant v Verify / Filter", "/ Filter"),
])  # fmt: skip
async def test_the_line_begins_with_what_is_most_useful_and_ends_with_help_and_quit(
    workspace: FakeWorkspace, width: int, first: str, last: str
) -> None:
    async with running(workspace, (width, 40)) as session:
        await session.wait(lambda: footer(session).startswith(first))
        line = footer(session)
        assert len(line) == width
        before, _, tail = line.rpartition("? Help")
        assert tail == " q Quit"
        assert before.rstrip().endswith(last)


async def test_each_pane_has_its_own_keys_first(workspace: FakeWorkspace) -> None:
    firsts = {
        "2": "g Grant b Principal",
        "3": "v Verify h History",
        "4": "enter Details A Accounts",
        "1": "g Grant v Verify",
    }
    async with running(workspace) as session:
        for key, first in firsts.items():
            await session.press(key)
            await session.wait(lambda first=first: footer(session).startswith(first), first)


async def test_a_text_field_shows_only_what_works_in_it(workspace: FakeWorkspace) -> None:
    async with running(workspace) as session:
        await session.press("slash")
        await session.wait(lambda: footer(session).startswith("enter Accept tab Complete ↓ To the rows"))
        assert footer(session).rstrip().endswith("F1 Help ^q Quit")
        assert "/ Filter" not in footer(session)
        await session.press("f1")
        assert session.dialog == "HelpScreen"


@pytest.mark.parametrize("width", [120, 60])
async def test_a_click_presses_the_key(workspace: FakeWorkspace, width: int) -> None:
    async with running(workspace, (width, 40)) as session:
        bar = session.main.query_one(KeyBar)
        line = footer(session)
        assert await session.pilot.click(KeyBar, offset=(line.index("/ Filter"), 0))
        await session.wait(lambda: session.app.focused is not None and session.app.focused.id == "filter")
        await session.press("escape")
        await session.wait(lambda: "v Verify" in footer(session))
        await session.pilot.hover(KeyBar, offset=(line.index("v Verify"), 0))
        await session.wait(lambda: bar.tooltip is not None)
        # Nothing is between two keys.
        assert await session.pilot.click(KeyBar, offset=(line.index("? Help") - 1, 0))
        await session.pilot.pause()
        assert not session.dialog
        await session.pilot.click(KeyBar, offset=(line.index("? Help"), 0))
        await session.wait(lambda: session.dialog == "HelpScreen")


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
