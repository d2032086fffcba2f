"""The journal's screen: what was written, taken back and done again."""

from __future__ import annotations

import json
from dataclasses import replace

from textual.widgets import Button

from ecr_tui.changes.apply import apply
from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.entries import Record
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import Plan
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.ui.screens import journal as screen
from tests.support.planning import plan_grant
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, HOSTILE, A, FakeWorkspace, repository

OTHER = "arn:aws:iam::222222222222:role/ci"


def write(workspace: FakeWorkspace, name: str, principal: str = DEVUSR2, reason: str = "") -> str:
    """As another instance of the program would."""
    plan = replace(plan_grant(workspace, workspace.by_name(name), Grant((principal,), Access.PULL)), reason=reason)
    journal = Journal(workspace.changes.journal.path)
    return apply(workspace, journal, plan, operator="arn:aws:iam::1:user/bob").entry_id or ""


async def confirmed(session: Session, key: str, *words: str) -> None:
    await session.press(key)
    await session.wait(lambda: session.dialog == "ConfirmScreen", f"asking after {key}")
    assert session.app.focused is not None
    assert session.app.focused.id == "no"
    for word in words:
        assert word in session.text()
    await session.press("right", "enter")
    await session.wait(lambda: session.dialog == "JournalScreen" and not session.main.desk.busy)


async def test_the_story_of_an_entry(workspace: FakeWorkspace, monkeypatch) -> None:
    monkeypatch.setattr(screen, "WATCH", 0.02)
    monkeypatch.setattr(screen, "LOOK", 0.01)
    write(workspace, "my-first-repo")
    write(workspace, "legacy-tool", OTHER)
    async with running(workspace) as session:
        await session.select("my-first-repo")
        await session.press("U")
        await session.see("2 writes", "legacy-tool", "my-first-repo", "✓ in effect: unchanged since this write")
        assert "role ci" in session.text()
        await session.press("f")
        await session.see("1 write to my-first-repo", "+ allows", "BatchGetImage")

        # Taken back, and again: u and r ask first; No has the focus.
        await confirmed(session, "u", "Undo the grant on my-first-repo?", "- removes")
        assert workspace.by_name("my-first-repo").arn not in workspace.listing.policies
        await session.see("2 writes to my-first-repo", "undo", "↶ undone: by the undo of")
        await session.press("home")
        await session.see("✓ in effect")
        await session.press("down")
        await session.see("↶ undone: by the undo of")
        await confirmed(session, "r", "Redo the grant on my-first-repo?", "+ allows")
        await session.see("3 writes to my-first-repo", "redo")
        assert json.loads(workspace.listing.policies[workspace.by_name("my-first-repo").arn])
        await session.press("r")
        await session.see("is already in effect")
        await session.press("escape")

        # Somebody else's write, in another process, appears by itself, and is in the way.
        write(workspace, "my-first-repo", OTHER)
        await session.see("4 writes to my-first-repo")
        await session.press("y")
        await session.wait(lambda: session.copied)
        assert DEVUSR2 in session.copied[0]
        await session.press("home", "down")
        await session.see("– superseded")
        await session.press("u")
        await session.wait(lambda: session.dialog == "ConfirmScreen")
        await session.press("right", "enter")
        await session.wait(lambda: "changed by a later write; nothing was undone" in session.toasts())
        await session.press("end", "enter")
        await session.wait(lambda: session.dialog == "TextScreen")
        assert "ecr:BatchGetImage" in session.text()
        await session.press("escape", "f")
        await session.see("5 writes")
        await session.press("escape")
        assert session.dialog == ""
        assert session.main.table.has_focus


async def test_it_is_honest_in_little_room_and_with_hostile_lines(workspace: FakeWorkspace) -> None:
    workspace.settings = replace(workspace.settings, read_only=True)
    for name in HOSTILE:
        row = repository(name)
        record = Record("grant", name, row.arn, row.region, A, principal=DEVUSR2, operator=name, after_text="no policy")
        workspace.changes.journal.finish(workspace.changes.journal.begin(record), "failed", name)
    elsewhere = record._replace(account="999999999999", repository="elsewhere")
    workspace.changes.journal.finish(workspace.changes.journal.begin(elsewhere), "written")
    with workspace.changes.journal.path.open("ab") as file:
        file.write(b"{nonsense\n")
    async with running(workspace, (60, 20)) as session:
        await session.press("U")
        await session.see("9 writes", "1 line cannot be read", "elsewhere", "esc close")
        await session.see("state unknown: in account 999999999999")
        await session.press("u")
        await session.wait(lambda: "Read-only: nothing was written" in session.toasts())
        await session.press("end", "pageup", "down", "down")
        await session.see("✗ not written")
        assert "\x1b" not in session.text()
        await session.press("escape")
        assert session.dialog == ""
        workspace.errors["past_writes"] = EnvironmentFailure("the journal is locked", hint="close the other one")
        await session.press("U")
        await session.see("the journal is locked", "close the other one")
        await session.press("q")
        assert session.dialog == ""
        assert workspace.writes == []


async def test_thousands_of_entries_are_drawn_as_far_as_they_are_seen(workspace: FakeWorkspace, monkeypatch) -> None:
    repositories = [repository(f"app-{number}") for number in range(50)]
    text = json.dumps({"Version": "2012-10-17", "Statement": []})
    lines = []
    for number in range(5000):
        row = repositories[number % 50]
        record = Record("grant", row.name, row.arn, row.region, A, principal=DEVUSR2, after_text=text)
        begun = {
            "v": 1,
            "event": "begin",
            "id": f"20260101T000000-{number:08x}",
            "at": f"2026-01-01T00:00:00.{number:06}+00:00",
        }
        lines.append(json.dumps(begun | record._asdict()) + "\n")
        lines.append(json.dumps({"event": "finish", "id": begun["id"], "at": begun["at"], "outcome": "written"}) + "\n")
    workspace.changes.journal.path.write_text("".join(lines))
    async with running(workspace) as session:
        await session.press("U")
        await session.see("5,000 writes")
        shown = session.app.screen
        assert isinstance(shown, screen.JournalScreen)
        await session.press("end")
        await session.see("app-0 ")
        # Only of what was in view anybody asked what has become of it.
        assert len(shown._past._known) < 100


def run_of(workspace: FakeWorkspace, *names: str) -> None:
    bulk = workspace.changes.bulk()
    intent = Intent("grant", Grant((DEVUSR2,), Access.PULL, tags=(("Team", "Web"),)))
    plans = bulk.plan([workspace.by_name(name) for name in names], intent)
    bulk.run([plan for plan in plans if isinstance(plan, Plan)], intent)


async def opened(session: Session, *keys: str) -> None:
    await session.press("U", *keys)
    await session.wait(lambda: session.dialog == "JournalScreen", "the journal")


async def test_a_reason_is_among_the_facts_and_is_found(workspace: FakeWorkspace) -> None:
    write(workspace, "my-first-repo", reason="OPS-123 audit")
    write(workspace, "legacy-tool", OTHER)
    async with running(workspace) as session:
        await opened(session, "slash")
        await session.type("ops-123")
        await session.wait(lambda: "1 write " in session.text(), "the filter")
        await session.see("my-first-repo", "reason", "OPS-123 audit")


async def test_the_writes_of_a_run_are_one_line_that_opens(workspace: FakeWorkspace) -> None:
    run_of(workspace, "my-first-repo", "web-frontend", "legacy-tool")
    write(workspace, "billing-api", OTHER)
    async with running(workspace) as session:
        await opened(session)
        await session.see("4 writes", "billing-api", "▸ 3 repos", "✓ 3 written")
        assert "web-frontend" not in rows(session)
        await session.press("end")
        await session.see("web-frontend", "legacy-tool", "my-first-repo", "enter open the run")
        await session.press("enter")
        await session.see("3 writes of run", "esc back")
        assert "web-frontend" in rows(session)
        assert "billing-api" not in rows(session)
        await session.press("escape")
        await session.see("4 writes", "▸ 3 repos")
        assert session.dialog == "JournalScreen"

        # One question for all of it.
        await session.press("end", "u")
        await session.wait(lambda: session.dialog == "BulkPlanScreen")
        await session.see("Undo on 3 repositories?")
        await session.wait(lambda: not session.app.screen.query_one("#yes", Button).disabled, "the plans")
        await session.press("right", "enter")
        await session.wait(lambda: session.dialog == "BulkRunScreen" and not session.main.desk.running)
        assert workspace.by_name("web-frontend").arn not in workspace.listing.policies
        await session.press("escape")
        await session.see("↶ 3 undone")
        await session.press("end", "u")
        await session.wait(lambda: "Nothing to undo." in session.toasts())


def rows(session: Session) -> str:
    """What the list shows, without the details below it."""
    return session.text().partition("│    When")[2].partition("│ ────")[0]


async def test_it_says_access_condition_and_what_is_in_effect_of_every_row(
    workspace: FakeWorkspace, monkeypatch
) -> None:
    monkeypatch.setattr(screen, "LOOK", 0.01)
    run_of(workspace, "web-frontend")
    write(workspace, "billing-api")
    write(workspace, "billing-api", OTHER)
    async with running(workspace, (80, 24)) as session:
        await opened(session)
        await session.see("grant pull", "Team=Web", "– superseded", "✓ in effect", "none")
        assert session.text().count("✓ in effect") == 3, "two rows, and the details of the first"


async def test_it_is_filtered_by_repository_principal_kind_condition_and_state(workspace: FakeWorkspace) -> None:
    filters = {
        "web-f": "web-frontend",
        "role/ci": "legacy-tool",
        "team=web": "web-frontend",
        "undo effect": "billing-api",
        "grant undone": "billing-api",
    }
    run_of(workspace, "web-frontend")
    write(workspace, "legacy-tool", OTHER)
    write(workspace, "billing-api")
    workspace.changes.undo()
    async with running(workspace) as session:
        await opened(session)
        for words, found in filters.items():
            await session.press("slash")
            await session.type(words)
            await session.wait(lambda: "1 write " in session.text(), f"the filter {words}")
            assert found in rows(session)
            await session.press("enter")
            assert session.dialog == "JournalScreen"
            await session.see(f"/ {words}")
            await session.press("escape")
            await session.see("4 writes")
        await session.press("escape")
        assert session.dialog == ""


async def test_letters_sort_and_the_arrow_shows_the_order(workspace: FakeWorkspace) -> None:
    write(workspace, "web-frontend")
    write(workspace, "billing-api")
    async with running(workspace) as session:
        await opened(session)
        await session.see("When ▼")
        await session.press("S")
        await session.see("Repository ▲", "S W C P X sort")
        shown = rows(session)
        assert shown.index("billing-api") < shown.index("web-frontend")
        await session.press("S")
        await session.see("Repository ▼")
        for key, arrow in {"C": "Change ▲", "P": "Principal ▲", "X": "State ▲", "W": "When ▼"}.items():
            await session.press(key)
            await session.see(arrow)
