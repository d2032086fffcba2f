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
    await ui.wait(lambda: ui.dialog == "AuditScreen" and not ui.app.screen.running, "the audit")


async def test_pages_say_what_is_odd_and_who_may_what(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await audited(ui)
        await ui.see("7 repositories", "Public access", "public-mirror")
        await ui.press("right")
        await ui.see("Access by principal, as numbers of repositories", "lambda.amazonaws.com")
        await ui.press("right", "right")
        await ui.see("✓ Every policy could be read.")
        await ui.press("right")
        await ui.see("Public access")
        await ui.press("escape")
        assert ui.dialog == ""


async def test_unknown_policies_have_their_page(workspace: FakeWorkspace) -> None:
    workspace.errors["policy_text:web-frontend"] = DeniedError("denied [/x]")
    async with running(workspace) as ui:
        await audited(ui)
        await ui.see("1 unknown")
        await ui.press("left")
        await ui.see("Unknown (policy not readable)", "web-frontend", "denied [/x]")


async def test_it_is_copied_as_text_and_as_json(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await audited(ui)
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "Public access" in ui.copied[0]
        assert "Who can do what" in ui.copied[0]
        await ui.press("J")
        await ui.wait(lambda: len(ui.copied) == 2)
        assert json.loads(ui.copied[1])["summary"]["repositories"] == 7
        assert "Copied the audit as JSON to the clipboard (test)." in ui.toasts()


async def test_leaving_cancels_the_reading(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("audit_read")
    async with running(workspace) as ui:
        await ui.press("a")
        await ui.see("7 of 7 policies read", "esc stops it")
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
        await ui.see("Public access")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_small(workspace: FakeWorkspace, size: tuple[int, int]) -> None:
    async with running(workspace, size) as ui:
        await audited(ui)
        await ui.see("7 repositories", "Findings", "esc close")
        lines = ui.text().splitlines()
        assert len(lines) == size[1]
        scroll = ui.app.screen.query_one("#odd-body")
        await ui.press("end")
        await ui.wait(lambda: scroll.scroll_y == scroll.max_scroll_y)
        await ui.press("right")
        await ui.see("Who can do what")


async def test_hostile_names_show_literally(tmp_path) -> None:
    rows = [repository(name, {"Team": name}) for name in HOSTILE]
    text = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"[/x]","Effect":"Allow","Principal":"*",'
        '"Action":"ecr:BatchGetImage"}]}'
    )
    workspace = FakeWorkspace(tmp_path, rows, policies=dict.fromkeys(HOSTILE, text))
    async with running(workspace) as ui:
        await audited(ui)
        for page in ("odd", "who", "sides", "unknown"):
            ui.app.screen.turn_to(page)
            await ui.pilot.pause()
            shown = ui.text().replace("\n", "")
            assert safe(shown) == shown
        ui.app.screen.turn_to("odd")
        await ui.see("[/x]", "[red]danger[/red]")
