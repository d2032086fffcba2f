"""Reading A's repositories.

At the start, the cached list of a previous run is shown until AWS responds: read-only, marked as cached, and removed if
it belongs to another account.
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
    """Owns the list of repositories. Only answers to the newest request are used.

    ``accounts``: identities of the accounts, if read. ``show`` gets each page of rows, and whether it replaces the
    current ones; ``changed`` is called on other updates; ``ended`` with all rows, or none with :attr:`error`.
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
        """Whether the rows are cached from a previous run at ``stale_since``; writes never depend on them."""
        self.stale_since: datetime | None = None
        self.one_by_one = False
        """Whether tags were read per repository, because the tag index is denied."""
        self._kept_account = ""
        self._pages = 0
        self._keep = False

    # -- cached list ----------------------------------------------------------------------

    def begin(self) -> None:
        """Start the first listing of a run."""
        self.refresh()
        node, cancel = self._node, self._cancel
        page = partial(jobs.call, node, self._take_kept_page, cancel)
        read = partial(
            self._workspace.listing.cached_repositories, dict(self.tags) or None, on_page=page, cancel=cancel
        )
        jobs.start(node, read, partial(self._take_kept, cancel), self._kept_failed)

    def _take_kept_page(self, cancel: threading.Event, rows: Sequence[Repository]) -> None:
        """Ignore it if AWS has already responded."""
        answered = self._pages > 0 or not (self.busy or self.error is not None)
        if cancel.is_set() or answered or not rows or not self._owned_by(rows[0].account):
            return
        self._kept_account = rows[0].account
        # From here on the live list replaces all rows at once, to keep the display stable.
        self._keep = True
        first, self.stale = not self.stale, True
        self._show(rows, first)

    def _take_kept(self, cancel: threading.Event, kept: Cached | None) -> None:
        """End of the cached list: its time, and unusable files."""
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
        """Whether the shown rows are a cached list of another account, which is then dropped."""
        if not self.stale or self._owned_by(self._kept_account):
            return False
        self.stale = self._keep = False
        return True

    def _owned_by(self, account: str) -> bool:
        owner = self.accounts.get(Role.OWNER)
        return owner is None or owner.identity is None or owner.identity.account == account

    # -- live list -----------------------------------------------------------------------------------------------

    def refresh(self, *, keep: bool = False) -> None:
        """``keep``: keep the shown rows until the new listing is complete, to avoid jumps."""
        self._keep = keep
        self._list()

    def relist(self, tags: Tags) -> None:
        """List the repositories with ``tags`` again."""
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
