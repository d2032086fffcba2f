"""Consumers: named grantees from ``[[consumers]]`` of the configuration file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ecr_tui.config.values import close_match
from ecr_tui.errors import InputError
from ecr_tui.policy.principal import ANY_ACCOUNT, account_of, check_account, needs_account, parse_grantee

_NAME = re.compile(r"[\w.@+-](?:[\w .@+-]{0,62}[\w.@+-])?")


class Consumer(NamedTuple):
    """An account or team that pulls or pushes.

    ``profile`` None: it can get grants, but cannot be verified. ``account`` None: that of the profile's caller.
    ``principals``: of a grant to it, in the forms of ``--to``; () means the profile's caller, or without a profile its
    whole account.
    """

    name: str
    profile: str | None = None
    account: str | None = None
    principals: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """A description on one line: "profile dev · 222222222222 · role/ci and 2 more"."""
        first, *others = self.principals or ("",)
        more = f" and {len(others)} more" if others else ""
        profile = f"profile {self.profile}" if self.profile else "no profile"
        return " · ".join(part for part in (profile, self.account, f"{first}{more}") if part)

    def problems(self) -> Iterator[tuple[str, InputError]]:
        """Its invalid settings, each with the error."""
        if not _NAME.fullmatch(self.name):
            hint = "Use letters, digits, spaces and . @ + - _, 64 at most."
            yield "name", InputError(f"not a name: {self.name!r}", hint=hint)
        if self.profile == "":
            yield "profile", InputError("profile is empty", hint="Remove the setting, or set a profile.")
        checks = [] if self.account is None else [("account", check_account, self.account)]
        for setting, check, text in (*checks, *(("principals", self._check, text) for text in self.principals)):
            try:
                check(text)
            except InputError as error:
                yield setting, error
        if not (self.profile or self.account or self.principals):
            yield (
                "name",
                InputError(f"consumer {self.name!r} has no profile, account or principals", hint="Add one of them."),
            )

    def _check(self, text: str) -> None:
        if needs_account(text) and not (self.account or self.profile):
            raise InputError(f"the account of {text} is unknown", hint="Use the full ARN, or add account or profile.")
        other = account_of(parse_grantee(text, account_b=self.account or ANY_ACCOUNT))
        if self.account and text.startswith("arn:") and other not in (None, self.account):
            raise InputError(
                f"{text} is in account {other}, not in {self.account}",
                hint="Correct one of them, or remove account: it is optional.",
            )

    def grantees(self, account: str | None, partition: str) -> tuple[str, ...]:
        """The principals of a grant to it. ``account``: of its profile's caller, if known.

        () if that is its profile's caller, or its account is unknown yet.
        """
        account = self.account or account
        if self.principals and (account or not any(map(needs_account, self.principals))):
            named = (parse_grantee(text, account_b=account, partition=partition) for text in self.principals)
            return tuple(dict.fromkeys(named))
        if self.profile is None and not self.principals and account:
            return (f"arn:{partition}:iam::{account}:root",)
        return ()


def consumer_named(consumers: Iterable[Consumer], name: str, origin: str) -> Consumer:
    """Find a consumer by name. Raises InputError, prefixed by ``origin``, if unknown."""
    known = {one.name: one for one in consumers}
    if name in known:
        return known[name]
    if not known:
        hint = "Add [[consumers]] to the configuration file (ecr-tui config path), or use --profile-b."
        raise InputError(f"{origin}: unknown consumer {name!r}; no consumers are configured", hint=hint)
    hint = close_match(name, known) or f"Use one of {', '.join(known)}."
    raise InputError(f"{origin}: unknown consumer {name!r}", hint=hint)


def consumer_of(consumers: Iterable[Consumer], profile: str | None, name: str) -> Consumer | None:
    """The consumer for a profile of account B: the one with that name, else the first with that profile.

    A profile without a consumer becomes a new one.
    """
    fitting = [one for one in consumers if one.profile == profile]
    named = next((one for one in fitting if one.name == name), None)
    if named is not None or profile is None:
        return named
    return fitting[0] if fitting else Consumer(profile, profile)
