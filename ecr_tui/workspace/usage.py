"""Usage of repositories by CloudTrail, compared with current grants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as CancelEvent

from ecr_tui.access import usage_file
from ecr_tui.access.audit import examine
from ecr_tui.access.audit_reading import OnProgress, read_policies
from ecr_tui.access.usage import Tally
from ecr_tui.access.usage_grants import GrantUse, Period, grant_uses, unexplained
from ecr_tui.access.usage_reading import PAGES, OnPage, Reading, Record, read
from ecr_tui.access.usage_report import RegionUsage, UsageReport
from ecr_tui.aws.model import ImagesSummary, RegistryFacts, Repository, Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.trail import HISTORY_DAYS, TrailPage, look_up
from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.workspace.accounts import Accounts
from ecr_tui.workspace.listing import Listing

IMAGES = 500
"""Maximum repositories whose last recorded pull is read, to compare it with the events."""


class Usage:
    """Thread-safe, except two parallel readings of one region: the last one to end is kept."""

    def __init__(self, accounts: Accounts, listing: Listing, registry_facts: Callable[[str], RegistryFacts]) -> None:
        self._accounts = accounts
        self._listing = listing
        self._registry_facts = registry_facts

    def known(self, repository: Repository) -> Record:
        """The stored report, from the state folder only. Raises EnvironmentFailure."""
        return usage_file.load(self._folder, repository.account, repository.region)[0]

    def report(
        self,
        repositories: Sequence[Repository],
        *,
        days: int = HISTORY_DAYS,
        unused_days: int | None = None,
        pages: int = PAGES,
        on_page: OnPage | None = None,
        on_policies: OnProgress | None = None,
        cancel: CancelEvent | None = None,
    ) -> UsageReport:
        """Read new events in the trails of the repositories' regions, up to ``days`` back and with at most ``pages``
        calls per region, then the repositories' policies.

        A grant counts as unused without an event in ``unused_days`` (None: ``days``). The callbacks run on the calling
        thread. Raises Cancelled once ``cancel`` is set; events read so far are kept for the next call. Raises the first
        region's error if all fail.
        """
        now = datetime.now(UTC)
        wanted = now - timedelta(days=days if unused_days is None else unused_days)
        account = self._accounts.owner().account
        regions = tuple(dict.fromkeys(one.region for one in repositories)) or self._accounts.regions()
        found: dict[str, tuple[Record, Reading, str]] = {}
        failures: dict[str, EcrTuiError] = {}
        for region in regions:
            try:
                found[region] = self._read(account, region, now - timedelta(days=days), now, pages, on_page, cancel)
            except Cancelled:
                raise
            except EcrTuiError as error:
                failures[region] = error
        if failures and not found:
            raise next(iter(failures.values()))
        names = {region: {one.name for one in repositories if one.region == region} for region in regions}
        of_regions = {
            region: _region(record, reading, note, wanted, names[region])
            for region, (record, reading, note) in found.items()
        }
        readable = [one for one in repositories if one.region in of_regions]
        tallies = {region: record.tally for region, (record, _, _) in found.items()}
        grants, unreadable, notes = self._grants(account, readable, tallies, of_regions, on_policies, cancel)
        return UsageReport(
            account,
            now,
            days,
            days if unused_days is None else unused_days,
            tuple(repositories),
            tuple(of_regions.values()),
            grants,
            unreadable,
            {region: error.one_line for region, error in failures.items()},
            notes,
        )

    @property
    def _folder(self) -> Path:
        return self._accounts.settings.state_folder

    def _read(
        self,
        account: str,
        region: str,
        start: datetime,
        now: datetime,
        pages: int,
        on_page: OnPage | None,
        cancel: CancelEvent | None,
    ) -> tuple[Record, Reading, str]:
        session, folder = self._accounts.session(Role.OWNER), self._folder
        record, note = usage_file.load(folder, account, region)

        def page(begin: datetime, end: datetime, token: str) -> TrailPage:
            return look_up(session, region, account, begin, end, token)

        def keep() -> None:
            if record.at is not None:
                usage_file.save(folder, record)

        reading = read(record, page, start=start, now=now, pages=pages, cancel=cancel, on_page=on_page, save=keep)
        if reading.stopped == "cancelled":
            raise Cancelled
        return record, reading, note

    def _grants(
        self,
        account: str,
        repositories: Sequence[Repository],
        tallies: dict[str, Tally],
        regions: dict[str, RegionUsage],
        on_policies: OnProgress | None,
        cancel: CancelEvent | None,
    ) -> tuple[tuple[GrantUse, ...], dict[str, str], tuple[str, ...]]:
        """(each grant's use, repositories with unreadable policies, notes)"""
        store = RepositoryPolicies(self._accounts.session(Role.OWNER), background=True)
        entries = read_policies(store.read, repositories, on_progress=on_policies, cancel=cancel)
        audited = examine(
            entries,
            account=account,
            partition=self._accounts.owner().partition,
            regions=tuple(regions),
            registries=[self._registry_facts(region) for region in regions],
            cancel=cancel,
        ).repositories

        def matched(pulls: dict[str, datetime | None]) -> list[GrantUse]:
            return [
                use
                for item in audited
                for use in grant_uses(
                    item.repository,
                    item.rows,
                    tallies[item.repository.region],
                    regions[item.repository.region].period,
                    pulls.get(item.repository.arn),
                )
            ]

        doubtful = list(unexplained(matched({})).values())
        answers = self._listing.readers().images.read_all(doubtful[:IMAGES], cancel=cancel)
        images = {one.repository.arn: one.value for one in answers if isinstance(one.value, ImagesSummary)}
        pulls = {arn: summary.last_pull for arn, summary in images.items()}
        left_out = len(doubtful) - sum(summary.complete for summary in images.values())
        notes = (f"the last recorded pull is unknown for {left_out:,} repositories",) if left_out else ()
        unreadable = {item.repository.arn: item.unreadable for item in audited if item.unreadable}
        return tuple(matched(pulls)), unreadable, notes


def _region(record: Record, reading: Reading, note: str, wanted: datetime, names: set[str]) -> RegionUsage:
    tally = record.tally
    end = record.latest[1] if record.latest is not None else wanted
    uses = sorted(tally.uses.items(), key=lambda one: one[1].last, reverse=True)
    denials = sorted(tally.denials.items(), key=lambda one: one[1].span.last, reverse=True)
    return RegionUsage(
        record.region,
        Period(wanted, record.complete_from, end),
        reading,
        tuple(one for one in uses if one[0].repository in names),
        tuple(one for one in denials if one[0].repository in names),
        any(one.caller.account not in ("", record.account) for keys in (tally.uses, tally.denials) for one in keys),
        record.unreadable,
        note,
    )
