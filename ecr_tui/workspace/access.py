"""Access use cases: both sides, the registry policy, creation templates, and the audit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event as CancelEvent

from ecr_tui.access.audit import examine
from ecr_tui.access.audit_pulls import not_pulled, pulled_from_outside
from ecr_tui.access.audit_reading import OnProgress, read_policies
from ecr_tui.access.audit_result import ENTRY, Audit, PullAudit, Tag
from ecr_tui.access.creation_templates import Fit, fit, place, template_for
from ecr_tui.access.facts import Facts
from ecr_tui.access.image_users import ImageUsers, Place
from ecr_tui.access.matrix import AccessMatrix, Policy, Proof, ProofKey
from ecr_tui.access.replicas import ABSENT, FOREIGN, GRANTED, LACKS, PRESENT, UNKNOWN, Copy, places
from ecr_tui.access.two_sided import TwoSided, two_sided
from ecr_tui.aws.inventory import get_repository, list_repositories
from ecr_tui.aws.model import (
    CreationTemplate,
    IdentityPolicies,
    ImagesSummary,
    RegistryFacts,
    Replication,
    Repository,
    Role,
    TemplatePlace,
)
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.changes.plans import Plan, plan_grant_from
from ecr_tui.errors import Cancelled, EcrTuiError, InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.principal import account_of, is_account
from ecr_tui.policy.who import Verdict
from ecr_tui.workspace.accounts import Accounts
from ecr_tui.workspace.listing import Listing
from ecr_tui.workspace.usage import Usage

VERDICTS = 500
"""Maximum repositories to evaluate on both sides for one principal; each takes some 2 ms."""


class AccessReview:
    """Thread-safe."""

    def __init__(self, accounts: Accounts, listing: Listing) -> None:
        self._accounts = accounts
        self._listing = listing
        self._facts = Facts(accounts.session, accounts.sessions_of)
        self.usage = Usage(accounts, listing, self.registry_facts)

    def forget(self) -> None:
        """Drop cached facts after a change of accounts."""
        self._facts.forget()

    def registry_known(self, region: str) -> RegistryFacts | None:
        """Cached facts of the last minute; makes no AWS calls."""
        return self._facts.registry_known(region)

    def registry_facts(self, region: str) -> RegistryFacts:
        """Registry policy, scope and creation templates of a region, at most a minute old."""
        return self._facts.registry(region)

    def identity_policies(self, principal: str) -> IdentityPolicies:
        """The identity policies of a user, role or session (an ARN), at most a minute old; or the reason why they are
        unknown."""
        return self._facts.identity(principal)

    def verdicts(self, plan: Plan) -> tuple[TwoSided, ...]:
        """Both sides as after the plan's write, for its principals.

        If it names account B or an organization, B's caller is evaluated, too. Organizations and services have no
        identity policies.
        """
        principals = [one for one in plan.principals if not grantees.is_conditional(one)]
        organizations = any(one.startswith((grantees.ORGANIZATION, grantees.UNIT)) for one in plan.principals)
        if self._accounts.settings.profile_b is not None and (organizations or any(map(is_account, principals))):
            with contextlib.suppress(EcrTuiError):
                consumer = self._accounts.consumer()
                if organizations or consumer.account in [account_of(one) for one in principals if is_account(one)]:
                    principals.append(consumer.arn)
        return tuple(
            self._two_sided(plan.repository, one, plan.access, plan.after) for one in dict.fromkeys(principals)
        )

    def _two_sided(
        self, repository: Repository, principal: str, access: Access, document: PolicyDocument | None
    ) -> TwoSided:
        identity, registry = self.identity_policies(principal), self.registry_facts(repository.region)
        return two_sided(repository, principal, access, document, identity=identity, registry=registry)

    def new_repositories(self, plan: Plan) -> Fit | None:
        """What a creation template would make of the grant for repositories to come beside its own; None for none."""
        repository = plan.repository
        if plan.grant is None or isinstance(repository, TemplatePlace):
            return None
        template = self._template_beside(repository, self.registry_facts(repository.region))
        return None if template is None else fit(template, repository, plan.grant.principals, plan.grant.tags)

    def _template_beside(self, repository: Repository, facts: RegistryFacts) -> CreationTemplate | None:
        namespace, slash, _ = repository.name.rpartition("/")
        return template_for(facts.templates, f"{namespace}{slash}new")

    def template_plan(self, repository: Repository, grant: Grant) -> Plan | None:
        """Plan the same grant in the creation template that applies next to this repository, by cached facts of the
        last minute. None without a template, or if it never applies."""
        facts = self.registry_known(repository.region)
        template = None if facts is None else self._template_beside(repository, facts)
        if template is None or not template.applied_for:
            return None
        where = place(template, repository.region, repository.account, repository.partition)
        return plan_grant_from(where, template.policy_text, grant, registry=facts)

    def template(self, prefix: str) -> TemplatePlace:
        """Find a template by prefix in the regions in use. Raises InputError if none or several match."""
        wanted, found, known = prefix.rstrip("/"), [], list[str]()
        owner = self._accounts.owner()
        for region in self._accounts.regions():
            facts = self.registry_facts(region)
            if facts.templates_unreadable:
                raise EcrTuiError(
                    f"the creation templates of {region} are unknown",
                    detail=facts.templates_unreadable,
                    hint="Allow ecr:DescribeRepositoryCreationTemplates.",
                )
            known += [one.prefix for one in facts.templates]
            found += [
                place(one, region, owner.account, owner.partition)
                for one in facts.templates
                if one.prefix.rstrip("/") == wanted
            ]
        if len(found) > 1:
            regions = ", ".join(one.region for one in found)
            raise InputError(f"creation template {wanted} exists in several regions: {regions}", hint="Use --region.")
        if not found:
            raise InputError(
                f"no creation template {wanted!r} in {', '.join(self._accounts.regions())}",
                hint=f"Use one of {', '.join(dict.fromkeys(known))}." if known else "No creation templates found.",
            )
        return found[0]

    def forget_registry(self, region: str) -> None:
        """Call after a write to one of its creation templates."""
        self._facts.forget_registry(region)

    def replication(self, region: str) -> Replication:
        """The replication rules of a region, at most a minute old; or the reason why they are unknown."""
        return self._facts.replication(region)

    def copies(self, repository: Repository, grant: Grant | None = None) -> tuple[Copy, ...]:
        """The repository's copies, and whether their live policies have ``grant``."""
        found = places(self.replication(repository.region), repository.name, repository.account)
        return tuple(self._copy(repository, grant, *place) for place in found)

    def copies_of(self, repositories: Sequence[Repository]) -> list[Repository]:
        """The copies of all of these in other regions of account A, as those regions list them; one listing a region.

        Raises EcrTuiError where rules or a region are unreadable.
        """
        names: dict[str, set[str]] = {}
        for one in repositories:
            rules = self.replication(one.region)
            if rules.unreadable:
                title = f"the replication rules of {one.region} are unknown"
                raise EcrTuiError(title, detail=rules.unreadable, hint="Allow ecr:DescribeRegistry.")
            for region, account in places(rules, one.name, one.account):
                if account == one.account:
                    names.setdefault(region, set()).add(one.name)
        given = {one.arn for one in repositories}
        found = list_repositories(self._accounts.session(Role.OWNER), list(names)) if names else []
        return [one for one in found if one.name in names[one.region] and one.arn not in given]

    def _copy(self, original: Repository, grant: Grant | None, region: str, account: str) -> Copy:
        if account != original.account:
            return Copy(region, account, FOREIGN)
        try:
            found = get_repository(self._accounts.session(Role.OWNER), original.name, region)
        except InputError:
            return Copy(region, account, ABSENT)
        except EcrTuiError as error:
            return Copy(region, account, UNKNOWN, detail=error.reason)
        if grant is None:
            return Copy(region, account, PRESENT, found)
        try:
            plan = plan_grant_from(found, self._listing.policy_text(found), grant, registry=self.registry_facts(region))
        except EcrTuiError as error:
            return Copy(region, account, UNKNOWN, found, error.reason)
        return Copy(region, account, LACKS if plan.changed else GRANTED, found, plan.void)

    def workloads(
        self, repository: Repository, *, on_progress: OnProgress | None = None, cancel: CancelEvent | None = None
    ) -> ImageUsers:
        """Workloads that use the repository's images, in account A, and in account B if its profile has access. Raises
        Cancelled.

        Up to hundreds of calls for each account and region without a result of the last ten minutes.
        """
        places = []
        for role, region in self._workload_places(repository):
            try:
                read = self._facts.workloads(role, region, on_progress, cancel)
                places.append(Place(role, region, read))
            except Cancelled:
                raise
            except EcrTuiError as error:
                places.append(Place(role, region, None, error.reason))
        return ImageUsers(repository, tuple(places))

    def workloads_known(self, repository: Repository) -> ImageUsers | None:
        """The same from cached results of the last ten minutes; None without them. Makes no AWS calls."""
        places = []
        for role, region in self._workload_places(repository):
            read = self._facts.workloads_known(role, region)
            if read is not None:
                places.append(Place(role, region, read))
        return ImageUsers(repository, tuple(places)) if places else None

    def _workload_places(self, repository: Repository) -> list[tuple[Role, str]]:
        """Lambda pulls only from its own region, ECS from any: checks the regions in use."""
        roles = [Role.OWNER] if self._accounts.settings.profile_b is None else [Role.OWNER, Role.CONSUMER]
        regions = dict.fromkeys((repository.region, *(self._accounts.settings.regions)))
        return [(role, region) for role in roles for region in regions]

    def audit(
        self,
        *,
        tags: Sequence[Tag] = (),
        principals: Sequence[str] = (),
        on_listed: Callable[[int], None] | None = None,
        on_progress: OnProgress | None = None,
        not_pulled_days: int | None = None,
        on_images: OnProgress | None = None,
        cancel: CancelEvent | None = None,
    ) -> Audit:
        """Audit all repositories of :meth:`regions`, ignoring the tag filter. ``tags``: the tag of interest for drift.

        ``principals`` (ARNs) are evaluated everywhere; empty means those of account B, or its caller. The callbacks run
        on the calling thread: ``on_listed`` with the number of repositories found so far, then ``on_progress`` as in
        ``audit_reading.read_policies``, then ``on_images``. ``not_pulled_days``: read the images of repositories with
        external pull access, and report those without a recorded pull in that many days.

        Raises Cancelled.
        """
        owner = self._accounts.owner()
        failures: dict[str, str] = {}
        seen: set[str] = set()

        def on_page(page: list[Repository]) -> None:
            seen.update(repository.arn for repository in page)
            if on_listed is not None:
                on_listed(len(seen))

        def on_failure(region: str, error: EcrTuiError) -> None:
            failures.setdefault(region, error.one_line)

        repositories = self._listing.repositories(None, on_page, cancel, on_failure)
        asked, notes = self._asked(principals)
        store = RepositoryPolicies(self._accounts.session(Role.OWNER), background=True)
        entries = read_policies(store.read, repositories, on_progress=on_progress, cancel=cancel)
        found = examine(
            entries,
            account=owner.account,
            partition=owner.partition,
            regions=self._accounts.regions(),
            registries=[self.registry_facts(region) for region in self._accounts.regions()],
            replications=[self.replication(region) for region in self._accounts.regions()],
            tags=tags,
            asked=asked,
            roles={one: identity.arn for one in asked if not (identity := self.identity_policies(one)).unreadable},
            failures=failures,
            cancel=cancel,
            trusted=self._accounts.settings.trusted,
        )
        if not_pulled_days is not None:
            pulls = self._not_pulled(found, not_pulled_days, on_images, cancel)
            found = replace(found, pulls=pulls)
        return self._with_both_sides(replace(found, notes=tuple(notes)), asked)

    def _not_pulled(
        self, found: Audit, days: int, on_images: OnProgress | None, cancel: CancelEvent | None
    ) -> PullAudit:
        reader = self._listing.readers().images
        answers = reader.read_all(pulled_from_outside(found), on_progress=on_images, cancel=cancel)
        images: dict[str, ImagesSummary | str] = {
            one.repository.arn: one.value if isinstance(one.value, ImagesSummary) else _why(one.error)
            for one in answers
        }
        return not_pulled(found, days, images)

    def matrix(self, *, proofs: Mapping[ProofKey, Proof], principals: Sequence[str] = ()) -> AccessMatrix:
        """An empty matrix of account A; the caller adds policies as it reads them. ``principals``: additional ones that
        no policy names; roles of sessions among them are looked up."""
        owner = self._accounts.owner()
        sessions = [one for one in principals if caller_of(one).kind == "assumed-role"]
        return AccessMatrix(
            owner.account,
            registries=[self.registry_facts(region) for region in self._accounts.regions()],
            proofs=proofs,
            roles={one: found.arn for one in sessions if not (found := self.identity_policies(one)).unreadable},
            now=datetime.now(UTC),
        )

    def both_sides(self, policy: Policy, principal: str, access: Access) -> TwoSided | None:
        """Both sides of a matrix cell; None for an organization, a service or everyone, which have no identity
        policies."""
        if grantees.is_conditional(principal) or account_of(principal) is None:
            return None
        return self._two_sided(policy.repository, principal, access, policy.document)

    def _asked(self, principals: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        consumer = self._accounts.settings.consumer
        if principals or consumer is None:
            return tuple(dict.fromkeys(principals)), []
        try:
            return self._accounts.callers(), []
        except EcrTuiError as error:
            return (), [f"account B is unknown: {error.one_line}"]

    def _with_both_sides(self, found: Audit, asked: Sequence[str]) -> Audit:
        """Only if account A's side allows the principal: otherwise the answer is no, regardless of B.

        Account A's own principals may have access by their own policies only.
        """
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
                notes.append(
                    f"both accounts were evaluated on {VERDICTS} of {len(let_in)} repositories for {principal}"
                )
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


def _why(error: EcrTuiError | None) -> str:
    return "not read" if error is None else error.title
