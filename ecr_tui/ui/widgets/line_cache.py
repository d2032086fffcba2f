"""Lines of widgets that have neither border nor padding.

Textual's own cache works out border, padding, tint, hatching and outline for each line, and sends each of its pieces
through the app's filters, with every frame. Here a line comes as it will be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.widget import Widget


class LineCache(StylesCache):
    """To be a widget's ``_styles_cache``: keeps lines until they are said to be dirty. The widget's ``render_line``
    gives them in full width, their styles made by :func:`filtered`."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        width = widget.size.width
        if width != self._width:
            self.clear()
            self._width = width
        kept, dirty, render = self._cache, self._dirty_lines, widget.render_line
        strips = []
        for y in crop.line_range:
            strip = None if y in dirty else kept.get(y)
            if strip is None:
                strip = kept[y] = render(y)
            strips.append(strip)
        dirty.difference_update(crop.line_range)
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips


class Fleeting(StylesCache):
    """Keeps nothing: the lines of such a widget are quickly drawn."""


class Ground(Fleeting):
    """The same for a widget that is nothing but background: all of its lines are one."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        style = filtered(widget, Style(bgcolor=widget.background_colors[1].rich_color))
        return [Strip.blank(crop.width, style)] * crop.height


class Bar(Fleeting):
    """The same for a vertical scrollbar: its lines are of four kinds."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        width, height = widget.size
        bar: Any = widget.render()
        drawn = bar.render_bar(
            size=height,
            virtual_size=bar.virtual_size,
            window_size=bar.window_size,
            position=bar.position,
            thickness=width,
            back_color=bar.style.bgcolor,
            bar_color=bar.style.color,
        ).segments
        kinds = {id(segment): segment for segment in drawn}
        strips = {
            kind: Strip([Segment(segment.text, filtered(widget, segment.style))], width)
            for kind, segment in kinds.items()
        }
        return [strips[id(segment)] for segment in drawn[crop.y : crop.bottom]]


def is_undrawn(widget: Widget) -> bool:
    """Whether any of its lines would have to be drawn for a frame."""
    lines = widget._styles_cache
    if widget.BLANK or isinstance(lines, Fleeting):
        return False
    return bool(lines._dirty_lines) or not lines._cache or lines._width != widget.size.width


W = TypeVar("W", bound="Widget")


def grounded(widget: W) -> W:
    """A container that draws nothing itself."""
    widget._styles_cache = Ground()
    return widget


def filtered(widget: Widget, style: Style) -> Style:
    """As it will be shown: without colours where there are to be none, in the terminal's own where a theme says so."""
    segments = [Segment("x", style)]
    for line_filter in widget.get_line_filters():
        segments = line_filter.apply(segments, widget.background_colors[1])
    return segments[0].style or Style()
