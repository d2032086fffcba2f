"""Read-only and production profiles on the screen, also after a switch in the app; keys of one's own; every theme."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color
from textual.widgets import Button

from ecr_tui.config import Settings, read, resolve
from ecr_tui.errors import InputError
from ecr_tui.ui.app import EcrTuiApp
from ecr_tui.ui.keys import CATALOGUE
from ecr_tui.ui.theme import SHAPE, TEXT, contrast
from tests.ui.conftest import running
from tests.ui.fake_workspace import REGION, FakeWorkspace

pytestmark = pytest.mark.thorough

READS = {
    "owner", "consumer", "repositories", "page", "policy_text", "images", "preview", "leftovers", "verifications",
    "last_verifications", "registry_facts",
}  # fmt: skip


def settings(folder: Path, text: str, profile_a: str = "account-a") -> Settings:
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    flags = {"profile_a": profile_a, "profile_b": "dev-acc", "regions": (REGION,)}
    return resolve(flags, environ={}, file=read(path))


async def test_no_key_and_no_command_writes_once_the_profile_is_a_read_only_one(tmp_path: Path) -> None:
    workspace = FakeWorkspace(tmp_path, settings=settings(tmp_path, "[profiles.audit]\nread-only = true"))
    writing = [key for key in CATALOGUE if key.writes]
    assert {"change.grant", "change.revoke", "change.undo", "prove.verify", "prove.many"} <= {key.id for key in writing}
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("space")
        workspace.settings = workspace.settings.changed("chosen in the app", profile_a="audit")
        ui.main.work_changed()
        await ui.see("READ-ONLY")
        before = len(workspace.gate.calls)
        for key in writing:
            await ui.press(key.keys)
            ui.main.run_key(key)
            assert not ui.main.is_possible(key), key.id
        await ui.pilot.pause()
        for task in ("grant", "revoke", "undo"):
            await ui.main.action_task(task)
        await ui.wait(lambda: "Profile audit is read-only" in ui.toasts())
        assert ui.dialog == ""
        assert {call for call, _ in workspace.gate.calls[before:]} - READS == set()
        assert workspace.writes == []

        # The same keys act with a profile that may write.
        workspace.settings = workspace.settings.changed("chosen in the app", profile_a="account-a")
        ui.main.work_changed()
        await ui.press("g")
        await ui.wait(lambda: workspace.gate.count("plan") == 1)


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_production_is_framed_named_and_always_asks(tmp_path: Path, size: tuple[int, int]) -> None:
    workspace = FakeWorkspace(tmp_path, settings=settings(tmp_path, 'production = ["account-*"]', "other"))
    async with running(workspace, size) as ui:
        assert "PRODUCTION" not in ui.text()
        workspace.settings = workspace.settings.changed("chosen in the app", profile_a="account-a")
        ui.main.work_changed()
        await ui.wait(lambda: ui.text().count("PRODUCTION") == 2, "the word at the account and in the status line")
        assert ui.main.has_class("-production")
        if size[0] > 100:
            error = Color.parse(ui.app.get_css_variables()["error"])
            panes = (ui.main.repositories, ui.main.preview, ui.main.verification, *ui.main.accounts.cards.values())
            assert {edge[1] for pane in panes for edge in pane.styles.border} == {error}

        async def asked(title: str, call: str, *, then: str) -> None:
            await ui.wait(lambda: ui.dialog == "ConfirmScreen", title)
            await ui.see("PRODUCTION · Profile account-a is a", title)
            await ui.see("Type account-a to confirm")
            assert workspace.gate.count(call) == made
            assert ui.app.screen.query_one("#yes", Button).disabled
            if then == "account-a":
                await ui.type("account-b")
                await ui.press("enter")
                assert ui.dialog == "ConfirmScreen"
                await ui.press("ctrl+u")
                await ui.type(then)
                await ui.press("enter")
            else:
                await ui.press(then)
            await ui.wait(lambda: ui.dialog != "ConfirmScreen")

        await ui.select("web-frontend")
        if ui.main.area.tabbed:
            await ui.press("2")
        made = 0
        for then in ("escape", "account-a"):
            await ui.press("g")
            await asked("Grant on web-frontend?", "apply", then=then)
        await ui.wait(lambda: len(workspace.writes) == 1)
        await ui.wait(lambda: not ui.main.desk.busy)
        for then in ("escape", "account-a"):
            await ui.press("u")
            await asked("Undo the last write?", "undo", then=then)
        await ui.wait(lambda: workspace.gate.count("undo") == 1)
        await ui.wait(lambda: not ui.main.desk.busy)
        for then in ("escape", "account-a"):
            await ui.press("v")
            await asked("Verify web-frontend?", "verify", then=then)
        await ui.wait(lambda: workspace.gate.count("verify") == 1 and not ui.main.verification.running)
        await ui.press("1")
        await ui.wait(lambda: ui.main.table.has_focus)
        await ui.press("space", "V")
        await asked("Verify 1 repository?", "verify_many", then="escape")


async def test_rules_of_confirmation_ask_without_production(tmp_path: Path) -> None:
    text = '[confirm]\ngrant = "always"\nverify = "always"'
    async with running(FakeWorkspace(tmp_path, settings=settings(tmp_path, text))) as ui:
        await ui.select("web-frontend")
        for key in ("g", "v"):
            await ui.press(key)
            await ui.wait(lambda: ui.dialog == "ConfirmScreen")
            assert "PRODUCTION" not in ui.text()
            await ui.press("escape")
            await ui.wait(lambda: ui.dialog == "")


async def test_presets_of_the_configuration_are_the_choice_at_the_start(tmp_path: Path) -> None:
    text = 'access = "pull"\nif-tag = ["Team=Web"]\ntags = ["Team=Web"]\ntheme = "nord"'
    async with running(FakeWorkspace(tmp_path, settings=settings(tmp_path, text))) as ui:
        grant = ui.main.selection.grant
        assert grant is not None
        assert (grant.access.value, grant.tags) == ("pull", (("Team", "Web"),))
        assert ui.app.theme == "nord"
        assert [row.name for row in ui.main.table.rows] == ["web-frontend"]


# -- keys ------------------------------------------------------------------------------------------------------------


async def test_keys_of_ones_own(tmp_path: Path) -> None:
    text = """
[keys]
change.grant = "W"
find.filter = "y"
prove.cancel = "z"
prove.audit = ""
change.revoke = "ctrl+q"
"""
    async with running(FakeWorkspace(tmp_path, settings=settings(tmp_path, text))) as ui:
        await ui.wait(lambda: "y is now Filter (find.filter) instead of Copy (general.copy)" in ui.toasts())
        assert "ctrl+q is Quit and cannot be Revoke (change.revoke)" in ui.toasts()
        await ui.select("web-frontend")
        await ui.press("g", "a", "slash", "x")
        await ui.pilot.pause()
        assert (ui.workspace.writes, ui.dialog) == ([], "")
        footer = ui.text().splitlines()[-1]
        assert footer.startswith("W Grant v Verify y Filter space Mark u Undo b Principal")
        await ui.press("question_mark")
        await ui.see("W           Grant", "y           Filter", "–           Revoke")
        await ui.press("escape")
        await ui.press("y")
        await ui.type("zz")  # typed, not "cancel"
        await ui.wait(lambda: ui.main.table.filter == "zz")
        await ui.press("enter", "z")
        await ui.wait(lambda: ui.main.table.filter == "")
        await ui.select("web-frontend")
        await ui.press("W")
        await ui.wait(lambda: len(ui.workspace.writes) == 1)
        await ui.press("ctrl+p")
        await ui.type("audit")
        await ui.see("Inspect: Audit")
        assert "(a)" not in ui.text()


def test_what_does_not_exist_is_said_before_the_screen_is_taken(tmp_path: Path) -> None:
    wrong = {'theme = "nrd"': "unknown theme 'nrd'", '[keys]\nchange.g = "x"': "unknown action 'change.g'"}
    for text, told in wrong.items():
        with pytest.raises(InputError, match=told):
            EcrTuiApp(FakeWorkspace(tmp_path, settings=settings(tmp_path, text)))


async def test_the_filter_tells_strangers_from_those_that_the_configuration_trusts(tmp_path: Path) -> None:
    workspace = FakeWorkspace(tmp_path, settings=settings(tmp_path, "[trusted]\naccounts = []"))
    async with running(workspace) as ui:
        await ui.wait(lambda: len(ui.main.details.policies) == len(workspace.all))
        await ui.press("slash")
        await ui.type("finding:stranger")
        await ui.wait(lambda: ui.selected == "billing-api")


# -- themes ----------------------------------------------------------------------------------------------------------


async def test_every_theme_renders_and_keeps_the_cursors_row_readable(tmp_path: Path) -> None:
    workspace = FakeWorkspace(tmp_path, settings=settings(tmp_path, 'production = ["account-*"]'))
    async with running(workspace) as ui:
        assert {"ansi-dark", "ansi-light", "harbour", "textual-dark"} <= set(ui.app.available_themes)
        for theme in ui.app.available_themes:
            ui.app.theme = theme
            await ui.pilot.pause()
            await ui.see("web-frontend", "Policy preview")
            row = next(strip for strip in ui.app.screen._compositor.render_strips() if ui.selected in strip.text)
            name = next(segment for segment in row if ui.selected in segment.text)
            assert name.style is not None, theme
            colors = (name.style.color, name.style.bgcolor)
            assert None not in colors, theme
            if not theme.startswith("ansi"):
                front, back = (Color.from_rich_color(color) for color in colors)
                assert contrast(front, back) >= 4.5, (theme, front, back)
            else:
                assert colors[0] != colors[1] or name.style.reverse, theme
            status = ui.app.screen._compositor.render_strips()[-2]
            word = next(segment for segment in status if "PRODUCTION" in segment.text)
            assert word.style is not None
            assert word.style.color != word.style.bgcolor, theme


async def test_frames_and_tabs_stand_out_in_every_theme(tmp_path: Path) -> None:
    async with running(FakeWorkspace(tmp_path)) as ui:
        await ui.see("web-frontend", "Policy preview")
        for theme in ui.app.available_themes:
            ui.app.theme = theme
            await ui.pilot.pause()
            for selector, least in (("#account-b", SHAPE), ("PreviewPane", SHAPE), ("RepositoriesPane", SHAPE)):
                widget = ui.app.screen.query_one(selector)
                (_, frame), back = widget.styles.border_top, widget.background_colors[1]
                if frame.ansi is None and back.ansi is None:
                    assert contrast(frame, back) >= least, (theme, selector)
                else:
                    assert frame.ansi not in (0, 7, 8, 15), (theme, selector)  # one may be the background
            muted = ui.app.get_css_variables()["muted"]
            if not muted.startswith("ansi"):
                for name in ("background", "surface"):
                    back = Color.parse(ui.app.get_css_variables()[name])
                    assert contrast(Color.parse(muted), back) >= TEXT, (theme, name)
            for tab in ui.app.screen.query("PreviewPane Tab"):
                back, front = tab.colors[2], tab.colors[3]
                if front.ansi is None and back.ansi is None:
                    assert contrast(back + front, back) >= TEXT, (theme, tab.id)
