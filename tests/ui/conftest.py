"""The app on an in-memory workspace, driven by keys; nothing here reads AWS, Docker or the machine's clipboard."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual import _wait
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.pilot import Pilot

from ecr_tui.ui.app import EcrTuiApp
from ecr_tui.ui.clipboard import Clipboard
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.main import MainScreen
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.words import Words
from tests.ui.fake_workspace import NOW, FakeWorkspace

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each key the pilot looks 50 times a second whether the app is idle; these tests wait for what they need."""
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 1 / 250)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 1 / 2500)


@pytest.fixture(autouse=True)
def unseen_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the screen where a test looks at it and at its end, not after each key for a terminal that is none."""
    draw = Compositor.render_update

    def render_update(self: Compositor, full: bool = False, **options: Any) -> Any:
        return draw(self, full, **options) if full else self._dirty_regions.clear()

    monkeypatch.setattr(Compositor, "render_update", render_update)


@pytest.fixture(autouse=True)
def attentive_dialogs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes with each look at the clock, so a dialog heeds the first key."""
    seconds = itertools.count()
    monkeypatch.setattr(Dialog, "clock", staticmethod(lambda: float(next(seconds))))


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    return FakeWorkspace(tmp_path)


@dataclass
class Session:
    """A running app. Assertions about what users see go through :meth:`text`."""

    app: EcrTuiApp
    pilot: Pilot[None]
    workspace: FakeWorkspace
    copied: list[str] = field(default_factory=list)

    @property
    def main(self) -> MainScreen:
        return self.app.main

    @property
    def selected(self) -> str:
        row = self.main.table.current
        return row.name if row else ""

    @property
    def dialog(self) -> str:
        """The class of the screen on top, "" for the main screen."""
        return "" if self.app.screen is self.main else type(self.app.screen).__name__

    def text(self) -> str:
        """The whole terminal as plain lines."""
        visible_screen_stack.set(self.app._background_screens)
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    def toasts(self) -> str:
        return "\n".join(f"{n.title} {n.message}" for n in self.app._notifications)

    def told(self) -> str:
        """Toasts, the lines above the preview, the status line and a dialog's line of keys, unwrapped."""
        words = [one for part in ("#effect", "#status-left") for one in self.main.query(part).results(Words)]
        words += self.app.screen.query(KeyHints).results(KeyHints)
        return "\n".join([self.toasts(), *(str(one.content) for one in words)])

    async def wait(self, condition: Callable[[], object], why: str = "") -> None:
        """Until ``condition`` holds; fails with the screen's text when it does not in time."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"{why or 'it'} did not happen; the screen was:\n{self.text()}\n{self.toasts()}")
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def see(self, *words: str) -> None:
        await self.wait(lambda: all(word in self.text() for word in words), f"seeing {words}")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        names = {
            " ": "space",
            "=": "equals_sign",
            "/": "slash",
            "-": "minus",
            ":": "colon",
            ",": "comma",
            "[": "left_square_bracket",
            "]": "right_square_bracket",
            ".": "full_stop",
            "_": "underscore",
            "*": "asterisk",
        }
        await self.pilot.press(*(names.get(letter, letter) for letter in text))

    async def principal(self, text: str) -> None:
        """Type it into the prompt that is the last choice of b."""
        await self.press("b")
        await self.wait(lambda: self.dialog == "ChooseScreen")
        await self.press("end", "enter")
        await self.wait(lambda: self.dialog == "AskScreen")
        await self.type(text)

    async def settle(self) -> None:
        """Accounts and repositories are read, and the preview of the selected one is made."""
        await self.wait(lambda: not self.main.listing.busy and len(self.main.accounts.reads) == 2, "the listing")
        await self.ready()

    async def ready(self) -> None:
        """The preview is about the selected row and may be written, or cannot be made."""
        await self.wait(
            lambda: (
                self.main.preview.writable(self.main.table.current, self.main.selection.grant)
                or self.main.preview.made.error
                or self.main.table.current is None
                or self.main.selection.grant is None
            ),
            "the preview",
        )

    async def select(self, name: str) -> None:
        arn = self.workspace.by_name(name).arn
        assert self.main.table.go_to_key(arn), name
        await self.wait(lambda: self.selected == name)
        await self.ready()


@asynccontextmanager
async def running(
    workspace: FakeWorkspace, size: tuple[int, int] = (120, 40), *, settled: bool = True, **options: Any
) -> AsyncIterator[Session]:
    copied: list[str] = []

    def copy(text: str) -> str:
        copied.append(text)
        return "test"

    options = {"clipboard": Clipboard({}, copy), "now": lambda: NOW, "grant_delay": 0.0, **options}
    app = EcrTuiApp(workspace, **options)
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        session = Session(app, pilot, workspace, copied)
        if settled:
            await session.settle()
        try:
            yield session
            session.text()
        finally:
            if hasattr(workspace, "gate"):
                workspace.gate.release()
