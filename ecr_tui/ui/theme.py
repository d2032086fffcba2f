"""The app's own theme; every theme of Textual works as well."""

from __future__ import annotations

from textual.theme import Theme

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
