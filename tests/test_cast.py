"""The script behind ``make cast`` records the real demo; the cast that is kept is a valid one."""

from __future__ import annotations

import json
import re

import pyte
import pytest

from tools.cast import CAST, STORY, record


def shown(cast: str) -> list[str]:
    """The text of the screen after each event, as a player shows it."""
    header, *events = map(json.loads, cast.splitlines())
    assert header["version"] == 2
    assert [kind for _, kind, _ in events if kind != "o"] == []
    assert [at for at, *_ in events] == sorted(at for at, *_ in events)
    screen = pyte.Screen(header["width"], header["height"])
    stream = pyte.Stream(screen)
    screens = []
    for _, _, text in events:
        stream.feed(text)
        screens.append("\n".join(screen.display))
    return screens


def test_the_cast_tells_the_story_and_nothing_of_one_run() -> None:
    cast = CAST.read_text(encoding="utf-8")
    screens = iter(shown(cast))
    for step in STORY:
        assert any(step.sees in screen for screen in screens), step
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", cast)) <= {"50000"}
    assert len(cast.encode()) < 300_000


@pytest.mark.thorough
def test_the_first_steps_are_recorded() -> None:
    screens = shown(record(STORY[:2]))
    assert any("20 repositories" in screen for screen in screens)
    assert "/ my-first" in screens[-2]
