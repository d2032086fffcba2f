"""Several consumers: going through them, the dialog that holds them, and what goes with the former one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecr_tui.config import Consumer, Settings
from tests.ui.conftest import running
from tests.ui.fake_workspace import DEVUSR2, REGION, FakeWorkspace

BILL = "arn:aws:iam::444444444444:user/bill"
CI = "arn:aws:iam::333333333333:role/ci"
CONSUMERS = (
    Consumer("people", "dev-acc"),
    Consumer("billing", "bill"),
    Consumer("partner", account="333333333333", principals=("role/ci",)),
)


def policy(principal: str) -> str:
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": pull}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    settings = Settings("account-a", "dev-acc", (REGION,), scope_tag="", named_consumers=CONSUMERS)
    found = FakeWorkspace(tmp_path, settings=settings)
    found.policies = {
        found.by_name("my-first-repo").arn: policy(DEVUSR2),
        found.by_name("legacy-tool").arn: policy(BILL),
    }
    found.callers = {"bill": BILL}
    return found


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_going_through_them_judges_anew_and_keeps_the_list(
    workspace: FakeWorkspace, size: tuple[int, int]
) -> None:
    async with running(workspace, size=size) as ui:
        main = ui.main
        await ui.press("space")
        await ui.select("my-first-repo")
        await ui.press("v")
        await ui.wait(lambda: main.verification.run is not None and main.verification.run.report is not None)
        await ui.press("1")
        await ui.see("people 1/3" if size[0] < 100 else "people · 1 of 3")
        listed = workspace.gate.count("repositories")
        await ui.press("right_curly_bracket")
        await ui.see("billing 2/3" if size[0] < 100 else "billing · 2 of 3")
        await ui.ready()
        assert main.selection.grant.principals == (BILL,)
        # What was proved as the former one is gone; the list, its cursor and its marks are not.
        assert main.verification.run is None
        assert (ui.main, ui.selected, main.table.marks) == (main, "my-first-repo", 1)
        assert workspace.gate.count("repositories") == listed
        by_name = {row.name: main.details.access(row, main.selection.principals) for row in workspace.all}
        assert (by_name["legacy-tool"].pull, by_name["my-first-repo"].pull) == (True, False)
        # Without a profile it is known by its configuration, and granted to all the same.
        await ui.press("right_curly_bracket")
        await ui.see("partner 3/3" if size[0] < 100 else "partner · 3 of 3", "no profile · 333333333333")
        await ui.ready()
        assert main.selection.grant.principals == (CI,)
        await ui.press("right_curly_bracket", "left_curly_bracket", "left_curly_bracket")
        await ui.see("billing 2/3" if size[0] < 100 else "billing · 2 of 3")


async def test_a_principal_that_was_chosen_for_the_former_one_is_dropped(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.principal("333333333333")
        await ui.press("enter")
        await ui.ready()
        await ui.press("p", "right_curly_bracket")
        await ui.see("billing · 2 of 3", "user bill in B")
        assert ui.main.selection.choice.principals == ()
        assert ui.main.selection.choice.access.value == "pull"


async def test_a_late_answer_about_the_former_one_is_not_shown(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("consumer")
        await ui.press("right_curly_bracket")
        await ui.wait(lambda: workspace.gate.count("consumer") == 2)
        assert ui.main.selection.principals == ()  # not yet known, and never the former one's
        await ui.press("right_curly_bracket")
        await ui.see("partner · 3 of 3")
        workspace.gate.release("consumer")
        await ui.press("right_curly_bracket", "right_curly_bracket")
        await ui.see("billing · 2 of 3", BILL)
        assert ui.main.selection.principals == (BILL,)


async def test_none_is_switched_while_something_runs_or_where_there_is_no_other(
    workspace: FakeWorkspace, tmp_path: Path
) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        workspace.gate.hold("stage")
        await ui.press("v")
        await ui.wait(lambda: ui.main.verification.running)
        await ui.press("right_curly_bracket")
        await ui.wait(lambda: "A verification is running" in ui.toasts())
        assert workspace.settings.consumer == CONSUMERS[0]
    async with running(FakeWorkspace(tmp_path)) as ui:
        await ui.see("B · consumer")
        await ui.press("right_curly_bracket")
        await ui.wait(lambda: "No other consumer" in ui.toasts())


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_the_dialog_offers_them_and_holds_a_profile_that_is_typed(
    workspace: FakeWorkspace, size: tuple[int, int]
) -> None:
    async with running(workspace, size=size) as ui:
        main = ui.main
        await ui.press("A")
        await ui.wait(lambda: ui.dialog == "AccountsScreen")
        field = ui.app.screen.query_one("#profile-b")
        field.focus()
        await ui.see("consumer · profile bill", "consumer · no profile · 333333333333")
        field.value = ""
        await ui.type("bill")
        await ui.press("enter")  # completes the name
        await ui.press("enter")
        await ui.wait(lambda: not ui.dialog)
        await ui.see("billing 2/3" if size[0] < 100 else "billing · 2 of 3")
        assert ui.main is main
        await ui.press("A")
        await ui.wait(lambda: ui.dialog == "AccountsScreen")
        ui.app.screen.query_one("#profile-b").value = "account-a"
        await ui.pilot.pause()
        await ui.press("enter")
        await ui.wait(lambda: not ui.dialog)
        await ui.see("account-a 1/4" if size[0] < 100 else "account-a · 1 of 4")
        await ui.press("right_curly_bracket")
        await ui.see("people 2/4" if size[0] < 100 else "people · 2 of 4")
