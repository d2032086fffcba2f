"""What AWS says is shown literally, in every pane and dialog: no markup, no escapes, nothing hidden or reordered."""

from __future__ import annotations

import pytest

from ecr_tui.aws.model import Role
from ecr_tui.errors import CredentialsError, EcrTuiError
from ecr_tui.policy.actions import Access
from ecr_tui.registry.engine import Progress
from ecr_tui.ui.proof import StageRow
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import safe, safe_block
from ecr_tui.ui.text.verification import stage_line
from ecr_tui.verification.report import (
    Stage,
    StageEnded,
    StageName,
    StageProgress,
    StageStarted,
    Status,
    Verdict,
    stages_of,
)
from tests.ui import fake_workspace as fake
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import HOSTILE, FakeWorkspace, repository

pytestmark = pytest.mark.thorough

POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"%s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},'
    '"Action":"ecr:BatchGetImage","Condition":{"StringEquals":{"aws:ResourceTag/[b]":["[/x]","[$error]"]}}}]}'
)


def clean(ui: Session) -> None:
    """Nothing on the screen can act on a terminal."""
    text = ui.text().replace("\n", "")
    assert safe(text) == text


async def test_hostile_names_and_tags_everywhere(tmp_path) -> None:
    rows = [repository(name, {name: name, "Team": name}) for name in HOSTILE]
    async with running(FakeWorkspace(tmp_path, rows)) as ui:
        for name in HOSTILE:
            await ui.select(name)
            await ui.see(f"Policy preview · {safe(name)[:20]}")
            for tab in ("diff", "json", "who", "findings", "consumer"):
                ui.main.preview.turn_to(tab)
                await ui.pilot.pause()
                clean(ui)
            await ui.press("c")
            await ui.see(f"Team={safe(name)[:20]}")
            clean(ui)
            await ui.press("escape", "y")
            await ui.wait(lambda n=name: ui.copied and ui.copied[-1].endswith(n))
            clean(ui)
            ui.main.repositories.open_filter("filter")
            ui.main.query_one("#filter").value = name
            await ui.pilot.pause()
            clean(ui)  # what is said of a field that does not exist, too
            ui.main.query_one("#filter").value = f'"{name}"'
            await ui.wait(lambda: ui.main.table.shown == 1)
            clean(ui)
            await ui.press("escape")


async def test_hostile_names_in_writes_and_verification(tmp_path) -> None:
    rows = [repository(name, {"Team": name}) for name in HOSTILE]
    workspace = FakeWorkspace(tmp_path, rows)
    async with running(workspace) as ui:
        await ui.press(*["space"] * len(rows), "g")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        await ui.wait(lambda: not ui.app.screen.query_one("#yes").disabled)
        clean(ui)
        await ui.press("tab", "enter")
        await ui.wait(lambda: len(workspace.writes) == len(rows))
        await ui.wait(lambda: ui.dialog == "BulkRunScreen" and not ui.main.desk.running)
        clean(ui)
        await ui.press("escape")
        await ui.wait(lambda: not ui.dialog)
        for name in HOSTILE:
            await ui.select(name)
            await ui.press("u" if name == HOSTILE[-1] else "x")
            await ui.pilot.pause(0.05)
            clean(ui)
            if ui.dialog:
                await ui.press("escape")
            await ui.press("v")
            await ui.wait(lambda: not ui.main.verification.running)
            clean(ui)


@pytest.mark.parametrize("sid", [h for h in HOSTILE if h.isascii() and "\x1b" not in h and len(h) < 80])
async def test_a_hostile_policy_is_shown_as_it_is(tmp_path, sid: str) -> None:
    workspace = FakeWorkspace(tmp_path, [repository("app")], policies={"app": POLICY % sid})
    async with running(workspace, size=(200, 60)) as ui:
        ui.main.preview.turn_to("json")
        await ui.see(f'"Sid": "{sid}"'[:80], "aws:ResourceTag/[b]", '"[$error]"')
        ui.main.preview.turn_to("who")
        await ui.see("account 222222222222")


async def test_ten_kilobytes_of_policy_are_shown_whole(tmp_path) -> None:
    actions = '","'.join(["ecr:BatchGetImage"] * 480)
    text = (POLICY % "big").replace('"ecr:BatchGetImage"', f'["{actions}","ecr:[/last]"]')
    workspace = FakeWorkspace(tmp_path, [repository("app")], policies={"app": text})
    async with running(workspace) as ui:
        ui.main.preview.turn_to("json")
        await ui.press("2", "end")
        ui.main.preview.take_focus()
        await ui.press("end")
        await ui.see('"ecr:UploadLayerPart"')
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "ecr:[/last]" in ui.copied[0]


async def test_hostile_errors_in_cards_toasts_and_dialogs(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        for text in HOSTILE:
            error = CredentialsError(text, detail=text, hint=text, side=text, login_command=text)
            workspace.errors["consumer"] = error
            await ui.press("r")
            await ui.wait(lambda e=error: ui.main.accounts.cards[Role.CONSUMER].error is e)
            ui.app.clear_notifications()
            ui.app.notify(text, title=text)
            ui.app.push_screen(ErrorScreen(EcrTuiError(text, detail=f"{text}\n{text}", hint=text, side=text)))
            await ui.see("Details", safe(text)[:20])
            clean(ui)
            await ui.press("escape", "4", "tab", "enter")
            await ui.see("run it in another terminal", safe(text)[:20])
            clean(ui)
            await ui.press("escape")


async def test_hostile_words_of_an_engine(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        for text in HOSTILE:
            workspace.script = saying(text)
            await ui.press("v")
            await ui.wait(lambda: not ui.main.verification.running)
            await ui.see("DENIED", safe(text)[:20])
            clean(ui)


def saying(text: str):
    def script(repo, on_event, cancel, gate):
        on_event(StageStarted(StageName.PUSH))
        on_event(StageProgress(StageName.PUSH, Progress(text, text, 1, 2)))
        stages = [fake.stage(name) for name in stages_of(Access.PUSH_PULL)]
        stages[4] = Stage(StageName.PUSH, Status.DENIED, text, 0.1, text, text, text, text, text)
        on_event(StageEnded(stages[4]))
        found = fake.report(repo, stages, Verdict.DENIED, exit_code=1)
        return found._replace(engine_description=text, notes=(text,), principal=text)

    return script


def test_a_running_stage_shows_hostile_words_literally() -> None:
    for text in HOSTILE:
        row = StageRow(StageName.PUSH, began=0.0, latest=Progress(text, text, 1, 2))
        line = stage_line(row, 1.0, False).plain
        assert safe(line) == line
        assert safe(text) in line


def test_safe_shows_what_a_terminal_would_act_on() -> None:
    assert safe("a\x1b[31m") == "a␛[31m"
    assert safe("a\nb\tc\x7f") == "a␊b␉c\\x7f"
    assert safe("x\u202ey\u200bz") == "x\\u202ey\\u200bz"
    assert safe("\U000e0041") == "\\U000e0041"
    assert safe("plain [text] ünïcode שלום 日本") == "plain [text] ünïcode שלום 日本"
    assert safe_block("a\r\nb\tc\x1b") == "a\nb   c␛"
