"""Access Analyzer asked from the palette: in the Findings tab, with progress, cancelled, gone with its plan."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from ecr_tui.access.second_opinion import Comparison, Difference, SecondOpinion
from ecr_tui.aws.access_analyzer import Analyzer, Finding, Preview
from ecr_tui.changes.plans import Plan
from ecr_tui.errors import Cancelled
from ecr_tui.policy.answer import Verdict
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import FakeWorkspace

ANALYZER = Analyzer("arn:aws:access-analyzer:eu-central-1:111111111111:analyzer/external", "external", "ACCOUNT")
PARTNER = "444444444444"
FOUND = Finding("f-1", (("AWS", PARTNER),), ("ecr:BatchGetImage",), change="NEW")
OPINION = SecondOpinion(
    ANALYZER,
    Preview("p-1", (FOUND,)),
    (),
    Comparison((), (Difference(PARTNER, FOUND.actions, Verdict.NO, True, False, ("f-1",)),)),
    Comparison(),
    ("[not] markup",),
)


class Analyzing:
    """Its answer comes when it is released; a cancelled question has none."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked: list[Plan] = []
        self.cancels: list[threading.Event] = []

    def ask(self, plan: Plan, *, on_wait: Any, cancel: threading.Event) -> SecondOpinion:
        self.asked.append(plan)
        self.cancels.append(cancel)
        on_wait(3.0)
        while not self.release.wait(0.01):
            if cancel.is_set():
                raise Cancelled
        return OPINION


@pytest.fixture
def analyzing(workspace: FakeWorkspace) -> Analyzing:
    made = Analyzing()
    workspace.second_opinions = SimpleNamespace(ask=made.ask)  # type: ignore[attr-defined]
    return made


async def ask(ui: Session) -> None:
    await ui.press("ctrl+p")
    await ui.type("ask access analyzer")
    await ui.see("Inspect: ask Access Analyzer")
    await ui.press("enter")


async def test_the_answer_stands_in_the_findings_and_goes_with_its_plan(
    workspace: FakeWorkspace, analyzing: Analyzing
) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ask(ui)
        await ui.see("Waiting for Access Analyzer, 3 s; Esc cancels")
        assert ui.main.preview.tab == "findings"
        analyzing.release.set()
        await ui.see(
            "! Access Analyzer disagrees with ecr-tui on 1 point",
            "NEW  account 444444444444: BatchGetImage",
            "ecr-tui: not allowed",
            "[not] markup",
        )
        ui.main.preview.draw()
        assert ui.main.preview.analyzer.asked.opinion is OPINION
        await ui.select("web-frontend")
        await ui.see("Access Analyzer: not requested")
        assert [plan.repository.name for plan in analyzing.asked] == ["my-first-repo"]


async def test_esc_and_another_plan_stop_waiting_and_quitting_does_not_wait(
    workspace: FakeWorkspace, analyzing: Analyzing
) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        await ask(ui)
        await ui.see("Waiting for Access Analyzer, 3 s")
        await ui.press("escape")
        await ui.see("Access Analyzer: Cancelled")
        assert analyzing.cancels[0].is_set()
        await ask(ui)
        await ui.see("Waiting for Access Analyzer, 3 s")
        await ui.press("p")
        await ui.see("Access Analyzer: not requested")
        assert analyzing.cancels[1].is_set()
        await ask(ui)
        await ui.see("Waiting for Access Analyzer, 3 s")
    assert analyzing.cancels[2].is_set()
