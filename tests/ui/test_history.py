"""Past verifications: the last one in the pane, all of them behind h."""

from __future__ import annotations

import threading
from datetime import timedelta

from ecr_tui.changes.entries import WRITTEN, Record
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.ui.text.past import past_line, past_text, word
from ecr_tui.verification.records import Past
from tests.ui import fake_workspace as fake
from tests.ui.conftest import running
from tests.ui.fake_workspace import NOW, FakeWorkspace


def remember(workspace: FakeWorkspace, name: str, script, hours: int) -> Past:
    repo = workspace.by_name(name)
    report = script(repo, lambda event: None, threading.Event(), workspace.gate)
    past = Past(str(len(workspace.past)), NOW - timedelta(hours=hours), repo.arn, report.to_json())
    workspace.past.append(past)
    return past


async def test_the_pane_tells_the_last_one_of_the_selected(workspace: FakeWorkspace) -> None:
    remember(workspace, "my-first-repo", fake.denied, 30)
    remember(workspace, "my-first-repo", fake.allowed, 3)
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.see("my-first-repo was last verified", "2026-11-24 09:00", "(3h", "✓ allowed")
        await ui.select("billing-api")
        await ui.wait(lambda: "was last verified" not in ui.text())


async def test_a_write_of_another_run_makes_it_an_old_one(workspace: FakeWorkspace) -> None:
    past = remember(workspace, "my-first-repo", fake.allowed, 3)
    record = Record("grant", "my-first-repo", past.arn, "eu-central-1", "111111111111")
    workspace.journal.finish(workspace.journal.begin(record), WRITTEN)
    async with running(workspace, (160, 40)) as ui:
        await ui.select("my-first-repo")
        await ui.see("(allowed 3h ago)", "before the grant at", "press v to verify again")


async def test_it_makes_room_for_a_run_and_knows_it_afterwards(workspace: FakeWorkspace) -> None:
    remember(workspace, "my-first-repo", fake.denied, 30)
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.see("✗ denied")
        remember(workspace, "my-first-repo", fake.allowed, 0)
        await ui.press("v")
        await ui.see("✓ ALLOWED")
        assert "was last verified" not in ui.text()
        await ui.wait(lambda: workspace.gate.count("last_verifications") == 2)


async def test_h_lists_them_and_enter_opens_one(workspace: FakeWorkspace) -> None:
    remember(workspace, "my-first-repo", fake.denied, 30)
    remember(workspace, "my-first-repo", fake.allowed, 3)
    remember(workspace, "billing-api", fake.allowed, 1)
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("h")
        await ui.wait(lambda: ui.dialog == "ChooseScreen")
        await ui.see("2026-11-24 09:00 UTC  ✓ allowed", "2026-11-23 06:00 UTC  ✗ denied", "docker", "user devusr2")
        assert "11:00" not in ui.text(), "that is another repository's"
        await ui.press("down", "enter")
        await ui.wait(lambda: ui.dialog == "TextScreen")
        await ui.see("✗ my-first-repo, 2026-11-23 06:00 UTC", "DENIED at push", "A's repository policy")
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "is not authorized to perform" in ui.copied[0]
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "ChooseScreen")
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")


async def test_none_yet_is_said(workspace: FakeWorkspace) -> None:
    async with running(workspace, (80, 24)) as ui:
        await ui.select("my-first-repo")
        await ui.press("h")
        await ui.wait(lambda: "has not been verified yet" in ui.toasts())


async def test_a_record_that_cannot_be_read_is_a_banner(workspace: FakeWorkspace) -> None:
    workspace.errors["verifications"] = EnvironmentFailure("the record of verifications cannot be read")
    async with running(workspace) as ui:
        await ui.press("h")
        await ui.see("cannot be read")
        assert ui.dialog == ""


def test_a_leak_stays_the_loudest_and_a_strange_record_harms_nobody(workspace: FakeWorkspace) -> None:
    leak = Past("1", NOW, "arn", {"verdict": "allowed", "passed": False, "headline": "LEAK: x also has access to y"})
    unproved = Past("2", NOW, "arn", {"verdict": "allowed", "passed": False, "headline": "ALLOWED: x can pull y"})
    strange = Past("3", NOW, "arn", {"stages": "none", "notes": 7, "principal": "[/x]\x1b[31m", "engine": None})
    assert (word(leak), word(unproved), word(strange)) == ("leak", "isolation unverified", "unknown")
    assert "\x1b" not in past_line(strange).plain
    assert "[/x]" in past_text(strange)


def test_several_isolation_checks_stand_below_their_stage_without_a_second_name(workspace: FakeWorkspace) -> None:
    checks = [{"status": "denied", "message": f"denied on {name}, as expected"} for name in ("one", "two")]
    stage = {"name": "isolation", "status": "ok", "message": "denied on one, as expected"}
    both = past_text(Past("1", NOW, "arn", {"stages": [stage], "isolations": checks}))
    assert both.count("isolation ") == 1
    assert "denied on two" in both
    single = past_text(Past("2", NOW, "arn", {"stages": [stage], "isolations": checks[:1]}))
    assert single.count("denied on one") == 1
