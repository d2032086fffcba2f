"""Sizes: four panes at once, or one at a time with tabs."""

from __future__ import annotations

import pytest

from ecr_tui.config import Settings
from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace

PANES = ("repositories", "preview", "verification")


def visible(ui) -> list[str]:
    return [
        name for name in PANES if (w := ui.main.query_one(f"#{name}")).region.area and w.display and w.parent.display
    ]


async def test_four_panes(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        for size in ((110, 32), (300, 100), (120, 40)):
            await ui.pilot.resize_terminal(*size)
            await ui.wait(lambda: visible(ui) == list(PANES), f"four panes at {size}")
            assert not ui.main.area.tabbed
            await ui.see("A · owner", "B · consumer", "Policy preview · analytics/etl", "Verification")


async def test_one_pane_at_a_time(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(80, 24)) as ui:
        for size in ((80, 24), (60, 20), (109, 50), (200, 31), (100, 30), (40, 12)):
            await ui.pilot.resize_terminal(*size)
            await ui.wait(lambda: visible(ui) == ["repositories"], f"the list alone at {size}")
            await ui.see("▸1 Repositories" if size[0] >= 76 else "▸1 List", "analytics/etl")
            await ui.press("2")
            await ui.wait(lambda: visible(ui) == ["preview"])
            await ui.see("▸2 Preview")
            await ui.press("3")
            await ui.wait(lambda: visible(ui) == ["verification"])
            await ui.press("1", "enter")
            await ui.wait(lambda: visible(ui) == ["preview"])
            assert "▸2" in ui.text()
            await ui.press("1")


async def test_a_tab_can_be_clicked(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(80, 24)) as ui:
        await ui.pilot.click("#tab-verification")
        await ui.wait(lambda: visible(ui) == ["verification"])


async def test_verify_turns_to_its_pane_and_the_tab_says_the_result(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(80, 24)) as ui:
        await ui.press("v")
        await ui.wait(lambda: visible(ui) == ["verification"])
        await ui.see("3 Verification · analytics/etl ✓ allowed")


async def test_what_is_not_on_the_screen_is_not_written(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(80, 24)) as ui:
        await ui.see("g creates the policy")
        await ui.press("g")
        await ui.wait(lambda: visible(ui) == ["preview"])
        assert workspace.writes == []
        await ui.wait(lambda: "press g again to write it" in ui.told())
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)
        await ui.see("written and read back · u: undo")
        assert "press g again" not in ui.told()


async def test_dialogs_fit_a_small_terminal(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(60, 20)) as ui:
        for key in ("question_mark", "b", "c", "s"):
            await ui.press(key)
            await ui.wait(lambda: ui.dialog)
            region = ui.app.screen.query_one("#dialog").region
            assert region.right <= 60
            assert region.bottom <= 20
            assert region.y >= 0
            await ui.press("escape")
        await ui.press("space", "g")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        for button in ("#no", "#yes"):
            assert ui.app.screen.query_one(button).region.bottom <= 20


async def test_resizing_keeps_everything(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        for size in ((60, 20), (120, 40), (80, 24), (300, 100), (40, 12), (120, 40)):
            await ui.pilot.resize_terminal(*size)
            await ui.wait(lambda s=size: ui.main.area.tabbed == (s[0] < 110 or s[1] < 32))
            assert ui.selected == "my-first-repo"
        assert visible(ui) == list(PANES)


async def test_any_theme_is_accepted(workspace: FakeWorkspace) -> None:
    async with running(workspace, theme="ansi-dark") as ui:
        await ui.see("my-first-repo")
        assert ui.app.theme == "ansi-dark"
        await ui.press("g")
        await ui.see("written and read back")


async def test_keys_that_cannot_do_anything_are_grey(tmp_path) -> None:
    settings = Settings(profile_a="a", profile_b="b", regions=("eu-central-1",), read_only=True)
    async with running(FakeWorkspace(tmp_path, settings=settings)) as ui:
        active = ui.main.active_bindings
        assert {key: active[key].enabled for key in "gxuv"} == dict.fromkeys("gxuv", False)
        assert all(active[key].enabled for key in ("slash", "t", "p", "b", "c", "y", "q"))


@pytest.mark.parametrize(("theme", "coloured"), [("ansi-dark", False), ("harbour", True)])
async def test_without_colour_nothing_is_written_in_its_background(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, theme: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(workspace, theme=theme) as ui:
        await ui.see("my-first-repo")
        segments = [
            segment
            for strip in ui.app.screen._compositor.render_strips()
            for segment in strip
            if segment.text.strip(" ▁▂▃▄▅▆▇█▊▎▔") and segment.style is not None
        ]
        ways = {(segment.style.color, segment.style.bgcolor) for segment in segments}
        assert any(fore is not None and not fore.is_default for fore, _ in ways) == coloured
        assert not [way for way in ways if way[0] is not None and way[0] == way[1] and not way[0].is_default]
