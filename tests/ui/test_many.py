"""Verifying all marked repositories: a line each, a summary, a cancel, the reports."""

from __future__ import annotations

import re

import pytest

from ecr_tui.config import Settings
from ecr_tui.errors import EnvironmentFailure, InputError
from ecr_tui.ui.tasks.verification import ASK_ABOVE
from tests.ui import fake_workspace as fake
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import FakeWorkspace


def line(ui: Session, name: str) -> str:
    found = re.search(rf"[✓✗▸·] {name}\b[^│]*", ui.text())
    return found[0] if found else ""


async def mark(ui: Session, *names: str) -> None:
    for name in names:
        await ui.select(name)
        await ui.press("space")
    await ui.wait(lambda: ui.main.table.marks == len(names))


async def test_each_line_lives_and_ends_with_its_verdict(workspace: FakeWorkspace) -> None:
    def by_name(repo, on_event, cancel, gate):
        return (fake.denied if repo.name == "web-frontend" else fake.allowed)(repo, on_event, cancel, gate)

    workspace.script = by_name
    workspace.gate.hold("stage:push")
    async with running(workspace) as ui:
        await mark(ui, "my-first-repo", "billing-api", "web-frontend")
        await ui.press("V")
        await ui.wait(lambda: ui.dialog == "ManyScreen")
        await ui.see("Verify 3 repositories", "1 of 3 done", "esc stop all")
        await ui.wait(lambda: "push" in line(ui, "my-first-repo"))
        assert "running" in line(ui, "my-first-repo")
        assert "denied" in line(ui, "web-frontend")
        workspace.gate.release()
        await ui.see("✗ 2 of 3 passed: 2 allowed, 1 denied", "esc close")
        assert line(ui, "my-first-repo").startswith("✓")
        assert "push · ecr:InitiateLayerUpload · A's repository policy" in line(ui, "web-frontend")
        assert workspace.gate.count("verify") == 3


async def test_no_more_run_at_once_than_the_pool_takes(workspace: FakeWorkspace) -> None:
    workspace.pool = 1
    workspace.gate.hold("stage:push")
    async with running(workspace) as ui:
        await mark(ui, "billing-api", "my-first-repo")
        await ui.press("V")
        await ui.wait(lambda: "running" in line(ui, "billing-api"))
        assert "waiting" in line(ui, "my-first-repo")
        assert workspace.gate.count("verify") == 1


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_enter_opens_the_whole_report_and_y_copies_all(workspace: FakeWorkspace, size: tuple[int, int]) -> None:
    workspace.script = fake.denied
    async with running(workspace, size) as ui:
        await mark(ui, "billing-api", "my-first-repo")
        await ui.press("V")
        await ui.see("✗ 0 of 2 passed")
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert ui.copied[0].startswith("# Verified access to Amazon ECR")
        assert "## billing-api: DENIED" in ui.copied[0]
        await ui.press("down", "enter")
        await ui.wait(lambda: ui.dialog == "TextScreen")
        await ui.see("✗ my-first-repo", "DENIED at push")
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "ManyScreen")
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")


async def test_esc_cancels_all_and_cleanup_goes_on(workspace: FakeWorkspace) -> None:
    workspace.script = fake.cancellable
    workspace.pool = 2
    workspace.gate.hold("stage:cleanup")
    async with running(workspace) as ui:
        await mark(ui, "billing-api", "legacy-tool", "my-first-repo")
        await ui.press("V")
        await ui.wait(lambda: sum(name == "pushing" for name, _ in workspace.gate.calls) == 2)
        await ui.press("escape")
        await ui.see("Stopping, then cleaning up…")
        await ui.wait(lambda: ui.main.desk.batch.abandoned)
        await ui.see("Canceled. Cleanup continues")
        workspace.gate.release()
        await ui.see("✗ 0 of 3 passed")
        assert workspace.gate.count("verify") == 2, "the third had not begun"
        stages = [subject for name, subject in workspace.gate.calls if name == "stage"]
        assert stages.count("cleanup") == 2


async def test_closed_while_it_cleans_up_the_end_is_told(workspace: FakeWorkspace) -> None:
    workspace.script = fake.cancellable
    workspace.gate.hold("stage:cleanup")
    async with running(workspace) as ui:
        await mark(ui, "my-first-repo")
        await ui.press("V")
        await ui.wait(lambda: any(name == "pushing" for name, _ in workspace.gate.calls))
        await ui.press("escape", "escape")
        await ui.wait(lambda: ui.dialog == "")
        await ui.see("verifying 0 of 1…")
        await ui.press("V")
        await ui.wait(lambda: ui.dialog == "ManyScreen")
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")
        workspace.gate.release()
        await ui.wait(lambda: "0 of 1 passed" in ui.toasts())
        assert workspace.gate.count("verify_many") == 1


async def test_without_marks_nothing_is_verified(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("V")
        await ui.wait(lambda: "No repositories marked" in ui.toasts())
        assert workspace.gate.count("verify_many") == 0


async def test_more_than_some_are_asked_about_first(tmp_path) -> None:
    workspace = FakeWorkspace(tmp_path, [fake.repository(f"repo-{n:02}") for n in range(ASK_ABOVE + 1)])
    async with running(workspace) as ui:
        for row in workspace.all:
            ui.main.table.go_to_key(row.arn)
            await ui.press("space")
        await ui.wait(lambda: ui.main.table.marks == ASK_ABOVE + 1)
        await ui.press("V")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Verify 11 repositories?")
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "")
        assert workspace.gate.count("verify_many") == 0, "No has the focus"
        await ui.press("V")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("right", "enter")
        await ui.wait(lambda: ui.dialog == "ManyScreen")
        await ui.see("✓ 11 of 11 passed")


async def test_marks_that_the_filter_hides_are_asked_about(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await mark(ui, "my-first-repo")
        await ui.press("slash")
        await ui.type("legacy")
        await ui.press("enter")
        await ui.wait(lambda: ui.main.table.model.marked_hidden())
        await ui.press("V")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        assert "hidden by the" in ui.text()


async def test_what_keeps_one_from_starting_is_its_own_error(workspace: FakeWorkspace) -> None:
    workspace.errors["verify:legacy-tool"] = EnvironmentFailure("no engine answers", hint="Use --engine direct.")
    async with running(workspace) as ui:
        await mark(ui, "legacy-tool", "my-first-repo")
        await ui.press("V")
        await ui.see("1 of 2 passed")
        assert "no engine answers" in line(ui, "legacy-tool")
        await ui.press("home", "enter")
        await ui.wait(lambda: ui.dialog == "ErrorScreen")
        await ui.see("Use --engine direct.")


async def test_what_keeps_all_from_starting_is_a_banner(workspace: FakeWorkspace) -> None:
    workspace.errors["verify_many"] = InputError("no profile for account B", hint="--profile-b")
    async with running(workspace) as ui:
        await mark(ui, "my-first-repo")
        await ui.press("V")
        await ui.see("✗ no profile for account B")
        await ui.press("escape")
        await ui.see("Verification stopped: no profile for account B")
        assert ui.dialog == ""


async def test_read_only_verifies_nothing(tmp_path) -> None:
    settings = Settings(profile_a="account-a", profile_b="dev-acc", regions=(fake.REGION,), read_only=True)
    workspace = FakeWorkspace(tmp_path, settings=settings)
    async with running(workspace) as ui:
        await mark(ui, "my-first-repo")
        await ui.press("V")
        await ui.pilot.pause()
        assert ui.dialog == ""
        assert workspace.gate.count("verify_many") == 0


async def test_leaving_cancels_them(workspace: FakeWorkspace) -> None:
    workspace.script = fake.cancellable
    async with running(workspace) as ui:
        await mark(ui, "my-first-repo")
        await ui.press("V")
        await ui.wait(lambda: any(name == "pushing" for name, _ in workspace.gate.calls))
        await ui.app.action_quit()
        await ui.wait(lambda: ui.main.desk.batch.cancelling)
