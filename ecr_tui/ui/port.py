"""What the interface asks of the use cases: ``ecr_tui.workspace.Workspace``, as far as it is used here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from ecr_tui.audit_result import Audit
    from ecr_tui.aws.model import Identity, MfaPrompt, Profile, Repository, Role, RoleToAssume
    from ecr_tui.batch import Batch, Result
    from ecr_tui.bulk import Bulk
    from ecr_tui.cache import Cached
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.grants import Outcome, Plan
    from ecr_tui.journal import Entry
    from ecr_tui.past_writes import PastWrites
    from ecr_tui.policy.actions import Access
    from ecr_tui.policy.change import Grant
    from ecr_tui.policy.document import PolicyDocument
    from ecr_tui.policy_reader import Readers
    from ecr_tui.report import Event as VerifyEvent
    from ecr_tui.report import Report
    from ecr_tui.templates import Fit
    from ecr_tui.twosided import TwoSided
    from ecr_tui.verifications import Leftover, Past
    from ecr_tui.workspace_verifying import Cleaned


class Workspace(Protocol):
    """All but ``preview``, ``identity_policy``, ``use``, ``renew``, ``assumed`` and ``expires_at`` may block, and all
    may be called from any thread.

    They raise :class:`ecr_tui.errors.EcrTuiError` and nothing else.
    """

    settings: Any
    ask_mfa: Callable[[MfaPrompt], str] | None
    journal: Any

    def profiles(self) -> Sequence[Profile]: ...
    def region_names(self, like: str | None = None) -> Sequence[str]: ...
    def use(
        self,
        *,
        profile_a: str | None = None,
        profile_b: str | None = None,
        regions: Sequence[str] | None = None,
        assume_a: RoleToAssume | None = None,
        assume_b: RoleToAssume | None = None,
    ) -> None: ...
    def renew(self, role: Role) -> None: ...
    def assumed(self, role: Role) -> RoleToAssume | None: ...
    def expires_at(self, role: Role) -> datetime | None: ...
    def owner(self) -> Identity: ...
    def consumer(self) -> Identity: ...
    def repositories(
        self,
        tags: Mapping[str, str] | None = None,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: Event | None = None,
        on_failure: Callable[[str, EcrTuiError], None] | None = None,
    ) -> list[Repository]: ...
    def cached_repositories(
        self,
        tags: Mapping[str, str] | None = None,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: Event | None = None,
    ) -> Cached | None: ...
    def repository(self, name: str) -> Repository: ...
    def readers(self) -> Readers: ...
    def preview(self, repo: Repository, grant: Grant, text: str | None) -> Plan: ...
    def plan(self, repo: Repository, grant: Grant) -> Plan: ...
    def plan_revoke(self, repo: Repository, principal: str) -> Plan: ...
    def apply(self, plan: Plan) -> Outcome: ...
    def undo(self) -> Outcome: ...
    def past_writes(self) -> PastWrites: ...
    def live_text(self, entry: Entry) -> str | None: ...
    def undo_entry(self, identifier: str) -> Outcome: ...
    def redo_entry(self, identifier: str) -> Outcome: ...
    def bulk(self, parallel: int | None = None) -> Bulk: ...
    def registry_facts(self, region: str) -> Any: ...
    def verdicts(self, repository: Repository, plan: Plan) -> tuple[TwoSided, ...]: ...
    def new_repositories(self, repository: Repository, plan: Plan) -> Fit | None: ...
    def identity_policy(self, repos: Sequence[Repository], access: Access) -> PolicyDocument: ...
    def audit(
        self,
        *,
        on_listed: Callable[[int], None] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        cancel: Event | None = None,
    ) -> Audit: ...
    def verify(
        self,
        repo: Repository,
        *,
        engine: str | None = None,
        isolation: Repository | str = "auto",
        on_event: Callable[[VerifyEvent], None],
        cancel: Event,
    ) -> Report: ...
    def verify_many(
        self,
        repositories: Sequence[Repository],
        *,
        engine: str | None = None,
        on_event: Callable[[Repository, VerifyEvent], None] = ...,
        on_result: Callable[[Result], None] = ...,
        cancel: Event,
    ) -> Batch: ...
    def verifications(self, repository: Repository | None = None) -> tuple[Past, ...]: ...
    def last_verifications(self) -> dict[str, Past]: ...
    def leftovers(self) -> tuple[Leftover, ...]: ...
    def clean_leftovers(self, leftovers: Sequence[Leftover] | None = None) -> tuple[Cleaned, ...]: ...
    def busy(self) -> bool: ...
    def close(self, patience: float = 5.0) -> bool: ...
