"""The matrix of repositories and grantees on the screen: cells in view, filter and order, a cell on both sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Button

from ecr_tui.access.matrix import grantees_of
from ecr_tui.aws.model import IdentityPolicies
from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.entries import STOPPED
from ecr_tui.config import Consumer, Settings
from ecr_tui.errors import DeniedError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, merge
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.ui.screens.matrix import MatrixScreen
from ecr_tui.ui.widgets.cell_table import CellTable
from ecr_tui.ui.widgets.columns import Column
from ecr_tui.verification.records import Past
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, HOSTILE, NOW, PUBLIC, REGION, A, B, FakeWorkspace, repository

CI = "arn:aws:iam::333333333333:role/ci"


def granted(principal: str, access: Access) -> str:
    plan = merge(None, Grant((principal,), access)).after
    assert plan is not None
    return plan.text


async def shown(ui: Session) -> MatrixScreen:
    await ui.press("M")
    await ui.wait(lambda: isinstance(ui.app.screen, MatrixScreen) and ui.app.screen.reading.over, "the policies")
    screen = ui.app.screen
    assert isinstance(screen, MatrixScreen)
    return screen


def line(ui: Session, name: str) -> str:
    return next(one for one in ui.text().splitlines() if f" {name} " in one)


@pytest.fixture
def workspace(tmp_path) -> FakeWorkspace:
    rows = [repository(name, {"Team": "Web"}) for name in ("api", "web", "worker")]
    texts = {"api": granted(DEVUSR2, Access.PULL), "web": granted(CI, Access.READ_PUSH_PULL)}
    made = FakeWorkspace(tmp_path, rows, policies=texts)
    can = {"read": None, "pull": True, "push": True}
    made.past.append(Past("1", NOW - timedelta(days=3), made.by_name("api").arn, {"principal": DEVUSR2, "can": can}))
    return made


async def test_cells_in_words_a_cursor_without_colour_and_both_sides(workspace: FakeWorkspace) -> None:
    workspace.identities[DEVUSR2] = IdentityPolicies(DEVUSR2, DEVUSR2, (), unreadable="not readable [/x]")
    async with running(workspace) as ui:
        screen = await shown(ui)
        await ui.see("3 × 2", "› devusr2", "ci", "[ –✓– (3d)", "api × user devusr2 in 222222222222")
        await ui.see("✓ pull", "verified 3d ago, stale: policy no longer allows push")
        await ui.press("l", "j")
        assert "[ ✓✓✓" in line(ui, "web")
        await ui.see("web × role ci in 333333333333")
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert ui.copied[0].splitlines()[1].startswith(f"api,eu-central-1,{DEVUSR2},")
        await ui.press("k", "h", "enter")
        await ui.wait(lambda: ui.dialog == "TextScreen")
        await ui.see("Account A's policies", "no statement allows it", "A allows", "B allows", "BatchGetImage")
        await ui.press("escape")
        assert ui.app.screen is screen
        await ui.press("l", "j", "o")
        await ui.wait(lambda: ui.dialog == "" and ui.selected == "web")


async def test_rows_are_filtered_as_the_list_is_and_sorted_by_a_grantee(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        screen = await shown(ui)
        await ui.press("slash")
        await ui.type("access:pull")
        await ui.wait(lambda: [row.name for row in screen.table.window()] == ["api"], "the filter")
        await ui.press("enter", "l")
        await ui.wait(lambda: [row.name for row in screen.table.window()] == ["web"], "the next grantee's")
        await ui.press("escape")
        await ui.wait(lambda: screen.table.shown == 3)
        await ui.press("s")
        assert [row.name for row in screen.table.window()] == ["web", "api", "worker"]
        await ui.press("S")
        assert [row.name for row in screen.table.window()] == ["api", "web", "worker"]


async def test_cells_are_marked_one_by_one_and_by_column(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        screen = await shown(ui)
        await ui.press("space", "l", "asterisk")
        await ui.see("4 marked")
        cells = [(row.name, principal) for row, principal in screen.table.marked_cells()]
        assert cells == [("api", DEVUSR2), ("api", CI), ("web", CI), ("worker", CI)]
        assert line(ui, "api").count("●") == 3
        await ui.press("asterisk")
        assert [row.name for row, _ in screen.table.marked_cells()] == ["api"]
        await ui.press("escape")
        assert (screen.table.cells, ui.dialog) == ({}, "MatrixScreen")
        await ui.press("escape")
        assert ui.dialog == ""


async def test_it_is_about_the_marked_repositories_and_says_what_it_could_not_read(workspace: FakeWorkspace) -> None:
    workspace.errors["policy_text:web"] = DeniedError("denied [/x]")
    async with running(workspace) as ui:
        await ui.press("space", "space")
        screen = await shown(ui)
        assert [row.name for row in screen.table.window()] == ["api", "web"]
        assert "unknown" in line(ui, "web")
        await ui.press("j")
        await ui.see("? denied [/x]")
        del workspace.errors["policy_text:web"]
        await ui.press("r")
        await ui.wait(lambda: "✓✓✓" in line(ui, "web"), "the second reading")


async def test_a_matrix_that_cannot_be_made_says_why(workspace: FakeWorkspace) -> None:
    workspace.errors["matrix"] = DeniedError("no registry")
    async with running(workspace) as ui:
        await ui.press("M")
        await ui.see("✗ no registry")
        await ui.press("escape")
        assert ui.dialog == ""


@pytest.mark.parametrize("size", [(60, 20), (200, 60)])
async def test_it_fits_every_size_with_hostile_names(tmp_path, size: tuple[int, int]) -> None:
    rows = [repository(name) for name in HOSTILE]
    principals = [f"arn:aws:iam::{B}:role/r{number}" for number in range(40)]
    workspace = FakeWorkspace(
        tmp_path, rows, policies={rows[0].name: merge(None, Grant(tuple(principals), Access.PULL)).after.text}
    )
    async with running(workspace, size) as ui:
        screen = await shown(ui)
        await ui.press("dollar_sign", "G")
        assert screen.table.first + screen.table.in_view == len(screen.reading.columns)
        assert "[ –" in ui.text()
        assert "esc" in ui.text()
        assert "\x1b" not in ui.text()
        assert max(map(len, ui.text().splitlines())) <= size[0]


class WideApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.asked: set[tuple[int, int]] = set()
        columns = [Column[int]("name", "Name", lambda row: [(f"r{row}", "")], lambda row: row, 10)]
        for number in range(200):

            def cell(row: int, number: int = number) -> list[tuple[str, str]]:
                self.asked.add((row, number))
                return [(f"{row}x{number}", "")]

            columns.append(Column[int](f"c{number}", f"c{number}", cell, lambda row: row, 12))
        self.table: CellTable[int] = CellTable(columns, key=str, look=lambda row: repository(f"r{row}"))

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.set_rows(range(5000))
        self.table.focus()


async def test_of_many_columns_only_those_in_view_are_asked_and_the_mouse_reaches_each() -> None:
    app = WideApp()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert len(app.asked) <= 12 * 4
        await pilot.press("l", "l", "l", "l")
        await pilot.pause()
        assert app.table.column == "c4"
        assert {number for _, number in app.asked} <= set(range(6))
        await pilot.click(app.table, offset=(30, 3))
        assert (app.table.current, app.table.column) == (2, f"c{app.table.first + 1}")
        app.table.scroll_columns(10)
        assert app.table.place >= app.table.first >= 10
        await pilot.press("0")
        assert app.table.column == "c0"


# -- writes ------


async def chosen_yes(ui: Session) -> None:
    await ui.wait(lambda: ui.dialog == "BulkPlanScreen", "the question")
    await ui.wait(lambda: not ui.app.screen.query_one("#yes", Button).disabled, "the plans")
    await ui.press("tab", "enter")
    await ui.wait(lambda: ui.dialog == "BulkRunScreen" and not ui.main.desk.running, "the end of the run")


def named(workspace: FakeWorkspace, name: str) -> set[str]:
    text = workspace.policies.get(workspace.by_name(name).arn)
    return set(grantees_of(PolicyDocument.parse(text))) if text else set()


async def test_marked_cells_are_granted_as_one_run_undone_and_revoked(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await shown(ui)
        await ui.press("space", "space", "space", "l", "space", "g")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        await ui.see("Grant on 3 repositories?", "(4 pairs of", "push + pull", "3 to change")
        assert "user devusr2 in 222222222222 and role ci" in ui.text()
        assert workspace.writes == []
        await chosen_yes(ui)
        assert len(workspace.journal.read().runs) == 1
        assert [named(workspace, one) for one in ("api", "web", "worker")] == [{DEVUSR2}, {DEVUSR2, CI}, {DEVUSR2, CI}]
        await ui.press("escape")
        await ui.wait(lambda: line(ui, "worker").count("–✓✓") == 2, "the new policies")
        assert "●" not in ui.text()
        await ui.press("R")
        await ui.wait(lambda: ui.dialog == "BulkRunScreen")
        await ui.press("u")
        await chosen_yes(ui)
        await ui.press("escape")
        await ui.wait(lambda: "–✓✓" not in line(ui, "worker"), "the policies before the run")
        assert [named(workspace, one) for one in ("web", "worker")] == [{CI}, set()]

        await ui.press("k", "x")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        await ui.see("Revoke on 1 repository?", "Revokes all access that ecr-tui granted to role ci")
        await chosen_yes(ui)
        assert named(workspace, "web") == set()


async def test_a_run_over_cells_is_resumed_after_a_crash(workspace: FakeWorkspace, tmp_path) -> None:
    rows = [workspace.by_name(name) for name in ("api", "worker")]
    each = {rows[0].arn: (CI,), rows[1].arn: (DEVUSR2,)}
    intent = Intent.to_grant(Grant((CI, DEVUSR2), Access.PULL), each=each)
    targets = [(one.name, one.arn, one.region) for one in rows]
    with workspace.journal.writing():
        run = workspace.journal.begin_run("grant", A, "op", intent.to_json(), targets)
    workspace.journal.end_run(run, STOPPED)
    async with running(workspace) as ui:
        await ui.wait(lambda: "Unfinished bulk run" in ui.text())
        await ui.see("2 pairs of")
        await ui.press("right", "right", "enter")
        await chosen_yes(ui)
        assert named(workspace, "api") == {DEVUSR2, CI}
        assert named(workspace, "worker") == {DEVUSR2}


async def test_nobody_is_granted_that_a_policy_must_not_name_and_nothing_while_read_only(tmp_path) -> None:
    rows = [repository(name) for name in ("api", "web")]
    settings = Settings(profile_a="account-a", profile_b="dev-acc", regions=(REGION,), scope_tag="")
    workspace = FakeWorkspace(tmp_path, rows, policies={"api": PUBLIC}, settings=settings)
    async with running(workspace) as ui:
        await shown(ui)
        await ui.press("0", "g")
        await ui.wait(lambda: "ecr-tui cannot grant to this principal." in ui.toasts())
        await ui.press("v")
        await ui.wait(lambda: "No profile is configured for everyone" in ui.toasts())
        workspace.settings = replace(settings, read_only=True)
        for key in ("g", "x"):
            await ui.press("l", key)
            await ui.wait(lambda: "Read-only" in ui.toasts())
        assert (workspace.writes, ui.dialog) == ([], "MatrixScreen")


async def test_cells_of_several_consumers_are_verified_as_one_run_with_the_access_they_show(tmp_path) -> None:
    rows = [repository(name) for name in ("api", "web")]
    consumers = (Consumer("dev", "dev-acc", None, (DEVUSR2,)), Consumer("build", "ci", None, (CI,)))
    settings = Settings(
        profile_a="account-a", profile_b="dev-acc", regions=(REGION,), scope_tag="", named_consumers=consumers
    )
    texts = {"api": granted(DEVUSR2, Access.PULL), "web": granted(CI, Access.PUSH_PULL)}
    workspace = FakeWorkspace(tmp_path, rows, policies=texts, settings=settings)
    async with running(workspace) as ui:
        screen = await shown(ui)
        assert {one: found.name for one, found in screen.reading.acting.items()} == {DEVUSR2: "dev", CI: "build"}
        await ui.press("space", "l", "space", "v")
        await ui.wait(lambda: ui.dialog == "ManyScreen" and not ui.main.desk.verifying, "the verifications")
        await ui.see("Verify 2 repositories", "As", "dev", "build", "2 of 2 passed")
        await ui.press("escape")
        await ui.wait(lambda: "–✓– " in line(ui, "api") and "–✓✓ " in line(ui, "web"))
        proofs = workspace.proofs()
        assert {key[1]: {part.value for part in proof.can} for key, proof in proofs.items()} == {
            DEVUSR2: {"pull"},
            "333333333333 ci": {"pull", "push"},
        }
        await ui.press("e")
        await ui.see("everyone")
        assert [one.principal for one in screen.reading.columns] == [DEVUSR2, CI]


async def test_what_is_in_view_is_read_before_the_rest(tmp_path) -> None:
    rows = [repository(f"r{number:03}") for number in range(300)]
    workspace = FakeWorkspace(tmp_path, rows, policies={"r299": granted(CI, Access.PULL)})
    async with running(workspace, (80, 24)) as ui:
        workspace.gate.hold("policy_text")
        await ui.press("M")
        await ui.wait(lambda: ui.dialog == "MatrixScreen" and ui.app.screen.reading.matrix is not None)
        await ui.press("G")
        screen = ui.app.screen
        await ui.wait(lambda: screen.table.current is not None and screen.table.current.name == "r299")
        before = workspace.gate.count("policy_text")
        workspace.gate.release("policy_text")
        await ui.wait(lambda: screen.reading.policy(workspace.by_name("r299")) is not None)
        asked = [name for call, name in workspace.gate.calls if call == "policy_text"]
        assert asked.index("r299") < before + 60, "300 are queued"
