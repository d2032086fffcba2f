"""Screens that never keep the app's loop for long, so that a key is answered while one of them opens.

Textual gives a screen its styles, lays it out, draws all of it, and then lays it out and draws it once more, because it
was told its size and that it is shown; all of that before anything else gets a turn. Here each of these is a turn of
its own, what was just drawn is not drawn again, and others have theirs between any two messages that took long.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

from textual import events
from textual.geometry import Region, Size
from textual.message import Message

from ecr_tui.ui.widgets.line_cache import is_undrawn

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[Any]
else:
    # Textual looks for styles and bindings along the first base class that is a node of its own.
    Base = object

SOON = 0.002
"""Seconds until a frame is tried again where an update of several widgets is not complete."""

AHEAD = 0.006
"""Seconds of widgets' drawing, after which others get their turn."""

TURNS = 20
"""In which widgets draw for one frame: one that is dirty again and again does not keep the others from being seen."""

LONG = 0.004
"""Seconds of work on messages, after which others get their turn."""


class BriefTurns(Base):
    """To be inherited before one of Textual's own screens."""

    _worked = 0.0
    _resuming = False
    _turns_ahead = 0
    """In which widgets have drawn their lines for the coming frame."""

    async def _dispatch_message(self, message: Message) -> None:
        begun = perf_counter()
        await super()._dispatch_message(message)
        self._worked += perf_counter() - begun
        # Before the first frame nobody can have pressed a key, and every turn given away delays it.
        if self._worked > LONG and getattr(self.app, "has_drawn", True):
            self._worked = 0.0
            await asyncio.sleep(0)

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        if not self.app._dom_ready:
            super()._refresh_layout(size, scroll)
            return
        if self._resuming:
            self.call_later(self._refresh_layout, size, scroll)
            return
        with self.app.batch_update():  # it is drawn by a message that Textual posts for it
            super()._refresh_layout(size, scroll)

    def _compositor_refresh(self) -> None:
        if self.app._batch_count:
            # Textual would draw all of it and then show none.
            self.set_timer(SOON, self._compositor_refresh)
            return
        # Textual forgets them after drawing: those that have become dirty since the layout are drawn, too.
        self._compositor.update_widgets(self._dirty_widgets)
        if self._draw_ahead():
            super()._compositor_refresh()
        else:
            self.call_later(self._compositor_refresh)

    def _draw_ahead(self) -> bool:
        """Let widgets draw their lines, of which a frame is then put together, for as long as a turn may take.
        Whether the frame can be had now. What is drawn is kept by each widget's cache of lines."""
        compositor = self._compositor
        if not compositor._dirty_regions or self is not self.app.screen or not getattr(self.app, "has_drawn", True):
            return True
        dirty = Region.from_union(compositor._dirty_regions)
        begun, self._turns_ahead = perf_counter(), self._turns_ahead + 1
        for widget, (region, clip) in compositor.visible_widgets.items():
            shown = region.intersection(clip)
            if shown and dirty.overlaps(shown) and is_undrawn(widget):
                widget.render_lines(shown.translate(-region.offset))
                if perf_counter() - begun > AHEAD and self._turns_ahead < TURNS:
                    return False
        self._turns_ahead = 0
        return True

    def _on_timer_update(self) -> None:
        if self._repaint_required and self._layout_required:
            # Not right after the layout, but with what the layout brings.
            self._repaint_required = False
            self._dirty_widgets.add(self)
        super()._on_timer_update()

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        event.prevent_default()
        fresh = self._size != self.app.size
        self._resuming = True
        try:
            super()._on_screen_resume(event)
        finally:
            self._resuming = False
        if fresh:
            self._repaint_required = False  # all of it is drawn after the layout

    def _screen_resized(self, size: Size) -> None:
        if size != self._compositor.size:
            super()._screen_resized(size)
