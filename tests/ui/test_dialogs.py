"""Errors, MFA, help and the palette."""

from __future__ import annotations

import re

import pytest
from textual.widgets import Input

from ecr_tui.aws.model import MfaPrompt, Role
from ecr_tui.config import Settings
from ecr_tui.errors import CredentialsError, EcrTuiError
from ecr_tui.ui.clipboard import Clipboard
from ecr_tui.ui.commands import Commands
from ecr_tui.ui.keys import CATALOGUE, MAIN
from ecr_tui.ui.screens.ask import AskScreen
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.help import PURPOSES, help_content
from ecr_tui.ui.screens.text import ErrorScreen
from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace

LONG = "\n".join(f"line {n} of what the server said" for n in range(200))


async def test_an_error_scrolls_copies_and_closes_by_esc_or_enter_alone(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        ui.app.push_screen(ErrorScreen(EcrTuiError("denied", detail=LONG, hint="ask A", side="account A")))
        await ui.see("✗ denied", "account A", "line 0 of")
        assert "line 199" not in ui.text()
        await ui.press("end")
        await ui.see("line 199", "ask A")
        await ui.press("g", "g")
        await ui.see("line 0 of")
        await ui.press("G")
        await ui.see("line 199")
        await ui.press("home", "ctrl+d", "ctrl+u", "pagedown", "j", "k", "up", "down", "pageup", "y")
        await ui.wait(lambda: ui.copied)
        assert "line 199" in ui.copied[0]
        assert ui.dialog == "ErrorScreen"
        await ui.press("g", "x", "v", "q", "space", "tab", "A", "d")
        assert ui.dialog == "ErrorScreen"
        await ui.press("enter")
        assert ui.dialog == ""
        ui.app.push_screen(ErrorScreen(EcrTuiError("denied")))
        await ui.pilot.pause()
        await ui.press("escape")
        assert ui.dialog == ""
        assert ui.app.is_running
        assert workspace.writes == []
        assert workspace.gate.count("verify") == 0
        assert ui.main.table.marks == 0


async def test_a_dialog_ignores_keys_that_were_meant_for_what_was_there_before(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(Dialog, "clock", staticmethod(lambda: now))
    async with running(workspace) as ui:
        ui.app.push_screen(ErrorScreen(EcrTuiError("denied")))
        await ui.pilot.pause()
        now += 0.39
        await ui.press("escape", "enter")
        assert ui.dialog == "ErrorScreen"
        now += 0.02
        await ui.press("enter")
        assert ui.dialog == ""


async def test_letters_reach_the_field_of_a_dialog_that_was_asked_for(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dialog, "clock", staticmethod(lambda: 100.0))
    async with running(workspace) as ui:
        await ui.press("w", "1", "2", "enter")
        assert ui.dialog == "AskScreen"
        assert ui.app.screen.query_one(Input).value.endswith("12")


async def test_a_text_is_searched_as_in_less(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        ui.app.push_screen(ErrorScreen(EcrTuiError("denied", detail=LONG)))
        await ui.see("line 0 of")
        await ui.press("slash", *"line", "space", *"15", "enter")
        await ui.see("line 15 of", "match 1 of 11")
        await ui.press("n")
        await ui.see("line 150 of", "match 2 of 11")
        await ui.press("N", "slash", *"zebra", "enter")
        await ui.see("No match for “zebra”")
        await ui.press("escape")
        assert ui.dialog == ""


async def test_an_error_that_arrives_late_takes_neither_the_focus_nor_a_key(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        ui.main.stage.report(EcrTuiError("throttled", hint="Try again."), "Grant on web failed")
        ui.main.stage.report(EcrTuiError("denied"), "Grant on api failed")
        await ui.see("Grant on api failed: denied", "1 more")
        assert ui.main.focused is ui.main.table
        ui.main.banner.focus()
        await ui.press("enter")
        await ui.see("Grant on web failed: throttled", "Try again.")
        await ui.press("escape")
        await ui.wait(lambda: "Grant on" not in ui.text(), "the banner closed")


async def test_mfa_is_asked_in_the_app_and_the_code_reaches_the_thread(workspace: FakeWorkspace) -> None:
    workspace.mfa_for = {Role.OWNER}
    async with running(workspace, settled=False) as ui:
        await ui.wait(lambda: ui.dialog == "AskScreen")
        await ui.see("MFA code for profile account-a", "arn:aws:iam::111111111111:mfa/alice")
        await ui.press("1", "2", "3", "4", "5", "6", "enter")
        await ui.settle()
        assert ("mfa", "123456") in workspace.gate.calls
        await ui.see("111111111111")


async def test_mfa_left_with_esc_is_a_credentials_error_and_can_be_tried_again(workspace: FakeWorkspace) -> None:
    workspace.mfa_for = {Role.CONSUMER}
    async with running(workspace, settled=False) as ui:
        await ui.wait(lambda: ui.dialog == "AskScreen")
        await ui.press("escape")
        await ui.see("No MFA code entered")
        await ui.press("r")
        await ui.wait(lambda: ui.dialog == "AskScreen")
        await ui.press("9", "9", "enter")
        await ui.settle()
        await ui.see("222222222222")


async def test_two_mfa_questions_wait_for_each_other(workspace: FakeWorkspace) -> None:
    workspace.mfa_for = {Role.OWNER, Role.CONSUMER}
    async with running(workspace, settled=False) as ui:
        for code in "12":
            await ui.wait(lambda: ui.dialog == "AskScreen")
            await ui.press(code, "enter")
        await ui.settle()
        assert sorted(answer for call, answer in workspace.gate.calls if call == "mfa") == ["1", "2"]


async def test_leaving_frees_a_thread_that_waits_for_a_code(workspace: FakeWorkspace) -> None:
    workspace.mfa_for = {Role.OWNER}
    async with running(workspace, settled=False) as ui:
        await ui.wait(lambda: ui.dialog == "AskScreen")
        assert ui.app._replies
        await ui.app.action_quit()
        await ui.wait(lambda: not ui.app._replies)


async def test_no_code_is_asked_for_after_leaving(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        app = ui.app
    with pytest.raises(CredentialsError, match="No MFA code"):
        app.ask_mfa(MfaPrompt("p", "d"))


async def test_help_names_every_key(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(120, 180)) as ui:
        await ui.press("f1")
        assert ui.dialog == "HelpScreen"
        text = ui.text()
        for key in CATALOGUE:
            assert key.label in text, key.id
            assert key.tooltip[:40] in text, key.id
        await ui.press("g", "q")
        assert ui.dialog == "HelpScreen"
        await ui.press("enter")
        assert ui.dialog == ""
        assert workspace.writes == []


async def test_help_begins_with_the_focused_pane_and_names_the_keys_in_force(tmp_path) -> None:
    keys = {"prove.verify": ("w",), "change.grant": ()}
    settings = Settings(profile_a="a", profile_b="b", regions=("eu-central-1",), keys=keys)
    first = {"1": "Repositories", "2": "Policy preview", "3": "Verification", "4": "Accounts"}
    async with running(FakeWorkspace(tmp_path, settings=settings), size=(60, 20)) as ui:
        for key, title in first.items():
            await ui.press(key)
            await ui.pilot.pause()
            await ui.press("question_mark")
            await ui.wait(lambda: ui.dialog == "HelpScreen")
            await ui.see(f"{title} ")
            lines = [line.partition("│")[2].strip() for line in ui.text().splitlines()]
            assert lines[lines.index(next(one for one in lines if one.startswith("ecr-tui help"))) + 2].startswith(
                title
            )
            await ui.press("escape")
        await ui.press("1")
        for key in ("question_mark", "y"):
            await ui.press(key)
        await ui.wait(lambda: ui.copied)
        assert "w logs in, pushes and pulls" in ui.copied[0]
        assert "that (no key) would write" in ui.copied[0]


@pytest.mark.parametrize("pane", PURPOSES)
def test_help_of_a_pane_names_keys_that_exist(pane: str) -> None:
    text = help_content(CATALOGUE, pane).plain
    assert re.search(r"\{[a-z_.]+\}", text) is None
    assert text.startswith(PURPOSES[pane][0])


async def test_every_action_is_in_the_palette(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(120, 40)) as ui:
        titles = [title for title, *_ in Commands(ui.main)._commands()]
        for key in MAIN:
            if not key.palette:
                continue
            assert any(f": {key.label} (" in title for title in titles), key.id
        assert "Sort by Tags" in titles
        assert "Copy: repository URI" in titles


async def test_an_action_runs_from_the_palette(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("ctrl+p")
        await ui.wait(lambda: ui.dialog == "CommandPalette")
        await ui.type("verify: verify")
        await ui.see("Verify: Verify (v)")
        await ui.press("enter")
        await ui.wait(lambda: workspace.gate.count("verify") == 1)
        await ui.press("ctrl+p")
        await ui.type("choose mark")
        await ui.see("Choose: Mark")
        await ui.press("enter")
        await ui.wait(lambda: ui.main.table.marks == 1)


async def test_the_palette_over_a_dialog_offers_no_action_of_ours(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("b", "ctrl+p")
        await ui.wait(lambda: ui.dialog == "CommandPalette")
        await ui.type("grant")
        await ui.pilot.pause(0.2)
        assert "Change: Grant" not in ui.text()


async def test_the_same_key_twice_copies_arn_then_uri(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("y")
        await ui.wait(lambda: len(ui.copied) == 1)
        await ui.press("y")
        await ui.wait(lambda: len(ui.copied) == 2)
        repo = workspace.by_name("my-first-repo")
        assert ui.copied == [repo.arn, repo.uri]
        await ui.wait(lambda: "Copied the URI to the clipboard (test)" in ui.told())


async def test_what_no_clipboard_takes_is_shown_with_the_file_that_has_it(workspace: FakeWorkspace, tmp_path) -> None:
    file = tmp_path / "copied.txt"
    clipboard = Clipboard({"SSH_TTY": "1", "TERM": "linux"}, file=lambda: file)
    async with running(workspace, clipboard=clipboard) as ui:
        await ui.select("my-first-repo")
        await ui.press("y")
        await ui.wait(lambda: ui.dialog == "TextScreen")
        await ui.see("Written the ARN to", workspace.by_name("my-first-repo").arn)
        assert file.read_text() == workspace.by_name("my-first-repo").arn


async def test_what_is_marked_is_copied_as_truthfully(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("slash")
        await ui.type("web")
        await ui.press("shift+home", "ctrl+c")
        await ui.wait(lambda: "Copied the selection to the clipboard (test)." in ui.told())
        assert ui.copied == ["web"]


async def test_the_palette_knows_what_has_no_key(workspace: FakeWorkspace) -> None:
    wanted = {
        "isolation": "Verify: isolation of the marked",
        "tag switch": "Verify: tag switch…",
        "clean up": "Verify: clean up leftovers…",
        "dead": "Change: Repair (F)",
    }
    async with running(workspace) as ui:
        for words, title in wanted.items():
            assert title in [str(hit.text) async for hit in Commands(ui.main).search(words)], words


async def test_a_screenshot_is_a_file_of_ones_own(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("ctrl+p")
        await ui.type("screenshot")
        await ui.see("Save the screen as an SVG file")
        await ui.press("enter")
        await ui.wait(lambda: "Screenshot saved" in ui.toasts())
        (file,) = workspace.settings.state_folder.glob("screen-*.svg")
        assert str(file) in ui.toasts()
        assert "<svg" in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600


FOUND = {
    "terraform": "Copy as…",
    "sso": "Accounts",
    "docker": "Session log",
    "org": "Principal",
    "bulk": "Run",
    "role assume": "Accounts",
    "rollback": "Undo",
}


async def test_the_palette_finds_by_description_and_by_other_words(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        for typed, title in FOUND.items():
            await ui.press("ctrl+p")
            await ui.type(typed)
            await ui.see(f": {title} (")
            await ui.press("escape")


async def test_the_palette_ranks_titles_before_descriptions_before_letters(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        hits = [hit async for hit in Commands(ui.main).search("role")]
        best = sorted(hits, key=lambda hit: -hit.score)
        assert {"Choose: Accounts (A)", "Choose: Principal (b)"} <= {hit.text for hit in best[:3]}
        hits = [hit async for hit in Commands(ui.main).search("copy")]
        best = sorted(hits, key=lambda hit: -hit.score)
        assert "Copy" in str(best[0].text)


async def test_an_empty_form_opens_without_an_error(workspace: FakeWorkspace) -> None:
    def check(text: str) -> str:
        if not text:
            raise EcrTuiError("enter KEY=VALUE")
        return text

    async with running(workspace) as ui:
        ui.app.push_screen(AskScreen("Add a tag", "", check=check))
        await ui.see("Add a tag")
        assert "enter KEY=VALUE" not in ui.text()
        await ui.press("enter")
        await ui.see("✗ enter KEY=VALUE")
