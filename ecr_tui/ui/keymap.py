"""Effective keys: the catalogue with configured bindings, and conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.config.values import close_match
from ecr_tui.errors import InputError
from ecr_tui.ui.key import NO_KEY, Key, normal, shown
from ecr_tui.ui.keys import CATALOGUE, OTHER, TABLE

if TYPE_CHECKING:
    from ecr_tui.config import Settings

FIXED = {"ctrl+q": "Quit", "ctrl+c": "copying marked text", "shift+tab": "the previous pane"}
"""Textual's keys besides those in the catalogue's ``OTHER``."""


class Keymap(NamedTuple):
    """``keys``: the whole effective catalogue; ``changes``: entries for Textual's keymap by id."""

    keys: tuple[Key, ...] = CATALOGUE
    changes: Mapping[str, str] | None = None
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Keymap:
        """Raises InputError with file and line for an unknown id or key."""
        wanted = {}
        for identity, spelled in settings.keys.items():
            where = settings.origin(f"keys.{identity}")
            _check_id(identity, where)
            wanted[identity] = tuple(dict.fromkeys(normal(one, where) for one in spelled))
        return cls._made(wanted) if wanted else cls()

    @classmethod
    def _made(cls, wanted: Bound) -> Keymap:
        bound = {key.id: wanted.get(key.id, tuple(key.keys.split(","))) for key in CATALOGUE}
        warnings: list[str] = []
        keys: list[Key] = []
        changes: dict[str, str] = {}
        for key in CATALOGUE:
            losses = {one: _loss(key, one, bound, wanted) for one in bound[key.id]}
            warnings += [loss for loss in losses.values() if loss]
            mine = ",".join(one for one, loss in losses.items() if not loss)
            if mine == key.keys:
                keys.append(key)
            else:
                changes[key.id] = mine or NO_KEY
                keys.append(key._replace(keys=mine))
        return cls(tuple(keys), changes, (*warnings, *_shadowed(keys, wanted)))

    def shown(self, identity: str) -> str:
        """The key in display form; "" if none."""
        return next(key.shown for key in self.keys if key.id == identity)


Bound = Mapping[str, tuple[str, ...]]


def _loss(key: Key, one: str, bound: Bound, wanted: Bound) -> str:
    """Why the action does not get a bound key; "" if it does.

    A configured action keeps it, of two the first in the catalogue; Textual's own keys always win.
    """
    if key in OTHER:
        return ""
    if key.id in wanted and one in FIXED:
        return f"{shown(one)} is {FIXED[one]} and cannot be {_named(key)}."
    for other in CATALOGUE:
        same_place = other in OTHER or (other in TABLE) == (key in TABLE)
        if other is key or not same_place or one not in bound[other.id]:
            continue
        if other in OTHER:
            return f"{shown(one)} is {_named(other)} and cannot be {_named(key)}."
        if other.id in wanted and key.id in wanted and CATALOGUE.index(other) < CATALOGUE.index(key):
            return f"{shown(one)} is given to {_named(other)} and to {_named(key)}: the former keeps it."
        if other.id in wanted and key.id not in wanted:
            alone = "" if len(bound[key.id]) > 1 else f"; {key.label} has no other key"
            return f"{shown(one)} is now {_named(other)} instead of {_named(key)}{alone}."
    return ""


def _shadowed(keys: Iterable[Key], wanted: Bound) -> list[str]:
    """The table has the focus at the start, and its keys precede the screen's."""
    tables = {key.id for key in TABLE}
    here = [(key, one) for key in keys if key.id in tables for one in key.keys.split(",") if one]
    found = []
    for key in keys:
        for mine, one in here:
            if key.id in tables or one not in key.keys.split(",") or not {key.id, mine.id} & set(wanted):
                continue
            found.append(f"{shown(one)} is {_named(mine)} in the table, and {_named(key)} elsewhere.")
    return found


def _named(key: Key) -> str:
    return f"{key.label} ({key.id})"


def _check_id(identity: str, where: str) -> None:
    ours = [key.id for key in CATALOGUE if key not in OTHER]
    if identity in ours:
        return
    if any(key.id == identity for key in OTHER):
        raise InputError(f"{where}: the key of {identity} cannot be changed", hint="Textual binds it itself.")
    hint = close_match(identity, ours) or "ecr-tui config keys lists the ids."
    raise InputError(f"{where}: unknown action {identity!r}", hint=hint)
