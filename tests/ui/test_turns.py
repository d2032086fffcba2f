"""That no screen keeps the loop for long: what a turn of it holds, and what is drawn in it."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widgets import Static

from ecr_tui.ui.screens import turns
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.dimming import Dimming
from ecr_tui.ui.screens.main import MainScreen
from ecr_tui.ui.screens.palette import Palette
from ecr_tui.ui.screens.turns import BriefTurns
from tests.benchmarks.watchdog import Watchdog
from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace

if TYPE_CHECKING:
    from rich.console import RenderableType


class Slow(BriefTurns, Screen[None]):
    class Work(Message):
        pass

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def on_slow_work(self) -> None:
        self.seen.append("work")
        end = time.perf_counter() + turns.LONG * 2
        while time.perf_counter() < end:
            pass


async def test_others_get_their_turn_between_two_messages_that_take_long() -> None:
    screen = Slow()

    class Shown(App[None]):
        def get_default_screen(self) -> Screen[Any]:
            return screen

    async with Shown().run_test() as pilot:
        await pilot.pause()
        for _ in range(3):
            screen.post_message(Slow.Work())

        async def other() -> None:
            while screen.seen.count("work") < 3:
                screen.seen.append("other")
                await asyncio.sleep(0)

        await asyncio.wait_for(other(), 10)
        works = [at for at, one in enumerate(screen.seen) if one == "work"]
        assert all("other" in screen.seen[one:next_one] for one, next_one in pairwise(works))


class Laborious(Static):
    """Takes long to draw."""

    def render_line(self, y: int) -> Strip:
        cast("Drawing", self.app).seen.append("drawn")
        end = time.perf_counter() + turns.AHEAD * 2
        while time.perf_counter() < end:
            pass
        return super().render_line(y)


class Drawing(App[None]):
    seen: list[str]

    class Main(BriefTurns, Screen[None]):
        def compose(self) -> ComposeResult:
            for number in range(3):
                yield Laborious(str(number), id=f"w{number}")

    def __init__(self) -> None:
        super().__init__()
        self.seen = []

    def get_default_screen(self) -> Screen[Any]:
        return self.Main()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if renderable is not None:
            self.seen.append("frame")


async def test_widgets_that_take_long_draw_in_turns_of_their_own_for_one_frame() -> None:
    app = Drawing()
    async with app.run_test() as pilot:
        await pilot.pause()
        app.seen.clear()
        for widget in app.screen.query(Laborious):
            widget.update("again")

        async def other() -> None:
            while "frame" not in app.seen:
                app.seen.append("other")
                await asyncio.sleep(0)

        await asyncio.wait_for(other(), 10)
        drawn = [at for at, one in enumerate(app.seen) if one == "drawn"]
        assert len(drawn) == 3
        assert all("other" in app.seen[one:next_one] for one, next_one in pairwise(drawn))
        assert app.seen.count("frame") == 1


async def test_a_widget_that_is_never_done_keeps_no_frame_back(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Drawing()
    async with app.run_test() as pilot:
        await pilot.pause()
        # As one that moves by itself, and is dirty again whenever it is looked at.
        monkeypatch.setattr(turns, "is_undrawn", lambda widget: True)
        monkeypatch.setattr(turns, "AHEAD", 0.0)
        app.seen.clear()
        app.screen.query_one("#w0", Laborious).update("again")
        for _ in range(500):
            await pilot.pause(0.01)
            if "frame" in app.seen:
                break
        assert "frame" in app.seen


def test_every_screen_of_ours_is_of_this_kind() -> None:
    assert issubclass(MainScreen, BriefTurns)
    assert issubclass(Dialog, Dimming)
    assert issubclass(Palette, Dimming)


async def test_a_dialog_is_drawn_when_it_fits_in_a_turn_after_its_layout(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    watchdog = Watchdog()
    laid: list[int] = []
    drawn: list[int] = []
    unfit: list[bool] = []
    lay, draw = Screen._refresh_layout, Screen._compositor_refresh

    def laying(self: Screen[Any], *given: Any, **named: Any) -> None:
        if isinstance(self, Dialog):
            laid.append(watchdog.turns)
        lay(self, *given, **named)

    def drawing(self: Screen[Any]) -> None:
        if isinstance(self, Dialog):
            drawn.append(watchdog.turns)
            unfit.append(self._layout_required)
        draw(self)

    async with running(workspace) as ui:
        monkeypatch.setattr(Screen, "_refresh_layout", laying)
        monkeypatch.setattr(Screen, "_compositor_refresh", drawing)
        watchdog.start()
        try:
            await ui.press("question_mark")
            await ui.wait(lambda: ui.dialog == "HelpScreen" and bool(drawn))
        finally:
            watchdog.stop()
    assert not set(laid) & set(drawn)
    assert laid[0] < drawn[0]
    assert not unfit[0]


async def test_what_is_below_a_dialog_stays_in_sight_whoever_draws_it(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(120, 40)) as ui:
        await ui.press("b")
        await ui.wait(lambda: ui.dialog == "AskScreen")
        await ui.see("A · owner")
        screen = ui.app.screen
        assert ModalScreen in screen._node_bases  # along which Textual inherits styles and bindings
        # As when Textual looks for what is under the mouse, and has not said which screens can be seen.
        screen._dirty_regions.add(screen.size.region)
        screen._styles_cache.clear()
        lines = screen.render_lines(screen.size.region)
        assert "A · owner" in "".join(line.text for line in lines)


async def test_what_is_below_is_dimmed_anew_when_it_changes(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(120, 40)) as ui:
        await ui.press("b")
        await ui.wait(lambda: ui.dialog == "AskScreen")
        ui.main.repositories.border_title = "Changed below"
        await ui.see("Changed below")


async def test_no_frame_is_drawn_that_is_not_shown(workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[bool] = []
    display = App._display

    def displaying(self: App[Any], screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None:
            shown.append(not self._batch_count)
        display(self, screen, renderable)

    monkeypatch.setattr(App, "_display", displaying)
    async with running(workspace) as ui:
        with ui.app.batch_update():
            ui.main.repositories.border_title = "Changed"
            ui.main.refresh()
            ui.main._compositor_refresh()
            await ui.pilot.pause()
        await ui.see("Changed")
    assert shown
    assert all(shown)


async def test_what_changes_between_a_layout_and_its_drawing_is_drawn_too(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.wait(lambda: not (ui.main._dirty_widgets or ui.main._layout_required))
        drawn = ui.main.table
        ui.main._refresh_layout()
        drawn.refresh()
        ui.main._dirty_widgets.add(drawn)  # as its message does, which comes before that which draws
        lines: list[int] = []
        real = drawn.render_line
        drawn.render_line = lambda y: (lines.append(y), real(y))[1]  # type: ignore[method-assign]
        ui.main._compositor_refresh()
        assert lines
