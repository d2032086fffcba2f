"""Changes to policies and tags: plan, write, record, undo; single and in bulk."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from ecr_tui.access import audit_reading
from ecr_tui.access.audit_reading import OnProgress, read_policies
from ecr_tui.aws.identity_policies import exists
from ecr_tui.aws.inventory import with_live_tags
from ecr_tui.aws.model import Identity, RegistryFacts, Repository, Role, TemplatePlace
from ecr_tui.aws.policies import PRINCIPAL_WAIT
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.tags import RepositoryTags
from ecr_tui.aws.template_policies import PlacePolicies, place_policies
from ecr_tui.changes import apply as apply_module
from ecr_tui.changes.apply import Outcome, apply, check_account
from ecr_tui.changes.bulk import PARALLEL, Bulk, Intent
from ecr_tui.changes.desired.file import GrantsFile
from ecr_tui.changes.desired.rows import Desired
from ecr_tui.changes.entries import POLICY, TAGS, UNDO, WRITTEN, Entry, History
from ecr_tui.changes.history import PastWrites
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import (
    Plan,
    plan_document_from,
    plan_edit_from,
    plan_grant_from,
    plan_revoke_from,
    read_live,
    with_trust,
)
from ecr_tui.changes.tag_plans import TagPlan, plan_back, plan_half, plan_tags
from ecr_tui.changes.tags import TagOutcome, apply_tags
from ecr_tui.changes.undo import entry_of, holds, repository_of, settle, target, undo
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.acceptance import dead_principals
from ecr_tui.policy.change import Grant, differences
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.principal import account_of
from ecr_tui.policy.repair import FormerName, former_names
from ecr_tui.policy.trusted import Trusted
from ecr_tui.workspace.access import AccessReview
from ecr_tui.workspace.accounts import Accounts
from ecr_tui.workspace.desired import check_names, desired_of
from ecr_tui.workspace.listing import Listing


class Changes:
    """Thread-safe. Every write goes through ``Accounts.to_write``, which returns the read-only reason."""

    def __init__(self, accounts: Accounts, listing: Listing, access: AccessReview) -> None:
        self._accounts = accounts
        self._listing = listing
        self._access = access
        self.journal = Journal(accounts.settings.state_folder / "journal.jsonl")

    def preview(self, repository: Repository, grant: Grant, text: str | None) -> Plan:
        """The plan on a policy text that was read before; makes no AWS calls.

        The registry policy is evaluated if it was read within the last minute (:meth:`registry_facts`).
        """
        facts = self._access.registry_known(repository.region)
        return self._with_trust(plan_grant_from(repository, text, grant, registry=facts))

    def plan(self, repository: Repository, grant: Grant) -> Plan:
        """The plan on the live policy and live tags; tags of a listing may lag."""
        fresh, text, facts = self._live(repository)
        return self._with_trust(plan_grant_from(fresh, text, grant, registry=facts))

    def plan_in_template(self, repository: Repository, grant: Grant) -> Plan | None:
        """The same grant in the current creation template that applies next to this repository."""
        self._access.forget_registry(repository.region)
        facts = self._access.registry_facts(repository.region)
        if facts.templates_unreadable:
            raise EcrTuiError("the creation templates are unknown", detail=facts.templates_unreadable)
        return self._access.template_plan(repository, grant)

    def plan_revoke(self, repository: Repository, principals: tuple[str, ...]) -> Plan:
        fresh, text, facts = self._live(repository)
        return self._with_trust(plan_revoke_from(fresh, text, principals, registry=facts))

    def plan_document(self, repository: Repository, incoming: PolicyDocument, notes: Sequence[str] = ()) -> Plan:
        """The plan to merge a pasted policy; ``moved`` has actions that a repository policy cannot contain."""
        fresh, text, facts = self._live(repository)
        return self._with_trust(plan_document_from(fresh, text, incoming, registry=facts, notes=notes))

    def _with_trust(self, plan: Plan) -> Plan:
        return with_trust(plan, self._accounts.settings.trusted)

    def _live(self, repository: Repository) -> tuple[Repository, str | None, RegistryFacts]:
        """The repository with its tags and policy, and its region's registry facts."""
        facts = self._access.registry_facts(repository.region)
        fresh = self._listing.fresh(repository)
        return fresh, self._listing.policy_text(fresh), facts

    def plan_edit(self, repository: Repository, text: str | None, edited: PolicyDocument) -> Plan:
        """The plan to replace ``text``, as read, by ``edited``."""
        facts = self._access.registry_facts(repository.region)
        return self._with_trust(plan_edit_from(self._listing.fresh(repository), text, edited, registry=facts))

    def plan_repairs(self, repository: Repository) -> tuple[Plan, ...]:
        """The repair of the live policy; and, if deleted principals were recreated, one that re-pins them."""
        text = self._listing.store().read(repository)
        plain = Intent.to_repair().plan(repository, text)
        names = self.former_names([plain])
        again = {name: former.arn for name, former in names.items() if former.exists}
        plain = Intent.to_repair(names=names).plan(repository, text)
        return (plain, Intent.to_repair(again, names).plan(repository, text)) if again else (plain,)

    def former_names(self, plans: Iterable[Plan]) -> dict[str, FormerName]:
        """Former names of the deleted principals of these policies by id, where certain.

        From the journal and the Sids of our grants; account B is asked whether a principal of that name exists now.
        """
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
        if self._accounts.settings.profile_b is not None:
            with contextlib.suppress(EcrTuiError):
                names.append(self._accounts.consumer_principal())
        return list(dict.fromkeys(names))

    def _lives(self, arn: str) -> bool | None:
        """As ``aws.identity_policies.exists``; None without credentials of that account."""
        if self._accounts.settings.profile_b is None:
            return None
        try:
            if self._accounts.consumer().account != account_of(arn):
                return None
            return exists(self._accounts.session(Role.CONSUMER), arn)
        except EcrTuiError:
            return None

    def apply(self, plan: Plan) -> Outcome:
        """Write the previewed plan. Raises ConflictError if the live policy changed."""
        session, read_only = self._accounts.to_write()
        owner = session.identity()
        check_account(plan.repository, owner.account)
        try:
            store = place_policies(session, client=session.ecr_once)
            outcome = apply(store, self.journal, plan, operator=owner.arn, read_only=read_only)
            self._look_again(store, outcome)
        finally:
            # Written, or found changed.
            self._forget(plan.repository)
        return outcome

    def _look_again(self, store: PlacePolicies, outcome: Outcome) -> None:
        """Check shortly after a write. Raises Overwritten if another writer replaced it."""
        if not outcome.written:
            return
        time.sleep(apply_module.LOOK_AGAIN)
        error = apply_module.look_again(store, self.journal, outcome)
        if error is not None:
            raise error

    def bulk(self, parallel: int | None = None) -> Bulk:
        """Bulk changes to repositories of account A; calls AWS for its identity."""
        session, read_only = self._accounts.to_write()
        trusted = self._accounts.settings.trusted
        owner = _Owner(session, session.identity(), self._access.registry_facts, self._forget, trusted)
        return Bulk(owner, self.journal, read_only=read_only, parallel=parallel or PARALLEL)

    def desired(self, file: GrantsFile, *, prune: bool = False) -> Desired:
        """A file of grants with resolved principals and regions. Calls AWS for the accounts' identities."""
        return desired_of(file, self._accounts, prune=prune)

    def check_names(self, file: GrantsFile, desired: Desired, repositories: Iterable[Repository]) -> list[str]:
        """As ``workspace.desired.check_names``."""
        return check_names(file, desired, repositories)

    def in_force(
        self, repositories: Sequence[Repository], *, on_progress: OnProgress | None = None
    ) -> list[audit_reading.Entry]:
        """The live policies, as ``access.audit_reading.read_policies``."""
        store = self._listing.store(background=True)
        return read_policies(store.read, repositories, on_progress=on_progress)

    def past_writes(self) -> PastWrites:
        """All writes in this journal, by any instance. Makes no AWS calls."""
        return PastWrites(self.journal.read())

    def live_text(self, entry: Entry) -> str | None:
        """The live text of the entry's place, in the journal's format."""
        if entry.record.subject == TAGS:
            return json.dumps(self._tag_store().tags(repository_of(entry)))
        return self._listing.store(background=True).read(repository_of(entry))

    def undo(self, identifier: str = "", reason: str = "") -> Outcome:
        """Take back that write ("": the last of this account that was not taken back yet). InputError where that is
        done already, ConflictError where it is not the live state."""
        return self._take_back(identifier, reason, redo=False)

    def redo(self, identifier: str = "", reason: str = "") -> Outcome:
        """Write again what was taken back ("": by the last undo, unless something was written upon it)."""
        return self._take_back(identifier, reason, redo=True)

    def _take_back(self, identifier: str, reason: str, *, redo: bool) -> Outcome:
        session, read_only = self._accounts.to_write()
        owner = session.identity()
        store = place_policies(session, client=session.ecr_once)
        outcome = undo(
            store,
            self.journal,
            identifier,
            account=owner.account,
            operator=owner.arn,
            read_only=read_only,
            redo=redo,
            tags_for=self._tags_for,
            reason=reason,
        )
        try:
            self._look_again(store, outcome)
        finally:
            self._forget(outcome.plan.repository)
        return outcome

    def _forget(self, place: Repository) -> None:
        """The policy as read."""
        if isinstance(place, TemplatePlace):
            self._access.forget_registry(place.region)
        else:
            self._listing.policies.invalidate(place.arn)

    def fresh_tags(self, repository: Repository) -> Repository:
        """The repository with its live tags."""
        return replace(repository, tags=self._tag_store().tags(repository), tags_source="live")

    def plan_tags(self, repository: Repository, tags: Mapping[str, str], unset: Iterable[str] = ()) -> TagPlan:
        """The plan to set and remove tags, with its effect on access, on the live tags and policy."""
        facts = self._access.registry_facts(repository.region)
        return plan_tags(self._tag_store(), repository, tags, unset, registry=facts)

    def plan_tags_back(self, identifier: str, *, redo: bool = False) -> TagPlan:
        """To take back a change of tags, or to make it again. Raises as :meth:`undo`.

        A partly executed change is undone, or completed, only for its own tags.
        """
        account, store = self._accounts.owner().account, self._tag_store()
        repository = repository_of(entry_of(self.journal.read(holds(identifier)), identifier, account))
        with self.journal.writing(repository.arn):
            history = settle(
                self._listing.store(), self.journal, account=account, arn=repository.arn, tags_for=self._tags_for
            )
        entry = target(history, entry_of(history, identifier, account), redo=redo)
        facts = self._access.registry_facts(entry.record.region)
        cut = entry if entry.id in history.half else history.cut_undo(entry)
        if cut is not None:
            # A partly executed undo is completed by another undo, and undone by a redo.
            complete = redo and cut.record.kind != UNDO if cut is entry else True
            return plan_half(store, repository, cut, complete=complete, registry=facts)
        return plan_back(store, repository, entry, later=history.later(entry), registry=facts)

    def _tags_for(self, entry: Entry) -> Mapping[str, str]:
        return self._tag_store().tags(repository_of(entry))

    def apply_tags(self, plan: TagPlan) -> TagOutcome:
        """Write the previewed tags. Raises ConflictError if tags or policy changed."""
        session, read_only = self._accounts.to_write()
        owner = session.identity()
        check_account(plan.repository, owner.account)
        store = RepositoryTags(session, writing=True)
        return apply_tags(store, self.journal, plan, operator=owner.arn, read_only=read_only)

    def _tag_store(self) -> RepositoryTags:
        return RepositoryTags(self._accounts.session(Role.OWNER))

    def since_grant(self, arn: str) -> float:
        """Seconds since this program, in this run or in another, last gave access there; infinite if that was not the
        last thing that it wrote."""
        try:
            entries = self.journal.recent().of_repository.get((arn, POLICY), ())
            last = next((one for one in reversed(entries) if one.outcome == WRITTEN), None)
            if last is not None and _gives(last):
                return (datetime.now(UTC) - (last.finished_at or last.at)).total_seconds()
        except EcrTuiError:
            pass
        return float("inf")


def _gives(entry: Entry) -> bool:
    """Whether it allowed more, or denied less."""
    texts = (entry.record.before_text, entry.record.after_text)
    before, after = (read_live(repository_of(entry), text)[1] for text in texts)
    return any((one.op == "add") == (one.effect == "Allow") for one in differences(before, after))


class _Owner(NamedTuple):
    """Account A for bulk changes, whose calls are paced by the caller (``bulk.Account``)."""

    session: AwsSession
    identity: Identity
    registry: Callable[[str], RegistryFacts]
    touched: Callable[[Repository], None]
    trusted: Trusted | None

    @property
    def account(self) -> str:
        return self.identity.account

    @property
    def operator(self) -> str:
        return self.identity.arn

    def store(self, *, patient: bool) -> PlacePolicies:
        wait = PRINCIPAL_WAIT if patient else 0
        return place_policies(self.session, principal_wait=wait, client=self.session.ecr_once)

    def fresh(self, repository: Repository) -> Repository:
        if isinstance(repository, TemplatePlace):
            return repository
        return with_live_tags(self.session, repository, client=self.session.ecr_once(repository.region))
