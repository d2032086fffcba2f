"""What was done to a repository is said where the repository is shown; what is copied, in the status line."""

from __future__ import annotations

import json

import pytest

from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.ui import terminal
from ecr_tui.ui.actions import TASKS
from tests.support.planning import plan_grant_from
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, FakeWorkspace, repository

ACCOUNT_B = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:BatchGetImage"}
SECRET = "value-of-a-local"


def preview(ui: Session) -> str:
    return str(ui.main.query_one("#effect").content)  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_what_remains_after_a_revoke_stands_above_the_preview(tmp_path, size: tuple[int, int]) -> None:
    """Without a toast, until the next change of that repository."""
    where = repository("web", {"Team": "Payments"})
    foreign = json.dumps({"Statement": [{**ACCOUNT_B, "Sid": "All"}]})
    grant = Grant((DEVUSR2,), Access.PUSH_PULL, (("Team", "Payments"),))
    text = plan_grant_from(where, foreign, grant).after_text or ""
    workspace = FakeWorkspace(tmp_path, [where, repository("other")], policies={"web": text})
    async with running(workspace, size) as ui:
        await ui.select("web")
        await ui.press("x")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.press("right", "enter")
        await ui.wait(lambda: workspace.writes and not ui.main.desk.busy)
        await ui.see("✓ Revoked", "u: undo", "! Access remains through All")
        assert not ui.toasts().strip()
        await ui.select("other")
        assert "Revoked" not in preview(ui)
        await ui.select("web")
        assert "Revoked" in preview(ui)
        await ui.press("u")
        await ui.wait(lambda: "✓ Undone: the exact previous policy is restored" in preview(ui))
        assert "Revoked" not in preview(ui)
        assert not ui.toasts().strip()


async def test_a_result_goes_when_somebody_else_changes_the_policy(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("billing-api")
        await ui.press("g")
        await ui.wait(lambda: "u: undo" in preview(ui))
        arn = workspace.by_name("billing-api").arn
        await ui.wait(lambda: arn in ui.main.details.policies)
        workspace.listing.policies[arn] = None
        await ui.press("r")
        await ui.wait(lambda: "u: undo" not in preview(ui))


async def test_undo_asks_where_the_last_write_was_to_another_repository_and_says_its_end_in_a_toast(
    workspace: FakeWorkspace,
) -> None:
    async with running(workspace) as ui:
        await ui.select("billing-api")
        await ui.press("g")
        await ui.wait(lambda: "u: undo" in preview(ui))
        await ui.select("my-first-repo")
        await ui.press("u")
        await ui.wait(lambda: ui.dialog == "ConfirmScreen")
        await ui.see("Undo the last write?", "Repository  billing-api", "Condition   no condition")
        await ui.press("right", "enter")
        await ui.wait(lambda: "billing-api ✓ Undone" in ui.toasts())


async def test_what_is_copied_is_said_in_the_status_line_or_among_the_keys(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("y")
        await ui.see("Copied the ARN to the clipboard (test).  y again: the URI")
        await ui.press("question_mark")
        await ui.wait(lambda: ui.dialog == "HelpScreen")
        await ui.press("y")
        await ui.see("Copied the help to the clipboard (test).")
        assert not ui.toasts().strip()


async def test_one_key_opens_what_a_screen_holds_in_the_pager(workspace: FakeWorkspace, monkeypatch) -> None:
    paged: list[str] = []
    monkeypatch.setattr(terminal, "page", lambda app, text: paged.append(text))

    async def page(words: str) -> None:
        await ui.press("vertical_line")
        await ui.wait(lambda: paged, words)
        assert words in paged.pop()

    async with running(workspace) as ui:
        await ui.select("billing-api")
        await page("arn:aws:ecr:")
        await ui.press("exclamation_mark", "vertical_line")
        await ui.wait(lambda: paged or "Nothing to show here yet." in ui.toasts())  # of the tests before, too
        paged.clear()
        await ui.press("escape", "g")
        await ui.wait(lambda: "u: undo" in preview(ui))
        for key, seen, words in (
            ("question_mark", "Help", "How it works"),
            ("a", "7 repositories", "7 repositories, 2 with a policy"),
            ("U", "1 write", "billing-api"),
            ("x", "Revoke", "billing-api"),
        ):
            await ui.press(key)
            await ui.wait(lambda: ui.dialog)
            await ui.see(seen)
            await page(words)
            await ui.press("escape")


async def test_a_bug_in_a_task_ends_in_a_dialog_and_not_the_app(workspace: FakeWorkspace, monkeypatch) -> None:
    async def broken(desk: object, selection: object) -> None:
        password = SECRET
        raise RuntimeError(f"no such thing: {len(password)}")

    monkeypatch.setitem(TASKS, "until", broken)
    async with running(workspace) as ui:
        await ui.press("w")
        await ui.wait(lambda: ui.dialog == "ErrorScreen")
        await ui.see("Internal error in ecr-tui: RuntimeError", "no such thing: 16")
        assert "in broken" in ui.text()
        assert SECRET not in ui.text()
        assert "locals" not in ui.text()
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert SECRET not in ui.copied[0]
        await ui.press("escape")
        assert ui.dialog == ""
        await ui.press("down")
        await ui.wait(lambda: ui.selected != "analytics/etl")


async def test_a_bug_on_a_thread_of_a_task_is_shown_too(workspace: FakeWorkspace, monkeypatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("of the thread")

    monkeypatch.setattr(workspace.changes, "plan_revoke", broken)
    async with running(workspace) as ui:
        await ui.press("x")
        await ui.see("Internal error in ecr-tui: ZeroDivisionError")
        assert not ui.main.desk.busy


async def test_p_says_which_accesses_there_are(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("p")
        await ui.see("push+pull · ▸pull · push · read+push+pull")
