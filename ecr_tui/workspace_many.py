"""The part of a workspace for very many repositories: policies to look at, the last known list, and bulk changes."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Identity, RegistryFacts, Repository, Role, RoleToAssume
from ecr_tui.cache import Cached, ListingCache, profile_key
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError
from ecr_tui.journal import Journal
from ecr_tui.policy_reader import BackgroundReader, PolicyReader, Readers

if TYPE_CHECKING:
    from ecr_tui.aws.model import ImagesSummary
    from ecr_tui.aws.policies import RepositoryPolicies
    from ecr_tui.aws.sessions import AwsSession
    from ecr_tui.bulk import Bulk
    from ecr_tui.grants import Outcome


class Many:
    """To be inherited by the workspace, which owns the sessions. Thread-safe."""

    settings: Settings
    journal: Journal
    policies: PolicyReader
    """Policies to look at, at most a minute old; a plan is always made on the live one."""

    _granted_at: dict[str, float]

    if TYPE_CHECKING:

        def _to_write(self) -> tuple[AwsSession, str]: ...
        def registry_facts(self, region: str) -> RegistryFacts: ...
        def owner(self) -> Identity: ...
        def regions(self) -> tuple[str, ...]: ...
        def assumed(self, role: Role) -> RoleToAssume | None: ...
        def images(self, repository: Repository) -> ImagesSummary: ...
        def _store(self, *, background: bool = False) -> RepositoryPolicies: ...

    def _prepare_many(self) -> None:
        self.cache = ListingCache(self.settings.cache_folder)
        self._make_readers()

    def _make_readers(self) -> None:
        self.policies = BackgroundReader(lambda repository: self._store(background=True).read(repository))
        # Counting images takes up to ten calls, and what it tells is a nicety: once, on few threads.
        self._images = BackgroundReader(lambda repository: self.images(repository), threads=4, ttl=math.inf)

    def readers(self) -> Readers:
        """What is read in the background, on clients that back off by themselves: the user's own action never waits
        for them. Closing them is for good."""
        return Readers(self.policies, self._images)

    def _forget_read(self) -> None:
        """The accounts are others now: whoever looks at the former ones gets no further answer."""
        for reader in self.readers():
            reader.close()
        self._make_readers()

    # -- bulk changes --------------------------------------------------------------------------------------------

    def bulk(self, parallel: int | None = None) -> Bulk:
        """For changes to several repositories of account A; asks who that is."""
        from ecr_tui.bulk import PARALLEL, Bulk

        session, read_only = self._to_write()
        owner = _Owner(self, session, session.identity())
        return Bulk(owner, self.journal, read_only=read_only, parallel=parallel or PARALLEL)

    # -- the last known list -------------------------------------------------------------------------------------

    def cached_repositories(
        self,
        tags: Mapping[str, str] | None = None,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Cached | None:
        """What a former run listed for this profile of account A; asks nothing of AWS. None where nothing is kept.

        Stale until :meth:`repositories` has answered, and of another account where ``account`` is not that of
        :meth:`owner`: then it must not be shown any longer. Arguments as there.
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

        regions = self.settings.regions or remembered.regions
        found = self.cache.load(remembered.account, regions, on_page=give, cancel=cancel)
        return None if found is None else replace(found, repositories=tuple(some(list(found.repositories))))

    def _listing_key(self) -> str:
        role = self.assumed(Role.OWNER)
        # A role that is assumed with a profile's credentials is mostly of another account than the profile.
        return profile_key(self.settings.profile_a if role is None else f"{self.settings.profile_a or ''} {role.arn}")

    def _keep(self, repositories: Sequence[Repository], failed: Sequence[str]) -> None:
        """A complete listing, but for the regions that failed: of those the former list stays."""
        regions = [region for region in self.regions() if region not in failed]
        if not regions:
            return
        try:
            account = repositories[0].account if repositories else self.owner().account
        except EcrTuiError:
            return
        rows: dict[str, list[Repository]] = {region: [] for region in regions}
        for row in repositories:
            if row.region in rows:
                rows[row.region].append(row)
        for region, found in rows.items():
            self.cache.store(account, region, found)
        self.cache.remember(self._listing_key(), account, self.regions())


class _Owner:
    """Account A for bulk changes: its calls are paced by whoever makes them (``bulk.Account``)."""

    def __init__(self, workspace: Many, session: AwsSession, identity: Identity) -> None:
        self._workspace = workspace
        self._session = session
        self.account = identity.account
        self.operator = identity.arn

    def store(self, *, patient: bool) -> RepositoryPolicies:
        from ecr_tui.aws.policies import PRINCIPAL_WAIT, RepositoryPolicies

        wait = PRINCIPAL_WAIT if patient else 0
        return RepositoryPolicies(self._session, principal_wait=wait, client=self._session.ecr_once)

    def fresh(self, repository: Repository) -> Repository:
        from ecr_tui.aws.inventory import with_live_tags

        return with_live_tags(self._session, repository, client=self._session.ecr_once(repository.region))

    def registry(self, region: str) -> RegistryFacts | None:
        return self._workspace.registry_facts(region)

    def touched(self, repository: Repository, outcome: Outcome | None) -> None:
        self._workspace.policies.invalidate(repository.arn)
        granted = self._workspace._granted_at
        if outcome is not None and outcome.written:
            if outcome.plan.grant is not None:
                granted[repository.arn] = time.monotonic()
            else:
                granted.pop(repository.arn, None)
