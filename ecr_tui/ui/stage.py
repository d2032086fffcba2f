"""Facade of the panes for tasks, which also distributes changes from AWS to the panes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.ui.text import safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.policy.actions import Access
    from ecr_tui.ui.panes.accounts import AccountsPane
    from ecr_tui.ui.panes.area import PaneArea
    from ecr_tui.ui.panes.banner import Banner
    from ecr_tui.ui.panes.details import Details
    from ecr_tui.ui.panes.preview import PreviewPane
    from ecr_tui.ui.panes.repositories import RepositoriesPane
    from ecr_tui.ui.panes.verification import VerificationPane


class Stage(NamedTuple):
    """All methods act immediately, before the next key."""

    details: Details
    accounts: AccountsPane
    repositories: RepositoriesPane
    preview: PreviewPane
    verification: VerificationPane
    area: PaneArea
    banner: Banner

    # -- visible state ---------------------------------------------------------------------------------------

    @property
    def shows_change(self) -> bool:
        """Whether the change that ``g`` writes is visible."""
        return self.area.sees("preview") and self.preview.shows_change

    def shows_result(self, repository: Repository) -> bool:
        """Whether the repository's result is visible."""
        current = self.repositories.table.current
        here = self.area.sees("preview") or (self.area.tabbed and self.area.sees("repositories"))
        return here and current is not None and current.arn == repository.arn

    def show_change(self) -> None:
        self.preview.turn_to("diff")
        self.area.go_to("preview")

    def reach(self, repository: Repository) -> str:
        """Select it, even if the filter hides it. Returns "" on success, else the reason."""
        table = self.repositories.table
        if not table.go_to_key(repository.arn):
            self.repositories.clear_words()
            if not table.go_to_key(repository.arn):
                return f"{safe(repository.name)} is not in the list. Press t to change the tag filter, or r to refresh."
        self.area.go_to("repositories")
        return ""

    def unmark(self) -> None:
        self.repositories.table.unmark_all()

    def tag_values(self) -> Mapping[str, Sequence[str]]:
        """The values of each tag key in the list."""
        return self.repositories.tag_values()

    def policy_texts(self) -> Mapping[str, int]:
        """The policies read so far, each with its number of repositories."""
        return Counter(found.value for found in self.details.policies.values() if found.value)

    def report(self, error: EcrTuiError, title: str = "") -> None:
        """Report a background error."""
        self.banner.report(error, title)

    # -- verification ------------------------------------------------------------------------------------------------

    def verify(
        self, repository: Repository, access: Access, others: Sequence[Repository] = (), *, tag_switch: bool = False
    ) -> None:
        """Start a live verification. ``others``: where account B must be denied; if empty, one is chosen."""
        self.verification.start(repository, access, others, tag_switch=tag_switch)
        if not self.area.sees("verification"):
            self.area.go_to("verification")

    def consumer_changed(self) -> None:
        """Account B was switched: drop the state of the previous one."""
        self.accounts.read_consumer()
        self.preview.forget_beside()
        self.verification.forget_run()

    # -- changes from AWS
    # -------------------------------------------------------------------------------------------------

    def show_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set the repository's current tags."""
        self.policies_changed([arn], "tag change" if self.repositories.show_tags(arn, tags) else "")

    def policies_changed(self, arns: Sequence[str], what: str = "policy change") -> None:
        """After a write, or a conflict: read the policies again, the selected one first.

        ``what`` changed access, as a noun; "" if access did not change.
        """
        for arn in arns:
            self.details.forget_policy(arn)
        self.preview.forget_beside()
        if what:
            self.verification.access_changed(arns, what)
        self.repositories.policies_read(arns)
        self.preview.renew()
        self.repositories.read_window()

    def policies_read(self) -> None:
        """Policies or image counts were read in the background."""
        read, anything = self.details.take()
        if anything:
            self.repositories.policies_read(read)
        self.preview.untell(arns=self.verification.policies_read(self.details.policies, read))
        self.preview.policies_read(read)

    def refresh(self) -> None:
        """Read accounts, repositories and policies again."""
        self.details.forget_all()
        self.preview.forget_beside()
        self.accounts.refresh_accounts(self.repositories.listing.error)
        self.repositories.relist()
        self.preview.renew()
