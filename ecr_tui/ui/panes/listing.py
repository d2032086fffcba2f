"""Reading A's repositories.

At the start the list that a former run left behind is shown until AWS has answered: only to look at, marked as old, and
gone at once when it turns out to be of another account.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from ecr_tui.aws.role import Role
from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.ui import jobs

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.listing.cache import Cached
    from ecr_tui.ui.choice import Tags
    from ecr_tui.ui.panes.accounts import AccountRead
    from ecr_tui.workspace import Workspace


class Listing:
    """Owns which repositories there are. Only answers to the newest request count.

    ``accounts``: who the accounts are, as far as that was read. ``show`` is given each page of rows, and whether it
    replaces what was shown; ``changed`` is called when something else is known; ``ended`` with all rows, or none where
    :attr:`error` says why.
    """

    def __init__(
        self,
        node: Widget,
        workspace: Workspace,
        tags: Tags,
        accounts: Mapping[Role, AccountRead],
        *,
        show: Callable[[Sequence[Repository], bool], object],
        changed: Callable[[], object],
        ended: Callable[[Sequence[Repository]], object],
    ) -> None:
        self._node = node
        self._workspace = workspace
        self._show, self._changed, self._ended = show, changed, ended
        self._cancel = threading.Event()
        """Of the newest request."""
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

    # -- the list that a former run left behind ----------------------------------------------------------------------

    def begin(self) -> None:
        """The first listing of a run."""
        self.refresh()
        node, cancel = self._node, self._cancel
        page = partial(jobs.call, node, self._take_kept_page, cancel)
        read = partial(
            self._workspace.listing.cached_repositories, dict(self.tags) or None, on_page=page, cancel=cancel
        )
        jobs.start(node, read, partial(self._take_kept, cancel), self._kept_failed)

    def _take_kept_page(self, cancel: threading.Event, rows: Sequence[Repository]) -> None:
        """What AWS has told already is better."""
        answered = self._pages > 0 or not (self.busy or self.error is not None)
        if cancel.is_set() or answered or not rows or not self._owned_by(rows[0].account):
            return
        self._kept_account = rows[0].account
        # From here on the live list replaces everything at once, or rows would come and go.
        self._keep = True
        first, self.stale = not self.stale, True
        self._show(rows, first)

    def _take_kept(self, cancel: threading.Event, kept: Cached | None) -> None:
        """Its end: when it was listed, and what could not be used of it."""
        if self.stale and not cancel.is_set():
            self.stale_since = kept.at if kept else None
        self._warn(*(kept.problems if kept else ()))

    def _kept_failed(self, error: EcrTuiError) -> None:
        self._warn(*(() if isinstance(error, Cancelled) else (error.title,)))

    def _warn(self, *problems: str) -> None:
        for problem in problems:
            self._node.app.notify(problem, severity="warning")
        self._changed()

    def disown(self) -> bool:
        """Whether the rows shown are a kept list of an account that this is not; it does not count any longer."""
        if not self.stale or self._owned_by(self._kept_account):
            return False
        self.stale = self._keep = False
        return True

    def _owned_by(self, account: str) -> bool:
        owner = self.accounts.get(Role.OWNER)
        return owner is None or owner.identity is None or owner.identity.account == account

    # -- what AWS says -----------------------------------------------------------------------------------------------

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
        node = self._node
        read = partial(
            self._workspace.listing.repositories,
            dict(self.tags) or None,
            on_page=partial(jobs.call, node, self._take_page, cancel),
            on_failure=partial(jobs.call, node, self._take_failure, cancel),
            cancel=cancel,
        )
        jobs.start(node, read, partial(self._take_all, cancel), partial(self._fail, cancel))

    def _take_page(self, cancel: threading.Event, rows: Sequence[Repository]) -> None:
        if not (self._keep or cancel.is_set()):
            self._pages += 1
            self.stale = False
            self._show(rows, self._pages == 1)

    def _take_failure(self, cancel: threading.Event, region: str, error: EcrTuiError) -> None:
        """One region of several could not be read."""
        if not cancel.is_set():
            self.failures[region] = error
            self._changed()

    def _take_all(self, cancel: threading.Event, rows: Sequence[Repository]) -> None:
        if not cancel.is_set():
            self.busy = self.stale = False
            self.one_by_one = any(row.tags_source == "live" for row in rows)
            self._ended(rows)

    def _fail(self, cancel: threading.Event, error: EcrTuiError) -> None:
        if not cancel.is_set():
            self.busy, self.error = False, error
            self._ended(())

    def stop(self) -> None:
        self._cancel.set()
