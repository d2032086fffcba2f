"""What AWS says is shown literally, in every pane and dialog: no markup, no escapes, nothing hidden or reordered."""

from __future__ import annotations

import pytest

from ecr_tui.aws.model import Role
from ecr_tui.errors import CredentialsError, EcrTuiError
from ecr_tui.registry.engine import Progress
from ecr_tui.report import Stage, StageEnded, StageName, StageProgress, StageStarted, Status, Verdict
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import safe, safe_block
from tests.ui import fake_workspace as fake
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import HOSTILE, FakeWorkspace, repository

POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"%s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},'
    '"Action":"ecr:BatchGetImage","Condition":{"StringEquals":{"aws:ResourceTag/[b]":["[/x]","[$error]"]}}}]}'
)


def clean(ui: Session) -> None:
    """Nothing on the screen can act on a terminal."""
    text = ui.text().replace("\n", "")
    assert safe(text) == text


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_and_tags_everywhere(tmp_path, name: str) -> None:
    repo = repository(name, {name: name, "Team": name})
    workspace = FakeWorkspace(tmp_path, [repo, repository("zz")])
    shown = safe(name)[:20]
    async with running(workspace) as ui:
        await ui.see(shown)
        clean(ui)
        for keys in (("space",), ("home",), ("y",), ("g",), ("escape",), ("p",), ("x",)):
            await ui.press(*keys)
            await ui.pilot.pause(0.05)
            clean(ui)
            if ui.dialog:
                await ui.press("escape")
        await ui.press("c")
        await ui.see(shown)
        clean(ui)
        await ui.press("down", "enter")
        await ui.ready()
        for tab in ("diff", "json", "who", "findings", "consumer"):
            ui.main.preview.turn_to(tab)
            await ui.pilot.pause()
            clean(ui)
        await ui.press("1", "s", "escape", "v")
        await ui.see("ALLOWED")
        clean(ui)
        await ui.press("slash")
        ui.main.focused.value = name[:6]
        await ui.pilot.pause()
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
        ui.main.preview.focus_body()
        await ui.press("end")
        await ui.see('"ecr:UploadLayerPart"')
        await ui.press("y")
        await ui.wait(lambda: ui.copied)
        assert "ecr:[/last]" in ui.copied[0]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_errors_in_cards_toasts_and_dialogs(workspace: FakeWorkspace, text: str) -> None:
    workspace.errors["consumer"] = CredentialsError(text, detail=text, hint=text, side=text, login_command=text)
    async with running(workspace) as ui:
        ui.app.notify(text, title=text)
        ui.app.push_screen(ErrorScreen(EcrTuiError(text, detail=f"{text}\n{text}", hint=text, side=text)))
        await ui.see(safe(text)[:20])
        clean(ui)
        await ui.press("escape", "4", "tab", "enter")
        await ui.see(safe(text)[:20])
        clean(ui)
        assert ui.main.cards[Role.CONSUMER].error is not None


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_words_of_an_engine(workspace: FakeWorkspace, text: str) -> None:
    def script(repo, on_event, cancel, gate):
        on_event(StageStarted(StageName.PUSH))
        on_event(StageProgress(StageName.PUSH, Progress(text, text, 1, 2)))
        gate.pass_through("stage", "push")
        stages = [fake.stage(name) for name in StageName]
        stages[4] = Stage(StageName.PUSH, Status.DENIED, text, 0.1, text, text, text, text, text)
        on_event(StageEnded(stages[4]))
        found = fake.report(repo, stages, Verdict.DENIED, exit_code=1)
        return type(found)(**{**found.__dict__, "engine_description": text, "notes": (text,), "principal": text})

    workspace.script = script
    workspace.gate.hold("stage:push")
    async with running(workspace) as ui:
        await ui.press("v")
        await ui.wait(lambda: "▸ push" in ui.text())
        clean(ui)
        workspace.gate.release()
        await ui.see("DENIED")
        await ui.see(safe(text)[:20])
        clean(ui)


def test_safe_shows_what_a_terminal_would_act_on() -> None:
    assert safe("a\x1b[31m") == "a␛[31m"
    assert safe("a\nb\tc\x7f") == "a␊b␉c\\x7f"
    assert safe("x\u202ey\u200bz") == "x\\u202ey\\u200bz"
    assert safe("\U000e0041") == "\\U000e0041"
    assert safe("plain [text] ünïcode שלום 日本") == "plain [text] ünïcode שלום 日本"
    assert safe_block("a\r\nb\tc\x1b") == "a\nb   c␛"
