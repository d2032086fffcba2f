"""Choosing whom a grant names with b: what is offered, the guide by what pulls, and the prompt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from ecr_tui.errors import DeniedError
from ecr_tui.policy.actions import Access
from ecr_tui.ui.tasks.principals import parse_several
from ecr_tui.ui.text.pullers import PULLERS
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, B, FakeWorkspace

CI, BOT = "arn:aws:iam::333333333333:role/ci", "arn:aws:iam::333333333333:user/bot"
LAMBDA = f"service/lambda.amazonaws.com@arn:aws:lambda:*:{B}:function:*"


def policy(*principals: str) -> str:
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": pull}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    policies = {
        "web-frontend": policy(CI),
        "base/python": policy(CI, "AROAEXAMPLEEXAMPLE12"),
        "billing-api": policy(BOT),
    }
    return FakeWorkspace(tmp_path, policies=policies)


async def chooser(ui: Session) -> None:
    await ui.press("b")
    await ui.wait(lambda: ui.dialog == "ChooseScreen")


async def test_those_at_hand_are_offered_and_one_is_chosen(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.wait(lambda: len(ui.main.details.policies) == len(workspace.all))
        await chooser(ui)
        await ui.see(
            "user devusr2 in 222222222222  · B's caller, the default",
            "account 222222222222  · account B as a whole",
            "account B's organization…",
            "role ci in 333333333333  · in 2 policies",
            "user bot in 333333333333  · in 1 policy",
            "EKS, ECS, Lambda, CodeBuild and others",
        )
        assert "AROA" not in ui.text()  # it matches nobody
        await ui.press("down", "down", "down", "enter")
        await ui.ready()
        assert ui.main.selection.grant.principals == (CI,)
        # What was granted to is in the journal; the choice in force is the one that is highlighted.
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)
        await ui.principal("")
        await ui.press("ctrl+u", "enter")
        await ui.ready()
        assert ui.main.selection.grant.principals == (DEVUSR2,)


async def test_the_organization_is_asked_for_only_when_it_is_chosen_and_a_denial_blocks_nothing(
    workspace: FakeWorkspace,
) -> None:
    workspace.errors["organization"] = DeniedError("organizations:DescribeOrganization was denied", side="account B")
    async with running(workspace, size=(80, 24)) as ui:
        await chooser(ui)
        assert workspace.gate.count("organization") == 0
        await ui.press("down", "down", "enter")
        await ui.see("Account B's organization is unknown:", "organizations:DescribeOrganization was denied")
        assert ui.dialog == "ChooseScreen"
        del workspace.errors["organization"]
        await ui.press("down", "down", "enter")
        await ui.wait(lambda: not ui.dialog)
        await ui.ready()
        assert ui.main.selection.grant.principals == ("org/o-a1b2c3d4e5",)
        await ui.see("organization o-a1b2c3d4e5")


async def test_a_bare_name_is_asked_about_and_several_share_the_grant(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.principal("deploy, 333333333333 org/o-a1b2c3d4e5")
        await ui.see("user/deploy or role/deploy? Enter asks.")
        await ui.press("enter")
        await ui.see("Is deploy a user or a role?")
        await ui.press("down", "enter")
        await ui.wait(lambda: not ui.dialog)
        await ui.ready()
        named = (f"arn:aws:iam::{B}:role/deploy", "arn:aws:iam::333333333333:root", "org/o-a1b2c3d4e5")
        assert ui.main.selection.grant.principals == named
        await ui.see("role deploy in B, account 333333333333 and", "organization o-a1b2c3d4e5  p ")
        # The list's access is that of all of them, and unknown where they differ.
        workspace.policies[workspace.by_name("my-first-repo").arn] = policy(named[1])
        ui.main.action_refresh()
        await ui.see("? pull")


async def test_a_slip_is_told_the_right_form_while_it_is_typed(workspace: FakeWorkspace) -> None:
    slips = {
        "o-a1b2c3d4e5": "Write it as org/o-a1b2c3d4e5.",
        "service/codebuild.amazonaws.com": "Add an account or an ARN",
        "group/devs": "a group cannot be a principal",
        "ou/ou-ab12-11111111": "Write its path from the organization",
    }
    async with running(workspace) as ui:
        await ui.principal("")
        field = ui.app.screen.query_one("#answer", Input)
        for typed, said in slips.items():
            field.value = typed
            await ui.see(said)
            await ui.press("enter")
            assert ui.dialog == "AskScreen"


async def test_the_guide_says_whom_to_name_and_begins_the_right_form(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(80, 24)) as ui:
        for puller in PULLERS:
            await chooser(ui)
            await ui.press("end", "up", "enter")
            await ui.see("Which workload pulls?")
            await ui.press(*["down"] * PULLERS.index(puller), "enter")
            await ui.wait(lambda: ui.dialog == "AskScreen")
            await ui.see(f"Principal: {puller.name}")
            assert "✗" not in ui.text().partition("Principal: ")[2]
            if puller.name != "Lambda":
                await ui.type("x")
            await ui.press("enter")
            await ui.wait(lambda: not ui.dialog)
            await ui.ready()
            named = ui.main.selection.grant.principals
            if puller.name == "Lambda":
                assert (named, ui.main.selection.choice.access) == ((LAMBDA,), Access.PULL)
            else:
                assert named == (f"arn:aws:iam::{B}:{puller.begin}x",)


@pytest.mark.parametrize("example", [one for puller in PULLERS for one in puller.example.split(", or ")])
def test_each_example_is_a_principal(example: str) -> None:
    assert len(parse_several(example, account_b=B, partition="aws")) == 1


def test_what_separates_several() -> None:
    names = parse_several(f"user/a,b  role/x,user/y\n{B}, org/o-a1b2c3d4e5", account_b=B, partition="aws")
    assert [one.rpartition(":")[2] for one in names] == ["user/a,b", "role/x", "user/y", "root", "org/o-a1b2c3d4e5"]
    session = f"arn:aws:sts::{B}:assumed-role/deploy/alice"
    assert parse_several(session, account_b=None, partition="aws") == (f"arn:aws:iam::{B}:role/deploy",)


async def test_a_principal_of_another_partition_is_refused_as_it_is_typed(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.principal("arn:aws-cn:iam::222222222222:user/x")
        await ui.see("✗ in partition aws-cn, not aws")


async def test_a_form_that_is_right_says_no_more_than_that(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.principal("user/nosuch")
        await ui.see("arn:aws:iam::222222222222:user/nosuch  ·", "well-formed, not")
        assert "✓ arn" not in ui.text()
