"""The creation template for repositories to come: the preview tells of it, and a command grants in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_tui.access.creation_templates import place
from ecr_tui.aws.model import CreationTemplate
from ecr_tui.config import Settings
from ecr_tui.ui.actions import Actions
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import REGION, A, FakeWorkspace

NAME = "Change: grant in the creation template…"
LACKS = "i New repositories: template payments lacks this grant"


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    found = FakeWorkspace(tmp_path)
    found.template = place(CreationTemplate("payments", ("CREATE_ON_PUSH",), (("Team", "Payments"),)), REGION, A)
    return found


def offered(ui: Session) -> list[str]:
    return [one.title for one in Actions(ui.main.desk).commands(ui.main.selected())]


async def test_the_command_writes_the_template_and_u_takes_it_back(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.see(LACKS)
        assert NAME in offered(ui)
        await ui.main.action_task("grant_template")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen", "the question")
        await ui.see("Grant in creation template payments?", "below payments/ (create on push)")
        await ui.press("tab", "enter")
        await ui.wait(lambda: "template payments ✓ written and read back" in ui.toasts())
        assert [name for name, _ in workspace.writes] == ["template payments"]
        await ui.wait(lambda: LACKS not in ui.text(), "the note's end")
        assert NAME not in offered(ui)
        await ui.press("u")
        await ui.see("Undo the last write?", "Repository  template payments")
        await ui.press("right", "enter")
        await ui.wait(lambda: "template payments ✓ Undone: the exact previous policy is restored" in ui.toasts())
        assert workspace.writes[-1] == ("template payments", None)


async def test_read_only_refuses(workspace: FakeWorkspace) -> None:
    workspace.settings = Settings(
        profile_a="account-a", profile_b="dev-acc", regions=(REGION,), read_only=True, scope_tag=""
    )
    async with running(workspace) as ui:
        await ui.main.action_task("grant_template")
        await ui.wait(lambda: "Read-only" in ui.toasts())
        assert workspace.writes == []
