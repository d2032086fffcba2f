"""The repositories of account A: listing, cache for the next start, and background reads."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Event as CancelEvent

from ecr_tui.aws.images import images_summary
from ecr_tui.aws.inventory import get_repository, list_repositories, with_live_tags
from ecr_tui.aws.model import ImagesSummary, Repository, Role
from ecr_tui.aws.template_policies import PlacePolicies, place_policies
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.listing.cache import Cached, ListingCache, profile_key
from ecr_tui.listing.policy_reader import BackgroundReader, Readers
from ecr_tui.workspace.accounts import Accounts


class Listing:
    """Thread-safe. ``policies``: policies for display, at most a minute old; plans always use the live one."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lock = threading.Lock()
        self._listed: dict[str, tuple[Repository, ...]] = {}
        self.cache = ListingCache(accounts.settings.cache_folder)
        self._make_readers()

    def repositories(
        self,
        tags: Mapping[str, str] | None = None,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: CancelEvent | None = None,
        on_failure: Callable[[str, EcrTuiError], None] | None = None,
    ) -> list[Repository]:
        """As ``aws.inventory.list_repositories``, over :meth:`regions`. A listing without ``tags`` is cached for the
        next start (:meth:`cached_repositories`)."""
        failed: list[str] = []

        def fail(region: str, error: EcrTuiError) -> None:
            failed.append(region)
            if on_failure is not None:
                on_failure(region, error)

        session = self._accounts.session(Role.OWNER)
        found = list_repositories(
            session,
            self._accounts.regions(),
            tags=tags,
            on_page=on_page,
            on_failure=None if on_failure is None else fail,
            cancel=cancel,
        )
        # Do not cache a listing under a new account that was selected while it ran.
        if not tags and self._accounts.is_current(session):
            self.remember(found)
            self._keep(found, failed)
        return found

    def repository(self, name: str) -> Repository:
        """By name, with live tags. Raises InputError if no region, or more than one, has it."""
        found: list[Repository] = []
        missing: InputError | None = None
        regions = self._accounts.regions()
        for region in regions:
            try:
                found.append(get_repository(self._accounts.session(Role.OWNER), name, region))
            except InputError as error:
                missing = error
        if len(found) > 1:
            raise InputError(
                f"{name!r} exists in several regions: {', '.join(r.region for r in found)}",
                hint="Choose one with --region.",
            )
        if not found:
            if missing is not None and len(regions) == 1:
                raise missing
            raise InputError(f"no repository {name!r} in {', '.join(regions)}", side=Role.OWNER.value)
        return found[0]

    def fresh(self, repository: Repository) -> Repository:
        return with_live_tags(self._accounts.session(Role.OWNER), repository)

    def images(self, repository: Repository) -> ImagesSummary:
        return images_summary(self._accounts.session(Role.OWNER), repository)

    def policy_text(self, repository: Repository) -> str | None:
        return self.store().read(repository)

    def store(self, *, background: bool = False) -> PlacePolicies:
        return place_policies(self._accounts.session(Role.OWNER), background=background)

    def cached_repositories(
        self,
        tags: Mapping[str, str] | None = None,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Cached | None:
        """The cached listing of a previous run for this profile of account A, or None; makes no AWS calls.

        Stale until :meth:`repositories` returns. If ``account`` differs from that of :meth:`owner`, it must not be
        shown any longer. Arguments as there.
        """
        remembered = self.cache.recall(self._listing_key())
        if remembered is None:
            return None
        wanted = (tags or {}).items()

        def some(page: list[Repository]) -> list[Repository]:
            return [row for row in page if row.tags is not None and wanted <= row.tags.items()] if wanted else page

        def give(page: list[Repository]) -> None:
            matching = some(page)
            if on_page is not None and matching:
                on_page(matching)

        regions = self._accounts.settings.regions or remembered.regions
        found = self.cache.load(remembered.account, regions, on_page=give, cancel=cancel)
        return None if found is None else found._replace(repositories=tuple(some(list(found.repositories))))

    def _listing_key(self) -> str:
        role = self._accounts.assumed(Role.OWNER)
        # An assumed role is usually in another account than its profile.
        return profile_key(
            self._accounts.settings.profile_a
            if role is None
            else f"{self._accounts.settings.profile_a or ''} {role.arn}"
        )

    def _keep(self, repositories: Sequence[Repository], failed: Sequence[str]) -> None:
        """Cache a complete listing; failed regions keep their previous list."""
        regions = [region for region in self._accounts.regions() if region not in failed]
        if not regions:
            return
        try:
            account = repositories[0].account if repositories else self._accounts.owner().account
        except EcrTuiError:
            return
        rows: dict[str, list[Repository]] = {region: [] for region in regions}
        for row in repositories:
            if row.region in rows:
                rows[row.region].append(row)
        for region, found in rows.items():
            self.cache.store(account, region, found)
        self.cache.remember(self._listing_key(), account, self._accounts.regions())

    def remember(self, repositories: Iterable[Repository]) -> None:
        """Repositories of an unfiltered listing, the candidates for the isolation check."""
        regions: dict[str, list[Repository]] = {}
        for one in repositories:
            regions.setdefault(one.region, []).append(one)
        with self._lock:
            self._listed.update({region: tuple(found) for region, found in regions.items()})

    def readers(self) -> Readers:
        """Background readers, on clients that back off, so that user actions never wait for them. Closing is final."""
        return Readers(self.policies, self._images)

    def _make_readers(self) -> None:
        self.policies = BackgroundReader(lambda repository: self.store(background=True).read(repository))
        # Counting images takes up to ten calls and is optional: once, on few threads.
        self._images = BackgroundReader(lambda repository: self.images(repository), threads=4, ttl=math.inf)

    def forget(self, *, listed: bool) -> None:
        """Drop readers after a change of accounts; the old ones return no more results."""
        for reader in self.readers():
            reader.close()
        self._make_readers()
        if listed:
            with self._lock:
                self._listed.clear()

    def known(self, region: str) -> Sequence[Repository] | None:
        """The repositories of a region from the last unfiltered listing."""
        with self._lock:
            return self._listed.get(region)
