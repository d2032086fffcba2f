"""The footer with keys.

Textual's footer has a widget per key and rebuilds all of them when the focus moves; here one widget draws the line,
only if it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from ecr_tui.ui.keys import CATALOGUE, PANES

_CATALOGUE = tuple(key.id for key in CATALOGUE)

_DISABLED = Style(dim=True, bold=False)

BETWEEN = 1
"""Blank cells between two keys."""

ROOMY = 80
"""Minimum columns to show the palette's key before the last ones."""

FIELD = {"enter": "Accept", "tab": "Complete", "down": "Next", "up": "Previous", "escape": "Leave", "ctrl+u": "Clear"}
"""Labels of keys in a text field without a description of their own; other keys are typed."""

LAST = ("general.help", "general.quit")
LAST_IN_FIELD = {"f1": "Help", "ctrl+q": "Quit"}


class Shown(NamedTuple):
    """A displayed key. ``key`` is Textual's name, ``text`` the display form."""

    key: str
    text: str
    label: str
    tooltip: str
    enabled: bool

    @property
    def width(self) -> int:
        return cell_len(self.text) + 1 + cell_len(self.label)


class KeyBar(Widget, can_focus=False):
    """The keys of the focused widget; a click presses one. Keys that do not fit are hidden, except help and quit."""

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
        self._last: tuple[Shown, ...] = ()
        self._places: list[tuple[int, int, Shown]] = []
        self._hover: Shown | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def _bindings_updated(self, screen: Screen[Any]) -> None:
        if screen is not self.screen or not self.is_attached or not self.app.app_focus:
            return
        focused = screen.focused
        keys, last = self._of_field() if isinstance(focused, Input) else self._of_pane(_pane_of(focused))
        if (keys, last) != (self._keys, self._last):
            self._keys, self._last = keys, last
            self.refresh()

    def _shown(self, active: ActiveBinding, label: str = "") -> Shown:
        _, binding, enabled, tooltip = active
        text = (
            "F1" if binding.key == "f1" else self.app.get_key_display(binding)
        )  # of ? and F1, the one that does not type a character
        return Shown(binding.key, text, label or binding.description, tooltip or binding.tooltip, enabled)

    def _of_field(self) -> tuple[tuple[Shown, ...], tuple[Shown, ...]]:
        """No keys that type a character."""
        active = self.screen.active_bindings

        def some(labels: Mapping[str, str]) -> tuple[Shown, ...]:
            found = [(active[key], label) for key, label in labels.items() if key in active]
            return tuple(
                self._shown(one, one.binding.description if one.binding.show else label) for one, label in found
            )

        return some(FIELD), some(LAST_IN_FIELD)

    def _of_pane(self, pane: str) -> tuple[tuple[Shown, ...], tuple[Shown, ...]]:
        """Keys of the widget first, then the pane's, then others."""
        wanted = PANES.get(pane, ())
        order = {name: place for place, name in enumerate(dict.fromkeys((*wanted, *_CATALOGUE)))}
        keys: dict[str, tuple[int, Shown]] = {}
        last: dict[str, Shown] = {}
        palette: tuple[Shown, ...] = ()
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            if key == self.app.COMMAND_PALETTE_BINDING:
                palette = (self._shown(active, "Commands"),)
            elif binding.id in LAST:
                last.setdefault(binding.id, self._shown(active))
            elif binding.show and self.app.get_key_display(binding):
                keys.setdefault(binding.action, (order.get(binding.id or "", -1), self._shown(active)))
        found = tuple(shown for _, shown in sorted(keys.values(), key=lambda one: one[0]))
        return found, (*palette, *(last[one] for one in LAST if one in last))

    # -- drawing -------------------------------------------------------------------------------------------------

    def _place(self, width: int) -> list[tuple[int, int, Shown]]:
        """(from, to, key) of those that fit, in cells. The last ones always fit; a narrow line drops the first."""
        places: list[tuple[int, int, Shown]] = []
        end = width
        for shown in reversed(self._last if width >= ROOMY else self._last[-len(LAST) :]):
            places.append((max(end - shown.width, 0), end, shown))
            end -= shown.width + BETWEEN
        at = 0
        for shown in self._keys:
            if at + shown.width > end:
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


def _pane_of(focused: Widget | None) -> str:
    """The pane that contains it, by the ids of its ancestors."""
    around = focused.ancestors_with_self if focused is not None else ()
    return next((node.id for node in around if node.id in PANES), "repositories")
