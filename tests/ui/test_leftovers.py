"""What a killed verification has left: offered at the next start, cleaned up on a yes."""

from __future__ import annotations

from datetime import timedelta

from ecr_tui.config import Settings
from ecr_tui.errors import CredentialsError, EnvironmentFailure
from tests.ui import fake_workspace as fake
from tests.ui.conftest import running
from tests.ui.fake_proofs import probe_left
from tests.ui.fake_workspace import NOW, FakeWorkspace


def leave(workspace: FakeWorkspace, name: str = "my-first-repo") -> None:
    workspace.left = [probe_left(workspace.by_name(name), NOW - timedelta(hours=1))]


async def test_a_yes_cleans_up_and_tells(workspace: FakeWorkspace) -> None:
    leave(workspace)
    async with running(workspace) as ui:
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Clean up 1 leftover?", "my-first-repo:ecr-tui-verify-", "Later", "2026-11-24 11:00 UTC")
        await ui.press("right", "enter")
        await ui.wait(lambda: "the image is no longer in the repository" in ui.toasts())
        assert workspace.cleaned == workspace.left
        assert ui.dialog == ""


async def test_the_palette_offers_it_at_any_time(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        command = next(run for title, _, run in ui.main.palette_commands() if title == "Verify: clean up leftovers…")
        await command()
        await ui.wait(lambda: "Nothing to clean up: no verification was interrupted." in ui.toasts())
        leave(workspace)
        await command()
        await ui.see("Clean up 1 leftover?", "A verification was interrupted before its cleanup.")


async def test_later_has_the_focus_and_touches_nothing(workspace: FakeWorkspace) -> None:
    leave(workspace)
    async with running(workspace) as ui:
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "")
        assert workspace.gate.count("clean_leftovers") == 0


async def test_what_cannot_be_cleaned_is_explained(workspace: FakeWorkspace) -> None:
    leave(workspace)
    workspace.errors["clean:my-first-repo"] = CredentialsError("the SSO session has expired", hint="Log in again.")
    async with running(workspace, (80, 24)) as ui:
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("right", "enter")
        await ui.see("could not be cleaned up", "session has expired", "Log in again.")
        assert workspace.cleaned == []


async def test_read_only_only_tells(tmp_path) -> None:
    settings = Settings(profile_a="account-a", profile_b="dev-acc", regions=(fake.REGION,), read_only=True)
    workspace = FakeWorkspace(tmp_path, settings=settings)
    leave(workspace)
    async with running(workspace) as ui:
        await ui.wait(lambda: "Not cleaned up in read-only mode" in ui.toasts())
        assert "my-first-repo:ecr-tui-verify-" in ui.toasts()
        assert ui.dialog == ""
        assert workspace.gate.count("clean_leftovers") == 0


async def test_the_first_frame_does_not_wait_for_the_record(workspace: FakeWorkspace) -> None:
    leave(workspace)
    workspace.gate.hold("leftovers")
    async with running(workspace) as ui:
        await ui.see("my-first-repo")
        assert ui.dialog == ""
        workspace.gate.release()
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")


async def test_a_record_that_cannot_be_read_stops_nothing(workspace: FakeWorkspace) -> None:
    workspace.errors["leftovers"] = EnvironmentFailure("the record of verifications cannot be read")
    async with running(workspace) as ui:
        await ui.wait(lambda: "cannot be read" in ui.toasts())
        await ui.see("my-first-repo")
