"""Rules for confirmation and read-only, by profile and by action."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

CONFIRMS: dict[str, tuple[str, ...]] = {
    "grant": ("risky", "always"),
    "undo": ("earlier", "always"),
    "verify": ("never", "always"),
}
"""Values of each rule of ``[confirm]``; the first is the default. "earlier": only writes of other sessions.

There is no "never" for high-risk writes: revoke and several repositories always need confirmation.
"""

Trait = Literal["read_only", "production"]


class ProfileRule(NamedTuple):
    """Traits of the profiles whose name matches ``pattern`` (``*``, ``?`` and ``[...]`` as in a shell, case-sensitive).

    A trait of None is unset. ``origins``: where each was set.
    """

    pattern: str
    read_only: bool | None = None
    production: bool | None = None
    origins: tuple[tuple[Trait, str], ...] = ()

    def matches(self, profile: str) -> bool:
        return self.pattern == profile or fnmatchcase(profile, self.pattern)

    def origin(self, trait: Trait) -> str:
        return dict(self.origins).get(trait, "")


def trait_of(rules: Iterable[ProfileRule], profile: str, trait: Trait) -> str | None:
    """Where the trait was set for the profile; None if it is not set.

    An exact name overrides patterns; among patterns, one that sets it is enough.
    """
    speaking = [rule for rule in rules if getattr(rule, trait) is not None and rule.matches(profile)]
    named = [rule for rule in speaking if rule.pattern == profile]
    giving = [rule for rule in named or speaking if getattr(rule, trait)]
    return giving[0].origin(trait) if giving else None
