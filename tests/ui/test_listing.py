"""Accounts, repositories, filters, sort and marks, by keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from ecr_tui.aws.model import RegistryFacts, Repository, Role
from ecr_tui.config import Settings
from ecr_tui.errors import CredentialsError, DeniedError, EnvironmentFailure
from ecr_tui.listing.cache import Cached
from ecr_tui.ui.choice import Choice
from ecr_tui.ui.panes.filter_bar import FilterBars
from ecr_tui.verification.records import Past
from tests.ui import fake_workspace as fake
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import NOW, FakeWorkspace, repository


async def test_the_first_frame_waits_for_nothing(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("owner", "consumer", "repositories")
    async with running(workspace, settled=False) as ui:
        await ui.see("reading the caller", "Listing repositories…", "account-a", "dev-acc")
        workspace.gate.release()
        await ui.settle()
        await ui.see("111111111111", "222222222222", "my-first-repo", "expires in 3 h 12 min")


async def test_pages_are_shown_as_they_arrive(workspace: FakeWorkspace) -> None:
    workspace.page_size = 3
    workspace.gate.hold("page:3")
    async with running(workspace, settled=False) as ui:
        await ui.see("billing-api", "3 repositories · listing…")
        assert "my-first-repo" not in ui.text()
        workspace.gate.release()
        await ui.settle()
        await ui.see("my-first-repo", "7 repositories")
        assert ui.selected == "analytics/etl"


async def test_details_of_visible_rows_are_read_and_only_those(tmp_path: Path) -> None:
    workspace = FakeWorkspace(tmp_path, [repository(f"r{i:04}") for i in range(500)])
    async with running(workspace) as ui:
        await ui.wait(lambda: workspace.gate.count("images") >= 11)
        await ui.wait(lambda: "…" not in ui.text().split("r0000")[1].splitlines()[0])
        assert workspace.gate.count("policy_text") < 60


async def test_access_is_unknown_until_the_policy_is_read(workspace: FakeWorkspace) -> None:
    workspace.gate.hold("policy_text:public-mirror")
    async with running(workspace) as ui:
        await ui.wait(lambda: "✗ pull  ✗ push" in line(ui.text(), "web-frontend"))
        assert "…" in line(ui.text(), "public-mirror")
        workspace.gate.release()
        await ui.wait(lambda: "✓ pull  ✗ push" in line(ui.text(), "public-mirror"))


async def test_access_that_depends_on_the_request_is_neither_yes_nor_no(tmp_path: Path) -> None:
    organization = fake.PUBLIC.replace('"Action"', '"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}},"Action"')
    rows = [repository(name) for name in ("open", "orga", "shut")]
    workspace = FakeWorkspace(tmp_path, rows, policies={"open": fake.PUBLIC, "orga": organization})
    async with running(workspace) as ui:
        await ui.wait(lambda: "? pull  ✗ push" in line(ui.text(), "orga"))
        for query, shown in (("access:depends", "orga"), ("access:none", "shut"), ("!access:none", "open")):
            await ui.press("slash", "ctrl+u")
            await ui.type(query)
            await ui.see("1 of 3 shown")
            assert ui.selected == shown


async def test_the_registry_policy_counts_in_the_column(tmp_path: Path) -> None:
    deny = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"ecr:*","Resource":"*"}]}'
    workspace = FakeWorkspace(tmp_path, [repository("open")], policies={"open": fake.PUBLIC})
    workspace.registry = RegistryFacts(repository("open").region, deny)
    async with running(workspace) as ui:
        await ui.wait(lambda: "✗ pull  ✗ push" in line(ui.text(), "open"))
        assert workspace.gate.count("registry_facts") >= 1


async def test_a_policy_that_cannot_be_read_is_not_called_no_access(workspace: FakeWorkspace) -> None:
    workspace.errors["policy_text:legacy-tool"] = DeniedError("not allowed to read the policy", side="account A")
    async with running(workspace) as ui:
        await ui.wait(lambda: "? not readable" in line(ui.text(), "legacy-tool"))
        await ui.press("end", "home", "down", "down", "down")
        await ui.see("no preview: not allowed to read the policy")


def line(text: str, word: str) -> str:
    return next((row for row in text.splitlines() if word in row), "")


async def test_filter_narrows_while_typing_and_esc_clears(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("slash")
        await ui.type("pay")
        await ui.see("2 of 7 shown", "billing-api", "my-first-repo", "“pay”")
        assert "web-frontend" not in ui.text()
        await ui.type(" my")
        await ui.see("1 of 7 shown")
        await ui.press("enter")
        assert ui.main.focused is ui.main.table
        await ui.see("1 of 7 shown")
        await ui.press("escape")
        await ui.see("web-frontend", "7 repositories")


async def test_plain_letters_do_not_act_while_typing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("slash")
        await ui.type("gxuvqprbcst")
        assert ui.main.table.filter == "gxuvqprbcst"
        assert workspace.writes == []
        assert ui.dialog == ""
        await ui.see("No repository matches the filter.", "!word excludes")
        await ui.press("escape")
        await ui.see("7 repositories")


async def test_the_cursor_returns_to_its_row_when_the_filter_is_cleared(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ui.press("slash")
        await ui.type("web")
        await ui.wait(lambda: ui.selected == "web-frontend")
        await ui.press("escape")
        await ui.wait(lambda: ui.selected == "my-first-repo")


async def test_enter_keeps_the_match_when_the_filter_is_cleared_later(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("slash")
        await ui.type("my-first")
        await ui.press("enter", "escape")
        await ui.see("7 repositories")
        await ui.ready()
        assert ui.selected == "my-first-repo"
        await ui.press("g")
        await ui.wait(lambda: workspace.writes)
        await ui.press("slash")
        await ui.type("web")
        await ui.wait(lambda: ui.selected == "web-frontend")
        await ui.press("tab", "escape")
        assert ui.selected == "web-frontend"


async def test_tags_are_completed_and_entered_filters_come_back(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("slash")
        await ui.type("tag:te")
        await ui.press("tab")
        await ui.wait(lambda: ui.main.table.filter == "tag:Team=")
        await ui.type("Pl")
        await ui.press("tab", "enter")
        await ui.see("2 of 7 shown", "base/python")
        await ui.press("slash", "ctrl+u")
        await ui.type("web")
        await ui.press("enter", "slash", "up")
        await ui.wait(lambda: ui.main.table.filter == "tag:Team=Platform")
        await ui.press("down")
        await ui.wait(lambda: ui.main.table.filter == "web")
        await ui.press("escape", "t")
        await ui.type("team=pay")
        await ui.press("tab", "enter")
        await ui.see("2 repositories", "tagged Team=Payments")


async def test_a_policys_principals_and_findings_can_be_looked_for(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.wait(lambda: len(ui.main.details.policies) == 7)
        await ui.press("slash")
        await ui.type("principal:*")
        await ui.wait(lambda: [row.name for row in ui.main.table.window()] == ["public-mirror"])
        await ui.press("ctrl+u")
        await ui.type("finding:error")
        await ui.wait(lambda: ui.main.table.model.result is not None and not ui.main.table.model.result.unknown)
        shown = {row.name for row in ui.main.table.window()}
        await ui.press("ctrl+u")
        await ui.type("!finding:error")
        await ui.wait(lambda: ui.main.table.shown == 7 - len(shown))


async def test_a_letter_sorts_and_the_arrow_says_how(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.wait(lambda: len(ui.main.details.images) == 7)
        await ui.press("L")
        await ui.see("Last push ▼")
        pushes = [ui.main.details.images[row.arn].value.last_push for row in ui.main.table.window()]
        known = [one for one in pushes if one is not None]
        assert known == sorted(known, reverse=True)
        await ui.press("B")
        await ui.see("Access ▼")
        assert ui.main.table.window()[0].name == "public-mirror"
        await ui.press("B")
        await ui.see("Access ▲")
        assert ui.main.table.window()[-1].name == "public-mirror"
        await ui.press("K")
        await ui.see("Image tags ▲")


async def test_findings_and_the_last_verification_have_columns(workspace: FakeWorkspace) -> None:
    report = {"repository": "my-first-repo", "verdict": "allowed", "passed": True}
    workspace.past = (Past("1", NOW - timedelta(hours=3), workspace.by_name("my-first-repo").arn, report),)
    async with running(workspace, (200, 40)) as ui:
        await ui.wait(lambda: "✓ allowed 3h ago" in line(ui.text(), "my-first-repo"))
        await ui.wait(
            lambda: all(ui.main.repositories.search.judged.findings(row) is not None for row in ui.main.table.window())
        )
        await ui.press("D")
        await ui.see("Findings ▼")
        counted = [ui.main.repositories.search.judged.findings(row) for row in ui.main.table.window()]
        severe = [[one for _, one in found].count("error") for found in counted if found is not None]
        assert severe == sorted(severe, reverse=True)
        await ui.press("E")
        await ui.see("Verified ▼")
        assert ui.main.table.window()[0].name == "my-first-repo"


async def test_tag_filter_asks_the_server_and_leaves_the_condition(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("t")
        await ui.type("Team")
        await ui.press("enter")
        await ui.see("'Team' is not a tag")
        assert workspace.gate.count("repositories") == 1
        await ui.type("=Payments")
        await ui.press("enter")
        await ui.see("2 repositories", "Team=Payments")
        assert ("repositories", "Team=Payments") in workspace.gate.calls
        await ui.ready()
        assert ui.main.selection.grant.tags == ()
        await ui.press("t", "ctrl+a")
        await ui.press(*["delete"] * 20)
        await ui.press("ctrl+u", "enter")
        await ui.see("7 repositories")


async def test_the_tag_filter_of_the_settings_is_in_force(tmp_path: Path) -> None:
    settings = Settings(
        profile_a="account-a", profile_b="dev-acc", regions=("eu-central-1",), tags=(("Team", "Payments"),)
    )
    async with running(FakeWorkspace(tmp_path, settings=settings)) as ui:
        await ui.see("tagged Team=Payments", "2 repositories")


async def test_leaving_the_tag_input_changes_nothing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("t")
        await ui.type("Team=X")
        await ui.press("escape")
        assert ui.main.listing.tags == ()
        assert workspace.gate.count("repositories") == 1
        await ui.press("t")
        assert ui.main.focused.value == ""


async def test_refresh_keeps_cursor_marks_filter_and_sort(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("billing-api")
        await ui.press("space")
        await ui.select("my-first-repo")
        ui.main.table.sort_by("name", True)
        await ui.press("slash")
        await ui.type("i")
        await ui.press("enter")
        await ui.select("my-first-repo")
        before = (ui.selected, [r.name for r in ui.main.table.marked], ui.main.table.filter, ui.main.table.sort)
        assert before == ("my-first-repo", ["billing-api"], "i", ("name", True))
        workspace.all.insert(0, repository("aaa-new-i"))
        workspace.gate.hold("repositories")
        await ui.press("r")
        await ui.wait(lambda: ui.main.listing.busy)
        assert len(ui.main.table.rows) == 7
        workspace.gate.release()
        await ui.wait(lambda: len(ui.main.table.rows) == 8)
        after = (ui.selected, [r.name for r in ui.main.table.marked], ui.main.table.filter, ui.main.table.sort)
        assert after == before


async def test_a_late_answer_to_an_older_listing_is_dropped(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.gate.hold("repositories:Team=Web")
        bars = ui.main.query_one(FilterBars)
        bars.post_message(FilterBars.TagsWanted((("Team", "Web"),)))
        await ui.wait(lambda: ("repositories", "Team=Web") in workspace.gate.calls)
        bars.post_message(FilterBars.TagsWanted((("Team", "Payments"),)))
        await ui.see("2 repositories")
        workspace.gate.release()
        await ui.wait(lambda: all(w.is_finished for w in ui.main.workers if w.group == "listing"))
        assert {r.name for r in ui.main.table.rows} == {"billing-api", "my-first-repo"}


async def test_sort_by_key_and_again_turns_the_order(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("s")
        assert ui.dialog == "ChooseScreen"
        await ui.press("enter")
        await ui.see("Repository ▼")
        assert next(iter(ui.main.table.window())).name == "web-frontend"
        await ui.press("s", "down", "enter")
        await ui.see("Tags ▲")
        assert [r.name for r in ui.main.table.window()][-1] == "legacy-tool"


async def test_header_click_sorts_and_row_click_selects(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.pilot.click("#table", offset=(6, 0))
        await ui.see("Repository ▼")
        await ui.pilot.click("#table", offset=(6, 3))
        await ui.wait(lambda: ui.selected == "my-first-repo")
        await ui.pilot.click("#table", offset=(1, 3))
        assert [r.name for r in ui.main.table.marked] == ["my-first-repo"]


async def test_marks_are_counted_and_hidden_ones_said(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("space", "space")
        await ui.see("● 2 marked")
        await ui.press("slash")
        await ui.type("web")
        await ui.see("2 marked (2 hidden)")
        await ui.press("enter", "ctrl+backslash")
        await ui.wait(lambda: ui.main.table.marks == 0)


@pytest.mark.parametrize("role", [Role.OWNER, Role.CONSUMER])
async def test_broken_credentials_show_the_command_that_mends_them(workspace: FakeWorkspace, role: Role) -> None:
    error = CredentialsError(
        "The SSO session has expired",
        detail="Token has expired",
        side=role.value,
        login_command="aws sso login --profile p",
    )
    name = "owner" if role is Role.OWNER else "consumer"
    workspace.errors[name] = error
    async with running(workspace) as ui:
        await ui.see("The SSO session has expired", "aws sso login --profile p")
        await ui.press("4", *(["tab"] if role is Role.CONSUMER else []))
        await ui.wait(lambda: ui.main.focused is ui.main.accounts.cards[role])
        await ui.press("enter")
        assert ui.dialog == "ErrorScreen"
        await ui.see("Token has expired", "run it in another terminal")
        await ui.press("y")
        await ui.wait(lambda: ui.copied == ["aws sso login --profile p"])
        await ui.press("escape")
        del workspace.errors[name]
        await ui.press("r")
        await ui.wait(lambda: ui.main.accounts.cards[role].error is None)


async def test_without_account_b_a_principal_can_still_be_chosen(workspace: FakeWorkspace) -> None:
    workspace.errors["consumer"] = EnvironmentFailure("no network", side="account B")
    async with running(workspace) as ui:
        await ui.see("Account B is unknown. Press b to choose a principal")
        await ui.principal("222222222222")
        await ui.press("enter")
        await ui.ready()
        await ui.see("account 222222222222")


async def test_a_listing_that_fails_says_why_and_can_be_tried_again(workspace: FakeWorkspace) -> None:
    workspace.errors["repositories"] = EnvironmentFailure("the endpoint does not answer", detail="connect timeout")
    async with running(workspace) as ui:
        await ui.see("✗ the endpoint does not answer", "r: retry")
        await ui.press("enter")
        await ui.see("connect timeout")
        await ui.press("escape")
        workspace.errors.clear()
        await ui.press("r")
        await ui.see("my-first-repo")


async def test_a_refresh_that_fails_keeps_the_rows_and_shows_the_error(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        workspace.errors["repositories"] = EnvironmentFailure("the endpoint does not answer")
        await ui.press("r")
        await ui.see("Refresh failed: the endpoint does not answer", "my-first-repo")
        assert ui.dialog == ""


async def test_a_region_that_fails_is_named(workspace: FakeWorkspace) -> None:
    workspace.errors["region"] = DeniedError("denied in us-east-1")
    async with running(workspace) as ui:
        await ui.see("✗ not read: us-east-1", "my-first-repo")


async def test_a_narrow_terminal_cuts_off_the_filter_before_the_region_that_failed(workspace: FakeWorkspace) -> None:
    workspace.errors["region"] = DeniedError("denied in us-east-1")
    async with running(workspace, size=(80, 24)) as ui:
        await ui.see("✗ not read: us-east-1")
        await ui.press("slash", *"my-first")
        await ui.see("1 of ", "✗ not read: us-east-1")


async def test_several_regions_have_a_column(tmp_path: Path) -> None:
    rows = [repository("app"), repository("app", region="us-east-1")]
    async with running(FakeWorkspace(tmp_path, rows)) as ui:
        await ui.see("Region", "us-east-1")


async def test_an_empty_account_says_so(tmp_path: Path) -> None:
    async with running(FakeWorkspace(tmp_path, [])) as ui:
        await ui.see("Account A has no repositories here.")
        await ui.press("g", "x", "v", "y", "space", "enter", "p")
        assert ui.dialog == ""


async def test_expiry_is_said_in_words(workspace: FakeWorkspace) -> None:
    workspace.expires = NOW - timedelta(minutes=1)
    async with running(workspace) as ui:
        await ui.see("✗ account-a", "expired")


async def test_account_details_can_be_read_and_copied(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("4", "enter")
        await ui.see("user id      AROA:alice", "credentials  SSO")
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "assumed-role/EcrAdmin/alice" in ui.copied[0]


def send(ui: Session, text: str) -> None:
    """Keys as a terminal sends a paste or a slow line's backlog: all at once, nothing waits for anything."""
    for letter in text:
        name = {"/": "slash", "-": "minus", "\r": "enter"}.get(letter, letter)
        ui.app.post_message(events.Key(name, letter if letter.isprintable() else None))


async def test_keys_that_arrive_at_once_go_where_the_first_of_them_leads(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        send(ui, "/my-first")
        await ui.wait(lambda: ui.main.table.filter == "my-first" and isinstance(ui.main.focused, Input))
        assert (ui.main.table.marks, ui.dialog, ui.copied) == (0, "", [])
        assert ui.main.selection.choice == Choice()
        send(ui, "/x")  # a name may hold a slash, and it is no command there
        await ui.wait(lambda: ui.main.table.filter == "my-first/x")
        await ui.press("escape")
        send(ui, "tTeam=Web\r")
        await ui.see("1 repository", "tagged Team=Web")
        before = workspace.gate.count("owner")
        ui.app.post_message(events.Paste("/xqrg"))  # into the table: no command, no text
        await ui.press("down")
        assert (ui.dialog, ui.main.table.filter, workspace.gate.count("owner")) == ("", "", before)
        assert workspace.writes == []


async def test_the_filter_speaks_of_tags_access_and_mutability_and_says_what_it_cannot(
    workspace: FakeWorkspace,
) -> None:
    async with running(workspace) as ui:
        await ui.press("slash")
        await ui.type("tag:Team=Platform mutable:no")
        await ui.see("1 of 7 shown", "base/python")
        await ui.press("ctrl+u")
        await ui.type("acess:none")
        await ui.see("✗ unknown field 'acess'. Did you mean access:none?", "0 of 7 shown", "The filter has an error.")
        await ui.press("ctrl+u")
        await ui.type("tag:")
        await ui.see("tag: needs KEY or KEY=VALUE")
        assert "✗ tag:" not in ui.text()
        await ui.press("ctrl+u")
        await ui.type("mfr")
        await ui.see("≈ no exact match, similar:", "my-first-repo", "1 of 7 shown, similar ones")
        style = ui.main.table._pen.style("cursor-blurred", "match")
        assert [s.text for s in ui.main.table.render_line(1) if s.style == style] == ["m", "f", "r"]
        await ui.press("ctrl+u")
        await ui.type("team=pay")
        await ui.see("2 of 7 shown")
        style = ui.main.table._pen.style("", "match")
        assert [s.text for s in ui.main.table.render_line(2) if s.style == style] == ["Team=Pay"]


async def test_access_is_asked_for_only_when_wished_and_forgotten_with_the_principal(tmp_path: Path) -> None:
    names = [f"r{i:03}" for i in range(300)]
    rows = [repository(name, {"Team": "Web" if name == "r299" else "Pay"}) for name in names]
    workspace = FakeWorkspace(tmp_path, rows, policies={"r290": fake.PUBLIC})
    workspace.gate.hold("policy_text:r200")
    async with running(workspace) as ui:
        await ui.wait(lambda: ui.main.details.policies and not ui.main.workspace.listing.readers().policies._wanted)
        await ui.press("slash")
        await ui.type("access:pull")
        await ui.see("policies not read yet: press Enter, then P", "No repository matches")
        read = workspace.gate.count("policy_text")
        assert read < 100
        await ui.press("enter")
        await ui.see("policies not read yet: press P to read")
        await ui.press("P")
        await ui.see("reading policies: ", "Esc stops", "r290")
        await ui.press("escape")
        await ui.see("1 policy not read yet")
        assert (ui.main.repositories.search.progress, ui.main.table.filter) == (None, "access:pull")
        workspace.gate.release()
        await ui.press("P")
        await ui.see("1 of 300 shown", "✓ pull")
        await ui.wait(lambda: "not read yet" not in ui.text())
        # Of another principal nothing was asked, but the policies are there.
        ui.main.select(choice=Choice(principals=(f"arn:aws:iam::{fake.B}:role/other",)))
        await ui.see("1 of 300 shown")
        assert workspace.gate.count("policy_text") == 300  # each once
        # A write makes one of them unknown until it is read again.
        workspace.listing.policies.clear()
        ui.main.stage.policies_changed([workspace.by_name("r290").arn])
        await ui.see("0 of 300 shown")


async def test_rows_whose_tags_are_not_known_are_counted(tmp_path: Path) -> None:
    rows = [replace(repository(f"r{i}"), tags=None) for i in range(3)] + [repository("web", {"Team": "Web"})]
    async with running(FakeWorkspace(tmp_path, rows)) as ui:
        await ui.press("slash")
        await ui.type("tag:Team")
        await ui.see("1 of 4 shown", "3 unknown")


def kept(rows: list[Repository], account: str = fake.A) -> Cached:
    old = [replace(row, account=account, tags_source="cache") for row in rows]
    return Cached(account, (fake.REGION,), tuple(old), NOW - timedelta(hours=3))


async def test_the_list_of_a_former_run_is_shown_marked_and_replaced(workspace: FakeWorkspace) -> None:
    gone = repository("gone-since")
    workspace.kept = kept([*workspace.all[:4], gone, *workspace.all[4:]])
    workspace.page_size = 3
    workspace.gate.hold("owner", "consumer", "repositories")
    async with running(workspace, settled=False) as ui:
        await ui.see("8 repositories · cached 3h ago · refreshing…", "cached 3h ago, refreshing…", "gone-since")
        assert ui.main.table.go_to_key(workspace.by_name("my-first-repo").arn)
        await ui.press("space", "up")
        await ui.see("Cached list")
        workspace.gate.release("owner", "consumer")
        await ui.wait(lambda: len(ui.main.accounts.reads) == 2)
        # Not on the strength of it: no preview, no write, and not even a policy is read.
        await ui.press("g", "x", "v", "V")
        assert (ui.dialog, workspace.writes) == ("", [])
        assert {workspace.gate.count(call) for call in ("plan", "plan_revoke", "preview", "verify", "policy_text")} == {
            0
        }
        workspace.gate.release()
        await ui.see("7 repositories")
        assert "cached 3h" not in ui.text()
        await ui.ready()
        assert ui.selected == "my-first-repo"
        assert [row.name for row in ui.main.table.marked] == ["my-first-repo"]
        assert ui.main.table.current is workspace.by_name("my-first-repo")


async def test_a_kept_list_of_another_account_is_dropped_at_once(workspace: FakeWorkspace) -> None:
    workspace.kept = kept([repository("not-mine")], account="999999999999")
    workspace.gate.hold("owner", "repositories")
    async with running(workspace, settled=False) as ui:
        await ui.see("not-mine", "cached 3h ago")
        workspace.gate.release("owner")
        await ui.wait(lambda: not ui.main.table.rows)
        assert "cached 3h" not in ui.text()
        workspace.gate.release()
        await ui.see("my-first-repo", "7 repositories")


async def test_without_network_the_kept_list_stays_and_says_why(workspace: FakeWorkspace) -> None:
    workspace.kept = kept(workspace.all)
    workspace.settings = replace(workspace.settings, tags=(("Team", "Payments"),))
    for call in ("owner", "consumer", "repositories"):
        workspace.errors[call] = EnvironmentFailure("the endpoint does not answer", detail="connect timeout")
    async with running(workspace) as ui:
        await ui.see("2 repositories", "✗ cached 3h ago: the endpoint does not answer")
        assert ui.dialog == ""
        await ui.pilot.click("#status-left")
        await ui.see("connect timeout")
        await ui.press("escape")
        workspace.errors.clear()
        await ui.press("r")
        await ui.ready()
        await ui.wait(lambda: "cached 3h" not in ui.text())


async def test_what_is_listed_in_part_says_why(workspace: FakeWorkspace) -> None:
    workspace.all = [replace(row, tags_source="live") for row in workspace.all]
    workspace.errors["region"] = DeniedError("denied in us-east-1", detail="AccessDenied: no")
    async with running(workspace, size=(160, 40)) as ui:
        await ui.see("tags read one by one: tag:GetResources is denied", "✗ not read: us-east-1")
        await ui.pilot.click("#status-left")
        await ui.see("1 region could not be read", "us-east-1: denied in us-east-1", "AccessDenied: no")


async def test_esc_clears_the_words_and_then_the_tags(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("t")
        await ui.type("Team=Web")
        await ui.press("enter")
        await ui.see("tagged Team=Web")
        await ui.settle()
        await ui.press("slash")
        await ui.type("web")
        await ui.press("enter", "escape")
        await ui.wait(lambda: not ui.main.table.filter)
        assert ui.main.listing.tags == (("Team", "Web"),)
        await ui.press("escape")
        await ui.wait(lambda: ui.main.listing.tags == ())
        await ui.settle()
        await ui.see("7 repositories")
        assert "tagged" not in ui.text()
