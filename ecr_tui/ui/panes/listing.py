"""Reading A's repositories.

At the start the list that a former run left behind is shown until AWS has answered: only to look at, marked as old, and
gone at once when it turns out to be of another account.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from textual.widget import Widget

from ecr_tui.aws.role import Role
from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Kept, Listed, PageKept, PageListed, RegionFailed

if TYPE_CHECKING:
    from ecr_tui.aws.model import Identity
    from ecr_tui.ui.choice import Tags
    from ecr_tui.ui.panes.accounts import AccountRead
    from ecr_tui.workspace import Workspace


class Listing:
    """Owns which repositories there are. Only answers to the newest request count.

    ``accounts``: who the accounts are, as far as that was read.
    """

    def __init__(self, node: Widget, workspace: Workspace, tags: Tags, accounts: Mapping[Role, AccountRead]) -> None:
        self._node = node
        self._workspace = workspace
        self._serial = 0
        self._cancel = threading.Event()
        self.tags = tags
        self.busy = False
        self.error: EcrTuiError | None = None
        self.accounts = accounts
        self.failures: dict[str, EcrTuiError] = {}
        self.stale = False
        """What is shown was listed by a former run, at ``stale_since``: nothing is written on the strength of it."""
        self.stale_since: datetime | None = None
        self.one_by_one = False
        """Tags had to be asked for each repository: the index of tags is denied."""
        self._kept_account = ""
        self._pages = 0
        self._keep = False

    @property
    def consumer(self) -> Identity | None:
        read = self.accounts.get(Role.CONSUMER)
        return read.identity if read else None

    @property
    def first_page(self) -> bool:
        """Whether the page just taken is its listing's first: it replaces what was shown."""
        return self._pages == 1

    def begin(self) -> None:
        """The first listing of a run."""
        self.refresh()
        node, workspace, serial, cancel, tags = self._node, self._workspace, self._serial, self._cancel, dict(self.tags)

        def read() -> Kept:
            kept = workspace.listing.cached_repositories(
                tags or None, on_page=lambda page: jobs.post(node, PageKept(serial, tuple(page))), cancel=cancel
            )
            return Kept(serial, kept.at if kept else None, kept.problems if kept else ())

        def failed(error: EcrTuiError) -> Kept:
            return Kept(serial, None, () if isinstance(error, Cancelled) else (error.title,))

        jobs.start(node, read, failed=failed, group="kept")

    def take_kept_page(self, message: PageKept) -> bool:
        """Whether to show it: what AWS has told already is better."""
        answered = self._pages > 0 or not (self.busy or self.error is not None)
        if message.generation != self._serial or answered or not message.repositories:
            return False
        account = message.repositories[0].account
        if not self._owned_by(account):
            return False
        self._kept_account = account
        # From here on the live list replaces everything at once, or rows would come and go.
        self._keep = True
        return True

    def first_kept(self) -> bool:
        """Whether the page just taken is the first of the kept list."""
        first, self.stale = not self.stale, True
        return first

    def take_kept(self, message: Kept) -> None:
        if message.generation == self._serial and self.stale:
            self.stale_since = message.at

    def disown(self) -> bool:
        """Whether the rows shown are a kept list of an account that this is not; it does not count any longer."""
        if not self.stale or self._owned_by(self._kept_account):
            return False
        self.stale = self._keep = False
        return True

    def _owned_by(self, account: str) -> bool:
        owner = self.accounts.get(Role.OWNER)
        return owner is None or owner.identity is None or owner.identity.account == account

    def refresh(self, *, keep: bool = False) -> None:
        """``keep``: the rows shown stay until the new listing is complete, so that nothing jumps."""
        self._keep = keep
        self._list()

    def relist(self, tags: Tags) -> None:
        """Ask again for the repositories that carry ``tags``."""
        self.tags = tags
        self._keep = False
        self._list()

    def _list(self) -> None:
        self._cancel.set()
        cancel = self._cancel = threading.Event()
        self._pages = 0
        self.failures = {}
        self.busy, self.error = True, None
        # The listing's own number: a new tag filter makes a new listing without asking the accounts again.
        self._serial += 1
        serial = self._serial
        node, workspace, tags = self._node, self._workspace, dict(self.tags)

        def read() -> Listed | None:
            found = workspace.listing.repositories(
                tags or None,
                on_page=lambda page: jobs.post(node, PageListed(serial, tuple(page))),
                on_failure=lambda region, error: jobs.post(node, RegionFailed(serial, region, error)),
                cancel=cancel,
            )
            one_by_one = any(row.tags_source == "live" for row in found)
            return None if cancel.is_set() else Listed(serial, found, one_by_one=one_by_one)

        jobs.start(node, read, failed=lambda error: Listed(serial, (), error), group="listing")

    def take_page(self, message: PageListed) -> bool:
        """Whether to show it now."""
        if message.generation != self._serial or self._keep:
            return False
        self._pages += 1
        self.stale = False
        return True

    def take_failure(self, message: RegionFailed) -> bool:
        if message.generation != self._serial:
            return False
        self.failures[message.region] = message.error
        return True

    def take_listing(self, message: Listed) -> bool:
        if message.generation != self._serial:
            return False
        self.busy, self.error = False, message.error
        if message.error is None:
            self.stale, self.one_by_one = False, message.one_by_one
        return True

    def stop(self) -> None:
        self._cancel.set()
