"""The verification pane: live, cancelled, explained."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import pytest

from ecr_tui.config import Settings
from ecr_tui.diagnosis.denial import parse_denial
from ecr_tui.diagnosis.failure import EITHER_POLICY, IDENTITY_POLICY, REGISTRY_POLICY, REPOSITORY_POLICY
from ecr_tui.diagnosis.opinion import opinion
from ecr_tui.diagnosis.troubleshooter import read_details
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.registry.engine import Progress
from ecr_tui.ui.panes.verification import Verifying
from ecr_tui.ui.proof import Run, StageRow
from ecr_tui.ui.text.past import report_text
from ecr_tui.ui.text.verification import fix_keys, stage_line
from ecr_tui.verification.report import (
    Isolation,
    IsolationStatus,
    StageName,
    StageProgress,
    StageStarted,
    Status,
    TagStep,
    TagSwitch,
    Verdict,
    stages_of,
)
from tests.ui import fake_workspace as fake
from tests.ui.conftest import running
from tests.ui.fake_workspace import DEVUSR2, FakeWorkspace


def row(text: str, stage: str) -> str:
    found = re.search(rf"[✓✗▸·–] {stage}\b.*", text.split("Verification", 1)[1])
    return found[0] if found else ""


async def test_stages_are_shown_while_they_run(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("stage:push")
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("v")
        await ui.wait(lambda: "▸ push" in ui.text())
        await ui.see("Running…  Esc stops it", "Verification · my-first-repo", "━━━╌╌╌ 50% 716 B", "verifying…")
        assert "ok" in row(ui.text(), "login")
        assert "waiting" in row(ui.text(), "pull")
        workspace.gate.release()
        await ui.see("✓ ALLOWED: user devusr2 in 222222222222 can push")
        assert "1.4 kB" in row(ui.text(), "pull")
        await ui.see("Docker Engine 27.3.1")


async def test_a_denial_names_side_action_why_and_fix(workspace: FakeWorkspace) -> None:
    workspace.script = fake.denied
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("v")
        await ui.see(
            "✗ DENIED at push",
            "A's repository policy",
            "ecr:InitiateLayerUpload",
            "my-first-repo has no repository policy",
        )
        await ui.press("3", "y")
        await ui.wait(lambda: ui.copied)
        assert "fix      ecr-tui grant my-first-repo --to" in ui.copied[0]
        assert "is not authorized to perform" in ui.copied[0]
        await ui.wait(lambda: ui.main.focused is ui.main.verification)
        await ui.press("home")
        await ui.see("Said")
        await ui.press("end")
        await ui.wait(lambda: "skipped" in row(ui.text(), "pull"))


async def test_a_denial_names_the_keys_that_mend_it(workspace: FakeWorkspace) -> None:
    workspace.script = fake.denied
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("v")
        await ui.see("✗ DENIED at push", "Press g to write the previewed grant")
        # A condition that the repository does not meet.
        ui.main.select(choice=ui.main.selection.choice._replace(condition=(("Team", "Billing"),)))
        await ui.see("Press c and choose Team=Payments, then g and v.")
        ui.main.select(choice=ui.main.selection.choice._replace(condition=(("Stage", "test"),)))
        await ui.see("Press e to tag the repository with Stage=test, then v.")
        ui.main.select(choice=ui.main.selection.choice._replace(condition=(), access=Access.PULL))
        await ui.see("Press p until the access is push + pull, then g and v.")
        # A grant to somebody else mends nothing.
        other = f"arn:aws:iam::{fake.B}:role/deploy"
        ui.main.select(choice=ui.main.selection.choice._replace(principals=(other,), access=Access.PUSH_PULL))
        await ui.wait(lambda: "then v." not in ui.text() and "then g and v." not in ui.text())


@pytest.mark.parametrize(
    ("side", "keys"),
    [
        (REPOSITORY_POLICY, "Press g to write the previewed grant"),
        (EITHER_POLICY, "Press g to write"),
        (IDENTITY_POLICY, "Press Y to copy the identity policy that account B needs."),
        (f"{REPOSITORY_POLICY} (explicit deny)", ""),
        (REGISTRY_POLICY, ""),
    ],
)
async def test_the_keys_go_by_the_side_that_the_diagnosis_names(workspace: FakeWorkspace, side: str, keys: str) -> None:
    repository = workspace.by_name("my-first-repo")
    report = fake.denied(repository, lambda event: None, threading.Event(), workspace.gate)
    stages = tuple(stage._replace(side=side) if stage.side else stage for stage in report.stages)
    run = Run(repository, [], report=report._replace(stages=stages), access=Access.PUSH_PULL)
    plan = workspace.changes.preview(repository, Grant((DEVUSR2,), Access.PUSH_PULL), None)
    found = fix_keys(run, plan)
    assert found.startswith(keys)
    assert bool(found) == bool(keys)


async def test_moving_on_does_not_change_what_is_verified(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("stage:push")
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.wait(lambda: "▸ push" in ui.text())
        await ui.press("down", "down", "v")
        await ui.wait(lambda: "A verification is running" in ui.toasts())
        assert workspace.gate.count("verify") == 1
        await ui.see("Verification · analytics/etl")


async def test_esc_cancels_and_cleanup_is_told(workspace: FakeWorkspace) -> None:
    workspace.script = fake.cancellable
    workspace.gate.hold("stage:cleanup")
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.wait(lambda: any(name == "pushing" for name, _ in workspace.gate.calls))
        await ui.press("escape")
        await ui.see("Stopping, then cleaning up…")
        await ui.wait(lambda: ui.main.verification.run.abandoned)
        await ui.see("Cancelled.")
        workspace.gate.release()
        await ui.see("✗ ERROR at push: Cancelled")
        assert "ok" in row(ui.text(), "cleanup")


async def test_the_verdict_does_not_wait_for_what_aws_says_of_it(workspace: FakeWorkspace) -> None:
    workspace.script = fake.denied_with_id
    details = read_details([{"evaluations": [{"action": "ecr:BatchGetImage", "evaluatedEffect": "IMPLICIT_DENY"}]}])
    refused = "not authorized to perform: ecr:InitiateLayerUpload because no resource-based policy allows it"
    denial = parse_denial(refused)
    assert denial is not None
    workspace.opinion = opinion(details, denial, REPOSITORY_POLICY, {})
    workspace.gate.hold("with_opinion")
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("v", "3")
        await ui.see("✗ DENIED at push", "Requesting AWS's evaluation…  Esc cancels")
        workspace.gate.release()
        await ui.see(
            "AWS     Disagrees. AWS evaluated ecr:BatchGetImage", "Checks  ecr:BatchGetImage on *: implicit deny"
        )
        assert "Asking" not in ui.text()

        workspace.gate.hold("with_opinion")
        await ui.press("v")
        await ui.see("Requesting AWS's evaluation…")
        await ui.press("escape")
        await ui.wait(lambda: ui.main.verification._cancel_opinion.is_set())
        workspace.gate.release()
        await ui.see("AWS     cancelled")


async def test_esc_in_the_filter_does_not_cancel(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("stage:push")
    async with running(workspace) as ui:
        await ui.press("v", "slash", "a", "escape")
        assert not ui.main.verification.run.cancelling


async def test_late_events_of_another_run_are_dropped(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.see("ALLOWED")
        old = ui.main.verification.run
        await ui.press("v")
        await ui.wait(lambda: ui.main.verification.run is not old and ui.main.verification.run.report)
        began = ui.main.verification.run.row(StageName.TOKEN).began
        ui.main.verification.post_message(Verifying(old, StageStarted(StageName.TOKEN)))
        await ui.pilot.pause()
        assert ui.main.verification.run.row(StageName.TOKEN).began == began


async def test_a_verification_that_cannot_begin_is_a_banner(workspace: FakeWorkspace) -> None:
    workspace.errors["verify"] = EnvironmentFailure(
        "no Docker engine answers", hint="Use --engine direct.", side="docker"
    )
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.see("no Docker engine answers", "Use --engine direct.")
        await ui.press("escape")
        await ui.see("✗ ERROR")
        await ui.press("v")
        await ui.wait(lambda: workspace.gate.count("verify") == 2)


async def test_a_leak_is_the_loudest_result(workspace: FakeWorkspace) -> None:
    def leaking(repo, on_event, cancel, gate):
        stages = [fake.stage(name) for name in stages_of(Access.PUSH_PULL)]
        found = fake.report(repo, stages, Verdict.ALLOWED, exit_code=1)
        leak = Isolation("web-frontend", IsolationStatus.LEAKED, "account B is ALLOWED on web-frontend")
        return found._replace(isolation=leak)

    workspace.script = leaking
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.see("✗ LEAK: user devusr2")
        assert ui.main.verification.summary == "✗ leak"


async def test_progress_bursts_collapse(workspace: FakeWorkspace) -> None:
    """An engine may report each kilobyte: of what waits in the queue only the newest is handled."""
    repository = workspace.by_name("my-first-repo")
    run, other = Run(repository, []), Run(repository, [])
    first = Verifying(run, StageProgress(StageName.PUSH, Progress("a", "pushing", 1, 9)))
    later = Verifying(run, StageProgress(StageName.PUSH, Progress("a", "pushing", 2, 9)))
    assert first.can_replace(later)
    assert not first.can_replace(Verifying(run, StageProgress(StageName.PULL, Progress("a", "pulling", 2, 9))))
    assert not first.can_replace(Verifying(other, later.event))
    assert not first.can_replace(Verifying(run, StageStarted(StageName.PUSH)))


def test_a_row_adds_up_its_layers() -> None:
    progress = StageRow(StageName.PUSH, began=0.0)
    progress.layers = {"a": Progress("a", "pushing", 10, 40), "b": Progress("b", "pushing", 5, None)}
    assert progress.transferred() == (15, 40)
    progress.layers = {"b": Progress("b", "waiting")}
    assert progress.transferred() == (0, None)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_word_and_a_mark(status: Status) -> None:
    line = stage_line(StageRow(StageName.PUSH, stage=fake.stage(StageName.PUSH, status, "m")), 0.0, False).plain
    assert status.value in line
    assert line[0] in "✓✗–"


def test_the_report_as_text_is_complete(workspace: FakeWorkspace) -> None:
    repo = workspace.by_name("my-first-repo")
    text = report_text(fake.denied(repo, lambda event: None, threading.Event(), workspace.gate))
    for stage in stages_of(Access.PUSH_PULL):
        assert stage.value in text
    assert "Docker Engine 27.3.1" in text
    assert "2026-11-24 12:00:00" in text


async def test_the_access_chosen_is_what_is_proved_and_the_marked_may_be_its_counter_proof(tmp_path) -> None:
    settings = Settings(profile_a="a", profile_b="b", regions=("eu-central-1",), read_only=True)
    workspace = FakeWorkspace(tmp_path, settings=settings)
    async with running(workspace) as ui:
        # Read-only: nothing may be pushed, but what is there may be pulled.
        await ui.press("v", "p")
        await ui.pilot.pause()
        assert ui.main.selection.choice.access is Access.PULL
        await ui.see("Verifying pull alone updates")
        assert workspace.gate.count("verify") == 0
        await ui.press("v")
        await ui.see("Verification · analytics/etl · pull only", "✓ ALLOWED")
        assert workspace.asked_to_prove == (Access.PULL, "auto")
        await ui.press("space")
        await ui.select("my-first-repo")
        commands = {title: run for title, _, run in ui.main.palette_commands()}
        await commands["Verify: isolation of the marked"]()
        await ui.see("Verification · my-first-repo · pull only")
        await ui.wait(lambda: workspace.asked_to_prove == (Access.PULL, ["analytics/etl"]))


async def test_a_tag_switch_is_asked_for_first_and_explained(workspace: FakeWorkspace) -> None:
    steps = (TagStep("remove", Status.OK), TagStep("expect denial", Status.FAILED, "account B could still push"))
    switch = TagSwitch(Status.FAILED, "access did not end with the tag", "Team", "Payments", steps)
    workspace.script = lambda *given: fake.allowed(*given)._replace(tag_switch=switch)
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        command = next(run for title, _, run in ui.main.palette_commands() if title == "Verify: tag switch…")
        await command()
        await ui.see(
            "Verify my-first-repo, and remove its tag temporarily?", "Other principals with access by this tag"
        )
        await ui.press("enter")  # No has the focus
        await command()
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("right", "enter")
        await ui.see("TAG SWITCH FAILED", "tag switch: access did not end with the tag", "could still push")
        assert workspace.tag_switches == ["my-first-repo"]


@pytest.mark.parametrize("key", ["G", "ctrl+d"])
async def test_the_verification_scrolls_with_the_keys_of_vim(workspace: FakeWorkspace, key: str) -> None:
    workspace.script = fake.denied
    async with running(workspace) as ui:
        await ui.press("3", "v")
        await ui.see("DENIED")
        pane = ui.main.verification
        assert pane.scroll_y == 0
        await ui.press(key)
        await ui.wait(lambda: pane.scroll_y > 0)
        await ui.press("home")
        await ui.wait(lambda: pane.scroll_y == 0)


async def test_a_proof_is_struck_when_we_change_the_policy(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.see("written and read back")
        await ui.press("v")
        await ui.see("ALLOWED", "Verification · analytics/etl · 12:00 UTC")
        assert "to verify again" not in ui.text()
        await ui.press("u")
        await ui.see("Before the undo at 12:00 UTC. Press v")
        assert ui.main.verification.summary == "stale"
        await ui.press("3", "y")
        await ui.wait(lambda: ui.copied)
        assert ui.copied[0].startswith("STALE: before the undo at 12:00 UTC")
        await ui.press("v")
        await ui.wait(lambda: ui.main.verification.summary == "✓ allowed")


async def test_a_proof_is_struck_when_a_refresh_shows_another_policy_or_other_tags(workspace: FakeWorkspace) -> None:
    arn = workspace.by_name("analytics/etl").arn
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.see("ALLOWED")
        await ui.press("r")
        await ui.settle()
        assert ui.main.verification.summary == "✓ allowed"
        workspace.listing.policies[arn] = fake.LAMBDA
        await ui.press("r")
        await ui.see("Before the policy change at 12:00 UTC")
        await ui.press("v")
        await ui.wait(lambda: ui.main.verification.summary == "✓ allowed")
        workspace.all = [replace(one, tags={"Team": "New"}) if one.arn == arn else one for one in workspace.all]
        await ui.press("r")
        await ui.see("Before the tag change at 12:00 UTC")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_proof_never_stands_beside_another_repository(workspace: FakeWorkspace, size: tuple[int, int]) -> None:
    async with running(workspace, size=size) as ui:
        await ui.see("Verify access live, as account B:", "Undo the grant") if size[0] == 120 else None
        await ui.press("v")
        await ui.see("✓ ALLOWED")
        await ui.press("1")
        await ui.wait(lambda: ui.main.table.has_focus)
        await ui.select("my-first-repo")
        await ui.wait(lambda: "ALLOWED" not in ui.text() and "✓ allowed" not in ui.text())
        if size[0] == 120:
            await ui.see("Verification · my-first-repo", "Verify access live")
        await ui.select("analytics/etl")
        await ui.see("✓ ALLOWED" if size[0] == 120 else "3 Verification ✓ allowed")


async def test_a_result_for_a_repository_that_was_left_is_told(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("stage:push")
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.wait(lambda: "▸ push" in ui.text())
        await ui.select("my-first-repo")
        workspace.gate.release()
        await ui.wait(lambda: "Verification of analytics/etl" in ui.toasts())
        assert "ALLOWED" in ui.toasts()


async def test_cause_and_fix_come_before_the_stages_and_name_a_key(workspace: FakeWorkspace) -> None:
    workspace.script = fake.denied
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("v")
        await ui.see("✗ DENIED at push", "Press g to write the previewed grant")
        pane = [child.id for child in ui.main.verification.children]
        assert pane.index("failure") < pane.index("stages")
