"""The interface without frames, signs and movement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.message_pump import MessagePump
from textual.widgets import Input

from tests.ui.conftest import running
from tests.ui.tour import dialogs, tour, workspace

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
