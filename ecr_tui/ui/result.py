"""Result of a task on one repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.policy.change import Grant


class Result(NamedTuple):
    """A line above the preview of this repository, until it is replaced or another writer changes the policy.

    With a ``grant`` it is shown only with the preview of this grant. ``more``: warnings, a line each. All texts are
    safe to print.
    """

    repository: Repository
    words: str
    grant: Grant | None = None
    more: tuple[str, ...] = ()

    def about(self, repository: Repository | None, grant: Grant | None) -> bool:
        return repository is not None and repository.arn == self.repository.arn and self.grant in (None, grant)
