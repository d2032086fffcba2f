"""What is written without a question, what with one, and what not at all: rules by profile and by action."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

CONFIRMS: dict[str, tuple[str, ...]] = {
    "grant": ("risky", "always"),
    "undo": ("earlier", "always"),
    "verify": ("never", "always"),
}
"""What each rule of ``[confirm]`` may be; the first is the default. "earlier": only what another session wrote.

There is no "never" for what a policy's owner must not be surprised by: revoke and several repositories always ask.
"""

Trait = Literal["read_only", "production"]


class ProfileRule(NamedTuple):
    """Traits of the profiles whose name matches ``pattern`` (``*``, ``?`` and ``[...]`` as in a shell, case counts).

    None says nothing about a trait. ``origins`` tells where each was set.
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
    """Where the trait was given to the profile; None where it has not got it.

    The profile's own name decides over patterns, for or against; of patterns one that gives it is enough.
    """
    speaking = [rule for rule in rules if getattr(rule, trait) is not None and rule.matches(profile)]
    named = [rule for rule in speaking if rule.pattern == profile]
    giving = [rule for rule in named or speaking if getattr(rule, trait)]
    return giving[0].origin(trait) if giving else None
