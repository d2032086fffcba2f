"""The interface without frames, signs and movement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.message_pump import MessagePump
from textual.widgets import Input

from ecr_tui.ui import plain
from ecr_tui.ui.text import signs
from tests.ui.conftest import running
from tests.ui.tour import dialogs, settings, tour, workspace

READ_OUT = set("←→↑↓−…×“”≤‥")
"""Beyond ASCII, what may stay: keys, and what is text rather than a sign."""


async def test_no_screen_has_frames_or_signs_and_none_redraws_more_than_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: dict[str, float] = {}
    before = MessagePump.set_interval

    def set_interval(self: MessagePump, interval: float, callback: Any = None, **options: Any) -> Any:
        if getattr(callback, "__module__", "").startswith("ecr_tui."):
            ticks[callback.__qualname__] = interval
        return before(self, interval, callback, **options)

    monkeypatch.setattr(MessagePump, "set_interval", set_interval)
    seen: set[str] = set()
    async with running(workspace(tmp_path, plain=True), (110, 40)) as ui:
        async for name in tour(ui, tmp_path):
            seen.add(name)
            left = {letter for letter in ui.text() if not letter.isascii()} - READ_OUT
            assert not left, f"{name}: {left}\n{ui.text()}"
            assert not isinstance(ui.app.focused, Input) or not ui.app.focused.cursor_blink, name
    assert seen >= dialogs()
    assert ticks
    assert min(ticks.values()) >= 1, ticks


def test_what_stands_for_a_sign_is_ascii_and_as_wide() -> None:
    for code, instead in signs.PLAIN.items():
        assert cell_len(instead) == cell_len(chr(code)), chr(code)
        assert set(instead) - READ_OUT <= set(map(chr, range(128)))


def test_reduced_motion_is_a_setting_part_of_plain_and_textuals_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain.classes(settings()) == ()
    assert plain.classes(settings(reduced_motion=True)) == (plain.CALM_CLASS,)
    assert plain.classes(settings(plain=True)) == (plain.PLAIN_CLASS, plain.CALM_CLASS)
    monkeypatch.setattr(plain, "TEXTUAL_ANIMATIONS", "none")
    assert plain.classes(settings()) == (plain.CALM_CLASS,)
