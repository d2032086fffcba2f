"""Reading and writing a repository's policy, as account A. Never with ``force``."""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Repository
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, InputError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

PRINCIPAL_WAIT = 10.0
"""Seconds to wait for a principal that ECR does not know yet; IAM spreads a new user or role within seconds."""
_DEAD_PRINCIPAL = re.compile(r"\bA(?:ID|RO|GP|NP)A[A-Z0-9]{12,}\b")


class RepositoryPolicies:
    """The PolicyStore of :mod:`ecr_tui.grants` on real ECR. Thread-safe.

    ``principal_wait``: see :data:`PRINCIPAL_WAIT`; 0 never waits. ``cancel`` ends a wait with Cancelled.
    ``background``: reads are bulk work that backs off rather than fails (``AwsSession.client``). ``client`` gives the
    client of a region instead, such as ``AwsSession.paced_ecr``.
    """

    def __init__(
        self,
        session: AwsSession,
        *,
        principal_wait: float = PRINCIPAL_WAIT,
        cancel: Event | None = None,
        background: bool = False,
        client: Callable[[str], ECRClient] | None = None,
    ) -> None:
        self._session = session
        self._principal_wait = principal_wait
        self._client = client or (lambda region: session.client("ecr", region, background=background))
        self._cancel = cancel or Event()

    def read(self, repository: Repository) -> str | None:
        """The policy's text exactly as ECR keeps it, None when there is none. Always live."""
        client = self._client(repository.region)
        with self._session.calling("ecr:GetRepositoryPolicy"):
            try:
                return client.get_repository_policy(repositoryName=repository.name)["policyText"]
            except client.exceptions.RepositoryPolicyNotFoundException:
                return None

    def write(self, repository: Repository, text: str) -> None:
        """Replace the whole policy. InputError when ECR rejects the document, its hint naming the suspects.

        A principal that ECR does not find is waited for, unless the document holds the id of a deleted one,
        for which no waiting helps.
        """
        client = self._client(repository.region)
        dead = sorted(set(_DEAD_PRINCIPAL.findall(text)))
        patience = 0 if dead else self._principal_wait
        pause = 1.0
        while True:
            try:
                with self._session.calling("ecr:SetRepositoryPolicy"):
                    client.set_repository_policy(repositoryName=repository.name, policyText=text)
                return
            except InputError as exc:
                if "principal" not in exc.detail.lower() or "not found" not in exc.detail.lower():
                    raise
                if dead:
                    raise InputError(
                        f"the policy names deleted principals: {', '.join(dead)}",
                        detail=exc.detail,
                        hint="ECR refuses every write that contains them; remove them from the document first.",
                        side=exc.side,
                    ) from exc
                if patience <= 0:
                    raise
            pause = min(pause, patience)
            if self._cancel.wait(pause):
                raise Cancelled
            patience -= pause
            pause *= 2

    def delete(self, repository: Repository) -> None:
        """Remove the policy; that there is none any more is fine."""
        client = self._client(repository.region)
        with self._session.calling("ecr:DeleteRepositoryPolicy"):
            try:
                client.delete_repository_policy(repositoryName=repository.name)
            except client.exceptions.RepositoryPolicyNotFoundException:
                return
