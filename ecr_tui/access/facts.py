"""Cached facts that affect access besides repository policies: B's identity policies, A's registry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ecr_tui.aws.identity_policies import identity_policies, not_a_holder, unknown
from ecr_tui.aws.model import IdentityPolicies, RegistryFacts, Replication, Role
from ecr_tui.aws.parallel import OnProgress
from ecr_tui.aws.registry import registry_facts, replication
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.workloads import Workloads, workloads
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.principal import account_of

KEPT_SECONDS = 60.0
"""A plan for fifty repositories calls IAM once; a changed policy is visible within a minute."""

WORKLOADS_SECONDS = 600.0
"""Reading workloads may take hundreds of calls, and they change only with deployments."""

T = TypeVar("T")


class Kept(Generic[T]):
    """Answers by key, each for so many ``seconds``. Thread-safe."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._answers: dict[str, tuple[float, T]] = {}
        self._generation = 0

    def fresh(self, key: str) -> T | None:
        with self._lock:
            found = self._answers.get(key)
        return found[1] if found is not None and time.monotonic() - found[0] < self.seconds else None

    def get(self, key: str, read: Callable[[], T]) -> T:
        """The answer at hand, else a new one. Raises what ``read`` raises."""
        found = self.fresh(key)
        if found is None:
            generation = self._generation
            found = read()
            with self._lock:
                # A call started before the cache was dropped may be for another account.
                if generation == self._generation:
                    self._answers[key] = (time.monotonic(), found)
        return found

    def forget(self, key: str | None = None) -> None:
        """The next question is asked afresh: about one ``key``, or about everything."""
        with self._lock:
            if key is not None:
                self._answers.pop(key, None)
            else:
                self._generation += 1
                self._answers.clear()


class Facts:
    """Thread-safe. ``session`` returns an account's session and raises EcrTuiError if there is none; ``others``:
    sessions of further consumers known to be in an account."""

    def __init__(
        self,
        session: Callable[[Role], AwsSession],
        others: Callable[[str], Sequence[AwsSession]] = lambda _: (),
    ) -> None:
        self._session = session
        self._others = others
        self._registries = Kept[RegistryFacts](KEPT_SECONDS)
        self._replications = Kept[Replication](KEPT_SECONDS)
        self._identities = Kept[IdentityPolicies](KEPT_SECONDS)
        self._workloads = Kept[Workloads](WORKLOADS_SECONDS)

    def forget(self) -> None:
        """Drop the cache."""
        for kept in (self._registries, self._replications, self._identities, self._workloads):
            kept.forget()

    def registry(self, region: str) -> RegistryFacts:
        return self._registries.get(region, lambda: registry_facts(self._session(Role.OWNER), region))

    def registry_known(self, region: str) -> RegistryFacts | None:
        """Cached facts of the last minute; makes no AWS calls."""
        return self._registries.fresh(region)

    def forget_registry(self, region: str) -> None:
        """Call after a write to one of its creation templates."""
        self._registries.forget(region)

    def replication(self, region: str) -> Replication:
        return self._replications.get(region, lambda: replication(self._session(Role.OWNER), region))

    def workloads(
        self, role: Role, region: str, on_progress: OnProgress | None = None, cancel: threading.Event | None = None
    ) -> Workloads:
        """The account's Lambda functions and task definitions, at most ten minutes old."""

        def read() -> Workloads:
            return workloads(self._session(role), region, on_progress=on_progress, cancel=cancel)

        return self._workloads.get(f"{role} {region}", read)

    def workloads_known(self, role: Role, region: str) -> Workloads | None:
        """Cached workloads of the last ten minutes; makes no AWS calls."""
        return self._workloads.fresh(f"{role} {region}")

    def identity(self, principal: str) -> IdentityPolicies:
        """Read as account B or another consumer, or as account A for its own principals.

        Raises only Cancelled.
        """
        return self._identities.get(principal, lambda: self._identity(principal))

    def _identity(self, principal: str) -> IdentityPolicies:
        reason = not_a_holder(principal)
        if reason:
            return unknown(principal, reason)
        account = account_of(principal)
        tried = []
        for role in (Role.CONSUMER, Role.OWNER):
            try:
                session = self._session(role)
                own = session.identity().account
            except EcrTuiError as error:
                tried.append(error.reason)
                continue
            if own == account:
                return identity_policies(session, principal)
            tried.append(f"the profile of {role.value} belongs to {own}")
        for session in self._others(account or ""):
            try:
                if session.identity().account == account:
                    return identity_policies(session, principal)
            except EcrTuiError as error:
                tried.append(error.reason)
        return unknown(principal, f"no credentials for account {account}: {'; '.join(tried)}")
