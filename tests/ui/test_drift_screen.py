"""Drift from a file of grants on the screen: compared, shown, applied as one run, compared again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Button

from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, merge
from ecr_tui.ui.screens.drift import DriftScreen
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, HOSTILE, PUBLIC, FakeWorkspace, repository

CI = "arn:aws:iam::333333333333:role/ci"
FILE = """
[[grants]]
repositories = ["api", "web"]
to = ["user/devusr2"]
access = "pull"
reason = "OPS-123"

[[grants]]
repositories = ["nothing-*"]
to = ["user/devusr2"]
access = "pull"
"""


def granted(principal: str, access: Access) -> str:
    plan = merge(None, Grant((principal,), access)).after
    assert plan is not None
    return plan.text


@pytest.fixture
def workspace(tmp_path) -> FakeWorkspace:
    """api lacks its grant, web has another one, worker has one that the file does not have; public is foreign."""
    rows = [repository(name) for name in ("api", "public", "web", "worker")]
    texts = {"web": granted(DEVUSR2, Access.PUSH_PULL), "worker": granted(CI, Access.PULL), "public": PUBLIC}
    return FakeWorkspace(tmp_path, rows, policies=texts)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "grants.toml"
    path.write_text(FILE)
    return path


async def opened(ui: Session, file) -> DriftScreen:
    title = "Inspect: drift against a grants file…"
    await next(run for name, _, run in ui.main.palette_commands() if name == title)()
    await ui.wait(lambda: ui.dialog == "AskScreen")
    ui.app.screen.query_one("#answer").value = str(file)
    await ui.press("enter")
    await ui.wait(lambda: ui.app.screen_stack[1:] and isinstance(ui.app.screen_stack[1], DriftScreen))
    screen = ui.app.screen_stack[1]
    assert isinstance(screen, DriftScreen)
    await ui.wait(lambda: not screen.busy, "the comparison")
    return screen


def line(ui: Session, name: str) -> str:
    return next(one for one in ui.text().splitlines() if f" {name} " in one)


async def applied(ui: Session, screen: DriftScreen) -> None:
    """Yes to the question, the run to its end, back to the screen, which compares again."""
    await ui.wait(lambda: ui.dialog == "BulkPlanScreen", "the question")
    await ui.wait(lambda: not ui.app.screen.query_one("#yes", Button).disabled, "the plans")
    before = screen.found
    await ui.press("tab", "enter")
    await ui.wait(lambda: ui.dialog == "BulkRunScreen" and not ui.main.desk.running, "the end of the run")
    await ui.press("escape")
    await ui.wait(lambda: ui.app.screen is screen and screen.found is not before, "the second comparison")


async def test_marked_rows_become_one_run_and_are_compared_again(workspace: FakeWorkspace, file) -> None:
    async with running(workspace) as ui:
        screen = await opened(ui, file)
        await ui.see("2 of 4 repositories differ", "1 with grants not in the file")
        await ui.see("grants.toml:8: selects no repository")
        assert "+ grant" in line(ui, "api")
        assert "+ change" in line(ui, "web") or "! change" in line(ui, "web")
        assert "– not in file" in line(ui, "worker")
        assert " public " not in ui.text(), "what ecr-tui did not write is no drift"
        await ui.press("asterisk", "g")
        await ui.wait(lambda: "Skipped: 1 row" in ui.toasts())
        await ui.see("2 repositories?", "Access is changed to match grants.toml.")
        assert workspace.writes == []
        await applied(ui, screen)
        assert sorted(name for name, _ in workspace.writes) == ["api", "web"]
        assert {one.record.reason for one in workspace.journal.read().entries} == {"OPS-123"}
        assert len(workspace.journal.read().runs) == 1
        await ui.see("No drift: 4 repositories compared", "– not in file")
        assert screen.table.marks == 0


async def test_what_is_not_in_the_file_is_revoked_only_with_prune(workspace: FakeWorkspace, file) -> None:
    async with running(workspace) as ui:
        screen = await opened(ui, file)
        await ui.press("slash")
        await ui.type("worker")
        await ui.press("enter", "g")
        await ui.wait(lambda: "Press P to revoke what is not in the file" in ui.toasts())
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "TextScreen")
        await ui.see("worker: with prune", "removes", "role ci in 333333333333")
        await ui.press("escape", "P")
        await ui.see("prune: 1 lose", "revoke", "prune off")
        await ui.press("g")
        await ui.see("and other grants of ecr-tui are revoked")
        await applied(ui, screen)
        assert workspace.writes == [("worker", None)]
        await ui.press("escape")
        await ui.see("2 of 4 repositories differ")


async def test_a_mistake_in_the_file_is_one_dialog_with_its_line_and_r_reads_it_again(
    workspace: FakeWorkspace, file
) -> None:
    file.write_text(FILE.replace('"api"', '"apo"'))
    async with running(workspace) as ui:
        screen = await opened(ui, file)
        await ui.wait(lambda: ui.dialog == "ErrorScreen")
        await ui.see("grants.toml:3: no repository 'apo'", "api")
        await ui.press("escape")
        assert screen.table.shown == 0
        file.write_text(FILE.replace("[[grants]]", '[[grants]]\nregions = ["us-east-1"]', 1))
        await ui.press("r")
        await ui.wait(lambda: ui.dialog == "ErrorScreen")
        await ui.see("grants.toml:3: us-east-1 is not among the regions of the list", "Press A")
        file.write_text(FILE)
        await ui.press("escape", "r")
        await ui.see("2 of 4 repositories differ")


async def test_a_repository_that_cannot_be_read_is_not_called_free_of_drift(workspace: FakeWorkspace, file) -> None:
    for name in ("api", "web"):
        workspace.policies[workspace.by_name(name).arn] = granted(DEVUSR2, Access.PULL)
    workspace.policies[workspace.by_name("worker").arn] = "{"
    async with running(workspace) as ui:
        await opened(ui, file)
        await ui.see("? No drift in the compared part of 4 repositories", "1 not compared")
        await ui.press("g")
        await ui.wait(lambda: "Nothing to apply here." in ui.toasts())
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "ErrorScreen")


async def test_nothing_is_applied_while_read_only_and_names_are_literal(tmp_path, file) -> None:
    workspace = FakeWorkspace(tmp_path, [repository(name) for name in ("api", "web", *HOSTILE)])
    workspace.settings = replace(workspace.settings, read_only=True)
    file.write_text(f'[[grants]]\nrepositories = ["*"]\nto = ["{CI}"]\naccess = "pull"\n')
    async with running(workspace, size=(80, 24)) as ui:
        await opened(ui, file)
        await ui.see("10 of 10 repositories differ", "[red]danger[/red]")
        assert "g apply" not in ui.text()
        await ui.press("g")
        await ui.wait(lambda: "Read-only: nothing was written." in ui.toasts())
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "api (eu-central-1): grant pull of role ci in 333333333333" in ui.copied[0]
        await ui.press("o")
        await ui.wait(lambda: ui.dialog == "")


async def test_leaving_ends_the_reading(workspace: FakeWorkspace, file) -> None:
    workspace.gate.hold("desired")
    async with running(workspace) as ui:
        await next(run for name, _, run in ui.main.palette_commands() if "drift" in name)()
        await ui.wait(lambda: ui.dialog == "AskScreen")
        ui.app.screen.query_one("#answer").value = str(file.parent)
        await ui.see("no such file")
        ui.app.screen.query_one("#answer").value = str(file)
        await ui.press("enter")
        await ui.see("reading the file")
        await ui.press("escape")
        assert ui.dialog == ""
