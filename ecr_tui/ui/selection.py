"""What is selected: accounts, tag filter, repository, marks, the grant chosen, and its previewed plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ecr_tui.policy.actions import Access
from ecr_tui.ui.choice import Choice, Tags

if TYPE_CHECKING:
    from ecr_tui.access.replicas import Copy
    from ecr_tui.aws.model import Identity, Repository
    from ecr_tui.changes.apply import Plan
    from ecr_tui.config import Settings
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.policy.change import Grant


@dataclass(frozen=True)
class Selection:
    """One value, set by the main screen alone.

    ``own`` are the principals of account B: whom a grant names unless others are chosen.
    ``plan`` is the one that the preview shows for exactly this repository and grant, ``problem`` why there is none.
    ``copies``: where replication copies the repository to, and ``template``: the same grant in the creation template
    for repositories to come, as far as they are known.
    ``hidden`` are the ARNs of the marked repositories that the filter hides. ``cached``: the list is one that an
    earlier session left behind, so nothing is written because of it.
    """

    owner: Identity | None = None
    consumer: Identity | None = None
    own: tuple[str, ...] = ()
    tags: Tags = ()
    repository: Repository | None = None
    choice: Choice = field(default_factory=Choice)
    marked: tuple[Repository, ...] = ()
    hidden: frozenset[str] = frozenset()
    cached: bool = False
    plan: Plan | None = None
    problem: EcrTuiError | None = None
    copies: tuple[Copy, ...] = ()
    template: Plan | None = None

    @classmethod
    def first(cls, settings: Settings) -> Selection:
        """What is chosen at the start."""
        access = Access.parse(settings.access)
        choice = Choice(access=access, condition=settings.condition, scope=settings.scope_tag)
        return cls(tags=tuple(settings.tags), choice=choice)

    @property
    def principals(self) -> tuple[str, ...]:
        """() while account B is unknown and none were chosen."""
        return self.choice.principals_for(self.own)

    @property
    def partition(self) -> str:
        """Of the repository, as far as one is known."""
        known = self.repository or self.consumer
        return known.partition if known is not None else "aws"

    @property
    def grant(self) -> Grant | None:
        """The grant on the selected repository; None without a principal."""
        return self.grant_on(self.repository)

    def grant_on(self, repository: Repository | None) -> Grant | None:
        return self.choice.grant(self.own, repository)

    def but(self, **changes: Any) -> Selection:
        """With these changes. Another repository or grant drops the plan, unless the changes bring their own."""
        after = replace(self, **changes)
        if "plan" in changes or (after.repository, after.grant) == (self.repository, self.grant):
            return after
        return replace(after, plan=None, problem=None, copies=(), template=None)
