"""What it looks like. After a wanted change: ``--snapshot-update`` for this file, then look at each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from ecr_tui.ui.app import EcrTuiApp
from ecr_tui.ui.clipboard import Clipboard
from tests.ui import fake_workspace as fake
from tests.ui.conftest import Session

BLESSED = "8.2.8"
"""Textual's own drawing changes between releases; elsewhere the other tests have to do."""

pytestmark = pytest.mark.skipif(version("textual") != BLESSED, reason=f"snapshots are of Textual {BLESSED}")

Story = Callable[[Session], Awaitable[None]]


@pytest.fixture
def look(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Compare the screen after a story; nothing in it depends on the time or on how fast the machine is."""
    monkeypatch.setattr(Input, "cursor_blink", False, raising=False)

    def compare(story: Story, size: tuple[int, int] = (120, 40), prepare: Any = None, **options: Any) -> bool:
        workspace = fake.FakeWorkspace(tmp_path)
        if prepare is not None:
            prepare(workspace)
        options = {
            "clipboard": Clipboard({}, lambda text: "test"),
            "now": lambda: fake.NOW,
            "grant_delay": 0.0,
            **options,
        }
        app = EcrTuiApp(workspace, **options)

        async def before(pilot: Pilot[Any]) -> None:
            session = Session(app, pilot, workspace)
            await session.settle()
            # Not before everything in view is read.
            await session.wait(lambda: len(app.main.details.policies) == len(app.main.details.images) == 7)
            await story(session)
            app.clear_notifications()
            await session.pilot.pause()
            if isinstance(app.screen.focused, Input):
                app.screen.focused.cursor_blink = False
            await session.pilot.pause(0.1)

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


async def first(ui: Session) -> None:
    await ui.select("my-first-repo")


def test_main(look) -> None:
    assert look(first)


def test_main_light(look) -> None:
    assert look(first, theme="textual-light")


def test_widening_an_existing_policy(look) -> None:
    async def story(ui: Session) -> None:
        await ui.select("public-mirror")
        ui.main.preview.turn_to("who")
        await ui.press("2")

    assert look(story)


def test_filter_and_marks(look) -> None:
    async def story(ui: Session) -> None:
        await ui.press("space", "space", "slash", "p", "a", "y")
        await ui.see("2 of 7 shown")
        await ui.ready()
        await ui.see("Policy preview · billing-api")

    assert look(story)


def test_granted(look) -> None:
    async def story(ui: Session) -> None:
        await first(ui)
        await ui.press("c", "down", "enter")
        await ui.ready()
        await ui.press("g")
        await ui.see("written and read back", "✓ pull  ✓ push")
        await ui.ready()
        await ui.see("No change.")

    assert look(story)


def test_confirm_marked(look) -> None:
    async def story(ui: Session) -> None:
        await ui.press("space", "space", "slash")
        await ui.type("web")
        await ui.press("enter", "g")
        await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
        await ui.see("2 to change")

    assert look(story, (100, 30))


def test_denied(look) -> None:
    def prepare(workspace: fake.FakeWorkspace) -> None:
        workspace.script = fake.denied

    async def story(ui: Session) -> None:
        await first(ui)
        await ui.press("v")
        await ui.see("✗ DENIED")
        await ui.press("3")
        await ui.wait(lambda: ui.main.focused is ui.main.verification)

    assert look(story, prepare=prepare)


def test_small_repositories(look) -> None:
    assert look(first, (80, 24))


def test_small_verification(look) -> None:
    async def story(ui: Session) -> None:
        await first(ui)
        await ui.press("v")
        await ui.see("✓ ALLOWED", "✓ allowed")

    assert look(story, (80, 24))


def test_tiny_preview(look) -> None:
    async def story(ui: Session) -> None:
        await first(ui)
        await ui.press("2")
        await ui.see("▸2 Preview")

    assert look(story, (60, 20))


def test_choosing_the_condition(look) -> None:
    async def story(ui: Session) -> None:
        await first(ui)
        await ui.press("c", "down")
        await ui.wait(lambda: ui.dialog == "ChooseScreen")

    assert look(story, (80, 24))
