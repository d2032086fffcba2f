"""A policy that ECR refuses: said where it is seen, not sent, and repaired by a key."""

from __future__ import annotations

import json

from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import FakeWorkspace

DEAD = "AROAJQABLZS4A3QDU576Q"
ROLE = "arn:aws:iam::222222222222:role/deployer"
NAME = "my-first-repo"


def blocked(workspace: FakeWorkspace, *names: str) -> None:
    statement = {
        "Sid": "Deploy",
        "Effect": "Allow",
        "Principal": {"AWS": [DEAD, "333333333333"]},
        "Action": "ecr:BatchGetImage",
    }
    for name in names:
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        workspace.listing.policies[workspace.by_name(name).arn] = text


def policy(workspace: FakeWorkspace, name: str) -> str:
    return workspace.listing.policies[workspace.by_name(name).arn] or ""


async def to_findings(ui: Session) -> None:
    ui.main.preview.turn_to("findings")
    await ui.pilot.pause()


async def test_what_ecr_would_refuse_is_said_and_not_sent(workspace: FakeWorkspace) -> None:
    blocked(workspace, NAME)
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ui.see("✗ ECR would reject this, so it is not sent · F repairs")
        await ui.press("g")
        await ui.see("ECR would reject the policy of my-first-repo", "Press F to repair the policy.")
        assert ui.dialog == ""
        assert workspace.writes == []


async def test_the_findings_tab_repairs_with_a_key(workspace: FakeWorkspace) -> None:
    blocked(workspace, NAME)
    async with running(workspace) as ui:
        await ui.select(NAME)
        await to_findings(ui)
        await ui.see("F  Repair the current policy", "✗ ECR would reject")
        await ui.press("F")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Repair the policy of my-first-repo?", f'"{DEAD}"')
        await ui.press("right", "enter")
        await ui.wait(lambda: "Repaired" in ui.told())
        assert DEAD not in policy(workspace, NAME)
        assert "333333333333" in policy(workspace, NAME)
        await ui.ready()
        await ui.press("F")
        await ui.wait(lambda: "nothing to repair" in ui.told())
        assert len(workspace.writes) == 1


async def test_a_role_that_was_made_again_is_offered_its_access(workspace: FakeWorkspace) -> None:
    blocked(workspace, NAME)
    workspace.made_again = {DEAD: ROLE}
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ui.press("F")
        await ui.see("Restore the access of role deployer in 222222222222?")
        await ui.press("right", "enter")
        await ui.see("Repair the policy of my-first-repo?", "gets the access that Deploy granted")
        await ui.press("right", "enter")
        await ui.wait(lambda: "Repaired" in ui.told())
        assert ROLE in policy(workspace, NAME)


async def test_of_many_those_that_ecr_would_refuse_come_first_and_are_left_out(workspace: FakeWorkspace) -> None:
    blocked(workspace, NAME, "billing-api")
    async with running(workspace) as ui:
        for name in (NAME, "analytics/etl", "billing-api"):
            await ui.select(name)
            await ui.press("space")
        await ui.press("g")
        await ui.see("1 to change", "2 skipped (ECR would reject it; F repairs)", "✗ rejected")
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")
        await ui.press("F")
        await ui.see("Repair on 2 repositories?", "1 unchanged")
        await ui.press("right", "enter")
        await ui.see("Written: 2 of 2")
        assert DEAD not in policy(workspace, NAME) + policy(workspace, "billing-api")
