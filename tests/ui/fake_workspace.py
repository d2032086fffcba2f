"""Two accounts in memory, with the real policy and grants rooms: what AWS would say, at once or when a test lets it.

Every blocking method passes :meth:`Gate.pass_through`, so that a test can hold a call, look at the screen meanwhile,
and let it go on: no test sleeps.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecr_tui.access.audit import examine
from ecr_tui.access.audit_reading import read_policies
from ecr_tui.access.audit_result import Audit
from ecr_tui.access.image_users import ImageUsers, Place
from ecr_tui.access.matrix import AccessMatrix, Policy
from ecr_tui.access.replicas import GRANTED, LACKS, Copy
from ecr_tui.access.two_sided import TwoSided, two_sided
from ecr_tui.access.usage_reading import Record
from ecr_tui.access.usage_report import UsageReport
from ecr_tui.aws.model import (
    Identity,
    IdentityPolicies,
    MfaPrompt,
    Profile,
    RegistryFacts,
    Repository,
    Role,
    RoleToAssume,
    TemplatePlace,
)
from ecr_tui.aws.workloads import Workload, Workloads
from ecr_tui.changes.apply import Outcome, apply
from ecr_tui.changes.bulk import Bulk
from ecr_tui.changes.desired.file import GrantsFile
from ecr_tui.changes.desired.rows import Desired
from ecr_tui.changes.entries import Entry
from ecr_tui.changes.history import PastWrites
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import Plan, plan_edit_from, plan_grant_from, plan_repair_from
from ecr_tui.changes.tag_plans import TagPlan, plan_back, plan_tags
from ecr_tui.changes.tags import TagOutcome, apply_tags
from ecr_tui.changes.undo import entry_of, target, undo
from ecr_tui.config import Consumer, Settings
from ecr_tui.diagnosis.opinion import Opinion
from ecr_tui.errors import Cancelled, EcrTuiError
from ecr_tui.listing.cache import Cached
from ecr_tui.listing.policy_reader import BackgroundReader, Readers
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.principal import account_of, parse_grantee
from ecr_tui.registry.engine import Progress
from ecr_tui.verification.report import (
    Isolation,
    IsolationStatus,
    Report,
    Stage,
    StageEnded,
    StageName,
    StageProgress,
    StageStarted,
    Status,
    Verdict,
    stages_of,
)
from ecr_tui.workspace.desired import check_names, desired_of
from tests.support.planning import plan_document, plan_grant, plan_revoke
from tests.ui.fake_proofs import FakeProofs

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
A, B, REGION = "111111111111", "222222222222", "eu-central-1"
DEVUSR2 = f"arn:aws:iam::{B}:user/devusr2"
HOSTILE = (
    "[/x]",
    "[red]danger[/red]",
    "esc\x1b[31mred\x1b[0m",
    "rtl\u202eevil",
    "zero\u200bwidth",
    "n" * 256,
    "[link=http://x]y",
    "$primary [$error]",
)


def repository(
    name: str, tags: Mapping[str, str] | None = None, *, mutability: str = "MUTABLE", region: str = REGION
) -> Repository:
    host = f"{A}.dkr.ecr.{region}.amazonaws.com"
    return Repository(
        name=name,
        arn=f"arn:aws:ecr:{region}:{A}:repository/{name}",
        uri=f"{host}/{name}",
        region=region,
        account=A,
        tags=dict(tags) if tags is not None else {},
        mutability=mutability,
    )


def seeded() -> list[Repository]:
    """The demo's neighbours, by name."""
    return [
        repository("analytics/etl", {"Team": "Data", "Env": "prod"}),
        repository("base/python", {"Team": "Platform"}, mutability="IMMUTABLE"),
        repository("billing-api", {"Team": "Payments", "Env": "prod"}),
        repository("legacy-tool"),
        repository("my-first-repo", {"Team": "Payments"}),
        repository("public-mirror", {"Team": "Platform", "Env": "shared"}),
        repository("web-frontend", {"Team": "Web"}),
    ]


PUBLIC = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"Everyone","Effect":"Allow","Principal":"*",'
    '"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}'
)
LAMBDA = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"LambdaECRImageRetrievalPolicy","Effect":"Allow",'
    '"Principal":{"Service":"lambda.amazonaws.com"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}'
)


@dataclass
class Images:
    count: int
    last_push: datetime | None
    last_pull: datetime | None = None
    complete: bool = True


class Gate:
    """Holds calls by name until they are let go, and remembers which were made."""

    def __init__(self) -> None:
        self._held: dict[str, threading.Event] = {}
        self.calls: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def hold(self, *names: str) -> None:
        for name in names:
            self._held[name] = threading.Event()

    def release(self, *names: str) -> None:
        for name in names or tuple(self._held):
            self._held[name].set()

    def pass_through(self, name: str, subject: str = "") -> None:
        with self._lock:
            self.calls.append((name, subject))
        for key in (name, f"{name}:{subject}"):
            held = self._held.get(key)
            if held is not None:
                # Bounded, so that a test which fails while holding a call does not hang.
                held.wait(20)

    def count(self, name: str) -> int:
        with self._lock:
            return sum(call == name for call, _ in self.calls)


class FakeOwner:
    """Account A for runs over many: reading for a plan is "plan", writing "apply", as for a single repository."""

    account, operator = A, f"arn:aws:sts::{A}:assumed-role/EcrAdmin/alice"

    def __init__(self, workspace: FakeWorkspace) -> None:
        self._workspace = workspace
        self.read = workspace.read

    def store(self, *, patient: bool) -> FakeOwner:
        return self

    def fresh(self, repo: Repository) -> Repository:
        self._workspace._enter("plan", repo.name)
        return repo

    def write(self, repo: Repository, text: str) -> None:
        self._workspace._enter("apply", repo.name)
        self._workspace.write(repo, text)

    def delete(self, repo: Repository) -> None:
        self._workspace._enter("apply", repo.name)
        self._workspace.delete(repo)

    trusted = None

    def registry(self, region: str) -> None:
        return None

    def touched(self, repo: Repository) -> None:
        self._workspace.gate.calls.append(("touched", repo.name))


class FakeUsage:
    """CloudTrail's events as far as they were read. ``report``: what a reading finds, after its ``pages``."""

    def __init__(self, workspace: FakeWorkspace) -> None:
        self._workspace = workspace
        self.record = Record(A, REGION)
        self.pages: list[tuple[int, datetime]] = []
        self.found: UsageReport | None = None

    def known(self, repo: Repository) -> Record:
        self._workspace._enter("usage_known", repo.name)
        return self.record

    def report(
        self,
        repositories: Sequence[Repository],
        *,
        on_page: Callable[[int, datetime], None],
        cancel: threading.Event,
    ) -> UsageReport:
        for page in self.pages:
            on_page(*page)
        self._workspace._enter("usage", repositories[0].name)
        assert self.found is not None
        return self.found


class FakeWorkspace(FakeProofs):
    """As ``ecr_tui.workspace.Workspace``, all parts in one object.

    ``errors`` holds, by method name or "method:repository", what is raised.
    """

    def __init__(
        self,
        folder: Path,
        repositories: Sequence[Repository] | None = None,
        *,
        settings: Settings | None = None,
        policies: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.engines: list[str | None] = []
        self.tag_switches: list[str] = []
        self.running: tuple[Workload, ...] = ()
        self.users: Workloads | None = None
        self.accounts = self.listing = self.access = self.changes = self.verification = self
        self.settings = settings or Settings(
            profile_a="account-a", profile_b="dev-acc", regions=(REGION,), scope_tag=""
        )
        self.ask_mfa: Callable[[MfaPrompt], str] | None = None
        self.roles: dict[Role, RoleToAssume] = {}
        self.journal = Journal(folder / "journal.jsonl")
        self.all = list(seeded() if repositories is None else repositories)
        self.policies: dict[str, str] = {
            r.arn: text for r in self.all for n, text in (policies or {}).items() if r.name == n
        }
        if policies is None and repositories is None:
            self.policies = {self.by_name("public-mirror").arn: PUBLIC, self.by_name("billing-api").arn: LAMBDA}
        self.usage = FakeUsage(self)
        self.gate = Gate()
        self.errors: dict[str, EcrTuiError] = {}
        self.mfa_for: set[Role] = set()
        self.page_size = 1000
        self.writes: list[tuple[str, str | None]] = []
        self.script: Callable[[Repository, Any, threading.Event], Report] | None = None
        self.b_arn = DEVUSR2
        self.callers: dict[str, str] = {}
        """Of further profiles of account B, their ARNs."""
        self.expires: datetime | None = NOW + timedelta(hours=3, minutes=12)
        self.closed = False
        self.registry: RegistryFacts | None = None
        self.replicas: dict[str, tuple[Repository, ...]] = {}
        """The copies by the original's ARN."""
        self.template: TemplatePlace | None = None
        self.kept: Cached | None = None
        self.made_again: dict[str, str] = {}
        """Ids of deleted principals that were made again, with their ARNs."""
        self.identities: dict[str, IdentityPolicies] = {}
        self._make_readers()

    def _make_readers(self) -> None:
        self._readers = Readers(
            BackgroundReader(lambda repo: self.policy_text(repo)), BackgroundReader(lambda repo: self.images(repo))
        )

    def by_name(self, name: str) -> Repository:
        return next(r for r in self.all if r.name == name)

    def _enter(self, name: str, subject: str = "") -> None:
        self.gate.pass_through(name, subject)
        for key in (name, f"{name}:{subject}"):
            if key in self.errors:
                raise self.errors[key]

    # -- accounts ------------------------------------------------------------------------------------------------

    def profiles(self) -> tuple[Profile, ...]:
        return (Profile("account-a", "sso", REGION), Profile("dev-acc", "keys", REGION))

    def region_names(self, like: str | None = None) -> Sequence[str]:
        return ("eu-central-1", "eu-west-1", "us-east-1")

    def choose(self, **values: Any) -> None:
        self.settings = self.settings.changed("chosen in the app", **values)

    def use(self, *, assume_a=None, assume_b=None, consumer=None, **changes: Any) -> None:
        told = {**changes, **({} if consumer is None else {"consumer": consumer})}
        self.gate.pass_through("use", ",".join(f"{k}={v}" for k, v in told.items()))
        known = self.settings.consumers
        self.settings = self.settings.changed(
            "chosen in the app", **{k: v or None for k, v in changes.items() if k != "regions"}
        )
        if consumer is not None:
            self.settings = self.settings.consuming("chosen in the app", consumer)
        elif "profile_b" in changes:
            self.settings = self.settings.changed("chosen in the app", named_consumers=known, consumer_name="")
        if "regions" in changes:
            self.settings = self.settings.changed("chosen in the app", regions=tuple(changes["regions"]))
        if changes.keys() & {"profile_a", "regions"}:
            self._make_readers()
        for role, key, given in ((Role.OWNER, "profile_a", assume_a), (Role.CONSUMER, "profile_b", assume_b)):
            if key in changes:
                self.roles.pop(role, None)
                if given is not None:
                    self.roles[role] = given

    def renew(self, role: Role) -> None:
        self.gate.pass_through("renew", role.name)

    def assumed(self, role: Role) -> RoleToAssume | None:
        return self.roles.get(role)

    def expires_at(self, role: Role) -> datetime | None:
        return None

    def owner(self) -> Identity:
        self._enter("owner")
        self._mfa(Role.OWNER)
        arn = f"arn:aws:sts::{A}:assumed-role/EcrAdmin/alice"
        return Identity(Role.OWNER, self.settings.profile_a, A, arn, "AROA:alice", REGION, self.expires)

    def consumer(self, consumer: Consumer | None = None) -> Identity:
        """Another one than B acts as the first of its principals."""
        self._enter("consumer", consumer.name if consumer is not None else "")
        self._mfa(Role.CONSUMER)
        own = self.callers.get(self.settings.profile_b or "", self.b_arn)
        arn = consumer.principals[0] if consumer is not None and consumer.principals else own
        return Identity(Role.CONSUMER, self.settings.profile_b, own.split(":")[4], arn, "AIDA", REGION)

    def consumer_principals(self, consumer: Consumer | None = None) -> tuple[str, ...]:
        return (consumer.principals if consumer is not None else ()) or (self.consumer().arn,)

    def organization(self) -> str:
        self._enter("organization")
        return "o-a1b2c3d4e5"

    def _mfa(self, role: Role) -> None:
        if role in self.mfa_for:
            assert self.ask_mfa is not None
            self.gate.calls.append(("mfa", self.ask_mfa(MfaPrompt("account-a", "arn:aws:iam::111111111111:mfa/alice"))))

    # -- repositories --------------------------------------------------------------------------------------------

    def repositories(self, tags=None, on_page=None, cancel=None, on_failure=None) -> list[Repository]:
        self._enter("repositories", ",".join(f"{k}={v}" for k, v in (tags or {}).items()))
        found = [r for r in self.all if all((r.tags or {}).get(k) == v for k, v in (tags or {}).items())]
        for start in range(0, len(found), self.page_size):
            self.gate.pass_through("page", str(start))
            if on_page is not None:
                on_page(found[start : start + self.page_size])
        if on_failure is not None and "region" in self.errors:
            on_failure("us-east-1", self.errors["region"])
        return found

    def cached_repositories(self, tags=None, on_page=None, cancel=None) -> Cached | None:
        self._enter("cached_repositories")
        if self.kept is None:
            return None
        found = [r for r in self.kept.repositories if (tags or {}).items() <= (r.tags or {}).items()]
        for start in range(0, len(found), self.page_size):
            self.gate.pass_through("kept_page", str(start))
            if on_page is not None:
                on_page(found[start : start + self.page_size])
        return self.kept

    def repository(self, name: str) -> Repository:
        return self.by_name(name)

    def readers(self) -> Readers:
        return self._readers

    def policy_text(self, repo: Repository) -> str | None:
        self._enter("policy_text", repo.name)
        return self.policies.get(repo.arn)

    def images(self, repo: Repository) -> Images:
        self._enter("images", repo.name)
        number = len(repo.name) % 5
        return Images(number, NOW - timedelta(days=number, hours=2) if number else None)

    # -- grants --------------------------------------------------------------------------------------------------

    def preview(self, repo: Repository, grant: Grant, text: str | None) -> Plan:
        self._enter("preview", repo.name)
        return plan_grant_from(repo, text, grant)

    def plan(self, repo: Repository, grant: Grant) -> Plan:
        self._enter("plan", repo.name)
        return plan_grant(self, repo, grant)

    def plan_revoke(self, repo: Repository, principals: tuple[str, ...]) -> Plan:
        self._enter("plan_revoke", repo.name)
        return plan_revoke(self, repo, principals)

    def plan_document(self, repo: Repository, incoming: PolicyDocument, notes: Sequence[str] = ()) -> Plan:
        self._enter("plan_document", repo.name)
        return plan_document(self, repo, incoming, notes=notes)

    def plan_edit(self, repo: Repository, text: str | None, edited: PolicyDocument) -> Plan:
        self._enter("plan_edit", repo.name)
        return plan_edit_from(repo, text, edited)

    def plan_repairs(self, repo: Repository) -> tuple[Plan, ...]:
        self._enter("plan_repairs", repo.name)
        text = self.read(repo)
        plain = plan_repair_from(repo, text)
        return (plain, plan_repair_from(repo, text, self.made_again)) if self.made_again else (plain,)

    def apply(self, plan: Plan) -> Outcome:
        self._enter("apply", plan.repository.name)
        return apply(self, self.journal, plan, operator=self.owner().arn, read_only=self.settings.read_only_reason)

    def undo(self, identifier: str = "", *, redo: bool = False) -> Outcome:
        self._enter("redo" if redo else "undo", identifier)
        return undo(
            self,
            self.journal,
            identifier,
            account=A,
            operator=self.owner().arn,
            read_only=self.settings.read_only_reason,
            redo=redo,
        )

    def redo(self, identifier: str = "") -> Outcome:
        return self.undo(identifier, redo=True)

    def past_writes(self) -> PastWrites:
        self._enter("past_writes")
        return PastWrites(self.journal.read())

    def live_text(self, entry: Entry) -> str | None:
        self._enter("live_text", entry.record.repository)
        if entry.record.subject == "tags":
            return json.dumps(self.tags(self.repo(entry.record.arn)))
        return self.policies.get(entry.record.arn)

    # -- tags: a tagging.TagStore --

    def tags(self, repo: Repository) -> dict[str, str]:
        return dict(self.repo(repo.arn).tags or {})

    def set_tags(self, repo: Repository, tags: Mapping[str, str]) -> None:
        self._retag(repo, {**self.tags(repo), **tags})

    def remove_tags(self, repo: Repository, keys: Iterable[str]) -> None:
        gone = set(keys)
        self._retag(repo, {key: value for key, value in self.tags(repo).items() if key not in gone})

    def _retag(self, repo: Repository, tags: dict[str, str]) -> None:
        self.all = [replace(one, tags=tags) if one.arn == repo.arn else one for one in self.all]

    def fresh_tags(self, repo: Repository) -> Repository:
        self._enter("fresh_tags", repo.name)
        return self.repo(repo.arn)

    def plan_tags(self, repo: Repository, tags: Mapping[str, str], unset: Iterable[str] = ()) -> TagPlan:
        self._enter("plan_tags", repo.name)
        return plan_tags(self, repo, tags, unset)

    def plan_tags_back(self, identifier: str, *, redo: bool = False) -> TagPlan:
        history = self.journal.read()
        entry = target(history, entry_of(history, identifier, A), redo=redo)
        return plan_back(self, self.repo(entry.record.arn), entry)

    def apply_tags(self, plan: TagPlan) -> TagOutcome:
        self._enter("apply_tags", plan.repository.name)
        return apply_tags(self, self.journal, plan, operator=self.owner().arn, read_only=self.settings.read_only_reason)

    def bulk(self, parallel: int | None = None) -> Bulk:
        self._enter("bulk")
        return Bulk(FakeOwner(self), self.journal, read_only=self.settings.read_only, parallel=parallel or 8)

    def regions(self) -> tuple[str, ...]:
        return self.settings.regions

    def principals(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(parse_grantee(text, account_b=B) for text in texts)

    def desired(self, file: GrantsFile, *, prune: bool = False) -> Desired:
        self._enter("desired")
        return desired_of(file, self, prune=prune)

    def check_names(self, file: GrantsFile, desired: Desired, repositories: Iterable[Repository]) -> list[str]:
        return check_names(file, desired, repositories)

    def read(self, repo: Repository) -> str | None:
        return self.policies.get(repo.arn)

    def write(self, repo: Repository, text: str) -> None:
        self.writes.append((repo.name, text))
        self.policies[repo.arn] = text

    def delete(self, repo: Repository) -> None:
        self.writes.append((repo.name, None))
        self.policies.pop(repo.arn, None)

    def repo(self, arn: str) -> Repository:
        return next(r for r in self.all if r.arn == arn)

    def registry_facts(self, region: str) -> RegistryFacts | None:
        self._enter("registry_facts", region)
        return self.registry

    def verdicts(self, plan: Plan) -> tuple[TwoSided, ...]:
        repo = plan.repository
        self._enter("verdicts", repo.name)
        return tuple(
            two_sided(repo, one, plan.access, plan.after, identity=self.identity(one), now=NOW)
            for one in plan.principals
        )

    def identity(self, principal: str) -> IdentityPolicies:
        unknown = IdentityPolicies(principal, principal, unreadable="AccessDenied: iam:ListUserPolicies [/x]")
        return self.identities.get(principal, unknown)

    def copies(self, repo: Repository, grant: Grant | None = None) -> tuple[Copy, ...]:
        """Those of :attr:`replicas`, whose policies are kept as the others'."""
        self._enter("copies", repo.name)
        found = []
        for one in self.replicas.get(repo.arn, ()):
            lacks = grant is not None and plan_grant_from(one, self.read(one), grant).changed
            found.append(Copy(one.region, one.account, LACKS if lacks else GRANTED, one))
        return tuple(found)

    def copies_of(self, repositories: Sequence[Repository]) -> list[Repository]:
        self._enter("copies_of")
        return [copy for one in repositories for copy in self.replicas.get(one.arn, ())]

    def template_plan(self, repo: Repository, grant: Grant) -> Plan | None:
        """In :attr:`template`, whose policy is kept as the others'."""
        self._enter("template_plan", repo.name)
        return None if self.template is None else plan_grant_from(self.template, self.read(self.template), grant)

    plan_in_template = template_plan

    def new_repositories(self, plan: Plan) -> None:
        self._enter("new_repositories", plan.repository.name)

    def audit(self, *, on_listed=None, on_progress=None, cancel=None) -> Audit:
        self._enter("audit")
        if on_listed is not None:
            on_listed(len(self.all))
        entries = read_policies(self.policy_text, self.all, on_progress=on_progress, cancel=cancel)
        self.gate.pass_through("audit_read")
        if cancel is not None and cancel.is_set():
            self.gate.calls.append(("audit", "cancelled"))
            raise Cancelled
        return examine(entries, account=A, regions=(REGION,), asked=(self.b_arn,), now=NOW)

    def matrix(self, *, proofs: Any, principals: Sequence[str] = ()) -> AccessMatrix:
        self._enter("matrix")
        facts = [self.registry] if self.registry is not None else []
        return AccessMatrix(A, registries=facts, proofs=proofs, now=NOW)

    def both_sides(self, policy: Policy, principal: str, access: Access) -> TwoSided | None:
        self._enter("both_sides", policy.repository.name)
        if account_of(principal) is None:
            return None
        identity = self.identity(principal)
        return two_sided(policy.repository, principal, access, policy.document, identity=identity, now=NOW)

    def workloads(self, repo: Repository, *, on_progress: Any = None, cancel: Any = None) -> ImageUsers:
        self._enter("workloads", repo.name)
        self.users = Workloads(A, REGION, self.running, ("ecs:ListTaskDefinitions is denied",))
        return ImageUsers(repo, (Place(Role.OWNER, REGION, self.users),))

    def workloads_known(self, repo: Repository) -> ImageUsers | None:
        return ImageUsers(repo, (Place(Role.OWNER, REGION, self.users),)) if self.users else None

    opinion = Opinion("Access Troubleshooter did not answer: account B needs iam:GetRequestAuthorizationDetails.")

    # -- verification --------------------------------------------------------------------------------------------

    def run(
        self, repo, *, engine=None, isolation="auto", access=Access.PUSH_PULL, tag_switch=False, on_event, cancel
    ) -> Report:
        self._enter("verify", repo.name)
        self.engines.append(engine)
        self.tag_switches += [repo.name] if tag_switch else []
        self.asked_to_prove = (access, isolation if isinstance(isolation, str) else [one.name for one in isolation])
        return (self.script or allowed)(repo, on_event, cancel, self.gate)

    def with_opinion(self, report: Report, repo: Repository, cancel: threading.Event) -> Report:
        self._enter("with_opinion", repo.name)
        found = Opinion("cancelled") if cancel.is_set() else self.opinion
        stages = tuple(one._replace(opinion=found) if one is report.denied else one for one in report.stages)
        return report._replace(stages=stages)

    def busy(self) -> bool:
        return False

    def close(self, patience: float = 5.0) -> bool:
        self.closed = True
        return True


# -- scripted verifications ------------------------------------------------------------------------------------------

DIGEST = "sha256:" + "4f" * 32
MESSAGES = {
    StageName.IDENTITY: DEVUSR2,
    StageName.TOKEN: "expires 2026-11-25 00:00 UTC, in 11 h 59 min",
    StageName.LOGIN: f"{A}.dkr.ecr.{REGION}.amazonaws.com accepts B's token (this is identity, not access)",
    StageName.TAG: f"{A}.dkr.ecr.{REGION}.amazonaws.com/my-first-repo:ecr-tui-verify-20261124T120000Z-ab12",
    StageName.PUSH: DIGEST,
    StageName.PULL: DIGEST,
    StageName.DIGEST: "the pulled digest matches the pushed digest",
    StageName.ISOLATION: "denied on web-frontend, as expected",
    StageName.CLEANUP: "probe image and local tag removed",
}
SECONDS = dict(zip(StageName, (0.08, 0.11, 0.21, 0.03, 0.02, 0.46, 0.31, 0.0, 0.09, 0.12), strict=True))


def stage(name: StageName, status: Status = Status.OK, message: str = "", **more: Any) -> Stage:
    moved = 1432 if name in (StageName.PUSH, StageName.PULL) and status is Status.OK else None
    taken = None if status is Status.SKIPPED else SECONDS[name]
    return Stage(name, status, message or MESSAGES[name], taken, bytes=moved, **more)


def report(repo: Repository, stages: Sequence[Stage], verdict: Verdict, *, exit_code: int = 0) -> Report:
    return Report(
        repository=repo.name,
        principal=DEVUSR2,
        engine="docker",
        engine_description="Docker Engine 27.3.1 at unix:///var/run/docker.sock",
        verdict=verdict,
        stages=tuple(stages),
        isolation=Isolation("web-frontend", IsolationStatus.DENIED, MESSAGES[StageName.ISOLATION]),
        cleaned_up=True,
        started_at=NOW,
        digest=DIGEST if verdict is Verdict.ALLOWED else "",
        exit_code=exit_code,
    )


def allowed(repo: Repository, on_event: Any, cancel: threading.Event, gate: Gate) -> Report:
    """Every stage passes; "stage:push" and so on can be held."""
    stages = []
    for name in stages_of(Access.PUSH_PULL):
        on_event(StageStarted(name))
        if name in (StageName.PUSH, StageName.PULL):
            on_event(StageProgress(name, Progress("3f2a91c0", "pushing", 716, 1432)))
        gate.pass_through("stage", name.value)
        stages.append(stage(name))
        on_event(StageEnded(stages[-1]))
    return report(repo, stages, Verdict.ALLOWED)


def denied(repo: Repository, on_event: Any, cancel: threading.Event, gate: Gate) -> Report:
    """The push is refused because A's repository has no policy."""
    stages = []
    for name in (StageName.IDENTITY, StageName.TOKEN, StageName.LOGIN, StageName.TAG):
        on_event(StageStarted(name))
        stages.append(stage(name))
        on_event(StageEnded(stages[-1]))
    on_event(StageStarted(StageName.PUSH))
    refused = Stage(
        StageName.PUSH,
        Status.DENIED,
        "A's repository policy does not allow it",
        0.19,
        action="ecr:InitiateLayerUpload",
        side="A's repository policy",
        cause=f"{repo.name} has no repository policy, so no other account has access.",
        fix=f"ecr-tui grant {repo.name} --to {DEVUSR2}",
        detail=f"denied: User: {DEVUSR2} is not authorized to perform: ecr:InitiateLayerUpload on resource: {repo.arn} "
        "because no resource-based policy allows the ecr:InitiateLayerUpload action",
    )
    stages.append(refused)
    on_event(StageEnded(refused))
    for name in (StageName.PULL, StageName.DIGEST):
        stages.append(stage(name, Status.SKIPPED, "not reached"))
        on_event(StageEnded(stages[-1]))
    for name in (StageName.ISOLATION, StageName.CLEANUP):
        on_event(StageStarted(name))
        stages.append(stage(name))
        on_event(StageEnded(stages[-1]))
    return report(repo, stages, Verdict.DENIED, exit_code=1)


AUTHORIZATION_ID = "ejsk06qtimkkubln9lbjmt1h"


def denied_with_id(repo: Repository, on_event: Any, cancel: threading.Event, gate: Gate) -> Report:
    """As :func:`denied`, and AWS can be asked about it."""
    found = denied(repo, on_event, cancel, gate)
    stages = [one._replace(authorization_id=AUTHORIZATION_ID) if one is found.denied else one for one in found.stages]
    return found._replace(stages=tuple(stages))


def cancellable(repo: Repository, on_event: Any, cancel: threading.Event, gate: Gate) -> Report:
    """Runs until it is cancelled, then cleans up, as the real one does."""
    stages = []
    for name in (StageName.IDENTITY, StageName.TOKEN, StageName.LOGIN, StageName.TAG):
        on_event(StageStarted(name))
        stages.append(stage(name))
        on_event(StageEnded(stages[-1]))
    on_event(StageStarted(StageName.PUSH))
    gate.calls.append(("pushing", repo.name))
    assert cancel.wait(20), "nobody cancelled"
    stages.append(Stage(StageName.PUSH, Status.FAILED, "Cancelled", 0.3, cause="Cancelled by the user."))
    on_event(StageEnded(stages[-1]))
    for name in (StageName.PULL, StageName.DIGEST, StageName.ISOLATION):
        stages.append(stage(name, Status.SKIPPED, "not reached"))
        on_event(StageEnded(stages[-1]))
    gate.pass_through("stage", "cleanup")
    stages.append(stage(StageName.CLEANUP))
    on_event(StageEnded(stages[-1]))
    return report(repo, stages, Verdict.ERROR, exit_code=1)


def with_tags(repo: Repository, **tags: str) -> Repository:
    return replace(repo, tags=tags)
