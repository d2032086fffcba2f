"""The use cases bound to two accounts: what both the command line and the screens call.

Blocking and thread-safe; nothing here imports boto3 or docker until a call needs it, so that the first frame does
not wait for them. Every failure is an :class:`~ecr_tui.errors.EcrTuiError`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event as CancelEvent
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Identity, MfaPrompt, Profile, Repository, Role, RoleToAssume
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.journal import Journal
from ecr_tui.workspace_audit import Auditing
from ecr_tui.workspace_facts import Facts
from ecr_tui.workspace_many import Many
from ecr_tui.workspace_past import Undoing
from ecr_tui.workspace_verifying import Verifying

if TYPE_CHECKING:
    from datetime import datetime

    from ecr_tui.aws.model import IdentityPolicies, ImagesSummary, RegistryFacts
    from ecr_tui.aws.policies import RepositoryPolicies
    from ecr_tui.aws.sessions import AwsSession
    from ecr_tui.grants import Outcome, Plan
    from ecr_tui.policy.change import Grant
    from ecr_tui.policy.document import PolicyDocument
    from ecr_tui.templates import Fit
    from ecr_tui.twosided import TwoSided


class Workspace(Auditing, Many, Undoing, Verifying):
    """Two accounts, their sessions, and what was granted in this run."""

    def __init__(
        self,
        settings: Settings,
        ask_mfa: Callable[[MfaPrompt], str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """``ask_mfa`` is called on the thread that needs the code; without it an MFA profile is a clear error.

        ``prepare`` runs once, before the first session is made: whatever must be in place before AWS is asked.
        """
        self.settings = settings
        self.ask_mfa = ask_mfa
        self.journal = Journal(settings.state_folder / "journal.jsonl")
        self._prepare = prepare
        self._lock = threading.RLock()
        self._sessions: dict[Role, AwsSession] = {}
        self._assumed: dict[Role, RoleToAssume] = {}
        self._facts = Facts(lambda role: self._consumer_session() if role is Role.CONSUMER else self.session(role))
        self._granted_at: dict[str, float] = {}
        self._prepare_many()
        self._prepare_verifying()

    # -- accounts ------------------------------------------------------------------------------------------------

    def profiles(self) -> tuple[Profile, ...]:
        from ecr_tui.aws.profiles import list_profiles

        return list_profiles()

    def region_names(self, like: str | None = None) -> tuple[str, ...]:
        """As ``aws.sessions.list_regions``."""
        from ecr_tui.aws.sessions import list_regions

        return list_regions(like)

    def use(
        self,
        *,
        profile_a: str | None = None,
        profile_b: str | None = None,
        regions: Sequence[str] | None = None,
        assume_a: RoleToAssume | None = None,
        assume_b: RoleToAssume | None = None,
    ) -> None:
        """Switch profiles or regions; what is None stays. The sessions that no longer fit are dropped, with all that
        was read through them.

        ``profile_a`` "" is botocore's own default, ``profile_b`` "" nobody. A role is assumed with the profile that is
        named beside it, and given up when a profile is named without one.
        """
        with self._lock:
            for role, name, profile, assume in (
                (Role.OWNER, "profile_a", profile_a, assume_a),
                (Role.CONSUMER, "profile_b", profile_b, assume_b),
            ):
                if profile is not None:
                    self.settings = self.settings.changed("chosen in the app", **{name: profile or None})
                    self._assumed.pop(role, None)
                    if assume is not None:
                        self._assumed[role] = assume
                    self._sessions.pop(role, None)
            if regions is not None:
                self.settings = self.settings.changed("chosen in the app", regions=tuple(regions))
                self._sessions.clear()
            if profile_a is not None:
                self._listed.clear()
        # After the sessions: what is read anew meanwhile comes from the new ones.
        self._facts.forget()
        self._forget_read()

    def renew(self, role: Role) -> None:
        """Read this side's credentials afresh at the next call: from the AWS config, sign-in caches and programs."""
        with self._lock:
            self._sessions.pop(role, None)

    def assumed(self, role: Role) -> RoleToAssume | None:
        """The role that this side assumes with its profile's credentials, in memory."""
        return self._assumed.get(role)

    def expires_at(self, role: Role) -> datetime | None:
        """When the credentials at hand end; None where that is not known. Asks nobody."""
        session = self._sessions.get(role)
        return None if session is None else session.expires_at()

    def session(self, role: Role) -> AwsSession:
        from ecr_tui.aws.sessions import AwsSession

        with self._lock:
            if self._prepare is not None:
                self._prepare()
                self._prepare = None
            if role not in self._sessions:
                profile = self.settings.profile_a if role is Role.OWNER else self.settings.profile_b
                region = self.settings.regions[0] if self.settings.regions else None
                self._sessions[role] = AwsSession(role, profile, region, self.ask_mfa, self._assumed.get(role))
            return self._sessions[role]

    def _to_write(self) -> tuple[AwsSession, str]:
        """The owner's session and why it may not write ("" when it may): of one profile, whatever is chosen meanwhile.

        Every write of this class's parts goes through this or through ``Settings.check_writable``."""
        with self._lock:
            return self.session(Role.OWNER), self.settings.read_only_reason

    def owner(self) -> Identity:
        return self.session(Role.OWNER).identity()

    def consumer(self) -> Identity:
        return self._consumer_session().identity()

    def _consumer_session(self) -> AwsSession:
        if self.settings.profile_b is None:
            raise InputError(
                "no profile for account B",
                hint="Name one with --profile-b or ECR_TUI_PROFILE_B; in the app, A chooses it.",
                side=Role.CONSUMER.value,
            )
        return self.session(Role.CONSUMER)

    def regions(self) -> tuple[str, ...]:
        """The regions asked for, else the owner profile's own one. Raises InputError where nothing names one."""
        if self.settings.regions:
            return self.settings.regions
        session = self.session(Role.OWNER)
        region = session.region
        if region is None:
            from ecr_tui.aws.errors import missing_region, no_configuration

            raise missing_region(Role.OWNER, session.profile) if self.profiles() else no_configuration(Role.OWNER)
        return (region,)

    def principal(self, text: str) -> str:
        """What ``--to`` and the principal prompt accept, as a canonical ARN (policy.principal.parse_principal).

        Account B is asked who it is only for the forms that need its id.
        """
        from ecr_tui.policy.principal import parse_principal

        text = text.strip()
        account, partition = None, "aws"
        if text.startswith(("user/", "role/")):
            identity = self.consumer()
            account, partition = identity.account, identity.partition
        elif not text.startswith("arn:"):
            partition = self.owner().partition
        return parse_principal(text, account_b=account, partition=partition)

    def consumer_principal(self) -> str:
        """Account B's own caller as something a policy can name: a session's role, else the caller itself."""
        from ecr_tui.policy.compiled import caller_of
        from ecr_tui.policy.evaluate import principal_arn

        return principal_arn(caller_of(self.consumer().arn))

    # -- repositories --------------------------------------------------------------------------------------------

    def repositories(
        self,
        tags: Mapping[str, str] | None = None,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: CancelEvent | None = None,
        on_failure: Callable[[str, EcrTuiError], None] | None = None,
    ) -> list[Repository]:
        """As ``aws.inventory.list_repositories``, over :meth:`regions`. One without ``tags`` is kept for the next start
        (:meth:`cached_repositories`)."""
        from ecr_tui.aws.inventory import list_repositories

        failed: list[str] = []

        def fail(region: str, error: EcrTuiError) -> None:
            failed.append(region)
            if on_failure is not None:
                on_failure(region, error)

        session = self.session(Role.OWNER)
        found = list_repositories(
            session,
            self.regions(),
            tags=tags,
            on_page=on_page,
            on_failure=None if on_failure is None else fail,
            cancel=cancel,
        )
        # A listing that ends after another account was chosen is nothing to remember under the new one's name.
        if not tags and self._sessions.get(Role.OWNER) is session:
            self.remember_listed(found)
            self._keep(found, failed)
        return found

    def repository(self, name: str) -> Repository:
        """By name, with its tags read live. InputError where no region has it, or more than one has."""
        from ecr_tui.aws.inventory import get_repository

        found: list[Repository] = []
        missing: InputError | None = None
        regions = self.regions()
        for region in regions:
            try:
                found.append(get_repository(self.session(Role.OWNER), name, region))
            except InputError as error:
                missing = error
        if len(found) > 1:
            raise InputError(
                f"{name!r} exists in {', '.join(r.region for r in found)}", hint="Name one region with --region."
            )
        if not found:
            if missing is not None and len(regions) == 1:
                raise missing
            raise InputError(f"there is no repository {name!r} in {', '.join(regions)}", side=Role.OWNER.value)
        return found[0]

    def _fresh(self, repository: Repository) -> Repository:
        from ecr_tui.aws.inventory import with_live_tags

        return with_live_tags(self.session(Role.OWNER), repository)

    def images(self, repository: Repository) -> ImagesSummary:
        from ecr_tui.aws.images import images_summary

        return images_summary(self.session(Role.OWNER), repository)

    def policy_text(self, repository: Repository) -> str | None:
        return self._store().read(repository)

    def _store(self, *, background: bool = False) -> RepositoryPolicies:
        from ecr_tui.aws.policies import RepositoryPolicies

        return RepositoryPolicies(self.session(Role.OWNER), background=background)

    # -- grants --------------------------------------------------------------------------------------------------

    def preview(self, repository: Repository, grant: Grant, text: str | None) -> Plan:
        """The plan on a policy text that was read before; asks nothing of AWS.

        The registry policy counts where it was read within the last minute (:meth:`registry_facts`).
        """
        from ecr_tui.grants import plan_grant_from

        return plan_grant_from(repository, text, grant, registry=self._facts.registry_known(repository.region))

    def plan(self, repository: Repository, grant: Grant) -> Plan:
        """On the live policy and the live tags: what a listing says of tags lags behind them."""
        from ecr_tui.grants import plan_grant

        facts = self.registry_facts(repository.region)
        return plan_grant(self._store(), self._fresh(repository), grant, registry=facts)

    def plan_revoke(self, repository: Repository, principals: tuple[str, ...]) -> Plan:
        from ecr_tui.grants import plan_revoke

        facts = self.registry_facts(repository.region)
        return plan_revoke(self._store(), self._fresh(repository), principals, registry=facts)

    def plan_document(self, repository: Repository, incoming: PolicyDocument, notes: Sequence[str] = ()) -> Plan:
        """What merging a pasted policy would change; what a repository policy cannot carry is in ``moved``."""
        from ecr_tui.grants import plan_document

        facts = self.registry_facts(repository.region)
        return plan_document(self._store(), self._fresh(repository), incoming, registry=facts, notes=notes)

    def apply(self, plan: Plan) -> Outcome:
        """Write what was previewed, or refuse (ConflictError) when the live policy is another by now."""
        from ecr_tui.aws.policies import RepositoryPolicies
        from ecr_tui.grants import apply

        session, read_only = self._to_write()
        owner = session.identity()
        if plan.repository.account != owner.account:
            # Requests name the repository alone: in another account it would be another one.
            raise InputError(
                f"{plan.repository.name} was listed in account {plan.repository.account}, and this profile belongs to "
                f"{owner.account}; nothing was written",
                hint="List the repositories again.",
                side=Role.OWNER.value,
            )
        try:
            store = RepositoryPolicies(session, client=session.ecr_once)
            outcome = apply(store, self.journal, plan, operator=owner.arn, read_only=read_only)
            self._look_again(store, outcome)
        finally:
            # Written, or found to be another than was shown.
            self.policies.invalidate(plan.repository.arn)
        if outcome.written and plan.grant is not None:
            self._granted_at[plan.repository.arn] = time.monotonic()
        return outcome

    # -- what else decides ---------------------------------------------------------------------------------------

    def registry_facts(self, region: str) -> RegistryFacts:
        """Registry policy, scope and creation templates of a region, at most a minute old."""
        return self._facts.registry(region)

    def identity_policies(self, principal: str) -> IdentityPolicies:
        """Those of a user, role or session (an ARN), at most a minute old; or the reason why they are unknown."""
        return self._facts.identity(principal)

    def verdicts(self, repository: Repository, plan: Plan) -> tuple[TwoSided, ...]:
        """Both sides once the plan is written, for everyone it is about.

        Where it names account B as a whole, B's own caller is decided, too: whom else B lets in is up to B.
        """
        from ecr_tui.policy.principal import account_of, is_account
        from ecr_tui.twosided import two_sided

        principals = list(plan.principals)
        if self.settings.profile_b is not None and any(map(is_account, principals)):
            with contextlib.suppress(EcrTuiError):
                consumer = self.consumer()
                if consumer.account in [account_of(one) for one in principals if is_account(one)]:
                    principals.append(consumer.arn)
        facts = self.registry_facts(repository.region)
        return tuple(
            two_sided(
                plan.repository,
                principal,
                plan.access,
                plan.after,
                identity=self.identity_policies(principal),
                registry=facts,
            )
            for principal in dict.fromkeys(principals)
        )

    def new_repositories(self, repository: Repository, plan: Plan) -> Fit | None:
        """What a creation template would make of the grant for repositories to come beside this one; None for none."""
        from ecr_tui.templates import fit, template_for

        if plan.grant is None:
            return None
        namespace, slash, _ = repository.name.rpartition("/")
        templates = self.registry_facts(repository.region).templates
        template = template_for(templates, f"{namespace}{slash}new")
        return None if template is None else fit(template, repository, plan.grant.principals, plan.grant.tags)
