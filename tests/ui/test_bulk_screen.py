"""Changes to many repositories: planned, asked about, watched, paused, stopped, tried again, taken back, resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Button

from ecr_tui.changes import apply as apply_module
from ecr_tui.changes.bulk import Intent, unfinished
from ecr_tui.changes.entries import DISMISSED, WRITTEN
from ecr_tui.config import Settings
from ecr_tui.errors import CredentialsError, DeniedError, EnvironmentFailure
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.ui import jobs
from tests.ui import fake_workspace as fake
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, FakeWorkspace

FIRST = ("analytics/etl", "base/python", "billing-api")
GRANT = Grant((DEVUSR2,), Access.PUSH_PULL)


async def planned(ui: Session, *keys: str) -> None:
    await ui.press(*keys)
    await ui.wait(lambda: ui.dialog == "BulkPlanScreen", "the question")
    await ui.wait(lambda: not ui.app.screen.query_one("#yes", Button).disabled, "the plans")


async def yes(ui: Session) -> None:
    await ui.press("tab", "enter")
    await ui.wait(lambda: ui.dialog == "BulkRunScreen", "the run's screen")


def run_of(ui: Session):
    run = ui.main.desk.run
    assert run is not None
    return run


async def ended(ui: Session) -> None:
    await ui.wait(lambda: not ui.main.desk.running, "the end of the run")


async def test_marked_repositories_are_granted_together_and_taken_back_together(workspace: FakeWorkspace) -> None:
    before = dict(workspace.listing.policies)
    async with running(workspace) as ui:
        await ui.press("space", "space", "space")
        await ui.see("g plans all 3 marked and asks")
        await ui.press("slash")
        await ui.type("web")
        await planned(ui, "enter", "g")
        await ui.see("Grant on 3 repositories?", "3 hidden by the filter", "may push + pull", *FIRST)
        assert ui.app.screen.focused.id == "no"
        await ui.press("enter")
        assert (ui.dialog, workspace.writes) == ("", [])

        await planned(ui, "g")
        await ui.press("g", "y", "u", "x", "v", "q", "p")
        assert (ui.dialog, workspace.writes) == ("BulkPlanScreen", []), "letters do not confirm"
        # A line of the table is a diff.
        await ui.press("down", "enter")
        await ui.wait(lambda: ui.dialog == "TextScreen")
        await ui.see("base/python", "+ allows", "EcrTui")
        await ui.press("escape")
        ui.app.screen.query_one("#no").focus()
        await yes(ui)
        await ended(ui)
        await ui.see("✓ Written: 3 of 3", "✓ written", "3 of 3")
        assert {name for name, _ in workspace.writes} == set(FIRST)
        assert ui.main.table.marks == 0
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "# Grant push-pull to user devusr2" in ui.copied[0]
        assert "| billing-api | eu-central-1 | written |" in ui.copied[0]

        await ui.press("escape")
        await planned(ui, "u")
        await ui.see("Undo on 3 repositories?", "exactly as it was before", *FIRST)
        await yes(ui)
        await ended(ui)
        assert workspace.listing.policies == before
        await ui.press("escape", "u")
        await ui.wait(lambda: "Nothing to undo" in ui.toasts())


async def test_a_tag_filter_and_a_star_mark_all_that_are_shown(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("space")  # one that the filter will hide
        await ui.press("slash")
        await ui.type("platform")
        await ui.press("enter", "asterisk")
        await ui.wait(lambda: ui.main.table.marks == 3)
        assert [row.name for row in ui.main.table.marked] == ["base/python", "public-mirror", "analytics/etl"]
        await ui.press("asterisk")
        await ui.wait(lambda: ui.main.table.marks == 1)
        assert [row.name for row in ui.main.table.marked] == ["analytics/etl"], "a hidden mark is left alone"


async def test_a_run_is_paused_left_and_opened_again_stopped_and_finished(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("apply:analytics/etl", "apply:billing-api")
        await planned(ui, "asterisk", "g")
        await yes(ui)
        await ui.wait(lambda: ("apply", "analytics/etl") in workspace.gate.calls)
        await ui.press("space")
        await ui.see("Paused")
        workspace.gate.release("apply:analytics/etl")
        await ui.wait(lambda: run_of(ui).done == 1)
        assert workspace.gate.count("apply") == 1, "nothing begins while it is paused"
        await ui.press("R")
        assert ui.dialog == ""
        await ui.see("paused 1 of 7 (R)")
        await ui.press("asterisk", "g")
        await ui.wait(lambda: "A run is in progress" in ui.toasts())
        await ui.press("asterisk", "u")
        assert ui.dialog == ""
        await ui.press("R", "p")
        await ui.wait(lambda: ("apply", "billing-api") in workspace.gate.calls)

        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Stop the run?", "stops after the writes in progress")
        await ui.press("enter")
        assert not run_of(ui).stopping, "going on has the focus"
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("right", "enter")
        await ui.wait(lambda: run_of(ui).stopping)
        workspace.gate.release("apply:billing-api")
        await ended(ui)
        assert "billing-api" in {name for name, _ in workspace.writes}, "what had begun was finished"
        assert ui.dialog == "BulkRunScreen"


async def test_failures_come_first_with_their_reasons_and_are_tried_again(workspace: FakeWorkspace) -> None:
    workspace.errors["apply:base/python"] = DeniedError("may not write there", detail="AccessDenied")
    workspace.errors["plan:legacy-tool"] = DeniedError("may not read there")
    async with running(workspace, (80, 24)) as ui:
        await planned(ui, "asterisk", "g")
        await ui.see("✗ 1 skipped (no plan)", "may not read there", "6 to change")
        await yes(ui)
        await ended(ui)
        await ui.see("Written: 5 of 6; 1 failed", "✗ failed", "may not write there", "r retry 1")
        run = run_of(ui)
        assert run.rows[0].repository.name == "base/python"
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "ErrorScreen")
        await ui.see("base/python was not written", "AccessDenied")
        await ui.press("escape", "y")
        await ui.wait(lambda: ui.copied)
        assert "## base/python: failed" in ui.copied[0]
        assert "AccessDenied" in ui.copied[0]

        del workspace.errors["apply:base/python"]
        await planned(ui, "r")
        await ui.see("Grant on 1 repository?", "base/python")
        await yes(ui)
        await ended(ui)
        assert len(workspace.writes) == 6
        # Both tries are one action.
        await ui.press("escape")
        await planned(ui, "u")
        await ui.see("Undo on 6 repositories?")


async def test_what_concerns_all_ends_the_run_and_the_rest_can_be_resumed(workspace: FakeWorkspace) -> None:
    # The first goes alone, so that what is wrong with all is found out once.
    workspace.errors["apply:analytics/etl"] = CredentialsError("the session has expired", hint="Log in again.")
    async with running(workspace) as ui:
        await planned(ui, "space", "space", "space", "g")
        await yes(ui)
        await ended(ui)
        await ui.see("The rest was not tried: the session has expired", "– not started")
        assert workspace.writes == []
        assert len(unfinished(workspace.changes.journal)[0].rest) == 2


async def test_where_nothing_can_be_planned_the_reason_is_shown(workspace: FakeWorkspace) -> None:
    workspace.errors["bulk"] = EnvironmentFailure("no network", hint="Look at the cable.")
    async with running(workspace) as ui:
        await ui.press("space", "space", "g")
        await ui.see("no network", "Look at the cable.")
        assert workspace.writes == []


async def test_planning_is_cancelled_and_nothing_to_change_is_said(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("plan:billing-api")
        await ui.press("asterisk", "g")
        await ui.wait(lambda: ("plan", "billing-api") in workspace.gate.calls)
        await ui.see("policies read", "esc cancels")
        assert ui.app.screen.query_one("#yes", Button).disabled
        await ui.press("escape")
        assert ui.dialog == ""
        workspace.gate.release()
        await ui.press("x")
        await ui.see("Nothing to write.", "7 unchanged")
        await ui.press("enter")
        assert (ui.dialog, workspace.writes) == ("", [])


# -- what is left ------------------------------------------------------------------------------------------------------


def crash(workspace: FakeWorkspace, written: int, *, alive: bool = False) -> str:
    """As a kill leaves it: ``written`` of all granted by a program that is gone."""
    rows = workspace.all
    targets = [(row.name, row.arn, row.region) for row in rows]
    run = workspace.changes.journal.begin_run("grant", fake.A, "ops", Intent.to_grant(GRANT).to_json(), targets)
    if not alive:
        line = json.loads(workspace.changes.journal.path.read_text())
        line["by"] |= {"lock": "/nowhere"}
        workspace.changes.journal.path.write_text(json.dumps(line) + "\n")
    for row in rows[:written]:
        apply_module.apply(
            workspace, workspace.changes.journal, workspace.changes.plan(row, GRANT), operator="ops", run=run
        )
    return run


async def test_an_interrupted_run_is_offered_and_resumed(workspace: FakeWorkspace) -> None:
    run = crash(workspace, 2)
    async with running(workspace) as ui:
        await ui.wait(lambda: "Unfinished bulk run" in ui.text())
        await ui.see("Unfinished bulk run", "2 of 7 written", "2 of 7 written", "5 left", "Grant push-pull")
        await ui.press("enter")
        assert (ui.dialog, len(workspace.writes)) == ("", 2), "later is the default"
        await ui.press("R")
        await ui.wait(lambda: "Unfinished bulk run" in ui.text())
        await ui.press("left", "enter")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        await planned(ui)
        await ui.see("Grant on 5 repositories?", "may push + pull")
        await yes(ui)
        await ended(ui)
        assert {entry.record.run for entry in workspace.changes.journal.entries()} == {run}
        assert len(workspace.writes) == 7
        assert unfinished(workspace.changes.journal) == ()


async def test_an_interrupted_run_is_dismissed_for_good(workspace: FakeWorkspace) -> None:
    crash(workspace, 2)
    async with running(workspace, (60, 20)) as ui:
        await ui.wait(lambda: "Unfinished bulk run" in ui.text())
        await ui.press("tab", "enter")
        await ui.wait(lambda: "Run dismissed; 5 repositories unchanged" in ui.toasts())
        assert workspace.changes.journal.read().runs[0].ended == DISMISSED
        await ui.press("R")
        await ui.wait(lambda: "No unfinished run" in ui.toasts())


@pytest.mark.parametrize("why", ["at work", "read-only"])
async def test_what_must_not_be_resumed_is_not_offered(tmp_path: Path, why: str) -> None:
    settings = Settings(profile_a="a", profile_b="b", regions=(fake.REGION,), read_only=why == "read-only")
    workspace = FakeWorkspace(tmp_path, settings=settings)
    crash(workspace, 2, alive=why == "at work")
    async with running(workspace) as ui:
        await ui.wait(lambda: workspace.gate.count("bulk"))
        await ui.press("R")
        word = "No unfinished run" if why == "at work" else "Read-only"
        await ui.wait(lambda: word in ui.toasts())
        assert ui.dialog == ""


async def test_leaving_finishes_what_has_begun_and_the_next_start_offers_the_rest(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("apply:analytics/etl")
        await planned(ui, "asterisk", "g")
        await yes(ui)
        await ui.wait(lambda: ("apply", "analytics/etl") in workspace.gate.calls)
        # From the run's screen as from the main one; what has the focus stays.
        for away in ((), ("R",)):
            await ui.press(*away, "q")
            await ui.wait(lambda: ui.dialog == "ConfirmScreen")
            await ui.see("Quit and stop the run?", "0 of 7 are done", "Press R to resume the rest later")
            await ui.press("enter")
            assert ui.dialog != "ConfirmScreen"
            assert not run_of(ui).stopping
        await ui.press("q")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("right", "enter")
        await ui.wait(lambda: "Quitting when it is done" in ui.toasts())
        assert ui.app.is_running
        workspace.gate.release()
        await ui.wait(lambda: ui.app._exit, "leaving")
    assert [entry.outcome for entry in workspace.changes.journal.entries()] == [WRITTEN]
    (left,) = unfinished(workspace.changes.journal)
    assert len(left.rest) == 6
    assert not left.interrupted


async def test_the_event_loop_hears_of_the_end_and_not_of_each_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = FakeWorkspace(tmp_path, [fake.repository(f"repo-{n:03}") for n in range(60)], policies={})
    async with running(workspace) as ui:
        await ui.press("asterisk", "g")
        await ui.see("Grant on 60 repositories?", "60 to change", "Type 60 to confirm")
        told: list[object] = []
        call = jobs.call

        def count(node: jobs.Node, function: Callable[..., object], *arguments: object) -> None:
            told.append(function)
            call(node, function, *arguments)

        monkeypatch.setattr(jobs, "call", count)
        assert ui.app.screen.query_one("#yes", Button).disabled
        await ui.press("6", "enter")
        await ui.see("“6” does not match: type 60 to confirm")
        assert ui.dialog == "BulkPlanScreen"
        await ui.press("6", "0", "enter")
        await ended(ui)
        await ui.see("✓ Written: 60 of 60")
        assert len(told) < 10  # of policies that are read again
        assert ui.main.table.marks == 0


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_the_keys_are_seen_however_many_repositories_there_are(tmp_path: Path, size: tuple[int, int]) -> None:
    workspace = FakeWorkspace(tmp_path, [fake.repository(f"repo-{n:03}") for n in range(55)], policies={})
    async with running(workspace, size) as ui:
        await ui.press("asterisk", "g")
        await ui.see("Type 55 to confirm", "esc cancel", "Yes, grant")
        workspace.gate.hold("apply:repo-000")
        await ui.press("5", "5", "enter")
        await ui.wait(lambda: ui.dialog == "BulkRunScreen")
        await ui.see("space pause", "esc stop", "R hide")
        await ui.press("space")
        await ui.see("space resume")
        await ui.press("space")
        workspace.gate.release()
        await ended(ui)
        await ui.see("u undo", "y copy report", "esc close")


async def test_a_finished_run_is_undone_and_done_again_from_its_screen(workspace: FakeWorkspace) -> None:
    before = dict(workspace.listing.policies)
    async with running(workspace) as ui:
        await planned(ui, "space", "space", "space", "g")
        await yes(ui)
        await ended(ui)
        granted = dict(workspace.listing.policies)
        # Something else is written meanwhile: u is about this run all the same.
        await ui.press("R")
        row = workspace.by_name("web-frontend")
        await ui.select(row.name)
        await ui.press("g")
        await ui.wait(lambda: workspace.listing.policies.get(row.arn) != before.get(row.arn))
        await ui.wait(lambda: not ui.main.desk.busy)
        other = workspace.listing.policies[row.arn]
        await ui.press("R")
        await planned(ui, "u")
        await ui.see("Undo on 3 repositories?", *FIRST)
        await yes(ui)
        await ended(ui)
        assert workspace.listing.policies == {**before, row.arn: other}
        await ui.see("u redo", "Undo on 3 repositories")
        await planned(ui, "u")
        await ui.see("Redo on 3 repositories?")
        await yes(ui)
        await ended(ui)
        assert workspace.listing.policies == {**granted, row.arn: other}


async def test_what_would_be_rejected_comes_first_and_the_whole_note_is_below(workspace: FakeWorkspace) -> None:
    reason = "may not read the policy there, because " + "of something that takes many words " * 4
    workspace.errors["plan:web-frontend"] = DeniedError(reason.strip())
    async with running(workspace, (80, 24)) as ui:
        await planned(ui, "asterisk", "g")
        await ui.see("✗ no plan", "many words of something")
        lines = [line for line in ui.text().splitlines() if "grant  " in line or "no plan" in line]
        assert "no plan" in lines[1], "the first line after the summary"
