"""Facts of a repository policy for ``principal:`` and ``finding:``."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ecr_tui.listing.filters.terms import Searchable
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.lint import lint
from ecr_tui.policy.trusted import Trusted


class Owned(Searchable, Protocol):
    """A repository with its account."""

    @property
    def account(self) -> str: ...
    @property
    def partition(self) -> str: ...


def principals(document: PolicyDocument | None) -> frozenset[str]:
    """Principals with an Allow, casefolded; "*" for an Allow with NotPrincipal."""
    allowing = [one for one in document.statements if one.effect == "Allow"] if document is not None else []
    named = {value.casefold() for one in allowing for _, value in one.principals}
    return frozenset(named | {"*" for one in allowing if one.not_principals})


def findings(
    document: PolicyDocument | None, repository: Owned, now: datetime, trusted: Trusted | None = None
) -> tuple[tuple[str, str], ...]:
    """(rule id, severity) of each that ``policy.lint`` finds, errors first."""
    found = lint(
        document,
        tags=repository.tags,
        account=repository.account,
        partition=repository.partition,
        now=now,
        trusted=trusted,
    )
    return tuple((one.id, one.severity) for one in found)
