"""Panes made larger, alone, hidden and dragged; nothing of it gets in the way of what is small or must be seen."""

from __future__ import annotations

from pathlib import Path

from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import FakeWorkspace, repository
from tests.ui.test_layout import PANES, visible


def sizes(ui: Session) -> dict[str, tuple[int, int]]:
    return {name: tuple(ui.main.query_one(f"#{name}").outer_size) for name in PANES}


async def command(ui: Session, words: str) -> None:
    for title, _, run in ui.main.palette_commands():
        if title == words:
            run()
            await ui.pilot.pause()
            return
    raise AssertionError(words)


async def test_sizes_by_key_and_mouse_outlive_a_resize(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.pilot.pause()
        first = sizes(ui)
        await ui.press("plus", "plus")
        await ui.wait(lambda: sizes(ui)["repositories"][1] == first["repositories"][1] + 4)
        assert sizes(ui)["preview"][1] == first["preview"][1] - 4
        await ui.press("3", "plus")
        await ui.wait(lambda: sizes(ui)["verification"][0] == first["verification"][0] + 4)
        await ui.press("2", "plus", "plus")
        await ui.wait(lambda: sizes(ui)["preview"][0] == first["preview"][0] + 4)
        kept = sizes(ui)
        for size in ((60, 20), (120, 40)):
            await ui.pilot.resize_terminal(*size)
            await ui.wait(lambda s=size: ui.main.area.tabbed == (s[0] < 110))
        await ui.wait(lambda: sizes(ui) == kept)

        # The border between the upper and the lower panes, then the one between the lower ones.
        preview = ui.main.preview.region
        await ui.pilot.mouse_down(offset=(20, preview.y))
        await ui.pilot.hover(offset=(20, preview.y + 3))
        await ui.pilot.mouse_up(offset=(20, preview.y + 3))
        await ui.wait(lambda: ui.main.preview.region.y in (preview.y + 3, preview.y + 4))
        assert ui.app.mouse_captured is None
        preview = ui.main.preview.region
        await ui.pilot.mouse_down(offset=(preview.right, preview.y + 4))
        await ui.pilot.hover(offset=(preview.right - 8, preview.y + 4))
        await ui.pilot.mouse_up(offset=(preview.right - 8, preview.y + 4))
        await ui.wait(lambda: ui.main.preview.region.right in (preview.right - 8, preview.right - 7))
        assert not ui.main.get_selected_text()

        # No further than what each pane keeps, whatever is asked.
        await ui.press("1", *["plus"] * 20)
        await ui.wait(lambda: sizes(ui)["preview"][1] == 8)
        await ui.press(*["minus"] * 30)
        await ui.wait(lambda: sizes(ui)["repositories"][1] == 6)
        await ui.see("billing-api")
        await command(ui, "Navigate: reset the panes")
        await ui.wait(lambda: sizes(ui) == first)


async def test_a_pane_alone_and_panes_hidden(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("z")
        await ui.wait(lambda: visible(ui) == ["repositories"])
        await ui.see("zoomed: z restores")
        assert sizes(ui)["repositories"][0] == 120
        await ui.press("3")
        await ui.wait(lambda: visible(ui) == ["verification"])
        await ui.press("plus")
        assert "z shows all panes again" in ui.toasts()
        await ui.press("z")
        await ui.wait(lambda: visible(ui) == list(PANES))
        assert ui.main.focused is ui.main.verification
        await ui.pilot.click("#repositories", offset=(5, 0), times=2)
        await ui.wait(lambda: visible(ui) == ["repositories"])
        await ui.press("z")
        await ui.wait(lambda: visible(ui) == list(PANES))

        await command(ui, "Navigate: hide the accounts")
        await ui.wait(lambda: "A · owner" not in ui.text())
        await command(ui, "Navigate: hide the verification")
        await ui.wait(lambda: visible(ui) == ["repositories", "preview"])
        assert sizes(ui)["preview"][0] == 120
        await command(ui, "Navigate: hide the policy preview")
        await ui.wait(lambda: visible(ui) == ["repositories"])
        await ui.press("z")
        await ui.press("z")
        await ui.wait(lambda: visible(ui) == ["repositories"])

        # What is not on the screen is not written, and a verification is watched.
        await ui.select("my-first-repo")
        await ui.press("g")
        await ui.wait(lambda: visible(ui) == ["repositories", "preview"])
        assert workspace.writes == []
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)
        await ui.ready()
        await ui.press("v")
        await ui.wait(lambda: visible(ui) == list(PANES))
        await ui.press("4")
        await ui.see("A · owner")
        await ui.wait(lambda: ui.main.focused in ui.main.accounts.cards.values())


async def test_a_small_terminal_has_one_pane_whatever_is_pressed(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(60, 20)) as ui:
        await ui.see("✓ pull")
        before = ui.text()
        await ui.press("plus", "minus", "z")
        await ui.wait(lambda: "room for one pane at a time" in ui.toasts())
        assert "room for one pane" in ui.toasts()
        assert visible(ui) == ["repositories"]
        ui.app.clear_notifications()
        await ui.wait(lambda: ui.text() == before)


async def test_the_list_has_no_more_rows_than_it_fills(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        rows = len(ui.main.table.rows)
        await ui.wait(lambda: sizes(ui)["repositories"][1] == rows + 3)  # its header and its frame
        await ui.press("slash")
        await ui.type("my-first")
        await ui.see("1 of 7")
        # While it is typed nothing jumps but by the line of the filter itself.
        assert sizes(ui)["repositories"][1] >= rows + 3
        await ui.press("enter")
        await ui.wait(lambda: sizes(ui)["repositories"][1] == 6)
        await ui.press("escape")
        await ui.wait(lambda: sizes(ui)["repositories"][1] == rows + 3)
        # Where the border was moved, it stays.
        await ui.press("1", "plus")
        await ui.wait(lambda: sizes(ui)["repositories"][1] > rows + 3, "the border")
        moved = sizes(ui)["repositories"][1]
        await ui.press("slash")
        await ui.type("my-first")
        await ui.press("enter")
        await ui.see("1 of 7")
        assert sizes(ui)["repositories"][1] == moved


async def test_a_tall_terminal_is_the_lists(tmp_path: Path) -> None:
    rows = [repository(f"team/service-{number:03}") for number in range(200)]
    async with running(FakeWorkspace(tmp_path, rows), size=(200, 60)) as ui:
        await ui.wait(lambda: sizes(ui)["preview"][1] == 30)
        assert sizes(ui)["repositories"][1] == 60 - 30 - 4 - 2
