"""Read and write a repository's policy, as account A. Never uses ``force``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Repository
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import InputError, UnknownPrincipal
from ecr_tui.policy.acceptance import dead_principals
from ecr_tui.policy.document import PolicyDocument

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

PRINCIPAL_WAIT = 10.0
"""Seconds to wait for a principal that ECR does not know yet; IAM propagates a new user or role within seconds."""


class RepositoryPolicies:
    """The PolicyStore of :mod:`ecr_tui.changes.apply` on real ECR. Thread-safe.

    ``principal_wait``: default :data:`PRINCIPAL_WAIT`; 0 never waits. ``background``: bulk reads, which back off
    instead of failing (``AwsSession.client``). ``client`` overrides the client of a region: writers use
    ``AwsSession.ecr_once``, so that a read and the following write share a connection and neither is sent twice.
    """

    def __init__(
        self,
        session: AwsSession,
        *,
        principal_wait: float | None = None,
        background: bool = False,
        client: Callable[[str], ECRClient] | None = None,
    ) -> None:
        self._session = session
        self._principal_wait = PRINCIPAL_WAIT if principal_wait is None else principal_wait
        self._client = client or (lambda region: session.client("ecr", region, background=background))

    def read(self, repository: Repository) -> str | None:
        """The exact live text, None without a policy."""
        client = self._client(repository.region)
        with self._session.calling("ecr:GetRepositoryPolicy"):
            try:
                return client.get_repository_policy(repositoryName=repository.name)["policyText"]
            except client.exceptions.RepositoryPolicyNotFoundException:
                return None

    def write(self, repository: Repository, text: str) -> None:
        """Replace the whole policy, in one request. Raises InputError if ECR rejects the document, with the likely
        causes as hint.

        Raises UnknownPrincipal if ECR does not find a principal, unless the document has the id of a deleted one, for
        which waiting does not help.
        """
        client = self._session.ecr_once(repository.region)
        try:
            with self._session.calling("ecr:SetRepositoryPolicy"):
                client.set_repository_policy(repositoryName=repository.name, policyText=text)
        except InputError as exc:
            if "principal" not in exc.detail.lower() or "not found" not in exc.detail.lower():
                raise
            dead = sorted(dead_principals(PolicyDocument.parse(text)))
            if dead:
                raise InputError(
                    f"the policy names deleted principals: {', '.join(dead)}",
                    detail=exc.detail,
                    hint="Remove them from the document first. ECR rejects every write with them.",
                    side=exc.side,
                ) from exc
            raise UnknownPrincipal(
                exc.title, detail=exc.detail, hint=exc.hint, side=exc.side, patience=self._principal_wait
            ) from exc

    def delete(self, repository: Repository) -> None:
        """Delete the policy, in one request; a missing policy is not an error."""
        client = self._session.ecr_once(repository.region)
        with self._session.calling("ecr:DeleteRepositoryPolicy"):
            try:
                client.delete_repository_policy(repositoryName=repository.name)
            except client.exceptions.RepositoryPolicyNotFoundException:
                return
