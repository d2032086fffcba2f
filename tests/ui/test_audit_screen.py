"""The audit: read in the background, left at once, shown on pages of any size, copied whole."""

from __future__ import annotations

import json

import pytest

from ecr_tui.errors import DeniedError
from ecr_tui.ui.text import safe
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import HOSTILE, FakeWorkspace, repository


async def audited(ui: Session) -> None:
    await ui.press("a")
    await ui.see("Audit of account A")
    await ui.wait(lambda: ui.dialog == "AuditScreen" and not ui.app.screen.busy, "the audit")


async def test_findings_are_rows_with_their_severity_and_the_whole_of_one(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await audited(ui)
        await ui.see("7 repositories", "Severity ▲", "✗ error", "public-mirror", "Why ", "Fix ")
        severities = [
            line.split("│")[1] for line in ui.text().splitlines() if "✗ error   " in line or "! warning  " in line
        ]
        assert severities == sorted(severities, key=lambda line: "! warning" in line), "errors first"
        await ui.press("right")
        await ui.see("Principal ▲", "lambda.amazonaws.com", "✓ yes")
        await ui.press("right", "right")
        await ui.see("Findings", "[error] public")
        await ui.press("right")
        await ui.see("Severity ▲")
        await ui.press("escape")
        assert ui.dialog == ""


async def test_enter_goes_to_the_repository_even_if_it_is_filtered_away(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("slash")
        await ui.type("billing")
        await ui.press("enter")
        await audited(ui)
        await ui.press("slash")
        await ui.type("public-mirror")
        await ui.press("enter")
        assert ui.dialog == "AuditScreen"
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "" and ui.selected == "public-mirror")
        assert ui.main.table.filter == ""
        assert ui.main.table.has_focus


async def test_rows_are_filtered_by_severity_principal_and_words(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await audited(ui)
        await ui.press("slash")
        await ui.type("error")
        await ui.wait(lambda: "! warning" not in ui.text() and "✗ error" in ui.text())
        await ui.press("escape")
        await ui.see("! warning", "esc close")
        await ui.press("right", "slash")
        await ui.type("lambda")
        await ui.wait(lambda: "user devusr2" not in ui.text() and "lambda.amazonaws.com" in ui.text())
        await ui.press("down", "escape")
        assert ui.dialog == "AuditScreen"
        await ui.press("escape")
        assert ui.dialog == ""


async def test_a_policy_that_cannot_be_read_is_an_error(workspace: FakeWorkspace) -> None:
    workspace.errors["policy_text:web-frontend"] = DeniedError("denied [/x]")
    async with running(workspace) as ui:
        await audited(ui)
        await ui.see("1 unknown")
        await ui.press("slash")
        await ui.type("web-frontend")
        await ui.see("✗ error", "Access unknown: the policy could not be read", "denied [/x]")


async def test_it_is_copied_as_text_and_as_json(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await audited(ui)
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "Public access" in ui.copied[0]
        assert "Access by principal" in ui.copied[0]
        await ui.press("J")
        await ui.wait(lambda: len(ui.copied) == 2)
        assert json.loads(ui.copied[1])["summary"]["repositories"] == 7
        assert "Copied the audit as JSON to the clipboard (test)." in ui.told()


async def test_leaving_cancels_the_reading(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("audit_read")
    async with running(workspace) as ui:
        await ui.press("a")
        await ui.see("7 of 7 policies read", "Esc stops it")
        await ui.press("y")
        await ui.wait(lambda: "not finished yet" in ui.toasts())
        await ui.press("escape")
        assert ui.dialog == ""
        workspace.gate.release()
        await ui.wait(lambda: ("audit", "cancelled") in workspace.gate.calls)
        await ui.press("p")
        assert ui.dialog == ""


async def test_a_failure_is_shown_copied_and_tried_again(workspace: FakeWorkspace) -> None:
    workspace.errors["audit"] = DeniedError("not allowed [/x]", detail="its own words", hint="do this")
    async with running(workspace) as ui:
        await audited(ui)
        await ui.see("✗ not allowed [/x]", "its own words", "do this")
        await ui.press("y")
        await ui.wait(lambda: ui.copied and "its own words" in ui.copied[0])
        del workspace.errors["audit"]
        await ui.press("r")
        await ui.see("Severity ▲", "✗ error", "public-mirror")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_small(workspace: FakeWorkspace, size: tuple[int, int]) -> None:
    async with running(workspace, size) as ui:
        await audited(ui)
        await ui.see("7 repositories", "Findings", "esc close")
        lines = ui.text().splitlines()
        assert len(lines) == size[1]
        await ui.press("end")
        await ui.press("left")
        scroll = ui.app.screen.query_one("#report")
        await ui.see("Account 111111111111")
        await ui.press("end")
        await ui.wait(lambda: scroll.max_scroll_y and scroll.scroll_y == scroll.max_scroll_y)


async def test_hostile_names_show_literally(tmp_path) -> None:
    rows = [repository(name, {"Team": name}) for name in HOSTILE]
    text = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"[/x]","Effect":"Allow","Principal":"*",'
        '"Action":"ecr:BatchGetImage"}]}'
    )
    workspace = FakeWorkspace(tmp_path, rows, policies=dict.fromkeys(HOSTILE, text))
    async with running(workspace) as ui:
        await audited(ui)
        for page in ("access", "sides", "report", "findings"):
            ui.app.screen.turn_to(page)
            await ui.pilot.pause()
            shown = ui.text().replace("\n", "")
            assert safe(shown) == shown
        await ui.see("[/x]", "[red]danger[/red]")
