"""What can be seen, in every theme of the palette."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Size
from textual.strip import Strip

from ecr_tui.ui.theme import TEXT, Readable, contrast
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import FakeWorkspace


def faint(strips: list[Strip]) -> list[str]:
    """The words below the least contrast. In the terminal's own colours nothing can be measured."""
    found = []
    for segment in (segment for strip in strips for segment in strip if segment.style is not None):
        style = segment.style
        colors = (style.color, style.bgcolor)
        if any(map(str.isalnum, segment.text)) and all(one is not None and one.triplet is not None for one in colors):
            front, back = (Color.from_rich_color(one) for one in colors)
            if contrast(front, back) < TEXT:
                found.append(f"{segment.text.strip()} {front.hex} on {back.hex}: {contrast(front, back):.2f}")
    return found


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("colors", [("#404652", "#abb2bf"), ("#777777", "#777777"), ("#ffff00", "#ffffff")])
def test_text_is_moved_until_it_can_be_read(colors: tuple[str, str], reverse: bool) -> None:
    style = Style(color=colors[0], bgcolor=colors[1], bold=True, reverse=reverse)
    (line,) = Readable().apply([Segment("word", style)], Color.parse("black"))
    assert line.style is not None
    assert line.style.bold
    assert faint([Strip([line])]) == []


def test_frames_colours_of_the_terminal_and_what_can_be_read_stay() -> None:
    styles = [Style(color="#333333", bgcolor="#222222"), Style(color="red", bgcolor="black"), Style(color="white")]
    segments = [Segment("──", styles[0]), Segment("word", styles[1]), Segment("word", styles[2]), Segment("plain")]
    assert Readable().apply(segments, Color.parse("black")) == segments


async def test_no_word_is_faint_in_any_theme(workspace: FakeWorkspace) -> None:
    """On a screen with everything on it, and in two dialogs."""

    async def look(ui: Session, theme: str) -> list[str]:
        ui.app.theme = theme
        await ui.pilot.pause()
        region = ui.app.screen.query_one("#dialog").region if ui.dialog else Size(*ui.app.size).region
        strips = ui.app.screen._compositor.render_strips()[region.y : region.bottom]
        return [f"{theme}: {word}" for word in faint([one.crop(region.x, region.right) for one in strips])]

    async with running(workspace) as ui:
        await ui.press("space", "slash")
        await ui.type("tea")
        for key in ("", "escape", "b", "escape", "a"):
            if key:
                await ui.press(key)
            if key != "escape":
                await ui.wait(lambda key=key: bool(ui.dialog) == bool(key))
                found = [word for theme in ui.app.available_themes for word in await look(ui, theme)]
                assert found == []
