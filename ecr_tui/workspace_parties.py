"""The two accounts as a verification sees them (``parties``), over the sessions of a workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Identity, Repository
from ecr_tui.errors import EcrTuiError

if TYPE_CHECKING:
    from ecr_tui.aws.model import RegistryToken
    from ecr_tui.aws.sessions import AwsSession
    from ecr_tui.policy.access import AccessSummary

NEIGHBOURS_READ = 12
"""Policies read at most while looking for a repository that account B was not granted."""


class ConsumerParty:
    """``parties.Consumer`` over account B's session."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def identity(self) -> Identity:
        return self._session.identity()

    def token(self, region: str) -> RegistryToken:
        from ecr_tui.aws.tokens import registry_token

        return registry_token(self._session, region)

    def probe(self, repository: Repository, action: str) -> str | None:
        from ecr_tui.aws.access import PROBES, probe_action

        if action.removeprefix("ecr:") not in PROBES:
            raise EcrTuiError(f"no read-only call needs {action}")
        return probe_action(self._session, repository, action)


class OwnerParty:
    """``parties.Owner`` over account A's session; ``access`` is what its policies give a principal (an ARN)."""

    def __init__(self, session: AwsSession, access: Callable[[Repository, str], AccessSummary | None]) -> None:
        self._session = session
        self._access = access

    def policy_text(self, repository: Repository) -> str | None:
        from ecr_tui.aws.policies import RepositoryPolicies

        return RepositoryPolicies(self._session).read(repository)

    def delete_image(self, repository: Repository, *, digest: str = "", tag: str = "") -> None:
        from ecr_tui.aws.images import delete_image, delete_tag

        if digest:
            delete_image(self._session, repository, digest)
        else:
            delete_tag(self._session, repository, tag)

    def ungranted_neighbour(self, repository: Repository, principal: str) -> Repository | None:
        """The first few other repositories are asked, those whose tags differ most from this one's first."""
        from ecr_tui.aws.inventory import list_repositories
        from ecr_tui.policy.access import AccessSummary

        own = set((repository.tags or {}).items())
        others = [r for r in list_repositories(self._session, [repository.region]) if r.arn != repository.arn]
        others.sort(key=lambda r: (len(own & set((r.tags or {}).items())), r.name))
        for candidate in others[:NEIGHBOURS_READ]:
            if self._access(candidate, principal) == AccessSummary(False, False):
                return candidate
        return None
