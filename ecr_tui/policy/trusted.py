"""Trusted partners of account A: ``[trusted]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.principal import account_of, check_account


@dataclass(frozen=True)
class Trusted:
    """``accounts``: ids. ``organizations`` and ``ous``: as in ``--to``, without "org/" and "ou/"; a unit with a final
    /* includes the units below. ``services``: names such as lambda.amazonaws.com."""

    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    ous: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    def check(self, kind: str) -> None:
        """Raises InputError for an invalid value of ``kind`` ("accounts", ...)."""
        for one in getattr(self, kind):
            if kind == "accounts":
                check_account(one)
            elif kind == "services" and not grantees.is_service(one):
                raise InputError(f"not a service: {one!r}", hint=f"Write it as {grantees.LAMBDA}.")
            elif kind == "organizations":
                grantees.parse(grantees.ORGANIZATION + one)
            elif kind == "ous":
                grantees.parse(grantees.UNIT + one)

    def knows(self, grantee: str) -> bool:
        """``principal``: as in a policy, or a grantee (``grantees``)."""
        kind, _, rest = grantee.partition("/")
        if kind == "org":
            return rest in self.organizations
        if kind == "ou":
            return self.knows_path(rest)
        if kind == "service":
            name, _, _ = rest.partition("@")
            account = str(grantees.caller(grantee)[1].get("aws:SourceAccount", ""))
            return name in self.services or account in self.accounts
        return grantee in self.services or account_of(grantee) in self.accounts

    def knows_path(self, path: str) -> bool:
        """``path``: a unit as in grantees or aws:PrincipalOrgPaths; a final * means the units below."""
        if path.partition("/")[0] in self.organizations:
            return True
        below, unit = path.endswith("*"), path.rstrip("*").rstrip("/")
        return any(unit.startswith(f"{one}/") or unit == one for one in self._with_units_below) or (
            not below and unit in self.ous
        )

    @cached_property
    def _with_units_below(self) -> tuple[str, ...]:
        return tuple(one.removesuffix("/*") for one in self.ous if one.endswith("/*"))
