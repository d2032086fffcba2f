"""The part of a workspace for what was written before: to look at, to take back, and to do again."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Identity, RegistryFacts, Repository, Role
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.journal import POLICY, REDO, TAGS, Entry, History, Journal
from ecr_tui.policy.principal import account_of
from ecr_tui.policy_reader import PolicyReader

if TYPE_CHECKING:
    from ecr_tui.aws.policies import RepositoryPolicies
    from ecr_tui.aws.sessions import AwsSession
    from ecr_tui.aws.tags import RepositoryTags
    from ecr_tui.grants import Outcome, Plan
    from ecr_tui.past_writes import PastWrites
    from ecr_tui.policy.repair import FormerName
    from ecr_tui.tagging import TagOutcome, TagPlan


class Undoing:
    """To be inherited by the workspace, which owns the sessions. Thread-safe."""

    settings: Settings
    journal: Journal
    policies: PolicyReader
    _granted_at: dict[str, float]

    if TYPE_CHECKING:

        def _to_write(self) -> tuple[AwsSession, str]: ...
        def owner(self) -> Identity: ...
        def consumer(self) -> Identity: ...
        def consumer_principal(self) -> str: ...
        def session(self, role: Role) -> AwsSession: ...
        def registry_facts(self, region: str) -> RegistryFacts: ...
        def _store(self, *, background: bool = False) -> RepositoryPolicies: ...

    def past_writes(self) -> PastWrites:
        """Everything that was written with this journal, by any instance. Asks nothing of AWS."""
        from ecr_tui.past_writes import PastWrites

        return PastWrites(self.journal.read())

    def live_text(self, entry: Entry) -> str | None:
        """What is there now of what the entry wrote, as the journal keeps it."""
        from ecr_tui.undoing import repository_of

        if entry.record.subject == TAGS:
            return json.dumps(self._tag_store().tags(repository_of(entry)))
        return self._store(background=True).read(repository_of(entry))

    def undo(self) -> Outcome:
        """Take back the last write of this account that was not taken back yet."""
        return self._undo_last(redo=False)

    def redo(self) -> Outcome:
        """Take back the last undo of this account, unless something was written upon it."""
        return self._undo_last(redo=True)

    def undo_entry(self, identifier: str) -> Outcome:
        """Take back that write. InputError where that is done already, ConflictError where it is not the live state."""
        return self._take_back(identifier, redo=False)

    def redo_entry(self, identifier: str) -> Outcome:
        """Write again what was taken back."""
        return self._take_back(identifier, redo=True)

    # -- repairs ---------------------------------------------------------------------------------------------------

    def plan_repairs(self, repository: Repository) -> tuple[Plan, ...]:
        """The repair of the live policy; and where deleted principals were made again, one that re-pins them."""
        from ecr_tui.bulk import Intent

        text = self._store().read(repository)
        plain = Intent.to_repair().plan(repository, text)
        names = self.former_names([plain])
        again = {name: former.arn for name, former in names.items() if former.exists}
        plain = Intent.to_repair(names=names).plan(repository, text)
        return (plain, Intent.to_repair(again, names).plan(repository, text)) if again else (plain,)

    def former_names(self, plans: Iterable[Plan]) -> dict[str, FormerName]:
        """Who the deleted principals of these policies were, by their ids, as far as that is certain.

        The journal tells, and the Sids of our own grants; account B, whether one of that name lives now.
        """
        from ecr_tui.policy.acceptance import dead_principals
        from ecr_tui.policy.repair import FormerName, former_names

        history = self.journal.read()
        known = self._principals_of(history)
        found: dict[str, str] = {}
        for plan in plans:
            if plan.before is None or not dead_principals(plan.before):
                continue
            entries = history.of_repository.get((plan.repository.arn, POLICY), ())
            texts = [text for one in reversed(entries) for text in (one.record.after_text, one.record.before_text)]
            found |= former_names(plan.before, texts, known)
        return {name: FormerName(arn, self._lives(arn)) for name, arn in found.items()}

    def _principals_of(self, history: History) -> list[str]:
        names = [one for entry in history.entries for one in entry.record.principal.split(", ") if one]
        if self.settings.profile_b is not None:
            with contextlib.suppress(EcrTuiError):
                names.append(self.consumer_principal())
        return list(dict.fromkeys(names))

    def _lives(self, arn: str) -> bool | None:
        """As ``aws.identity_policies.exists``; None without credentials of that account."""
        from ecr_tui.aws.identity_policies import exists

        if self.settings.profile_b is None:
            return None
        try:
            if self.consumer().account != account_of(arn):
                return None
            return exists(self.session(Role.CONSUMER), arn)
        except EcrTuiError:
            return None

    # -- tags ------------------------------------------------------------------------------------------------------

    def fresh_tags(self, repository: Repository) -> Repository:
        """With its live tags."""
        return replace(repository, tags=self._tag_store().tags(repository), tags_source="live")

    def plan_tags(self, repository: Repository, tags: Mapping[str, str], unset: Iterable[str] = ()) -> TagPlan:
        """What setting and removing these tags would do to the access, on the live tags and policy."""
        from ecr_tui.tagging import plan_tags

        facts = self.registry_facts(repository.region)
        return plan_tags(self._tag_store(), repository, tags, unset, registry=facts)

    def plan_tags_back(self, identifier: str, *, redo: bool = False) -> TagPlan:
        """To take back a change of tags, or to make it again. Raises as :meth:`undo_entry`.

        One that was carried out in part is taken back, or completed, as far as the tags that it was about.
        """
        from ecr_tui.tagging import plan_back, plan_half
        from ecr_tui.undoing import entry_of, holds, repository_of, settle, target

        account, store = self.owner().account, self._tag_store()
        repository = repository_of(entry_of(self.journal.read(holds(identifier)), identifier, account))
        with self.journal.writing(repository.arn):
            history = settle(
                lambda entry: self._store(), self.journal, account=account, arn=repository.arn, tags_for=self._tags_for
            )
        entry = target(history, entry_of(history, identifier, account), redo=redo)
        facts = self.registry_facts(entry.record.region)
        if entry.id in history.half:
            return plan_half(store, repository, entry, redo=redo, registry=facts)
        return plan_back(store, repository, entry, later=history.later(entry), registry=facts)

    def _tags_for(self, entry: Entry) -> Mapping[str, str]:
        from ecr_tui.undoing import repository_of

        return self._tag_store().tags(repository_of(entry))

    def apply_tags(self, plan: TagPlan) -> TagOutcome:
        """Write tags as they were previewed, or refuse (ConflictError) when tags or policy are others by now."""
        from ecr_tui.aws.tags import RepositoryTags
        from ecr_tui.tagging import apply_tags

        session, read_only = self._to_write()
        owner = session.identity()
        if plan.repository.account != owner.account:
            raise InputError(
                f"{plan.repository.name} is in account {plan.repository.account}, and this profile belongs to "
                f"{owner.account}; nothing was written",
                hint="List the repositories again.",
            )
        store = RepositoryTags(session, writing=True)
        return apply_tags(store, self.journal, plan, operator=owner.arn, read_only=read_only)

    def _tag_store(self) -> RepositoryTags:
        from ecr_tui.aws.tags import RepositoryTags

        return RepositoryTags(self.session(Role.OWNER))

    def _undo_last(self, *, redo: bool) -> Outcome:
        from ecr_tui.aws.policies import RepositoryPolicies
        from ecr_tui.undoing import undo

        session, read_only = self._to_write()
        owner = session.identity()
        outcome = undo(
            lambda entry: RepositoryPolicies(session, client=session.ecr_once),
            self.journal,
            account=owner.account,
            operator=owner.arn,
            read_only=read_only,
            redo=redo,
            tags_for=self._tags_for,
        )
        return self._taken_back(outcome, RepositoryPolicies(session, client=session.ecr_once))

    def _take_back(self, identifier: str, *, redo: bool) -> Outcome:
        from ecr_tui.aws.policies import RepositoryPolicies
        from ecr_tui.undoing import take_back

        session, read_only = self._to_write()
        owner = session.identity()
        outcome = take_back(
            lambda entry: RepositoryPolicies(session, client=session.ecr_once),
            self.journal,
            identifier,
            account=owner.account,
            operator=owner.arn,
            read_only=read_only,
            redo=redo,
        )
        return self._taken_back(outcome, RepositoryPolicies(session, client=session.ecr_once))

    def _look_again(self, store: RepositoryPolicies, outcome: Outcome) -> None:
        """A moment after a write. Raises Overwritten where someone else has replaced it."""
        from ecr_tui import grants

        if not outcome.written:
            return
        time.sleep(grants.LOOK_AGAIN)
        error = grants.look_again(store, self.journal, outcome)
        if error is not None:
            raise error

    def _taken_back(self, outcome: Outcome, store: RepositoryPolicies) -> Outcome:
        if outcome.plan.kind == REDO:
            # It may have been a grant, and AWS takes its time with those.
            self._granted_at[outcome.plan.repository.arn] = time.monotonic()
        else:
            self._granted_at.pop(outcome.plan.repository.arn, None)
        try:
            self._look_again(store, outcome)
        finally:
            self.policies.invalidate(outcome.plan.repository.arn)
        return outcome
