"""Copies of a repository: the preview tells of them, and g offers them."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button

from ecr_tui.errors import DeniedError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.ui.screens.confirm import ConfirmScreen
from tests.support.planning import plan_grant
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, FakeWorkspace, repository

NAME, THERE = "my-first-repo", "eu-west-1"


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    found = FakeWorkspace(tmp_path)
    found.replicas[found.by_name(NAME).arn] = (repository(NAME, {"Team": "Payments"}, region=THERE),)
    return found


async def asked(ui: Session) -> None:
    await ui.select(NAME)
    await ui.see(f"! Replicated to {THERE}: that copy has no such policy")
    await ui.press("g")
    await ui.wait(lambda: ui.dialog == "ConfirmScreen", "the offer")


async def answer(ui: Session, button: str) -> None:
    assert isinstance(ui.app.screen, ConfirmScreen)
    ui.app.screen.query_one(f"#{button}", Button).press()
    await ui.wait(lambda: ui.dialog != "ConfirmScreen", "the answer")


async def test_g_grants_on_the_copies_as_well_in_one_run(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await asked(ui)
        await ui.see(f"Grant on 1 copy of {NAME} as well?", "Account A   111111111111 · eu-central-1")
        await answer(ui, "yes")
        await ui.wait(lambda: not ui.app.screen.query_one("#yes", Button).disabled, "the plans")
        await ui.see("Grant on 2 repositories?", "eu-central-1", THERE)
        await ui.press("tab", "enter")
        await ui.wait(lambda: ui.dialog == "BulkRunScreen" and not ui.main.desk.running, "the run")
        assert [name for name, _ in workspace.writes] == [NAME, NAME]
        assert len({entry.record.run for entry in workspace.journal.entries()}) == 1
        await ui.press("escape")
        await ui.see(f"i Replicated to {THERE}: that copy has this grant")


async def test_only_the_repository_itself(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await asked(ui)
        await answer(ui, "other")
        await ui.see("✓ written and read back")
        assert [entry.record.region for entry in workspace.journal.entries()] == ["eu-central-1"]
        await ui.see(f"! Replicated to {THERE}: that copy has no such policy")
        await ui.press("g")
        await ui.see("Granted here already. Grant on 1 copy as well?")


async def test_cancel_writes_nothing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await asked(ui)
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")
        assert workspace.writes == []


async def test_a_revoke_offers_the_copies_that_have_the_grant(workspace: FakeWorkspace) -> None:
    (copy,) = workspace.replicas[workspace.by_name(NAME).arn]
    for one in (copy, workspace.by_name(NAME)):
        workspace.policies[one.arn] = plan_grant(workspace, one, Grant((DEVUSR2,), Access.PUSH_PULL)).after_text or ""
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ui.see(f"i Replicated to {THERE}: that copy has this grant")
        await ui.press("x")
        await ui.see(f"Revoke on 1 copy of {NAME} as well?")
        await answer(ui, "yes")
        await ui.wait(lambda: not ui.app.screen.query_one("#yes", Button).disabled, "the plans")
        await ui.press("tab", "enter")
        await ui.wait(lambda: ui.dialog == "BulkRunScreen" and not ui.main.desk.running, "the run")
        assert workspace.writes == [(NAME, None), (NAME, None)]


async def test_a_copy_that_has_the_grant_asks_nothing(workspace: FakeWorkspace) -> None:
    (copy,) = workspace.replicas[workspace.by_name(NAME).arn]
    after = plan_grant(workspace, copy, Grant((DEVUSR2,), Access.PUSH_PULL)).after_text
    assert after is not None
    workspace.policies[copy.arn] = after
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ui.see(f"i Replicated to {THERE}: that copy has this grant")
        await ui.press("g")
        await ui.see("✓ written and read back")


async def test_copies_that_cannot_be_read_stand_in_nobodys_way(workspace: FakeWorkspace) -> None:
    workspace.errors["copies"] = DeniedError("not allowed to ecr:DescribeRegistry")
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ui.wait(lambda: workspace.gate.count("copies"))
        await ui.press("g")
        await ui.see("✓ written and read back")
        assert "Replicated" not in ui.text()


async def marked_asked(ui: Session, key: str = "g") -> None:
    """The offer for my-first-repo and another one, both marked."""
    for name in (NAME, "web-frontend"):
        await ui.select(name)
        await ui.press("space")
    await ui.press(key)
    await ui.wait(lambda: ui.dialog == "ConfirmScreen", "the offer")


async def test_marked_repositories_bring_their_copies_after_a_yes(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await marked_asked(ui)
        await ui.see("Grant on 1 copy as well?", f"1 of 2 repositories is replicated to {THERE}.", "Only the marked")
        await answer(ui, "yes")
        await ui.see("Grant on 3 repositories?", THERE)
        await ui.press("escape")
        await ui.press("x")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen", "the offer")
        await ui.see("Revoke on 1 copy as well?")
        await answer(ui, "other")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        assert len(ui.main.desk.planning.rows) == 2
        assert workspace.writes == []


async def test_copies_without_the_scope_tag_are_left_out(workspace: FakeWorkspace) -> None:
    """The condition of the original would be missing there."""
    workspace.settings = workspace.settings.changed("here", scope_tag="Team")
    untagged = repository(NAME, {}, region="eu-west-2")
    workspace.replicas[workspace.by_name(NAME).arn] += (untagged,)
    async with running(workspace) as ui:
        await marked_asked(ui)
        await ui.see("Grant on 1 copy as well?", "1 copy without the tag Team left out")
        await answer(ui, "yes")
        await ui.see("Grant on 3 repositories?")
        assert untagged not in [row.repository for row in ui.main.desk.planning.rows]


async def test_unknown_copies_are_said_and_stop_nothing(workspace: FakeWorkspace) -> None:
    workspace.errors["copies_of"] = DeniedError("not allowed to ecr:DescribeRegistry")
    async with running(workspace) as ui:
        await ui.press("asterisk", "g")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        assert "Copies in other regions are left out: not allowed to ecr:DescribeRegistry" in ui.toasts()
