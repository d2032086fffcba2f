"""Result types of a usage report over the requested regions and repositories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ecr_tui.access.usage import Attempt, Refused, Span, Use
from ecr_tui.access.usage_grants import Answer, GrantUse, Period
from ecr_tui.access.usage_reading import Reading
from ecr_tui.aws.model import Repository


class RegionUsage(NamedTuple):
    """``uses`` and ``denials``: of the requested repositories, latest first. ``outside``: whether the region has any
    event of another account, for any repository. ``note``: about a damaged record."""

    region: str
    period: Period
    reading: Reading
    uses: tuple[tuple[Use, Span], ...] = ()
    denials: tuple[tuple[Attempt, Refused], ...] = ()
    outside: bool = False
    unreadable: int = 0
    note: str = ""


@dataclass(frozen=True)
class UsageReport:
    """``failures``: region -> why its trail could not be read. ``unreadable``: repository -> why its policy was not."""

    account: str
    at: datetime
    days: int
    unused_days: int
    repositories: tuple[Repository, ...]
    regions: tuple[RegionUsage, ...]
    grants: tuple[GrantUse, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def granted(self, answer: Answer) -> tuple[GrantUse, ...]:
        return tuple(one for one in self.grants if one.answer is answer)
