"""Keys of the catalogue, and their spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from ecr_tui.config.values import close_match
from ecr_tui.errors import InputError

FIND, CHOOSE, CHANGE, PROVE, MOVE, GENERAL = "Inspect", "Choose", "Change", "Verify", "Navigate", "General"

NO_KEY = "unbound"
"""Key for actions without one: Textual's keymap cannot remove a key. No terminal sends it."""

_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "del": "delete",
    "ins": "insert",
    "spacebar": "space",
    "↑": "up",
    "↓": "down",
    "←": "left",
    "→": "right",
    "↵": "enter",
}
_SHOWN = {"escape": "esc", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End"}
_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→"}
_FUNCTION_KEY = re.compile(r"f\d+")
_MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")


class Key(NamedTuple):
    """One action. ``keys`` as Textual spells them, comma-separated; "" for none.

    ``writes``: changes something in AWS (a verification pushes an image), so read-only mode disables it. ``palette``:
    shown in the palette and the footer; False for movement keys.
    """

    id: str
    keys: str
    action: str
    label: str
    group: str
    tooltip: str
    writes: bool = False
    palette: bool = True

    @property
    def shown(self) -> str:
        """The keys in display form, separated by blanks."""
        return " ".join(shown(one) for one in self.keys.split(",") if one)

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


def normal(text: str, where: str = "") -> str:
    """A key as users write it ("/", "G", "Ctrl+F", "esc") in Textual's form. Raises InputError."""
    *modifiers, base = [part.strip() for part in _parts(text.strip())]
    modifiers = [modifier.lower() for modifier in modifiers]
    unknown = next((modifier for modifier in modifiers if modifier not in _MODIFIERS), None)
    if unknown is not None:
        title = f"{where}: {text!r} is not a key: there is no {unknown}+"
        raise InputError(title, hint=close_match(unknown, _MODIFIERS))
    if len(base) == 1 and base.isprintable() and base not in (" ", *_ALIASES):
        if modifiers == ["shift"]:
            return _name_of(base.upper())  # what terminals send for it
        # Ctrl ignores case, and Textual uses lower case.
        return "+".join((*_ordered(modifiers), _name_of(base.lower() if "ctrl" in modifiers else base)))
    name = _ALIASES.get(base.lower(), base.lower())
    if base == " ":
        name = "space"
    if name not in _names():
        raise InputError(f"{where}: {text!r} is not a key", hint=close_match(name, (*_names(), *_ALIASES)))
    return "+".join((*_ordered(modifiers), name))


def shown(key: str) -> str:
    """Display form: "/", "esc", "ctrl+f", "F1"."""
    *modifiers, base = key.split("+")
    words = _ARROWS.get(base) or _SHOWN.get(base) or _characters().get(base) or base
    if _FUNCTION_KEY.fullmatch(base):
        words = base.upper()
    return "+".join((*modifiers, words))


def _parts(text: str) -> list[str]:
    if text in ("", "+"):
        return [text]
    return [*text[:-2].split("+"), "+"] if text.endswith("++") else text.split("+")


def _ordered(modifiers: Iterable[str]) -> list[str]:
    """In Textual's order."""
    return sorted(dict.fromkeys(modifiers))


def _name_of(character: str) -> str:
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


@cache
def _characters() -> dict[str, str]:
    """Names of punctuation on keyboards."""
    return {_name_of(chr(code)): chr(code) for code in range(33, 127) if not chr(code).isalnum()}


@cache
def _names() -> frozenset[str]:
    plain = {key.value for key in Keys if not key.value.startswith("<") and "+" not in key.value}
    return frozenset(plain | set(_characters()) - {NO_KEY})
