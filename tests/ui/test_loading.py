"""A policy file merged in the app."""

from __future__ import annotations

import json

from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace


async def test_a_file_is_merged_after_a_look_and_a_yes(workspace: FakeWorkspace, tmp_path) -> None:
    statement = {
        "Sid": "ForPartner",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
        "Action": ["ecr:BatchGetImage", "ecr:GetAuthorizationToken"],
    }
    file = tmp_path / "grant.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    async with running(workspace) as ui:

        async def load() -> None:
            await next(run for title, _, run in ui.main.palette_commands() if title == "Change: load a policy file…")()

        await ui.select("my-first-repo")
        await load()
        await ui.wait(lambda: ui.dialog == "AskScreen")
        ui.app.screen.query_one("#answer").value = str(tmp_path)
        await ui.see("no such file")
        ui.app.screen.query_one("#answer").value = str(file)
        await ui.see("✓ 1 statement")
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Merge into my-first-repo?", "333333333333", "left out", "ecr:GetAuthorizationToken")
        assert workspace.writes == []
        await ui.press("right", "enter")
        await ui.wait(lambda: workspace.writes)
        name, text = workspace.writes[0]
        assert name == "my-first-repo"
        assert "333333333333" in text
        assert "GetAuthorizationToken" not in text
        await ui.ready()

        await load()
        await ui.wait(lambda: ui.dialog == "AskScreen")
        ui.app.screen.query_one("#answer").value = str(file)
        await ui.press("enter")
        await ui.wait(lambda: "the policy already has all of it" in ui.told())

        # Marked ones: as one run, which asks, too.
        await ui.press("asterisk")
        await load()
        await ui.wait(lambda: ui.dialog == "AskScreen")
        await ui.see("merge into 7 repositories")
        ui.app.screen.query_one("#answer").value = str(file)
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        await ui.see("Merge into 6 repositories?")
        assert len(workspace.writes) == 1
