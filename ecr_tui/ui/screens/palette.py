"""Textual's command palette, opened in turns like every dialog here."""

from __future__ import annotations

from textual.command import CommandPalette

from ecr_tui.ui.screens.dimming import Dimming


class Palette(Dimming, CommandPalette):
    pass
