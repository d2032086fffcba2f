"""The part of a workspace that audits: list, read every policy, work it out, and decide both sides where it matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Event as CancelEvent
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Identity, Repository, Role
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError

if TYPE_CHECKING:
    from ecr_tui.audit_reading import OnProgress
    from ecr_tui.audit_result import Audit, Tag
    from ecr_tui.aws.model import IdentityPolicies, RegistryFacts
    from ecr_tui.aws.sessions import AwsSession

VERDICTS = 500
"""Repositories at most whose both sides are decided for one principal; a decision with its reasons takes some 2 ms."""


class Auditing:
    """To be inherited by the workspace, which owns the sessions. Thread-safe."""

    settings: Settings

    if TYPE_CHECKING:

        def session(self, role: Role) -> AwsSession: ...
        def owner(self) -> Identity: ...
        def consumer(self) -> Identity: ...
        def regions(self) -> tuple[str, ...]: ...
        def registry_facts(self, region: str) -> RegistryFacts: ...
        def identity_policies(self, principal: str) -> IdentityPolicies: ...
        def repositories(
            self,
            tags: Mapping[str, str] | None = None,
            on_page: Callable[[list[Repository]], None] | None = None,
            cancel: CancelEvent | None = None,
            on_failure: Callable[[str, EcrTuiError], None] | None = None,
        ) -> list[Repository]: ...

    def audit(
        self,
        *,
        tags: Sequence[Tag] = (),
        principals: Sequence[str] = (),
        on_listed: Callable[[int], None] | None = None,
        on_progress: OnProgress | None = None,
        cancel: CancelEvent | None = None,
    ) -> Audit:
        """All repositories of :meth:`regions`, whatever tag filter is set. ``tags``: the tag of interest for the drift.

        ``principals`` (ARNs) are asked about everywhere; none takes account B's own caller, where there is one. The
        callbacks run on the calling thread: ``on_listed`` with the number of repositories found so far, then
        ``on_progress`` as ``audit_reading.read_policies``. Raises Cancelled.
        """
        from ecr_tui.audit import examine
        from ecr_tui.audit_reading import read_policies
        from ecr_tui.aws.policies import RepositoryPolicies

        owner = self.owner()
        failures: dict[str, str] = {}
        seen: set[str] = set()

        def on_page(page: list[Repository]) -> None:
            seen.update(repository.arn for repository in page)
            if on_listed is not None:
                on_listed(len(seen))

        def on_failure(region: str, error: EcrTuiError) -> None:
            failures.setdefault(region, " ".join(error.text().split()))

        repositories = self.repositories(None, on_page, cancel, on_failure)
        asked, notes = self._asked(principals)
        store = RepositoryPolicies(self.session(Role.OWNER), background=True)
        entries = read_policies(store.read, repositories, on_progress=on_progress, cancel=cancel)
        found = examine(
            entries,
            account=owner.account,
            partition=owner.partition,
            regions=self.regions(),
            registries=[self.registry_facts(region) for region in self.regions()],
            tags=tags,
            asked=asked,
            roles={one: identity.arn for one in asked if not (identity := self.identity_policies(one)).unreadable},
            failures=failures,
            cancel=cancel,
        )
        return self._with_both_sides(replace(found, notes=tuple(notes)), asked)

    def _asked(self, principals: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        if principals or self.settings.profile_b is None:
            return tuple(dict.fromkeys(principals)), []
        try:
            return (self.consumer().arn,), []
        except EcrTuiError as error:
            return (), [f"who account B is could not be found out: {' '.join(error.text().split())}"]

    def _with_both_sides(self, found: Audit, asked: Sequence[str]) -> Audit:
        """Only where account A's side lets the principal in: elsewhere the answer is no, whatever B has.

        Account A's own principals may be let in by their own policies alone.
        """
        from ecr_tui.audit_result import ENTRY
        from ecr_tui.policy.actions import Access
        from ecr_tui.policy.who import Verdict
        from ecr_tui.twosided import two_sided

        identities = {principal: self.identity_policies(principal) for principal in asked}
        registries = {facts.region: facts for facts in found.registries}
        notes = list(found.notes)
        verdicts = {}
        for principal, identity in identities.items():
            let_in = [
                item
                for item in found.repositories
                for row in item.asked
                if row.principal == principal
                and (not row.external or any(row.verdict(one) is not Verdict.NO for one in ENTRY))
            ]
            if len(let_in) > VERDICTS:
                notes.append(f"both sides were decided for {VERDICTS} of the {len(let_in)} repositories of {principal}")
            for item in let_in[:VERDICTS]:
                verdicts[item.repository.arn, principal] = two_sided(
                    item.repository,
                    principal,
                    Access.PUSH_PULL,
                    item.document,
                    identity=identity,
                    registry=registries.get(item.repository.region),
                    now=found.at,
                )
        return replace(found, identities=tuple(identities.values()), verdicts=verdicts, notes=tuple(notes))
