"""Plain mode and reduced motion: the interface without frames, signs and movement, for screen readers and logs."""

from __future__ import annotations

from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.constants import TEXTUAL_ANIMATIONS
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.widgets import Input

from ecr_tui.config import Settings
from ecr_tui.ui.text.signs import PLAIN

PLAIN_CLASS, CALM_CLASS = "-plain", "-calm"
"""Of the app."""

CALM = 1.0
"""Seconds between two redraws of what goes on, at least, with reduced motion."""


class Wordless(LineFilter):
    """Takes frames and signs out of every line that is drawn. What is copied keeps them."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(text.translate(PLAIN), style, control) for text, style, control in segments]


def classes(settings: Settings) -> tuple[str, ...]:
    """Of the app, by what is set and by Textual's own variable for animations."""
    calm = settings.plain or settings.reduced_motion or TEXTUAL_ANIMATIONS == "none"
    return (*((PLAIN_CLASS,) if settings.plain else ()), *((CALM_CLASS,) if calm else ()))


def is_plain(app: App[None]) -> bool:
    return app.has_class(PLAIN_CLASS)


def pace(node: DOMNode, seconds: float) -> float:
    """``seconds`` between two looks of ``node`` at what goes on, and more with reduced motion."""
    return max(seconds, CALM) if node.app.has_class(CALM_CLASS) else seconds


def still(node: DOMNode) -> None:
    """A cursor that does not blink, with reduced motion."""
    if isinstance(node, Input) and node.app.has_class(CALM_CLASS):
        node.cursor_blink = False
