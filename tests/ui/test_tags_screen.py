"""Editing tags: what it does to access is shown, and asked for."""

from __future__ import annotations

from dataclasses import replace

from ecr_tui.changes.apply import apply
from ecr_tui.errors import DeniedError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from tests.support.planning import plan_grant
from tests.ui.conftest import running
from tests.ui.fake_workspace import DEVUSR2, HOSTILE, FakeWorkspace, repository


async def test_the_story_of_a_tag(workspace: FakeWorkspace) -> None:
    where = workspace.by_name("my-first-repo")
    plan = plan_grant(workspace, where, Grant((DEVUSR2,), Access.PULL, (("Team", "Payments"),)))
    apply(workspace, workspace.changes.journal, plan)
    async with running(workspace) as session:
        await session.select("my-first-repo")
        # The listing lags: what is edited is read live.
        workspace._retag(where, {"Team": "Payments", "Env": "prod"})
        await session.press("e")
        await session.see("Tags of my-first-repo", "Env = prod", "Team = Payments", "No changes yet.")
        await session.press("down", "d", "a")
        await session.wait(lambda: session.dialog == "AskScreen")
        await session.type("aws:x=1")
        await session.see("reserved by AWS")
        await session.press("ctrl+u")
        await session.type("Owner=me")
        await session.press("enter")
        await session.see("+ Owner = me new", "- Team = Payments removed", "2 changes, not written yet")
        await session.press("w")
        await session.see("Write the tags of my-first-repo?", "revokes 1 principal: user devusr2 in")
        assert session.app.focused is not None
        assert session.app.focused.id == "no"
        await session.press("enter")
        await session.wait(lambda: session.dialog == "")
        assert workspace.gate.count("apply_tags") == 0

        await session.press("e")
        await session.see("No changes yet.")
        await session.press("down", "d", "w")
        await session.see("removing Team revokes 1 principal")
        await session.press("right", "enter")
        await session.wait(lambda: workspace.tags(where) == {"Env": "prod"} and not session.main.desk.busy)
        row = session.main.table.current
        assert row is not None
        await session.wait(lambda: session.main.table.current.tags == {"Env": "prod"}, "the row")

        # u takes it back like any write, but says what that does and asks.
        await session.press("u")
        await session.see("Undo the change to the tags of my-first-repo?", "GRANTS access to 1 principal")
        await session.press("escape")

        # In the journal, with its difference; taking it back gives access again, which is said.
        await session.press("U")
        await session.see("2 writes", "tag", "- Team=Payments", "✓ in effect")
        await session.press("u")
        await session.see("Undo the change to the tags of my-first-repo?", "adding Team=Payments GRANTS access to 1")
        await session.press("right", "enter")
        await session.wait(lambda: workspace.tags(where) == {"Team": "Payments", "Env": "prod"})
        await session.see("3 writes")
        await session.press("escape")
        await session.wait(lambda: session.main.table.current.tags == workspace.tags(where), "the row")

        # A value changed while somebody else writes: refused.
        await session.press("e")
        await session.see("No changes yet.")
        await session.press("enter")
        await session.wait(lambda: session.dialog == "AskScreen")
        await session.type("test")
        await session.press("enter", "w")
        await session.see("changing Env to test changes no access")
        workspace._retag(where, {"Team": "Web"})
        await session.press("right", "enter")
        await session.see("Tags of my-first-repo not changed")
        assert workspace.tags(where) == {"Team": "Web"}
        await session.press("escape")
        workspace.errors["fresh_tags"] = DeniedError("no ListTagsForResource")
        await session.press("e")
        await session.see("no ListTagsForResource")


async def test_little_room_hostile_tags_and_read_only(workspace: FakeWorkspace) -> None:
    tags = {f"k{number}": text for number, text in enumerate(HOSTILE)} | {"aws:own": "1"}
    workspace = FakeWorkspace(workspace.changes.journal.path.parent, [repository("app", tags)])
    async with running(workspace, (60, 20)) as session:
        await session.press("e")
        await session.see("Tags of app", "(AWS)", "esc cancel")
        await session.press("d")
        await session.see("No changes yet.")
        await session.press("w", "end", "d")
        await session.see("removed", "1 change, not written yet")
        assert "\x1b" not in session.text()
        await session.press("escape")
        assert session.dialog == ""
        workspace.settings = replace(workspace.settings, read_only=True)
        await session.press("e")
        assert session.dialog == ""
        assert workspace.gate.count("fresh_tags") == 1
