"""The panes together: what tasks see and want of them, and what each of them hears when AWS has another answer."""

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
    """All of it is done at once, so that the next key finds it done."""

    details: Details
    accounts: AccountsPane
    repositories: RepositoriesPane
    preview: PreviewPane
    verification: VerificationPane
    area: PaneArea
    banner: Banner

    # -- what is on the screen ---------------------------------------------------------------------------------------

    @property
    def shows_change(self) -> bool:
        """The change that ``g`` writes is on the screen."""
        return self.area.sees("preview") and self.preview.shows_change

    def shows_result(self, repository: Repository) -> bool:
        """What was done to it can be read on the screen."""
        current = self.repositories.table.current
        here = self.area.sees("preview") or (self.area.tabbed and self.area.sees("repositories"))
        return here and current is not None and current.arn == repository.arn

    def show_change(self) -> None:
        self.preview.turn_to("diff")
        self.area.go_to("preview")

    def reach(self, repository: Repository) -> str:
        """Select it, even where the filter hides it. Why that can't be; "" when it is done."""
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
        """The policies read so far, each with the number of repositories that have it."""
        return Counter(found.value for found in self.details.policies.values() if found.value)

    def report(self, error: EcrTuiError, title: str = "") -> None:
        """An error that arrives while the user does something else."""
        self.banner.report(error, title)

    # -- verification ------------------------------------------------------------------------------------------------

    def verify(
        self, repository: Repository, access: Access, others: Sequence[Repository] = (), *, tag_switch: bool = False
    ) -> None:
        """Begin to verify it live. ``others``: where account B must be denied; without any, one is chosen."""
        self.verification.start(repository, access, others, tag_switch=tag_switch)
        if not self.area.sees("verification"):
            self.area.go_to("verification")

    def consumer_changed(self) -> None:
        """Account B is another one: nothing that is known of the former one counts."""
        self.accounts.read_consumer()
        self.preview.forget_beside()
        self.verification.forget_run()

    # -- what AWS says -------------------------------------------------------------------------------------------------

    def show_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """The tags that the repository has now."""
        self.policies_changed([arn], "tag change" if self.repositories.show_tags(arn, tags) else "")

    def policies_changed(self, arns: Sequence[str], what: str = "policy change") -> None:
        """After a write, or when a write found another policy: read them again, the selected one first.

        ``what`` has changed access, as a noun; "" when nothing has.
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
