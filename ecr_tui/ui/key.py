"""What a key of the catalogue is."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    """One action. ``keys`` as Textual spells them, comma-separated; ``shown`` as the user reads them.

    ``writes``: changes something at AWS (a verification pushes an image), so read-only mode takes it away.
    ``palette``: an action by name, in the palette and the footer; what only moves is not.
    """

    id: str
    keys: str
    action: str
    label: str
    tooltip: str
    group: str
    shown: str = ""
    writes: bool = False
    palette: bool = True

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.palette,
            key_display=self.shown.partition(" ")[0] or None,
            tooltip=self.tooltip,
            id=self.id,
        )


FIND, CHOOSE, CHANGE, PROVE, MOVE, GENERAL = "Inspect", "Choose", "Change", "Verify", "Navigate", "General"
