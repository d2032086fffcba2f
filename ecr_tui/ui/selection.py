"""The selection: accounts, tag filter, repository, marks, grant, and its previewed plan."""

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
    """Immutable; set only by the main screen.

    ``own``: account B's principals, the default of a grant. ``plan``: the preview for exactly this repository and
    grant; ``problem``: why there is none. ``copies``: the repository's replicated copies; ``template``: the same grant
    in the creation template for future repositories; both if known. ``hidden``: ARNs of marked repositories that the
    filter hides. ``cached``: the list is from an earlier session, so writes are disabled.
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
        """The initial selection."""
        access = Access.parse(settings.access)
        choice = Choice(access=access, condition=settings.condition, scope=settings.scope_tag)
        return cls(tags=tuple(settings.tags), choice=choice)

    @property
    def principals(self) -> tuple[str, ...]:
        """() while account B is unknown and none are selected."""
        return self.choice.principals_for(self.own)

    @property
    def partition(self) -> str:
        """The repository's tags, if known."""
        known = self.repository or self.consumer
        return known.partition if known is not None else "aws"

    @property
    def grant(self) -> Grant | None:
        """The grant on the selected repository; None without a principal."""
        return self.grant_on(self.repository)

    def grant_on(self, repository: Repository | None) -> Grant | None:
        return self.choice.grant(self.own, repository)

    def but(self, **changes: Any) -> Selection:
        """A copy with these changes. Another repository or grant drops the plan, unless a new one is given."""
        after = replace(self, **changes)
        if "plan" in changes or (after.repository, after.grant) == (self.repository, self.grant):
            return after
        return replace(after, plan=None, problem=None, copies=(), template=None)
