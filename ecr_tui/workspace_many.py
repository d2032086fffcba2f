"""The part of a workspace for very many repositories: policies to look at, and the last known list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Identity, Repository
from ecr_tui.cache import Cached, ListingCache, profile_key
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy_reader import BackgroundReader, PolicyReader

if TYPE_CHECKING:
    from ecr_tui.aws.policies import RepositoryPolicies


class Many:
    """To be inherited by the workspace, which owns the sessions. Thread-safe."""

    settings: Settings
    policies: PolicyReader
    """Policies to look at, at most a minute old; a plan is always made on the live one."""

    if TYPE_CHECKING:

        def owner(self) -> Identity: ...
        def regions(self) -> tuple[str, ...]: ...
        def _store(self, *, background: bool = False) -> RepositoryPolicies: ...

    def _prepare_many(self) -> None:
        self.cache = ListingCache(self.settings.cache_folder)
        self.policies = BackgroundReader(lambda repository: self._store(background=True).read(repository))

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
        remembered = self.cache.recall(profile_key(self.settings.profile_a))
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
        self.cache.remember(profile_key(self.settings.profile_a), account, self.regions())
