"""What decides beside the repository policies, read once and kept for a minute: B's identity policies, A's registry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from ecr_tui.aws.identity_policies import identity_policies, not_a_holder, reason_of, unknown
from ecr_tui.aws.model import IdentityPolicies, RegistryFacts, Replication, Role
from ecr_tui.aws.parallel import OnProgress
from ecr_tui.aws.registry import registry_facts
from ecr_tui.aws.replication import replication
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.workloads import Workloads, workloads
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.principal import account_of

KEPT_SECONDS = 60.0
"""A plan for fifty repositories asks IAM once; a policy that was changed meanwhile shows within a minute."""

WORKLOADS_SECONDS = 600.0
"""Hundreds of calls may have been made for them, and who runs an image changes with a deployment."""

T = TypeVar("T")


class Facts:
    """Thread-safe. ``session`` gives an account's session and raises EcrTuiError where there is none; ``others`` those
    of further consumers that are known to be of an account."""

    def __init__(
        self,
        session: Callable[[Role], AwsSession],
        others: Callable[[str], Sequence[AwsSession]] = lambda _: (),
    ) -> None:
        self._session = session
        self._others = others
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, object]] = {}
        self._generation = 0

    def forget(self) -> None:
        """The next question is asked afresh."""
        with self._lock:
            self._generation += 1
            self._kept.clear()

    def registry(self, region: str) -> RegistryFacts:
        return self._keep(("registry", region), lambda: registry_facts(self._session(Role.OWNER), region))

    def registry_known(self, region: str) -> RegistryFacts | None:
        """What was read within the last minute; asks nothing of AWS."""
        found = self._fresh(("registry", region))
        return found if isinstance(found, RegistryFacts) else None

    def forget_registry(self, region: str) -> None:
        """After a write to one of its creation templates."""
        with self._lock:
            self._kept.pop(("registry", region), None)

    def replication(self, region: str) -> Replication:
        return self._keep(("replication", region), lambda: replication(self._session(Role.OWNER), region))

    def workloads(
        self, role: Role, region: str, on_progress: OnProgress | None = None, cancel: threading.Event | None = None
    ) -> Workloads:
        """Of the account's Lambda functions and task definitions, at most ten minutes old."""

        def read() -> Workloads:
            return workloads(self._session(role), region, on_progress=on_progress, cancel=cancel)

        return self._keep(("workloads", f"{role} {region}"), read, WORKLOADS_SECONDS)

    def workloads_known(self, role: Role, region: str) -> Workloads | None:
        """What was read within the last ten minutes; asks nothing of AWS."""
        found = self._fresh(("workloads", f"{role} {region}"), WORKLOADS_SECONDS)
        return found if isinstance(found, Workloads) else None

    def identity(self, principal: str) -> IdentityPolicies:
        """Read as account B or another consumer, or as account A where the principal is A's own.

        Raises nothing but Cancelled.
        """
        return self._keep(("identity", principal), lambda: self._identity(principal))

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
                tried.append(reason_of(error))
                continue
            if own == account:
                return identity_policies(session, principal)
            tried.append(f"the profile of {role.value} belongs to {own}")
        for session in self._others(account or ""):
            try:
                if session.identity().account == account:
                    return identity_policies(session, principal)
            except EcrTuiError as error:
                tried.append(reason_of(error))
        return unknown(principal, f"no credentials for account {account}: {'; '.join(tried)}")

    def _keep(self, key: tuple[str, str], read: Callable[[], T], seconds: float | None = None) -> T:
        found = self._fresh(key, seconds)
        if found is None:
            generation = self._generation
            found = read()
            with self._lock:
                # What was asked before everything was forgotten may be another account's.
                if generation == self._generation:
                    self._kept[key] = (time.monotonic(), found)
        return found  # type: ignore[return-value]

    def _fresh(self, key: tuple[str, str], seconds: float | None = None) -> object | None:
        """What was read at most ``seconds`` ago; None: KEPT_SECONDS."""
        with self._lock:
            found = self._kept.get(key)
        kept = KEPT_SECONDS if seconds is None else seconds
        return found[1] if found is not None and time.monotonic() - found[0] < kept else None
