"""A screen that leaves the one below it in sight, dimmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.strip import Strip
from textual.widget import _RenderCache

from ecr_tui.ui.dimmed import dimmed
from ecr_tui.ui.screens.turns import BriefTurns

if TYPE_CHECKING:
    from textual.screen import Screen


class Dimming(BriefTurns):
    """To be inherited before one of Textual's own screens. What is below is drawn in a turn of its own."""

    _below: Sequence[Strip] | None = None

    def on_mount(self) -> None:
        self.call_later(self._look_below)

    def _look_below(self) -> None:
        below = self._screen_below()
        if below is not None and not self._render_cache.lines:
            self._below = below._compositor.render_strips(self.app.size)

    def _screen_below(self) -> Screen[Any] | None:
        """The one to be seen through this one, if any."""
        stack = self.app._screen_stack
        if self not in stack[1:] or self.styles.background.a == 1:
            return None
        return stack[stack.index(self) - 1]

    def _render_content(self) -> None:
        """As every widget's, but for the way in which what is below is dimmed (see :func:`dimmed`), and also when
        Textual does not say what is below, as when it looks for what is under the mouse."""
        below = self._screen_below()
        if below is None:
            super()._render_content()
            return
        lines, self._below = self._below, None
        if lines is None or len(lines) != self.size.height:
            lines = below._compositor.render_strips(self.size)
        self._render_cache = _RenderCache(self.size, dimmed(lines, self.styles.background))
        self._dirty_regions.clear()
