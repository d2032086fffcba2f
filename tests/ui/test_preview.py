"""The preview shows exactly what g would write, for what is selected and chosen, and for nothing else."""

from __future__ import annotations

import json

import pytest

from ecr_tui.errors import DeniedError
from ecr_tui.policy.actions import Access
from ecr_tui.ui.widgets.reading import Reading
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, B, FakeWorkspace, repository

ROLE = f"arn:aws:iam::{B}:role/deploy"


async def document(ui: Session) -> dict:
    """What the JSON tab says, parsed: through the clipboard, as a user would take it."""
    ui.main.preview.turn_to("json")
    await ui.press("2", "y")
    number = len(ui.copied)
    await ui.wait(lambda: len(ui.copied) > number or ui.copied)
    await ui.wait(lambda: ui.copied and ui.copied[-1].startswith("{"))
    return json.loads(ui.copied[-1])


async def test_the_json_tab_is_what_is_written(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("billing-api")
        shown = await document(ui)
        await ui.press("1", "g")
        await ui.wait(lambda: workspace.writes)
        assert json.loads(workspace.writes[0][1]) == shown
        assert shown["Statement"][0]["Sid"] == "LambdaECRImageRetrievalPolicy"
        assert shown["Statement"][1]["Principal"] == {"AWS": DEVUSR2}


async def test_access_cycles_through_all(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        seen = [ui.main.selection.grant.access]
        for _ in Access:
            await ui.press("p")
            await ui.ready()
            seen.append(ui.main.selection.grant.access)
        assert seen[:3] == [Access.PUSH_PULL, Access.PULL, Access.PUSH]
        assert (seen[-1], set(seen)) == (Access.PUSH_PULL, set(Access))
        await ui.press("p")
        await ui.see("p pull")
        assert "PutImage" not in ui.text()


@pytest.mark.parametrize(
    ("typed", "arn"),
    [
        ("role/deploy", ROLE),
        ("333333333333", "arn:aws:iam::333333333333:root"),
        (f"arn:aws:iam::{B}:user/x", f"arn:aws:iam::{B}:user/x"),
    ],
)
async def test_a_principal_can_be_given_in_each_form(workspace: FakeWorkspace, typed: str, arn: str) -> None:
    async with running(workspace) as ui:
        await ui.principal(typed)
        await ui.see(arn)
        await ui.press("enter")
        await ui.ready()
        assert ui.main.selection.grant.principals == (arn,)
        assert ui.dialog == ""


async def test_a_bad_principal_is_refused_with_the_reason_while_typing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.principal("*")
        await ui.see("✗ a principal cannot contain a wildcard")
        await ui.press("enter")
        assert ui.dialog == "AskScreen"
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "ChooseScreen")
        await ui.press("escape")
        assert ui.dialog == ""
        assert ui.main.selection.grant.principals == (DEVUSR2,)


async def test_an_empty_principal_goes_back_to_bs_caller(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.principal("role/deploy")
        await ui.press("enter")
        await ui.ready()
        await ui.principal("")
        await ui.press("ctrl+u", "enter")
        await ui.ready()
        assert ui.main.selection.choice.principals == ()
        assert ui.main.selection.grant.principals == (DEVUSR2,)


async def test_a_session_stands_for_its_role(workspace: FakeWorkspace) -> None:
    workspace.b_arn = f"arn:aws:sts::{B}:assumed-role/deploy/alice"
    async with running(workspace) as ui:
        assert ui.main.selection.grant.principals == (ROLE,)
        await ui.see("role deploy in B")


async def test_an_identity_center_role_comes_with_a_warning(workspace: FakeWorkspace) -> None:
    workspace.b_arn = f"arn:aws:sts::{B}:assumed-role/AWSReservedSSO_Admin_0123/alice"
    async with running(workspace) as ui:
        await ui.see("! an Identity Center role has a path")


async def test_the_condition_is_chosen_from_the_repositorys_tags(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("c")
        await ui.see("no condition", "Team=Payments", "this repository has it", "other tag…")
        await ui.press("down", "enter")
        await ui.ready()
        assert ui.main.selection.grant.tags == (("Team", "Payments"),)
        shown = await document(ui)
        assert shown["Statement"][0]["Condition"] == {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}


async def test_a_condition_that_the_repository_does_not_meet_asks_first(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("c", "end", "enter")
        await ui.type("Team")
        await ui.see("is not a tag")
        await ui.type("=Payments")
        await ui.press("enter")
        await ui.ready()
        await ui.see("asks first: 1 risk", "if Team=Payments")
        await ui.press("g")
        assert ui.dialog == "ConfirmScreen"
        await ui.see("The grant would have no effect")


async def test_a_condition_that_cannot_be_written_is_refused_while_typing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("c", "end", "enter")
        ui.app.screen.query_one("#answer").value = "Team=${aws:username}"
        await ui.see("✗ a tag cannot contain a policy variable")
        await ui.press("enter")
        assert ui.dialog == "AskScreen"


async def test_no_change_is_said_plainly_and_nothing_is_written(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.see("written and read back")
        number = len(workspace.writes)
        await ui.ready()
        await ui.see("No change.")
        await ui.press("g")
        await ui.wait(lambda: "No change" in ui.told())
        assert len(workspace.writes) == number == 1


async def test_the_diff_says_it_in_words_and_marks(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("billing-api")
        await ui.see(
            "+ allows  user devusr2 in 222222222222", "InitiateLayerUpload", '+       "Effect": "Allow"', "10,240"
        )
        assert "unchanged lines" in ui.text()


async def test_every_tab_shows_and_copies_its_text(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("public-mirror")
        await ui.press("2")
        for tab, seen, copied in (
            ("diff", "+ allows", "+ "),
            ("json", '"Version"', '"Version"'),
            ("who", "everyone", "user devusr2"),
            ("findings", "why", "why"),
            ("consumer", "GetAuthorizationToken", "EcrRepositories"),
        ):
            ui.main.preview.turn_to(tab)
            await ui.see(seen)
            number = len(ui.copied)
            await ui.press("y")
            await ui.wait(lambda n=number: len(ui.copied) == n + 1)
            assert copied in ui.copied[-1]


async def test_tabs_turn_by_arrow_keys(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("tab")
        await ui.wait(lambda: type(ui.main.focused).__name__ == "ContentTabs")
        await ui.press("right", "right")
        await ui.wait(lambda: ui.main.preview.tab == "who")
        await ui.see("after  ✓ pull  ✓ push")


async def test_tabs_turn_from_within_the_text(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("enter")
        await ui.wait(lambda: isinstance(ui.main.focused, Reading))
        for keys, tab in (
            (("right", "right"), "who"),
            (("left",), "json"),
            (("right_square_bracket",) * 2, "findings"),
        ):
            await ui.press(*keys)
            await ui.wait(lambda t=tab: ui.main.preview.tab == t)
        await ui.press("left_square_bracket", "left", "left", "left")
        await ui.wait(lambda: ui.main.preview.tab == "consumer")
        assert isinstance(ui.main.focused, Reading)


async def test_a_policy_that_cannot_be_read_is_never_replaced(workspace: FakeWorkspace) -> None:
    workspace.errors["policy_text:analytics/etl"] = DeniedError(
        "may not read it", detail="AccessDenied: …", side="account A"
    )
    async with running(workspace) as ui:
        await ui.see("no preview: may not read it")
        await ui.press("g")
        assert ui.dialog == "ErrorScreen"
        assert workspace.writes == []


async def test_a_policy_that_is_no_json_is_never_replaced(tmp_path) -> None:
    workspace = FakeWorkspace(tmp_path, [repository("broken")], policies={"broken": "{not json"})
    async with running(workspace) as ui:
        await ui.see("no preview: cannot parse the policy of broken")
        await ui.press("g")
        assert ui.dialog == "ErrorScreen"
        assert workspace.writes == []


async def test_a_preview_under_way_cannot_be_written(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("preview:base/python")
        await ui.press("down")
        await ui.wait(lambda: ("preview", "base/python") in workspace.gate.calls)
        await ui.press("g")
        await ui.wait(lambda: "The preview is not ready" in ui.toasts())
        assert workspace.writes == []
        workspace.gate.release()
        await ui.ready()
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)
        assert workspace.writes[0][0] == "base/python"


async def test_the_preview_of_a_row_left_behind_is_dropped(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("preview:base/python")
        await ui.press("down")
        await ui.wait(lambda: ("preview", "base/python") in workspace.gate.calls)
        await ui.press("down")
        await ui.ready()
        workspace.gate.release()
        await ui.wait(lambda: all(w.is_finished for w in ui.main.workers if w.group == "preview"))
        plan = ui.main.preview.made.plan
        assert plan.repository.name == ui.selected == "billing-api"
        await ui.see("Policy preview · billing-api")


async def test_a_preview_that_arrives_while_the_pane_is_removed_is_not_drawn(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.main.preview.query("#sentence, #effect").remove()
        ui.main.preview.draw()


async def test_g_right_after_a_move_never_writes_the_row_before(workspace: FakeWorkspace) -> None:
    """Both keys are in the queue before the app can draw anything."""
    async with running(workspace) as ui:
        await ui.press("down", "g")
        await ui.ready()
        assert [name for name, _ in workspace.writes] in ([], ["base/python"])


async def test_a_choice_made_while_planning_is_not_written_with_the_old_one(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("preview")
        await ui.press("p")
        await ui.press("g")
        await ui.wait(lambda: "The preview is not ready" in ui.toasts())
        assert workspace.writes == []


async def test_notes_and_copy_before_anything_is_there(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("policy_text")
    async with running(workspace, settled=False) as ui:
        await ui.see("Reading the policy…")
        await ui.press("2", "y")
        await ui.wait(lambda: "Nothing to copy" in ui.toasts())
