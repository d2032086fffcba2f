"""The app's default theme; all Textual themes work as well."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import BLACK, WHITE, Color, ColorParseError
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES, Theme

from ecr_tui.config.values import close_match
from ecr_tui.errors import InputError

BRAND = Theme(
    name="harbour",
    primary="#6cb6ff",
    secondary="#8aa0bd",
    accent="#f0b35e",
    warning="#e3b341",
    error="#ff7b72",
    success="#6fcf97",
    foreground="#d6dee8",
    background="#0e131a",
    surface="#131a23",
    panel="#1b2430",
    boost="#233041",
    dark=True,
    variables={
        "block-cursor-background": "#25425f",
        "block-cursor-foreground": "#f2f7fc",
        "block-cursor-blurred-background": "#1d2b3a",
        "block-cursor-blurred-foreground": "#d6dee8",
        "block-cursor-text-style": "bold",
        "border": "#6cb6ff",
        "border-blurred": "#2b3a4c",
        "footer-background": "#131a23",
        "footer-key-foreground": "#f0b35e",
        "footer-description-foreground": "#9fb0c3",
        "input-selection-background": "#2f5a86",
        "input-cursor-background": "#d6dee8",
        "scrollbar": "#2b3a4c",
        "scrollbar-hover": "#3b5068",
        "scrollbar-active": "#6cb6ff",
        "scrollbar-background": "#131a23",
        "scrollbar-background-hover": "#131a23",
        "scrollbar-background-active": "#131a23",
        "scrollbar-corner-color": "#131a23",
    },
)


def theme_names() -> tuple[str, ...]:
    return (BRAND.name, *BUILTIN_THEMES)


def check_theme(name: str, origin: str) -> str:
    """The theme's name, the default for "". Raises InputError with the closest name if unknown."""
    known = theme_names()
    if name and name not in known:
        hint = close_match(name, known) or f"Choose one of {', '.join(known)}."
        raise InputError(f"{origin}: unknown theme {name!r}", hint=hint)
    return name or BRAND.name


TEXT, SHAPE = 4.5, 3.0
"""Minimum contrast of text, and of other elements (WCAG 2.1, 1.4.3 and 1.4.11)."""

_PAIRS = (
    ("block-cursor-foreground", "block-cursor-background", TEXT),
    ("block-cursor-blurred-foreground", "block-cursor-blurred-background", TEXT),
    ("foreground", "background", TEXT),
    ("text-accent", "background", TEXT),
    ("text-primary", "background", TEXT),
    ("text-success", "background", TEXT),
    ("text-warning", "background", TEXT),
    ("text-error", "background", TEXT),
    ("footer-foreground", "background", TEXT),
    ("footer-key-foreground", "background", TEXT),
    ("footer-description-foreground", "background", TEXT),
    ("muted", "background", TEXT),
    ("muted", "surface", TEXT),
    ("border", "background", SHAPE),
    ("border-blurred", "background", SHAPE),
    ("primary", "surface", SHAPE),
    ("warning", "surface", SHAPE),
    ("error", "surface", SHAPE),
    ("scrollbar", "scrollbar-background", SHAPE),
)
"""(variable, background variable, minimum contrast). :class:`Readable` corrects what these leave of text."""

_STEPS = 20
_MUTED = 0.6
"""How much of the text's colour is in ``muted``, the one for what is secondary, where that can be read."""


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio of WCAG 2.1, from 1 to 21."""

    def luminance(color: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(variables: dict[str, str]) -> dict[str, str]:
    """A theme's variables; those with too little contrast are shifted towards black or white.

    The terminal's own colors cannot be measured. In such a theme, frames of unfocused panes use the text color, because
    black or white may be the background.
    """
    made = dict(variables)
    text, back = made.get("foreground", "ansi_default"), _plain(made.get("background", ""))
    if back is None:
        return {**made, "border-blurred": text, "muted": text}
    made["muted"] = back.blend(_plain(text) or back.inverse, _MUTED).hex
    for name, against, least in _PAIRS:
        front, back = _plain(made.get(name, "")), _plain(made.get(against, ""))
        if front is not None and back is not None:
            made[name] = _apart(front, back, least).hex if contrast(front, back) < least else made[name]
        elif back is not None and name.startswith("block-cursor"):
            made[name] = max((BLACK, WHITE), key=lambda color: contrast(color, back)).hex
    return made


class Readable(LineFilter):
    """Text that could hardly be read on what is behind it is moved towards black or white, however it came by its
    colours: a theme's, shares and mixtures of them, a widget's of Textual. Not for what a dialog dims."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [_seen(segment) for segment in segments]


def _seen(segment: Segment) -> Segment:
    text, style, control = segment
    if style is None or (better := _readable(style)) is style or not any(map(str.isalnum, text)):
        return segment
    return Segment(text, better, control)


@lru_cache(4096)
def _readable(style: Style) -> Style:
    """The same one where nothing is to be done, or nothing can be measured: the terminal's own colours."""
    colors = (style.bgcolor, style.color) if style.reverse else (style.color, style.bgcolor)
    if any(color is None or color.triplet is None for color in colors):
        return style
    front, back = (Color.from_rich_color(color) for color in colors)
    if contrast(front, back) >= TEXT:
        return style
    better = _apart(front, back, TEXT).rich_color
    return style + (Style(bgcolor=better) if style.reverse else Style(color=better))


def _apart(front: Color, back: Color, least: float) -> Color:
    end = max((BLACK, WHITE), key=lambda color: contrast(color, back))
    steps = (front.blend(end, step / _STEPS) for step in range(1, _STEPS + 1))
    return next((color for color in steps if contrast(color, back) >= least), end)


def _plain(text: str) -> Color | None:
    """None for the terminal's own colors, and for transparent ones."""
    try:
        color = Color.parse(text)
    except ColorParseError:
        return None
    return color if color.a == 1 and color.ansi is None else None
