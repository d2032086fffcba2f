"""That what is drawn past Textual's own way of drawing looks as if it had gone that way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.filter import Monochrome
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from ecr_tui.ui.widgets.columns import Column
from ecr_tui.ui.widgets.line_cache import Bar, Ground, LineCache, grounded
from ecr_tui.ui.widgets.virtual_table import VirtualTable

NAMES = [f"team/repository-{number:04d}" for number in range(300)]
THEMES = ("textual-dark", "textual-light", "ansi-dark")


class Grounded(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        grounded(self)


class Shown(App[None]):
    CSS = "Grounded { background: $panel; } VirtualTable { margin: 1 3; }"

    def get_default_screen(self) -> Screen[Any]:
        return Grounded()

    def compose(self) -> ComposeResult:
        yield VirtualTable(
            [
                Column("name", "Name", lambda r: [(r, "")], lambda r: r, width=10, flex=1, search=True),
                Column("size", "Size", lambda r: [("12", "warn")], lambda r: r, width=8, right=True),
            ],
            key=str,
        )


@asynccontextmanager
async def filled() -> AsyncIterator[tuple[VirtualTable[str], Pilot[None]]]:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        table = app.query_one(VirtualTable)
        table.set_rows(NAMES)
        await pilot.pause()
        yield table, pilot


def cells(strips: list[Strip]) -> Iterator[tuple[Any, ...]]:
    """What is to be seen of each."""
    for strip in strips:
        for text, style, _ in strip:
            assert style is not None
            color, ground = (style.bgcolor, style.color) if style.reverse else (style.color, style.bgcolor)
            for letter in text:
                if letter == " " and not style.underline:
                    yield letter, ground
                else:
                    yield letter, ground, color, style.bold, style.underline, style.meta.get("@mouse.down")
        yield ("\n",)


def as_textual_does(widget: Widget, region: Region) -> list[Strip]:
    return StylesCache().render_widget(widget, region)


@pytest.mark.parametrize("no_color", [False, True])
@pytest.mark.parametrize("theme", THEMES)
async def test_a_table_its_scrollbar_and_its_ground_look_as_textual_would_draw_them(theme: str, no_color: bool) -> None:
    async with filled() as (table, pilot):
        app = table.app
        app.theme = theme
        if no_color:
            app._filters.append(Monochrome())
        await pilot.press("pagedown", "space", "up")
        table.filter = "repo"
        await pilot.pause()
        table.notify_style_update()
        for widget, kind in ((table, LineCache), (table.vertical_scrollbar, Bar), (app.screen, Ground)):
            assert type(widget._styles_cache) is kind
            region = widget.outer_size.region
            widget._styles_cache.clear()
            assert list(cells(widget.render_lines(region))) == list(cells(as_textual_does(widget, region)))
            part = Region(0, 2, region.width, 5)
            assert list(cells(widget.render_lines(part))) == list(cells(as_textual_does(widget, part)))


async def test_only_lines_that_are_dirty_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filled() as (table, pilot):
        drawn: list[int] = []
        real = table.render_line
        monkeypatch.setattr(table, "render_line", lambda y: (drawn.append(y), real(y))[1])
        await pilot.press("down")
        await pilot.pause()
        assert sorted(set(drawn)) == [1, 2]


async def test_a_filter_that_moves_nothing_on_the_screen_is_no_new_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filled() as (table, pilot):
        app = table.app
        assert table.show_vertical_scrollbar
        await pilot.pause()
        layouts: list[int] = []
        real = app.screen._refresh_layout
        monkeypatch.setattr(app.screen, "_refresh_layout", lambda *a, **k: (layouts.append(1), real(*a, **k)))
        for text in ("00", "01"):
            layouts.clear()
            table.filter = text
            await pilot.pause()
            assert table.shown < len(NAMES)
        assert not layouts
        assert table.vertical_scrollbar.window_virtual_size == table.shown + 1
        table.filter = "repository-0007"
        await pilot.pause()
        assert table.shown == 1
        assert not table.show_vertical_scrollbar
