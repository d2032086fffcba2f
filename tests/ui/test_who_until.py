"""Who may what with the reason for each answer, and grants that end by themselves."""

from __future__ import annotations

import json

from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, FakeWorkspace, repository


def policy(**condition: object) -> str:
    statement = {
        "Sid": "Given [/x]",
        "Effect": "Allow",
        "Principal": {"AWS": DEVUSR2},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


async def who(ui: Session, name: str) -> None:
    await ui.select(name)
    await ui.principal("role/other")
    await ui.press("enter")
    await ui.ready()
    ui.main.preview.turn_to("who")
    await ui.press("2")


def fake(tmp_path, **condition: object) -> FakeWorkspace:
    return FakeWorkspace(tmp_path, [repository("app", {"Team": "Web"})], policies={"app": policy(**condition)})


async def test_each_answer_has_its_statement(tmp_path) -> None:
    async with running(fake(tmp_path), (140, 50)) as ui:
        await who(ui, "app")
        await ui.see("✓ pull: ", "Given [/x]", "EcrTuiPushPull")


async def test_void_and_conditional_and_ended_are_marked(tmp_path) -> None:
    marks = {
        "✗ pull void: ": {"StringEquals": {"aws:ResourceTag/Team": "Payments"}},
        "? pull on a condition: ": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
        "ended at 2020-01-01 00:00 UTC": {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
        "ends at 2026-12-24 12:00 UTC, in 30 days": {"DateLessThan": {"aws:CurrentTime": "2026-12-24T12:00:00Z"}},
    }
    names = [f"app-{number}" for number in range(len(marks))]
    policies = {name: policy(**condition) for name, condition in zip(names, marks.values(), strict=True)}
    workspace = FakeWorkspace(tmp_path, [repository(name, {"Team": "Web"}) for name in names], policies=policies)
    async with running(workspace, (160, 60)) as ui:
        await who(ui, names[0])
        for name, words in zip(names, marks, strict=True):
            await ui.select(name)
            await ui.see(words)


async def test_an_end_is_chosen_shown_and_written(tmp_path) -> None:
    workspace = fake(tmp_path)
    async with running(workspace, (140, 50)) as ui:
        await ui.press("w")
        await ui.see("End of the grant")
        await ui.type("2026-11-01")
        await ui.see("✗", "is in the past")
        await ui.press("enter")
        assert ui.dialog == "AskScreen"
        await ui.press("ctrl+u")
        await ui.type("2026-12-23")
        await ui.see("✓ until 2026-12-24 00:00 UTC")
        await ui.press("enter")
        await ui.ready()
        await ui.see("2026-12-24 00:00 UTC")
        assert ui.main.preview.made.plan.after.json["Statement"][-1]["Condition"] == {
            "DateLessThan": {"aws:CurrentTime": "2026-12-24T00:00:00Z"}
        }
        await ui.press("w")
        await ui.see("End of the grant")
        await ui.press("ctrl+u")
        await ui.type("2w")
        await ui.see("✓ until 2026-12-08 12:00 UTC, in 14 days")
        await ui.press("ctrl+u", "enter")
        await ui.ready()
        assert ui.main.selection.grant.until is None
