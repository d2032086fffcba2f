"""Grant, revoke and undo: when it asks, what it writes, what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ecr_tui.changes import attempts
from ecr_tui.changes.apply import Overwritten
from ecr_tui.changes.plans import plan_grant_from
from ecr_tui.config import Settings
from ecr_tui.errors import DeniedError, Throttled
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.ui.countdown import GRANT_DELAY
from tests.ui.conftest import running
from tests.ui.fake_workspace import DEVUSR2, LAMBDA, REGION, FakeWorkspace, repository

ACCOUNT_B = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:BatchGetImage"}
DENY = '{"Version":"2012-10-17","Statement":[{"Sid":"NotB","Effect":"Deny","Principal":{"AWS":"%s"},"Action":"ecr:*"}]}'


async def test_a_grant_without_risk_is_one_key(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("g")
        await ui.see("✓ written and read back")
        assert ui.dialog == ""
        assert [name for name, _ in workspace.writes] == ["my-first-repo"]
        await ui.see("u: undo")
        await ui.see("✓ pull  ✓ push")


LONG = 3600.0
"""Seconds: a write that waits for them never begins in a test."""


async def test_the_write_starts_after_a_delay_that_the_preview_announces(workspace: FakeWorkspace) -> None:
    assert GRANT_DELAY == 0.4
    async with running(workspace, grant_delay=0.01) as ui:
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)


async def test_between_the_key_and_the_write_nothing_else_is_written(workspace: FakeWorkspace) -> None:
    async with running(workspace, grant_delay=LONG) as ui:
        await ui.press("g")
        await ui.see("about to write, Esc cancels")
        await ui.press("x", "u", "e")
        await ui.wait(lambda: "Another write is in progress" in ui.toasts())
        assert (ui.dialog, workspace.writes) == ("", [])


async def test_esc_cancels_a_write_that_has_not_begun(workspace: FakeWorkspace) -> None:
    async with running(workspace, grant_delay=LONG) as ui:
        await ui.press("g", "escape")
        await ui.wait(lambda: "canceled, nothing was written" in ui.told())
        assert not ui.main.desk.countdown.pending
        assert "about to write" not in ui.text()
        assert workspace.writes == []


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_gg_goes_to_the_top_and_never_writes(workspace: FakeWorkspace, size: tuple[int, int]) -> None:
    async with running(workspace, size=size, grant_delay=LONG) as ui:
        first = ui.selected
        await ui.select("my-first-repo")
        await ui.press("g", "g")
        await ui.wait(lambda: ui.selected == first)
        assert ui.main.focused is ui.main.table
        assert ui.main.area.current == "repositories"
        await ui.press("g", "g", "g")  # a key that is held down
        assert not ui.main.desk.countdown.pending
        assert workspace.writes == []


async def test_a_key_that_read_only_mode_takes_away_says_so(tmp_path) -> None:
    settings = Settings(profile_a="a", profile_b="b", regions=(REGION,), read_only=True)
    workspace = FakeWorkspace(tmp_path, settings=settings)
    async with running(workspace) as ui:
        for key, words in {
            "g": "Read-only: nothing was written. Restart without read-only to write.",
            "x": "Read-only: revoke is off. Restart without read-only to write.",
            "u": "Read-only: undo is off.",
            "e": "Read-only: edit tags is off.",
            "v": "Verifying pull alone is possible: press p.",
            "V": "Read-only: verify marked is off.",
        }.items():
            await ui.press(key)
            await ui.wait(lambda words=words: words in ui.toasts(), words)
            assert (ui.dialog, workspace.writes) == ("", [])


async def test_gg_goes_to_the_top_where_nothing_can_be_written(tmp_path) -> None:
    settings = Settings(profile_a="a", profile_b="b", regions=(REGION,), read_only=True)
    async with running(FakeWorkspace(tmp_path, settings=settings), grant_delay=LONG) as ui:
        first = ui.selected
        await ui.select("my-first-repo")
        await ui.press("g", "g")
        await ui.wait(lambda: ui.selected == first)


@pytest.mark.parametrize("way", ["80x24", "zoom", "tab"])
async def test_where_the_change_is_not_on_the_screen_only_a_later_g_writes(workspace: FakeWorkspace, way: str) -> None:
    time = [100.0]
    size = (80, 24) if way == "80x24" else (120, 40)
    async with running(workspace, size=size, grant_delay=0.01, clock=lambda: time[0]) as ui:
        if way == "zoom":
            await ui.press("z")
        elif way == "tab":
            ui.main.preview.turn_to("findings")
        await ui.select("my-first-repo")
        await ui.press("g")
        await ui.wait(lambda: ui.main.stage.shows_change)
        assert ui.main.preview.tab == "diff"
        assert workspace.writes == []
        time[0] += 0.02
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)
        assert workspace.writes[0][0] == "my-first-repo"


async def test_a_move_before_the_write_cancels_it(workspace: FakeWorkspace) -> None:
    async with running(workspace, grant_delay=0.01) as ui:
        await ui.press("g", "down")
        await ui.wait(lambda: "Grant canceled" in ui.told() or workspace.writes)
        assert {name for name, _ in workspace.writes} <= {"analytics/etl"}


async def test_a_grant_that_asks_waits_for_the_delay_too(tmp_path) -> None:
    workspace = await shadowed(tmp_path)
    async with running(workspace, grant_delay=LONG) as ui:
        await ui.press("g")
        await ui.see("about to write")
        assert ui.dialog == ""
        await ui.press("g")
        assert not ui.main.desk.countdown.pending


async def test_the_phases_of_a_write_are_shown(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("apply")
        await ui.press("g")
        await ui.see("writing…")
        await ui.press("g", "x", "u")
        workspace.gate.release()
        await ui.see("written and read back")
        assert len(workspace.writes) == 1


async def test_undo_restores_the_exact_text(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("billing-api")
        await ui.press("g")
        await ui.see("written and read back")
        await ui.press("u")
        await ui.wait(lambda: "exact previous policy" in ui.told())
        assert workspace.listing.policies[workspace.by_name("billing-api").arn] == LAMBDA
        await ui.ready()
        await ui.see("g +16 −0 lines")


async def test_undo_of_a_first_grant_removes_the_policy(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.see("written and read back")
        await ui.press("u")
        await ui.wait(lambda: len(workspace.writes) == 2)
        assert workspace.writes[1] == ("analytics/etl", None)


async def test_undo_with_nothing_to_undo_says_so(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("u")
        await ui.wait(lambda: "Nothing to undo" in ui.toasts())


async def test_undo_of_an_earlier_session_asks_first(workspace: FakeWorkspace) -> None:
    repo = workspace.by_name("my-first-repo")
    workspace.changes.apply(workspace.changes.plan(repo, Grant((DEVUSR2,), Access.PULL)))
    async with running(workspace) as ui:
        await ui.press("u")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Undo a write of an earlier session?", "my-first-repo", "user devusr2 in 222222222222")
        await ui.press("enter")
        assert len(workspace.writes) == 1
        await ui.press("u")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        other = workspace.by_name("billing-api")
        workspace.changes.apply(workspace.changes.plan(other, Grant((DEVUSR2,), Access.PULL)))
        await ui.press("tab", "enter")
        await ui.wait(lambda: len(workspace.writes) == 3)
        assert repo.arn not in workspace.listing.policies, "the write that was shown, not the last one by now"


async def test_undo_refuses_when_somebody_has_written_since(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.see("written and read back")
        workspace.listing.policies[workspace.by_name("analytics/etl").arn] = LAMBDA
        await ui.press("u")
        await ui.see("Undo failed", "changed by another writer")
        assert len(workspace.writes) == 1


async def shadowed(folder) -> FakeWorkspace:
    return FakeWorkspace(folder, [repository("guarded", {"Team": "Payments"})], policies={"guarded": DENY % DEVUSR2})


async def test_a_risky_grant_asks_and_no_is_the_default(tmp_path) -> None:
    workspace = await shadowed(tmp_path)
    async with running(workspace) as ui:
        await ui.see("asks first")
        await ui.press("g")
        assert ui.dialog == "ConfirmScreen"
        assert ui.app.screen.focused.id == "no"
        await ui.press("enter")
        assert ui.dialog == ""
        assert workspace.writes == []
        await ui.press("g", "escape")
        assert workspace.writes == []
        await ui.press("g", "right", "enter")
        await ui.wait(lambda: workspace.writes)
        await ui.see("written and read back")


async def test_a_grant_and_an_undo_that_widen_ask_first(tmp_path) -> None:
    ending = Grant((DEVUSR2,), Access.PUSH_PULL, (), datetime(2040, 1, 1, tzinfo=UTC))
    policies = {"web": plan_grant_from(repository("web", {}), None, ending).after_text or ""}
    workspace = FakeWorkspace(tmp_path, [repository("web", {})], policies=policies)
    async with running(workspace) as ui:
        await ui.see("asks first: 1 risk")
        await ui.press("g")
        assert ui.dialog == "ConfirmScreen"
        await ui.see("has the end")
        await ui.press("right", "enter")
        await ui.wait(lambda: len(workspace.writes) == 1)
        await ui.see("written and read back")
        ui.main.select(choice=ui.main.selection.choice._replace(until=ending.until))
        await ui.see("g +")
        await ui.press("g")
        await ui.wait(lambda: len(workspace.writes) == 2)
        await ui.see("written and read back")
        await ui.press("u")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Undo the last write?", "has the end")


async def test_letters_do_not_confirm(tmp_path) -> None:
    workspace = await shadowed(tmp_path)
    async with running(workspace) as ui:
        await ui.press("g", "g", "y", "u", "x", "v", "q")
        assert ui.dialog == "ConfirmScreen"
        assert workspace.writes == []
        await ui.press("n", "d", "j", "space")
        assert ui.dialog == "ConfirmScreen"
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")


async def test_a_conflict_writes_nothing_and_shows_the_new_policy(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        workspace.listing.policies[workspace.by_name("my-first-repo").arn] = LAMBDA
        await ui.press("g")
        await ui.see("Grant on my-first-repo failed", "nothing was written")
        assert ui.dialog == ""
        assert workspace.writes == []
        await ui.ready()
        await ui.see("g +16 −0 lines")
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)


async def test_a_write_that_somebody_replaced_offers_to_restore_it(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        repository = workspace.by_name("my-first-repo")
        back = plan_grant_from(repository, LAMBDA, Grant((DEVUSR2,), Access.PULL))
        workspace.listing.policies[repository.arn] = LAMBDA
        workspace.errors["apply"] = Overwritten(
            "someone else wrote at the same moment", detail="- Allow x", hint="", restore=back
        )
        await ui.press("g")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("someone else wrote at the same moment", "- Allow x", "Yes, restore")
        workspace.errors.clear()
        await ui.press("right", "enter")
        await ui.wait(lambda: workspace.writes)
        assert DEVUSR2 in str(workspace.listing.policies[repository.arn])


@pytest.mark.parametrize(
    "error", [DeniedError("may not write", detail="AccessDenied", side="account A"), RuntimeError("bug")]
)
async def test_a_failed_write_is_a_banner_that_takes_no_key(workspace: FakeWorkspace, error: Exception) -> None:
    workspace.errors["apply"] = error
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.see("Grant on analytics/etl failed", "i details")
        assert ui.dialog == ""
        await ui.press("slash", *"web")  # what is typed meanwhile goes where it was meant to go
        assert ui.main.table.filter == "web"
        await ui.press("enter")
        await ui.wait(lambda: ui.main.focused is ui.main.table)
        await ui.press("i")
        await ui.wait(lambda: ui.dialog == "ErrorScreen")
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert ("AccessDenied" if isinstance(error, DeniedError) else "RuntimeError: bug") in ui.copied[0]
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")
        await ui.press("escape")
        await ui.wait(lambda: "failed" not in ui.text())
        assert ui.main.table.marks == 0
        assert ui.main.desk.busy == ""


async def test_revoke_always_asks(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.see("written and read back")
        await ui.press("x")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("loses 7 actions at once", "- removes")
        await ui.press("enter")
        assert len(workspace.writes) == 1
        await ui.press("x")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("tab", "enter")
        await ui.wait(lambda: len(workspace.writes) == 2)
        await ui.see("g creates the policy")


async def test_revoke_without_a_statement_of_ours_says_so(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("x")
        await ui.wait(lambda: "ecr-tui has no statement for this principal in this policy" in ui.told())


def granted(account: bool, **tags: str) -> str:
    """Our grant to the user if Team=Payments, and with ``account`` a statement of others for all of account B."""
    foreign = json.dumps({"Statement": [{**ACCOUNT_B, "Sid": "All"}]}) if account else None
    grant = Grant((DEVUSR2,), Access.PUSH_PULL, (("Team", "Payments"),))
    return plan_grant_from(repository("web", tags), foreign, grant).after_text or ""


async def test_a_revoke_after_which_access_remains_says_through_what(tmp_path) -> None:
    where = repository("web", {"Team": "Payments"})
    workspace = FakeWorkspace(tmp_path, [where], policies={"web": granted(True, Team="Payments")})
    async with running(workspace) as ui:
        await ui.press("x")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Access remains through All")
        await ui.press("right", "enter")
        await ui.wait(lambda: workspace.writes)
        await ui.wait(lambda: "Access remains through All (it names account 222222222222)" in ui.told())
        await ui.press("x")
        await ui.wait(lambda: "has no statement for this principal" in ui.told())
        assert ui.told().count("Access remains through All") >= 1
        assert len(workspace.writes) == 1


async def test_a_grant_in_the_policy_without_effect_is_not_called_granted(tmp_path) -> None:
    where = repository("web", {"Team": "Billing"})
    workspace = FakeWorkspace(tmp_path, [where], policies={"web": granted(False, Team="Billing")})
    async with running(workspace) as ui:
        ui.main.select(choice=ui.main.selection.choice._replace(condition=(("Team", "Payments"),)))
        await ui.see("! Written, but has no effect: requires Team=Payments")
        assert "Already granted" not in ui.text()
        await ui.press("g")
        await ui.wait(lambda: "has no effect" in ui.told())
        assert workspace.writes == []


async def test_many_say_what_remains_and_what_has_no_effect(tmp_path) -> None:
    rows = [repository("web", {"Team": "Billing"}), repository("api", {"Team": "Payments"})]
    policies = {"web": granted(False, Team="Billing"), "api": granted(True, Team="Payments")}
    workspace = FakeWorkspace(tmp_path, rows, policies=policies)
    async with running(workspace) as ui:
        ui.main.select(choice=ui.main.selection.choice._replace(condition=(("Team", "Payments"),)))
        ui.main.table.focus()
        await ui.press("asterisk", "g")
        await ui.see("written, but has no effect")
        await ui.press("escape", "x")
        await ui.see("Access remains through All")


async def test_read_only_writes_nothing_by_any_key(tmp_path) -> None:
    settings = Settings(profile_a="a", profile_b="b", regions=(REGION,), read_only=True)
    workspace = FakeWorkspace(tmp_path, settings=settings)
    async with running(workspace) as ui:
        await ui.see("READ-ONLY")
        await ui.press("g", "x", "u", "v", "space", "g", "x")
        for task in ("grant", "revoke", "undo"):
            await ui.main.action_task(task)
        await ui.wait(lambda: "nothing was written" in ui.toasts())
        assert workspace.writes == []
        assert {call for call, _ in workspace.gate.calls} & {"apply", "undo", "verify", "plan", "plan_revoke"} == set()


async def test_the_written_plan_is_the_one_that_was_confirmed(workspace: FakeWorkspace) -> None:
    """Planning took time, and meanwhile the choice was another: the dialog's plan is what is written."""
    async with running(workspace) as ui:
        workspace.gate.hold("plan")
        await ui.press("space", "g")
        await ui.wait(lambda: workspace.gate.count("plan") == 1)
        ui.main.select(choice=ui.main.selection.choice._replace(access=Access.PULL))
        workspace.gate.release()
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Grants      push + pull to user devusr2")
        await ui.press("tab", "enter")
        await ui.wait(lambda: workspace.writes)
        assert "PutImage" in workspace.writes[0][1]


async def test_a_write_that_is_tried_again_says_why(workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = workspace.changes.apply

    def slow(plan):
        attempts.Patience(wait=lambda _: None).again(Throttled("too fast"))
        return apply(plan)

    monkeypatch.setattr(workspace, "apply", slow)
    workspace.gate.hold("apply")
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.wait(
            lambda: ui.text().count("writing… retrying: rate limited") == 2, "the preview and the status line"
        )
        workspace.gate.release("apply")
        await ui.see("written and read back")
        assert "retrying" not in ui.text()


async def test_an_undo_that_is_tried_again_says_why_at_its_repository(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = workspace.changes.undo

    def slow(identifier):
        attempts.Patience(wait=lambda _: None).again(Throttled("too fast"))
        workspace.gate.pass_through("undo-again")
        return undo(identifier)

    monkeypatch.setattr(workspace, "undo", slow)
    async with running(workspace) as ui:
        await ui.press("g")
        await ui.see("written and read back")
        workspace.gate.hold("undo-again")
        await ui.press("u")
        await ui.wait(lambda: ui.text().count("undoing… retrying: rate limited") == 2, "the preview, the status line")
        workspace.gate.release("undo-again")
        await ui.see("Undone: the exact previous policy is restored")
        assert "retrying" not in ui.text()


async def test_the_condition_is_the_repositorys_own_scope_tag_whatever_the_list_shows(tmp_path) -> None:
    rows = [repository("bare", {"Env": "prod"}), repository("web", {"Team": "Web"})]
    settings = Settings(profile_a="a", profile_b="b", regions=(REGION,))
    workspace = FakeWorkspace(tmp_path, rows, settings=settings)
    async with running(workspace) as ui:
        await ui.see("c no condition (no", "Team tag)")
        await ui.select("web")
        await ui.see("c if Team=Web")
        await ui.press("t")
        await ui.type("Team=Web")
        await ui.press("enter")
        await ui.settle()
        assert ui.main.selection.grant.tags == (("Team", "Web"),)
        await ui.press("t", "ctrl+u", "enter")
        await ui.settle()
        await ui.select("bare")
        assert ui.main.selection.grant.tags == ()
        await ui.press("asterisk", "g")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        await ui.see("if Team = each repository's own.", "account A 111111111111 · eu-central-1", "no condition")
        await ui.wait(lambda: not ui.app.screen.query_one("#yes").disabled)
        await ui.press("right", "enter")
        await ui.wait(lambda: len(workspace.writes) == 2)
        assert "aws:ResourceTag/Team" in dict(workspace.writes)["web"]
        assert "Condition" not in dict(workspace.writes)["bare"]


async def test_a_confirmation_names_account_region_repository_and_condition(tmp_path) -> None:
    async with running(await shadowed(tmp_path)) as ui:
        await ui.press("g")
        await ui.see("Grant on guarded anyway?", "Account A   111111111111 · eu-central-1", "Condition   no condition")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_the_tab_in_view_names_the_repository(workspace: FakeWorkspace, size: tuple[int, int]) -> None:
    async with running(workspace, size=size) as ui:
        await ui.select("my-first-repo")
        await ui.press("2")
        await ui.see("2 Preview · my-first-repo")
        await ui.press("v")
        await ui.see("· my-first-repo ✓ allowed" if size[0] == 80 else "repo ✓ allowed")
