"""The app's own theme; every theme of Textual works as well."""

from __future__ import annotations

from textual.color import BLACK, WHITE, Color, ColorParseError
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


def check_theme(name: str, origin: str) -> str:
    """The theme's name, the app's own for "". Raises InputError with the nearest name for one that does not exist."""
    known = (BRAND.name, *BUILTIN_THEMES)
    if name and name not in known:
        hint = close_match(name, known) or f"There are {', '.join(known)}."
        raise InputError(f"{origin}: there is no theme {name!r}", hint=hint)
    return name or BRAND.name


READABLE = 4.5
"""The least contrast of text, by WCAG 2.1."""


def contrast(one: Color, other: Color) -> float:
    """WCAG 2.1: from 1 to 21."""

    def luminance(color: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(variables: dict[str, str]) -> dict[str, str]:
    """A theme's variables, with the text under the cursor black or white where the theme's own can hardly be read."""
    back = _plain(variables.get("block-cursor-background", ""))
    front = _plain(variables.get("block-cursor-foreground", ""))
    if back is None or (front is not None and contrast(front, back) >= READABLE):
        return variables
    better = max((BLACK, WHITE), key=lambda color: contrast(color, back))
    return {**variables, "block-cursor-foreground": better.hex}


def _plain(text: str) -> Color | None:
    """None for the terminal's own colours, and for what depends on what is below it."""
    try:
        color = Color.parse(text)
    except ColorParseError:
        return None
    return color if color.a == 1 and color.ansi is None else None
