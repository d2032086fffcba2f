"""The line of keys at the bottom.

Textual's footer has a widget a key and makes all of them anew whenever the focus moves; here one widget draws the line,
and only when it would look different.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from ecr_tui.ui.keys import CATALOGUE

_PLACES = {key.id: place for place, key in enumerate(CATALOGUE)}

_DISABLED = Style(dim=True, bold=False)

BETWEEN = 1
"""Blank cells between two keys."""


class Shown(NamedTuple):
    """A key as the line shows it. ``key`` is Textual's name of it, ``text`` what the user reads."""

    key: str
    text: str
    label: str
    tooltip: str
    enabled: bool

    @property
    def width(self) -> int:
        return cell_len(self.text) + 1 + cell_len(self.label)


class KeyBar(Widget, can_focus=False):
    """What can be done here; a click presses the key. Those that find no room are left out, the palette's never is."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"keybar--key", "keybar--label", "keybar--hover"}
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        color: $footer-foreground;
        background: $footer-background;
        & > .keybar--key { color: $footer-key-foreground; text-style: bold; }
        & > .keybar--label { color: $footer-description-foreground; }
        & > .keybar--hover { background: $block-hover-background; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[Shown, ...] = ()
        self._palette: Shown | None = None
        self._places: list[tuple[int, int, Shown]] = []
        self._hover: Shown | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def _bindings_updated(self, screen: Screen[Any]) -> None:
        if screen is not self.screen or not self.is_attached or not self.app.app_focus:
            return
        keys: dict[str, tuple[int, Shown]] = {}
        palette: Shown | None = None
        for bound, (_, binding, enabled, tooltip) in screen.active_bindings.items():
            text = self.app.get_key_display(binding)
            shown = Shown(binding.key, text, binding.description, tooltip or binding.tooltip, enabled)
            if bound == self.app.COMMAND_PALETTE_BINDING:
                palette = shown
            elif binding.show:
                keys.setdefault(binding.action, (_PLACES.get(binding.id or "", -1), shown))
        # Keys of one's own come last in Textual's map, and would be the first to be cut off.
        found = tuple(shown for _, shown in sorted(keys.values(), key=lambda one: one[0]))
        if (found, palette) != (self._keys, self._palette):
            self._keys, self._palette = found, palette
            self.refresh()

    # -- drawing -------------------------------------------------------------------------------------------------

    def _place(self, width: int) -> list[tuple[int, int, Shown]]:
        """(from, to, key) of those that fit, in cells."""
        places: list[tuple[int, int, Shown]] = []
        end = width
        if self._palette is not None and self._palette.width <= width:
            end = width - self._palette.width
            places.append((end, width, self._palette))
        at = 0
        for shown in self._keys:
            if at + shown.width + BETWEEN > end:
                break
            places.append((at, at + shown.width, shown))
            at += shown.width + BETWEEN
        return sorted(places, key=lambda place: place[0])

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        self._places = self._place(width)
        segments: list[Segment] = []
        at = 0
        for start, end, shown in self._places:
            segments.append(Segment(" " * (start - at), base))
            hovered = shown is self._hover and shown.enabled
            hover = self.get_component_rich_style("keybar--hover", partial=True) if hovered else None
            for text, name in ((shown.text, "keybar--key"), (f" {shown.label}", "keybar--label")):
                style = base + self.get_component_rich_style(name, partial=True)
                style = style if shown.enabled else style + _DISABLED
                segments.append(Segment(text, style + hover if hover else style))
            at = end
        return Strip(segments).adjust_cell_length(width, base)

    # -- mouse ---------------------------------------------------------------------------------------------------

    def _key_at(self, x: int) -> Shown | None:
        return next((shown for start, end, shown in self._places if start <= x < end), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        shown = self._key_at(event.x)
        if shown is not self._hover:
            self._hover = shown
            self.tooltip = shown.tooltip or shown.label if shown is not None else None
            self.refresh()

    def on_leave(self) -> None:
        self._hover = None
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        shown = self._key_at(event.x)
        if shown is not None and shown.enabled:
            self.app.simulate_key(shown.key)
