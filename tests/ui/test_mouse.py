"""Everything with the mouse alone."""

from __future__ import annotations

import pytest
from textual.geometry import Offset

from ecr_tui.policy.actions import Access
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import FakeWorkspace

pytestmark = pytest.mark.thorough


async def click_on(ui: Session, words: str, *, last: bool = True) -> None:
    """Click where the screen shows ``words``; the last place of several, which is a dialog's foot."""
    places = [(line.find(words), y) for y, line in enumerate(ui.text().splitlines()) if words in line]
    assert places, f"{words!r} is not on the screen:\n{ui.text()}"
    x, y = places[-1 if last else 0]
    await ui.pilot.click(offset=Offset(x, y))
    await ui.pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_every_dialog_says_its_keys_and_a_click_on_one_presses_it(
    workspace: FakeWorkspace, size: tuple[int, int]
) -> None:
    ways = {
        "question_mark": "HelpScreen",
        "b": "ChooseScreen",
        "c": "ChooseScreen",
        "s": "ChooseScreen",
        "a": "AuditScreen",
        "A": "AccountsScreen",
        "U": "JournalScreen",
        "e": "TagsScreen",
        "exclamation_mark": "CallsScreen",
        "x": "ConfirmScreen",
    }
    async with running(workspace, size) as ui:
        await ui.select("my-first-repo")
        await ui.press("g")
        if ui.main.area.tabbed:
            await ui.wait(lambda: ui.main.area.current == "preview")
            await ui.press("g")
        await ui.wait(lambda: workspace.writes)
        await ui.ready()
        for key, dialog in ways.items():
            await ui.press(key)
            await ui.wait(lambda d=dialog: ui.dialog == d, dialog)
            await ui.wait(lambda: "esc " in ui.text())
            await click_on(ui, "esc ")
            await ui.wait(lambda: not ui.dialog, f"a click that closes {dialog}")


async def test_the_words_above_the_preview_press_their_keys(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await click_on(ui, "p push + pull", last=False)
        await ui.wait(lambda: ui.main.selection.choice.access is not Access.PUSH_PULL)
        await click_on(ui, "c no condition", last=False)
        await ui.wait(lambda: ui.dialog == "ChooseScreen")
        await ui.press("escape")
        await ui.ready()
        await click_on(ui, "g creates", last=False)
        await ui.wait(lambda: workspace.writes)


async def test_the_words_beside_a_key_count_too(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("question_mark")
        await ui.wait(lambda: ui.dialog)
        await click_on(ui, "copy   ")
        await ui.wait(lambda: ui.copied)
        assert ui.dialog == "HelpScreen"
        scroll = ui.app.screen.query_one("#scroll")
        await click_on(ui, "scroll   ")
        await ui.wait(lambda: scroll.scroll_y == 1)
        await click_on(ui, "k j scroll")
        await ui.wait(lambda: scroll.scroll_y == 0)
